"""Settings that no run can honour are refused by `check`, before anything runs, with the file and the key."""

from __future__ import annotations

import pytest

from refino_eval.config.without_text import without_text
from refino_eval.errors import UserError
from support.register_runs import load_small, write_configuration

EVALUATION, EXHIBITS = "config/evaluations/small.yaml", "config/definitions/exhibits.yaml"
OUTCOMES, SPECIFICATIONS = "config/definitions/outcomes.yaml", "config/definitions/specifications.yaml"
SUBGROUPS = "config/definitions/subgroups.yaml"
BY_AGE = "table_a:\n  kind: subgroups\n  title: {nb: A, en: A}\n  columns: {job: job_month_3}\n  groups: [[one, two]]\n"
SIBLINGS = """\
samples:
  analysed: {label: {nb: a, en: a}, steps: [{reason: no_age, label: {nb: a, en: a}, complete: [age]}]}
  other: {label: {nb: b, en: b}, steps: [{reason: no_size, label: {nb: b, en: b}, complete: [size]}]}
"""
FLOW = "table_a: {kind: flow, title: {nb: A, en: A}}\n"


def group(condition):
    return f"{{label: {{nb: x, en: x}}, covariate: age, {condition}}}"


def two_groups(first, second):
    return {SUBGROUPS: (None, f"one: {group(first)}\ntwo: {group(second)}\n"), EXHIBITS: (None, BY_AGE)}


ARMS = 'treated: {name: new_way, code: "01", label: {nb: Ny, en: New}}\n  control: {name: old_way, '


def coloured(new, old=""):
    """Return the change that gives the arms colours."""
    return {EVALUATION: (ARMS, ARMS.replace("{name: new_way", f"{{colour: '{new}', name: new_way") + old)}


CASES = {
    "subgroups that overlap": (two_groups("below: 50", "at_least: 40"), "'one' and 'two', and somebody can be in both"),
    "subgroups with a value in common": (two_groups("equals: [1, 2]", "equals: [2.0]"), "somebody can be in both"),
    "a subgroup with no one": (two_groups("below: 30", "at_least: 50, below: 40"), "nobody can be in the subgroup"),
    "a subgroup without a condition": (two_groups("below: 30", "equals: null"), "needs `equals`, `at_least` or `below`"),
    "a subgroup of no values": (two_groups("below: 30", "equals: []"), "equals: must have at least 1 entries"),
    "samples that are siblings": (
        {EVALUATION: ("exhibits:", SIBLINGS + "exhibits:"), EXHIBITS: (None, FLOW)},
        "shows the sample 'other' after 'analysed', of which it is not a part",
    ),
    "a stratum named twice": ({EVALUATION: ("strata: [county]", "strata: [county, county]")}, "strata: 'county' is named twice"),
    "a window that ends before it begins": ({OUTCOMES: ("window: [1, 8]", "window: [8, 1]")}, "job_months"),
    "a window outside the clock": ({OUTCOMES: ("window: [1, 8]", "window: [1, 9]")}, "'job_months'"),
    "a clock that ends before it begins": ({EVALUATION: ("first: -2, last: 8", "first: 8, last: -2")}, "clocks.month"),
    "a level that is no number": ({SPECIFICATIONS: ("description: Cells", "level: .nan\n  description: Cells")}, "finite number"),
    "an infinite limit": (two_groups("below: .inf", "at_least: 40"), "below: must be a finite number"),
    "a tag": ({EVALUATION: ("first: -2", 'first: !!int "x"')}, r"the tag !!int in line"),
    "a control character in a title": ({EXHIBITS: ("en: Table A", r'en: "Table\x0bA"')}, r"U\+000B, which documents cannot show"),
    "a title of 300 characters": ({EXHIBITS: ("en: Table A", f"en: {'x' * 300}")}, "a title has at most 255 characters"),
    "an exhibit named twice": ({EVALUATION: ("[table_a]", "[table_a, table_a]")}, "exhibits: 'table_a' is named twice"),
    "a colour of one arm": (coloured("#0b3c5d"), "give every arm a `colour` or none; without one: old_way"),
    "a colour by name": (coloured("navy"), "'navy' is no colour of the form #rrggbb"),
    "a colour too light for names": (coloured("#c8c800", "colour: '#0b3c5d', "), "contrast of 1.8 with white and needs 4.5"),
    "two colours alike for the colour-blind": (coloured("#a02020", "colour: '#4a6a10', "), "look alike with green-blindness"),
    "a source named twice": ({EVALUATION: ("[draws,", "[draws, draws,")}, "sources: 'draws' is named twice"),
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_configuration(folder)
    return folder


@pytest.mark.parametrize("case", list(CASES))
def test_impossible_setting_is_refused(root, case):
    changes, expected = CASES[case]
    before = {name: (root / name).read_text("utf-8") if (root / name).exists() else None for name in changes}
    try:
        for name, (old, new) in changes.items():
            text = before[name] or ""
            assert old is None or old in text
            (root / name).write_text(new if old is None else text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(UserError, match=expected) as raised:
            load_small(root)
        assert all(problem.startswith("config/") for problem in raised.value.problems)
    finally:
        for name, text in before.items():
            (root / name).unlink() if text is None else (root / name).write_text(text, encoding="utf-8")


def test_colours_of_arms_that_all_readers_can_tell_apart_are_accepted(root):
    path = root / EVALUATION
    before = path.read_text(encoding="utf-8")
    (_, new) = coloured("#7A0177", "colour: '#00605a', ")[EVALUATION]
    path.write_text(before.replace(ARMS, new, 1), encoding="utf-8")
    try:
        arms = load_small(root).evaluation.arms
    finally:
        path.write_text(before, encoding="utf-8")
    assert [arm.colour for arm in arms.everyone] == ["#7a0177", "#00605a"]
    assert "colour" not in without_text(arms.treated)  # a colour reruns no estimate


@pytest.mark.parametrize(
    "limits", [("below: 40", "at_least: 40"), ("equals: [1]", "equals: [2]"), ("below: 1", "equals: [1]")]
)
def test_subgroups_that_share_nobody_are_accepted(root, limits):
    for name, (_, text) in two_groups(*limits).items():
        (root / name).write_text(text, encoding="utf-8")
    assert set(load_small(root).definitions.subgroups) == {"one", "two"}
