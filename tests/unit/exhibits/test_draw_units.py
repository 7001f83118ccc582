"""What is drawn again, clusters or people, the warning of few clusters, and the family that the summary names."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.itt.layout import itt_notes
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.kinds.tests.text import summary
from refino_eval.exhibits.numbers.drawn_units import drawn_units
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import inference_note
from support.builders import LABEL


def people(split):
    """Ten homes of two, of which `split` have one person in each arm."""
    treated = np.repeat(np.arange(10) % 2, 2)
    treated[: 2 * split : 2] = 1 - treated[: 2 * split : 2]
    return pd.DataFrame({"cluster": np.repeat(list("abcdefghij"), 2), "treated": treated})


def test_clusters_are_drawn_again_where_the_draw_never_parts_them():
    assert drawn_units(None, people(0)).tolist() == np.repeat(np.arange(10), 2).tolist()
    assert drawn_units(None, people(8)).tolist() == list(range(20))
    assert drawn_units("person", people(0)).tolist() == list(range(20))
    assert drawn_units(None, people(0)[["treated"]]) is None
    assert drawn_units(None, people(0).drop_duplicates("cluster")).tolist() == list(range(10))


def test_a_few_divided_clusters_are_no_guess():
    with pytest.raises(UserError, match="2 of 10 clusters with several people have people in both arms"):
        drawn_units(None, people(2))
    assert len(set(drawn_units("cluster", people(2)))) == 10
    with pytest.raises(UserError, match="names none"):
        drawn_units("cluster", people(0)[["treated"]])


@pytest.mark.parametrize(("clusters", "told"), [(29, True), (30, False)])
def test_few_clusters_give_a_warning(clusters, told):
    frame = pd.DataFrame({"row": ["t"], "statistic": ["df"], "value": [clusters - 1.0]})
    named = Label.model_validate(LABEL)
    book = LabelBook(Definitions(), "t", "c", {"t": named, "c": named}, clusters=("school",))
    for language, words in (("nb", f"Bare {clusters} klynger"), ("en", f"Only {clusters} clusters")):
        labels = book.in_language(language)
        assert (words in inference_note(["CRV1"], [0.95], frame, labels)) == told
        assert "2015" not in inference_note(["HC1"], [0.95], frame, labels)
    assert ("randomisation test" in inference_note(["CRV1"], [0.95], frame, book.in_language("en"))) == told


def test_clusters_are_not_counted_by_freedom_that_is_estimated():
    """CR2 has 9.7 degrees of freedom where CRV1 has 33 of 34 clusters."""
    exhibit = IttExhibit.model_validate(
        {"kind": "itt", "title": LABEL, "columns": {"y": "y"}, "specifications": ["one", "two"]}
    )
    specifications = {
        name: {"label": LABEL, "description": "x", "vcov": vcov} for name, vcov in (("one", "CRV1"), ("two", "CR2"))
    }
    named = Label.model_validate(LABEL)
    labels = LabelBook(
        Definitions.model_validate({"specifications": specifications}), "t", "c", {"t": named, "c": named}
    )
    for of_crv1, said in ((33.0, False), (28.0, True)):
        frame = pd.DataFrame(
            {"panel": ["one", "two"], "row": "t", "column": "y", "statistic": "df", "value": [of_crv1, 9.7]}
        )
        notes = " ".join(itt_notes(exhibit, frame, labels))
        assert ("Only 29 clusters" in notes) == said
        assert "Only 11 clusters" not in notes


@pytest.mark.parametrize(
    ("family", "words"), [("outcomes", "When 2 outcomes"), ("arms_and_outcomes", "When all 4 tests")]
)
def test_the_summary_counts_the_family_that_was_tested(family, words):
    exhibit = TestsExhibit.model_validate(
        {"kind": "tests", "title": LABEL, "columns": {"y": "y", "x": "x"}, "specification": "one", "family": family}
    )
    rows = [("one", row, arm, "p_value_fwer", 0.2) for row in ("y", "x") for arm in ("a", "b")]
    frame = pd.DataFrame(rows, columns=["panel", "row", "column", "statistic", "value"]).assign(status="")
    named = Label.model_validate(LABEL)
    labels = LabelBook(Definitions.model_validate({}), "a", "c", {"a": named, "b": named, "c": named}, several=("a",))
    assert summary(exhibit, frame, labels)[0].startswith(words)


def _notes_of(rows):
    exhibit = IttExhibit.model_validate(
        {"kind": "itt", "title": LABEL, "columns": {"y": "y"}, "specifications": ["one"]}
    )
    specification = {"label": LABEL, "description": "x", "vcov": "CR2"}
    named = Label.model_validate(LABEL)
    labels = LabelBook(
        Definitions.model_validate({"specifications": {"one": specification}}), "t", "c", {"t": named, "c": named}
    )
    frame = pd.DataFrame(rows, columns=["row", "statistic", "value"]).assign(panel="one", column="y")
    return " ".join(itt_notes(exhibit, frame, labels))


def test_a_randomisation_test_is_announced_only_where_there_is_one():
    rows = [("t", "df", 3.0), *(("clusters_t", name, 3.0) for name in ("n_treated", "n_control", "n_clusters", "df"))]
    assert "weak basis" in _notes_of(rows)
    assert "p-value of a randomisation test" not in _notes_of(rows)
    assert "p-value of a randomisation test" in _notes_of([*rows, ("t", "p_value_ri", 0.2)])


@pytest.mark.parametrize(("sd", "mean", "constant"), [(0.0, 1.0, True), (0.1, 1.0, False), (0.0, 2.0, False)])
def test_an_outcome_with_one_value_is_named(sd, mean, constant):
    rows = [("t", "sd_treated", 0.0), ("t", "sd_control", sd), ("t", "mean_treated", 1.0), ("t", "mean_control", mean)]
    assert ("the same value for everybody" in _notes_of([("t", "df", 90.0), *rows])) == constant
