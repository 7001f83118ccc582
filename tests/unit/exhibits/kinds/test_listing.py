"""Kind `listing`: the chosen numbers of another exhibit, unchanged, in the order and the form asked for."""

import math

import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.tidy import tidy_frame, write_tidy
from refino_eval.exhibits.wording.labels import Label, LabelBook

COLUMNS = {"work": "work_12", "wage": "wage_12"}
OUTCOME = {"description": "x", "kind": "value_at", "state": "work", "at": 12, "unit": {"nb": "andel", "en": "share"}}


def label(text):
    return {"nb": f"{text} (nb)", "en": text}


def entries(**listing):
    state = {"label": label("In work"), "description": "x", "expression": "1", "unit": label("share")}
    return Definitions.model_validate(
        {
            "states": {"work": state},
            "outcomes": {name: {**OUTCOME, "label": label(name)} for name in COLUMNS.values()},
            "specifications": {
                name: {"label": label(name), "description": "x", "controls": []} for name in ("main", "none")
            },
            "exhibits": {
                "effects": {
                    "kind": "itt", "title": label("Effects"), "columns": COLUMNS, "specifications": ["main", "none"],
                },
                "listed": {"kind": "listing", "title": label("Listed"), "numbers_of": "effects", **listing},
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the files of four people, and of an exhibit of effects with one number that is not estimable."""
    folder = tmp_path_factory.mktemp("listing")
    cohort = pd.DataFrame({"person_id": list("abcd"), "treated": [0, 1, 0, 1], "sample_analysed": True})
    cohort.to_parquet(folder / "cohort.parquet")
    rows = [
        {"exhibit": "effects", "panel": panel, "row": "new", "column": column, "statistic": statistic, "value": value,
         "n_persons": 400}
        for k, panel in enumerate(("main", "none"))
        for j, column in enumerate(COLUMNS)
        for statistic, value in (("estimate", 0.123456 + k + j / 10), ("std_error", 0.05), ("p_value", 0.01 * (1 + k)))
    ]  # fmt: skip
    rows[2] |= {"value": math.nan, "status": "not_estimable"}
    write_tidy(tidy_frame(rows), folder / "effects.csv")
    return PersonFiles(folder / "cohort.parquet", {}, {}, aggregates={"effects": folder / "effects.csv"})


def numbers(files, **listing):
    definitions = entries(**listing)
    study = Study("new", "old", definitions.specifications, seed=1)
    return aggregate("listed", definitions.exhibits["listed"], files=files, study=study)


def table(files, language="en", **listing):
    definitions = entries(**listing)
    arms = {"new": Label(nb="Ny", en="New"), "old": Label(nb="Gammel", en="Old")}
    labels = LabelBook(definitions=definitions, treated="new", control="old", arms=arms)
    return table_of(
        "listed", definitions.exhibits["listed"], numbers(files, **listing), labels=labels, language=language,
        facts={"data_class": "synthetic"},
    )  # fmt: skip


def texts(rows):
    return [[cell.text for cell in row.cells] for row in rows]


def test_without_a_choice_every_number_is_listed_unchanged(files):
    listed = numbers(files)
    source = pd.read_csv(files.aggregates["effects"], keep_default_na=False)
    assert len(listed) == len(source) == 12
    keys = ["panel", "row", "column", "statistic", "n_persons", "status"]
    assert listed[keys].astype(str).values.tolist() == source[keys].astype(str).values.tolist()
    assert listed["value"].tolist()[0] == 0.123456
    assert set(listed["exhibit"]) == {"listed"}


def test_the_order_of_the_choice_is_that_of_the_table(files):
    listed = numbers(files, only={"statistic": ["p_value", "estimate"], "column": ["wage", "work"], "panel": ["main"]})
    assert listed[["column", "statistic"]].values.tolist() == [
        ["wage", "p_value"], ["wage", "estimate"], ["work", "p_value"], ["work", "estimate"],
    ]  # fmt: skip


@pytest.mark.parametrize("choice", [{"panel": ["mian"]}, {"row": ["old"]}, {"statistic": ["mean"]}])
def test_a_choice_that_does_not_occur_is_reported_with_the_exhibit_and_the_key(files, choice):
    ((name, (key,)),) = choice.items()
    with pytest.raises(UserError, match=f"'listed': only: the exhibit 'effects' has no {name} '{key}'"):
        numbers(files, only=choice)


def test_statistics_are_columns_and_panels_are_blocks(files):
    (part,) = table(files, only={"statistic": ["estimate", "p_value"]}).parts
    assert len(part.header[0].cells) == 3
    assert [row.role for row in part.body] == ["block", "body", "body", "block", "body", "body"]
    assert [text for text, *_ in texts(part.body)] == ["main", "In work", "Wage", "none", "In work", "Wage"]


def test_across_chooses_what_the_columns_are(files):
    (part,) = table(files, only={"statistic": ["estimate"], "column": ["work"]}, across="panel").parts
    assert texts(part.header) == [["", "main", "none"]]
    assert [cell.number for cell in part.body[0].cells[1:]] == [0.123456, 1.123456]


def test_decimals_and_labels_of_the_definition_are_used(files):
    (part,) = table(
        files,
        only={"statistic": ["estimate"], "panel": ["main"]},
        decimals={"estimate": 4},
        labels={"work": label("Any work")},
    ).parts
    assert texts(part.body) == [["Any work", "0.1235"], ["Wage", "0.2235"]]


def test_a_number_that_cannot_be_estimated_stays_marked(files):
    shown = table(files, only={"panel": ["main"], "column": ["work"]})
    assert shown.parts[0].body[0].cells[3].text == "\N{EN DASH}"


def test_a_listing_of_a_listing_is_refused(files):
    definitions = entries(numbers_of="listed")
    (fault,) = definitions.exhibits["listed"].faults("exhibit 'listed'", None, definitions)
    assert "numbers_of names the listing 'listed'" in fault


def test_numbers_as_rows_may_be_written_as_numbers():
    assert entries(only={"row": [12, "24"]}).exhibits["listed"].only["row"] == ("12", "24")
