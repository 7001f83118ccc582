"""The figure of the cohort flow: its numbers are those of flow.csv, each said for each arm, in both languages, the same bytes."""

import re

import pandas as pd
import pytest

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import PersonFiles, Study, aggregate
from refino_eval.exhibits.kinds.flow.flow_arms import LETTER, SMALLEST, arm_names
from refino_eval.exhibits.kinds.flow.flow_stages import stages_of
from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.render import figure_notes, render
from refino_eval.exhibits.wording.labels import LabelBook

FLOW = """step,reason,persons,treated,control
delivered,,5059,1937,3122
population,repeated_draw,27,12,15
population,left_early,118,92,26
drawn,,4914,1833,3081
analysed,no_demography,3,1,2
analysed,,4911,1832,3079
"""
LABELS = LabelBook(
    definitions=Definitions(),
    treated="new",
    control="old",
    arms={"new": Label(nb="Ny", en="New"), "old": Label(nb="Gammel", en="Old")},
    samples={"drawn": Label(nb="Alle", en="Everybody"), "analysed": Label(nb="Utvalget", en="The sample")},
    flow={"population:repeated_draw": Label(nb="Trukket to ganger", en="Drawn twice")},
)
EXHIBIT = FlowExhibit.model_validate({"kind": "flow", "title": {"nb": "Flyt", "en": "Flow"}})


def numbers(tmp_path, text=FLOW, exhibit=EXHIBIT):
    (tmp_path / "flow.csv").write_text(text, encoding="utf-8")
    cohort = pd.DataFrame({"person_id": ["1", "2"], "treated": [0, 1], "sample_analysed": [True, True]})
    cohort.to_parquet(tmp_path / "cohort.parquet")
    return aggregate(
        "figure_flow",
        exhibit,
        files=PersonFiles(tmp_path / "cohort.parquet", {}, {}, tmp_path / "flow.csv"),
        study=Study(treated="new", control="old", specifications={}, seed=1),
    )


def test_the_numbers_are_those_of_the_flow(tmp_path):
    found = numbers(tmp_path).set_index(["row", "column"])["value"]
    assert len(found) == 18
    assert found["population:left_early", "new"] == 92
    assert found["delivered", "all"] == 5059
    assert found["analysed", "old"] == 3079
    stages = stages_of(numbers(tmp_path))
    assert [stage.name for stage in stages] == ["delivered", "drawn", "analysed"]
    assert list(stages[1].out) == ["population:repeated_draw", "population:left_early"]


@pytest.mark.parametrize(
    "wrong", [FLOW.replace("drawn,,4914,1833", "drawn,,4914,1834"), FLOW.replace("left_early,118", "left_early,117")]
)
def test_a_flow_that_does_not_add_up_is_refused(tmp_path, wrong):
    with pytest.raises(UserError, match="no single flow"):
        numbers(tmp_path, wrong)


def test_samples_beside_each_other_are_chosen_by_name(tmp_path):
    beside = FLOW + "young,too_old,914,833,81\nyoung,,4000,1000,3000\n"
    with pytest.raises(UserError, match="'young'"):
        numbers(tmp_path, beside)
    chosen = EXHIBIT.model_copy(update={"samples": ("drawn", "young")})
    found = numbers(tmp_path, beside, chosen)
    assert "analysed" not in set(found["row"])
    assert "young:too_old" in set(found["row"])


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Assignments delivered: 5,059 (New 1,937, Old 3,122)",
                "Drawn twice: 27 (New 12, Old 15)",
                "Left early: 118",
            ],
        ),
        ("nb", ["Flytdiagram", "Trukket to ganger: 27 (Ny 12, Gammel 15)"]),
    ],
)
def test_the_figure_says_every_number_to_those_who_do_not_see_it(tmp_path, language, said):
    frame = numbers(tmp_path)
    for folder in ("one", "two"):
        render(
            "figure_flow", EXHIBIT, frame, labels=LABELS, language=language, tables_dir=tmp_path,
            figures_dir=tmp_path / folder, facts={"data_class": "synthetic"},
        )  # fmt: skip
    svg = (tmp_path / "one" / f"figure_flow.{language}.svg").read_text(encoding="utf-8")
    alt = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.S)[1]
    for text in said:
        assert text in alt
    for value in frame["value"]:
        shown = f"{int(value):,}" if language == "en" else f"{int(value):,}".replace(",", "[\\s\u00a0\u202f]")
        assert re.search(shown, alt), value
    for ending in ("svg", "png"):
        one, two = ((tmp_path / folder / f"figure_flow.{language}.{ending}").read_bytes() for folder in ("one", "two"))
        assert one == two


def test_no_note_about_one_sample(tmp_path):
    notes = figure_notes(EXHIBIT, numbers(tmp_path), labels=LABELS, language="en", facts={})
    assert notes == ()


def test_names_of_several_arms_fit_their_columns_and_break_at_hyphens_only():
    names = ["Alle", "Arbeidsmarkedsopplæring", "Lønnstilskudd", "Individuell jobbstøtte (IPS)"]
    for step in (0.85, 1.1, 1.7, 2.6):
        size, heads = arm_names(names, step)
        assert max(len(line) for lines in heads for line in lines) * LETTER * size <= step
        assert size >= SMALLEST
        for name, lines in zip(names, heads, strict=True):
            assert re.sub("-$", "", re.sub("- ", "", " ".join(lines))) == name
    assert arm_names(names, 0.85)[1][1:3] == [["Arbeids-", "markeds-", "opplæring"], ["Lønns-", "tilskudd"]]
    assert arm_names(names, 2.6)[1][1] == ["Arbeidsmarkedsopplæring"]
