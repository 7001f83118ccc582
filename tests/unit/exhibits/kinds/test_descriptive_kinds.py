"""Kinds that describe where and when people took part: sites, stocks by month, bars, months by calendar year, published heads."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest
from pydantic import ValidationError

from refino_eval.config.definitions import Definitions
from refino_eval.disclosure.classes import treatment_of
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.kinds.measured_costs.model import MonthsByYear
from refino_eval.exhibits.kinds.measured_costs.numbers import _by_year
from refino_eval.exhibits.kinds.sites.model import SitesExhibit
from refino_eval.exhibits.kinds.stock.model import StockExhibit
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Study
from refino_eval.exhibits.render import drawing_of, table_of
from refino_eval.exhibits.report_parts import report_part
from refino_eval.report.trail.locations import words_of_place
from support import trial as toy
from support.builders import LABEL

FACTS = {"data_class": "public"}
STUDY = Study("new", "old", {}, 1)
SITES = {
    "kind": "sites", "title": LABEL, "by": "office", "values_head": {"nb": "Kontorer", "en": "Offices"},
    "columns": {"owner": {"label": {"nb": "Eier", "en": "Owner"}}, "places": {"label": {"nb": "Plasser", "en": "Places"}, "sum": True},
                "since": {"label": {"nb": "Siden", "en": "Since"}}},
    "sites": {
        "north": {"label": {"nb": "Nord", "en": "North"}, "values": ["1", "2"], "texts": {"owner": {"nb": "Kommunen", "en": "The town"}},
                  "stated": {"places": {"value": 45, "source": "x"}, "since": {"value": 2019, "source": "x"}}},
        "south": {"label": {"nb": "Sør", "en": "South"}, "values": ["3"], "stated": {"places": {"value": 1100, "source": "x"}}},
    },
}  # fmt: skip
LABELS = replace(toy.label_book(Definitions()), value_labels={"office": {"1": "Alta"}})


def cohort(folder):
    frame = pd.DataFrame(
        {
            "person_id": list("abcdef"), "treated": [1, 0, 0, 1, 0, 0], "cell": "one", "office": ["1", "2", "2", "3", "9", None],
            "draw_month": ["2018-11", "2018-11", "2019-01", "2019-02", "2019-02", "2019-02"], "sample_analysed": True,
        }
    )  # fmt: skip
    frame.to_parquet(folder / "cohort.parquet")
    return frame


def test_sites_count_people_next_to_what_documents_state(tmp_path):
    cohort(tmp_path)
    exhibit = SitesExhibit.model_validate(SITES)
    frame = aggregate("sites", exhibit, files=PersonFiles(tmp_path / "cohort.parquet", {}, {}), study=STUDY)
    made = frame.set_index(["row", "column", "statistic"])["value"]
    assert [made[row, arm, "count"] for row in ("north", "south", "all") for arm in ("new", "old")] == [
        1,
        2,
        1,
        0,
        2,
        2,
    ]
    assert [made["without_group", arm, "count"] for arm in ("new", "old")] == [0, 2]
    assert made["all", "places", "stated"] == 1145
    assert ("all", "since", "stated") not in made.index
    rows = [
        [cell.text for cell in row.cells]
        for row in table_of("sites", exhibit, frame, labels=LABELS.in_language("en"), language="en", facts=FACTS)
        .parts[0]
        .body
    ]
    assert rows[0] == ["North", "Alta, 2", "The town", "45", "2019", "1", "2"]
    assert rows[1][:5] == ["South", "3", "", "1,100", ""]
    assert rows[2][3:] == ["1,145", "", "2", "2"]
    # A comparison with published numbers names the column by its own label: it is no outcome.
    named = words_of_place(("", "north", "places", "stated"), exhibit, LABELS.in_language("en"))
    assert named.startswith("North · Places")
    copied = report_part("sites", "copied")
    assert copied(exhibit, ("", "north", "places", "stated"))
    assert not copied(exhibit, ("", "north", "new", "count"))
    assert treatment_of("frequency", "north", "places", "stated") == "plain"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"south": {"label": LABEL, "values": ["2"]}}, "people are counted once"),
        ({"south": {"label": LABEL, "texts": {"ownr": "x"}}}, "which is no column"),
        (
            {"south": {"label": LABEL, "stated": {"owner": {"value": 1, "source": "x"}}}},
            "texts in some sites and numbers in others",
        ),
        ({"south": {"label": LABEL, "stated": {"places": {"published": "t//a/b/stated"}}}}, "in which file"),
    ],
)
def test_sites_that_contradict_each_other_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        SitesExhibit.model_validate({**SITES, "sites": {**SITES["sites"], **change}})


def test_a_stock_counts_each_person_once_on_the_last_day_of_the_month(tmp_path):
    cohort(tmp_path)
    day = dt.date
    spells = pd.DataFrame(
        [
            ("a", "P", day(2018, 1, 10), day(2018, 1, 31)),  # ends the day before the last day of January: half-open
            ("b", "P", day(2018, 1, 31), day(2018, 3, 1)),
            ("b", "P", day(2018, 1, 15), day(2018, 2, 10)),  # the same person again
            ("c", "P", day(2018, 2, 28), None),
            ("z", "Q", day(2018, 1, 1), day(2018, 2, 1)),  # in no sample
            ("d", "R", day(2018, 1, 1), None),  # of no series
        ],
        columns=["person_id", "programme", "start", "stop"],
    )
    spells.astype({"start": "datetime64[ns]", "stop": "datetime64[ns]"}).to_parquet(tmp_path / "programmes.parquet")
    text = {
        "kind": "stock", "title": LABEL, "register": "programmes", "column": "programme", "first": "2018-01", "last": "2018-03",
        "series": {"p": {"label": LABEL, "codes": ["P"]}, "q": {"label": LABEL, "codes": ["Q"]}},
    }  # fmt: skip
    files = PersonFiles(tmp_path / "cohort.parquet", {}, {}, clean={"programmes": tmp_path / "programmes.parquet"})

    def counts(**change):
        frame = aggregate("s", StockExhibit.model_validate({**text, **change}), files=files, study=STUDY)
        return {name: part["value"].tolist() for name, part in frame.groupby("column")}

    assert counts() == {"p": [1, 2, 1], "q": [1, 0, 0]}
    assert counts(people="sample")["q"] == [0, 0, 0]
    exhibit = StockExhibit.model_validate(text)
    frame = aggregate("s", exhibit, files=files, study=STUDY)
    with house_style("s"):
        drawing = drawing_of("s", exhibit, frame, labels=LABELS.in_language("en"), language="en", facts=FACTS)
    assert "2018-01" in drawing.alt
    assert "2" in drawing.alt
    with pytest.raises(ValidationError, match="count it once"):
        StockExhibit.model_validate({**text, "series": {**text["series"], "q": {"label": LABEL, "codes": ["P"]}}})


def test_months_by_year_follow_the_calendar_and_add_up(tmp_path):
    people = cohort(tmp_path)
    rows = [(person, time, float(person in "ab" and time >= 1)) for person in people["person_id"] for time in range(4)]
    pd.DataFrame(rows, columns=["person_id", "event_time", "s"]).to_parquet(tmp_path / "panel.parquet")
    files = PersonFiles(tmp_path / "cohort.parquet", {}, {"month": tmp_path / "panel.parquet"})
    by_year = MonthsByYear(states={"new": "s", "old": "s"}, window=(1, 3))
    made = list(_by_year(by_year, Context("x", people, files, STUDY)))
    # a and b were assigned in November 2018: month 1 is December, months 2 and 3 are in 2019.
    assert [(row["panel"], row["column"], row["value"], row["n_persons"]) for row in made] == [
        ("2018", "new", 1.0, 1), ("2018", "old", 1.0, 1), ("2019", "new", 2.0, 1), ("2019", "old", 2.0, 1),
    ]  # fmt: skip


def test_head_groups_must_be_columns_next_to_each_other():
    columns = {"a": "a", "b": "b", "c": "c"}

    def problems(*groups, names=()):
        text = {"kind": "itt", "title": LABEL, "columns": columns, "specification_names": dict.fromkeys(names, LABEL)}
        exhibit = IttExhibit.model_validate(
            {**text, "head_groups": [{"label": LABEL, "columns": list(g)} for g in groups]}
        )
        return list(exhibit.faults("exhibit", None, None))

    assert problems("ab") == problems("ab", "c") == problems("bc") == []
    for wrong in (["ac"], ["ba"], ["c", "ab"], ["ad"]):
        assert len(problems(*wrong)) == 1
    assert "specification_names" in problems("ab", names=["other"])[0]
