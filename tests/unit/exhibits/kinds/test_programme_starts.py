"""What people of each arm had started: everybody in one place, the programme offered first, and only people who are observed."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import PersonFiles, Study, aggregate
from refino_eval.exhibits.kinds.programme_starts.layout import layers_of
from refino_eval.exhibits.kinds.programme_starts.model import ProgrammeStartsExhibit
from refino_eval.exhibits.layout.drawing import moved_apart
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.render import drawing_of, figure_notes
from refino_eval.exhibits.wording.labels import LabelBook

# Months 0 to 2 of each person: a in the new programme, b in the old one, ab in both, - in none, ? not observed.
PEOPLE = {
    "new": [("-", "a", "-"), ("b", "-", "a"), ("-", "b", "b"), ("-", "-", "-"), ("a", "?", "?")],
    "old": [("b", "b", "-"), ("-", "ab", "-"), ("-", "-", "a"), ("-", "-", "-")],
}
DEFINITION = {"kind": "programme_starts", "title": {"nb": "X", "en": "X"}, "states": ["a", "b"], "last": 2}
EXHIBIT = ProgrammeStartsExhibit.model_validate({**DEFINITION, "offered": {"new": "a", "old": "b"}})
LABELS = LabelBook(
    definitions=Definitions(),
    treated="new",
    control="old",
    arms={"new": Label(nb="Ny", en="New"), "old": Label(nb="Gammel", en="Old")},
    samples={"analysed": Label(nb="Alle", en="Everybody")},
)


def numbers(folder, exhibit=EXHIBIT, people=PEOPLE):
    rows = [(arm, months) for arm, paths in people.items() for months in paths]
    ids = [f"{k:02}" for k in range(len(rows))]
    cohort = pd.DataFrame(
        {"person_id": ids, "treated": [int(arm == "new") for arm, _ in rows], "sample_analysed": True}
    )
    panel = pd.DataFrame(
        [
            (name, time, *(None if month == "?" else float(state in month) for state in ("a", "b")))
            for name, (_, months) in zip(ids, rows, strict=True)
            for time, month in enumerate(months)
        ],
        columns=["person_id", "event_time", "a", "b"],
    )
    cohort.to_parquet(folder / "cohort.parquet")
    panel.to_parquet(folder / "panel.parquet")
    files = PersonFiles(folder / "cohort.parquet", {}, {"month": folder / "panel.parquet"})
    study = Study(treated="new", control="old", specifications={}, seed=1)
    return aggregate("starts", exhibit, files=files, study=study)


def counts(frame, arm):
    part = frame[(frame["column"] == arm) & (frame["statistic"] == "count")]
    return {row: int(value) for row, value in zip(part["row"], part["value"], strict=True)}


def test_everybody_is_in_one_place_and_the_programme_offered_comes_first(tmp_path):
    frame = numbers(tmp_path)
    assert counts(frame, "new") == {
        "0:a": 0, "1:a": 1, "2:a": 2,  # whoever began in the other programme moves when the offered one begins
        "0:b": 1, "1:b": 2, "2:b": 1,
        "0:none": 3, "1:none": 1, "2:none": 1,
    }  # fmt: skip
    assert counts(frame, "old") == {
        "0:b": 1, "1:b": 2, "2:b": 2, "0:a": 0, "1:a": 0, "2:a": 1, "0:none": 3, "1:none": 2, "2:none": 1,
    }  # fmt: skip
    lost = frame[frame["statistic"] == "n_left_out"].set_index("column")["value"]
    assert lost.to_dict() == {"new": 1, "old": 0}  # observed in month 0 alone, although already in the programme
    shares = frame[frame["statistic"] == "share"]
    totals = shares["value"].groupby([shares["column"], shares["row"].str.partition(":")[0]]).sum()
    assert totals.to_numpy() == pytest.approx(1.0)


def test_times_are_those_chosen_and_an_arm_may_have_been_offered_nothing(tmp_path):
    exhibit = ProgrammeStartsExhibit.model_validate({**DEFINITION, "times": [0, 2]})
    got = counts(numbers(tmp_path, exhibit), "old")
    assert got == {"0:a": 0, "2:a": 2, "0:b": 1, "2:b": 1, "0:none": 3, "2:none": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"last": 0}, "`last` must be after"),
        ({"times": [0, 1]}, "end with `last`"),
        ({"first": 1, "times": [0, 2]}, "before `first`"),
        ({"offered": {"new": "c"}}, "not among `states`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, said):
    with pytest.raises(ValidationError, match=said):
        ProgrammeStartsExhibit.model_validate({**DEFINITION, **change})


def test_nobody_who_is_observed_long_enough_is_reported(tmp_path):
    with pytest.raises(UserError, match="earlier `last`"):
        numbers(tmp_path, people={"new": [("a", "a", "?")], "old": [("-", "?", "?")]})


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_figure_says_its_finding_to_those_who_do_not_see_it(tmp_path, language):
    frame = numbers(tmp_path)
    with house_style("x"):
        drawing = drawing_of("starts", EXHIBIT, frame, labels=LABELS, language=language, facts={})
    finding = {"nb": "har vært a: 50 %; har vært b: 25 %", "en": "have been a: 50%; have been b: 25%"}[language]
    assert finding in drawing.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert len(drawing.figure.axes[0].collections) == 3  # an area for each programme, and one for none
    pointers = [line.get_ydata()[0] for line in drawing.figure.axes[0].lines]
    assert pointers == pytest.approx([0.25, 0.625, 0.875])  # from the middle of each area to its name
    notes = " ".join(figure_notes(EXHIBIT, frame, labels=LABELS, language=language, facts={}))
    assert {"nb": "1 person er utelatt", "en": "1 person is left out"}[language] in notes


def test_times_with_a_suppressed_number_are_not_drawn(tmp_path):
    frame = numbers(tmp_path)
    frame.loc[frame["row"].eq("1:b") & frame["column"].eq("new"), ["value", "status"]] = [float("nan"), "suppressed"]
    assert [list(layer.share.index) for layer in layers_of(EXHIBIT, frame, "new")] == [[0, 2]] * 3


def test_programmes_whose_numbers_are_suppressed_are_one_area_with_none(tmp_path):
    frame = numbers(tmp_path)
    hidden = frame["row"].str.endswith(":b") & frame["column"].eq("new")
    frame.loc[hidden, ["value", "status"]] = [float("nan"), "suppressed"]
    own, rest = layers_of(EXHIBIT, frame, "new")
    assert (own.state, rest.state) == ("a", "together")
    assert rest.share.tolist() == pytest.approx([100, 75, 50])
    with house_style("x"):
        drawing = drawing_of("starts", EXHIBIT, frame, labels=LABELS, language="en", facts={})
    assert any("not shown one by one" in text.get_text().replace("\n", " ") for text in drawing.figure.axes[0].texts)


def test_names_move_no_farther_than_they_must():
    assert moved_apart([0.1, 0.5, 0.52], [0.1] * 3) == pytest.approx([0.1, 0.46, 0.56])
    assert moved_apart([0.97, 0.99], [0.1] * 2) == pytest.approx([0.88, 0.98])
