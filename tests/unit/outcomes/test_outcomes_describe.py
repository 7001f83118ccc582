"""Windows and outcomes in words."""

from pathlib import Path

import numpy as np
import pytest

from refino_eval.config.definitions import Outcome
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.outcomes import kinds
from refino_eval.outcomes.describe import outcome_sentence, period_words, window_words
from support.builders import LABEL


def outcome(window, clock="month"):
    given = {"kind": "value_at", "at": window} if isinstance(window, int) else {"kind": "sum_over", "window": window}
    return Outcome.model_validate(
        {"label": LABEL, "description": "x", "state": "s", "unit": LABEL, "clock": clock, **given}
    )


@pytest.mark.parametrize(
    ("window", "clock", "nb", "en"),
    [
        ((1, 12), "month", "måned 1 til 12 etter trekkmåneden, begge medregnet", "months 1 to 12 after the draw month, both included"),
        ((-24, -1), "month", "måned 24 til 1 før trekkmåneden, begge medregnet", "months 24 to 1 before the draw month, both included"),
        ((0, 11), "month", "fra og med trekkmåneden til og med måned 11 etter den", "from the draw month to month 11 after it, both included"),
        ((-3, 0), "month", "fra og med måned 3 før trekkmåneden til og med trekkmåneden", "from month 3 before the draw month to the draw month, both included"),
        ((-3, 12), "month", "fra og med måned 3 før trekkmåneden til og med måned 12 etter den", "from month 3 before the draw month to month 12 after it, both included"),
        ((1, 52), "week", "uke 1 til 52 etter trekkuken, begge medregnet", "weeks 1 to 52 after the draw week, both included"),
        ((12, 12), "month", "måned 12 etter trekkmåneden", "month 12 after the draw month"),
        (12, "month", "måned 12 etter trekkmåneden", "month 12 after the draw month"),
    ],
)  # fmt: skip
def test_windows(window, clock, nb, en):
    assert window_words(outcome(window, clock), "nb") == nb
    assert window_words(outcome(window, clock), "en") == en


def test_periods():
    assert period_words(0, "week", "nb") == "trekkuken"
    assert period_words(-3, "month", "en") == "month 3 before the draw month"


def test_every_kind_has_a_sentence_in_both_languages():
    for kind, entry in OUTCOME_KINDS.items():
        every = {"at": 12, "window": (1, 12), "times": (6, 12), "at_least": 2, "spell": "s"}
        where = {key: every[key] for key in entry.keys if key in every}
        made = Outcome.model_validate(
            {"label": LABEL, "description": "x", "state": "s", "unit": LABEL, "kind": kind, **where}
        )
        nb, en = outcome_sentence(made, "Lønn", "nb"), outcome_sentence(made, "Wage", "en")
        assert nb.startswith("Lønn")
        assert nb.endswith(".")
        assert "12 etter trekkmåneden" in nb
        assert en.startswith("Wage")
        assert en.endswith(".")
        assert "12 after the draw month" in en


def test_an_unknown_kind_is_refused_with_the_nearest_one():
    given = {"label": LABEL, "description": "x", "state": "s", "unit": LABEL, "kind": "sumover", "window": (1, 2)}
    with pytest.raises(ValueError, match=r"no kind of outcome 'sumover'. Did you mean 'sum_over'"):
        Outcome.model_validate(given)


def test_every_kind_has_a_module_a_section_and_a_row():
    text = (Path(__file__).parents[3] / "docs" / "outcome_kinds.md").read_text(encoding="utf-8")
    assert set(OUTCOME_KINDS) == {path.stem for path in Path(kinds.__file__).parent.glob("*.py")} - {"__init__"}
    for name, entry in OUTCOME_KINDS.items():
        assert f"\n## {name}\n" in text
        shown = ", ".join(f"`{key}`" for key in entry.keys)
        assert f"| `{name}` | {shown} | {'true or false' if entry.reads_truth else 'any value'} |" in text


def test_an_outcome_over_an_expression_is_described_by_it():
    made = Outcome.model_validate(
        {
            "label": LABEL,
            "description": "x",
            "unit": LABEL,
            "kind": "held_at",
            "expression": "a and b",
            "times": [12, 18],
        }
    )
    assert outcome_sentence(made, "x", "en") == (
        "`a and b`: in all of month 12 after the draw month and month 18 after the draw month."
    )


def test_whole_sums_are_exact_up_to_the_largest():
    values = np.asarray([[2.0**53 - 2, 1.0], [0.1, 0.2], [853972115315.0, 1.0]])
    made = outcome((1, 2))
    assert kinds.compute(made, values)[0].tolist() == [2.0**53 - 1, 0.3, 853972115316.0]
