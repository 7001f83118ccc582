"""Each effect under every test: outcomes as rows, tests as columns, then what the effect can be and cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, groupby

import pandas as pd

from refino_eval.exhibits.keys import difference_row
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.layout.heads import Group, Noted, grouped_heads
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import inference_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

TESTS = ("p_value", "p_value_ri", "p_value_fwer", "p_value_holm", "q_value")


REACH = (
    "mean_control",
    "percent_of_control",
    "mde",
    "rejected_below",
    "rejected_above",
    "margin",
    "p_value_equivalence",
)


def layout(exhibit: TestsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the tests of each effect, and beneath them the card of a result that finds nothing."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    reach = [statistic for statistic in REACH if (frame["statistic"] == statistic).any()]
    tests = TESTS if exhibit.wild_bootstrap is None else (TESTS[0], "p_value_wild", *TESTS[1:])
    caption, below = labels.say("tests.caption_tests"), labels.say("tests.caption_excluded_effects")
    notes = _meanings(exhibit, frame, numbers, labels)
    parts = (
        _part(numbers, exhibit, labels, ("estimate", "std_error", *tests), notes, caption),
        _part(numbers, exhibit, labels, ("interval", *reach), notes, below),
    )
    return page.table(exhibit, frame, parts, _notes(exhibit, frame, labels))


def _meanings(exhibit: TestsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook) -> dict[str, str]:
    """Return what the columns mean that have a footnote."""
    style = NumberStyle.of(labels.language)
    family = _family(exhibit, numbers, labels)
    notes = {
        "p_value_ri": _redraws(frame, style, labels),
        **dict.fromkeys(("p_value_fwer", "p_value_holm", "q_value"), family),
        "mde": labels.say("tests.detectable_explained"),
        **dict.fromkeys(("rejected_below", "rejected_above"), labels.say("tests.excluded_explained")),
    }
    if exhibit.wild_bootstrap is not None:
        notes["p_value_wild"] = labels.say("notes.wild_bootstrap", draws=style.integer(exhibit.wild_bootstrap))
    return notes


OVER = {
    **dict.fromkeys(("p_value", "p_value_ri", "p_value_wild", "p_value_fwer", "p_value_holm"), "p_values"),
    **dict.fromkeys(("rejected_below", "rejected_above"), "excluded_effects"),
    **dict.fromkeys(("margin", "p_value_equivalence"), "equivalence"),
}
"""Statistic -> the heading over it and its neighbours, where its own is short."""


def _heads(
    exhibit: TestsExhibit, statistics: tuple[str, ...], notes: Mapping[str, str], labels: LabelBook
) -> tuple[Row, ...]:
    """Return headings: those of p-values, of effects excluded and of equivalence are each under one."""
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    groups = []
    for over, members in groupby(statistics, key=lambda statistic: OVER.get(statistic, "")):
        columns: list[str | Noted] = []
        for statistic in members:
            if statistic == "interval":
                text = labels.word("conf").format(level=level)
            else:
                text = labels.say(f"tests.head_{statistic}") if over else labels.word(statistic)
            columns.append(Noted(text, notes[statistic]) if notes.get(statistic) else text)
        groups.append(Group(tuple(columns), labels.say(f"tests.{over}") if over else ""))
    return grouped_heads(*groups)


def _part(
    numbers: Numbers,
    exhibit: TestsExhibit,
    labels: LabelBook,
    statistics: tuple[str, ...],
    notes: Mapping[str, str],
    caption: str,
) -> Part:
    header = _heads(exhibit, statistics, notes, labels)
    body: list[Row] = []
    columns = {arm: labels.arm(arm) for arm in labels.treated_arms}
    if exhibit.between_arms:
        pairs = combinations(labels.treated_arms, 2)
        columns |= {difference_row(one, two): f"{labels.arm(one)} − {labels.arm(two)}" for one, two in pairs}
    for arm, head in columns.items():
        if len(columns) > 1:
            body.append(Row((label(head, span=len(statistics) + 1),), role="block"))
        body += [
            Row(
                (
                    label(labels.outcome(outcome)),
                    *(_cell(numbers, exhibit, arm, key, statistic) for statistic in statistics),
                )
            )
            for key, outcome in exhibit.columns.items()
        ]
    return Part(header=header, body=tuple(body), caption=caption)


def _cell(numbers: Numbers, exhibit: TestsExhibit, arm: str, key: str, statistic: str) -> Cell:
    if statistic == "interval":
        return numbers.interval(exhibit.specification, key, arm)
    if statistic == "estimate":
        return numbers.estimate(exhibit.specification, key, arm)
    if statistic == "std_error":
        return numbers.cell(exhibit.specification, key, arm, statistic, pattern=numbers.style.beneath)
    return numbers.cell(exhibit.specification, key, arm, statistic)


def _notes(exhibit: TestsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    if entry is not None:
        lines.append(inference_note([entry.vcov], [entry.level], frame, labels))
    return lines


def _redraws(frame: pd.DataFrame, style: NumberStyle, labels: LabelBook) -> str:
    """Return a text that says how the draw was repeated, how often, and what was drawn."""
    counts = frame[(frame["statistic"] == "count") & (frame["column"] == labels.treated)].set_index("row")["value"]
    if "possible_draws" in counts:
        draws = style.integer(counts["possible_draws"])
        text = labels.say("tests.all_assignments", draws=draws)
    else:
        draws = style.integer(counts["redraws"])
        text = labels.say("tests.sampled_assignments", draws=draws)
    if "drawn_units" in counts:
        text += " " + labels.say("tests.clusters_were_assigned", n=style.integer(counts["drawn_units"]))
    return text


def _family(exhibit: TestsExhibit, numbers: Numbers, labels: LabelBook) -> str:
    """Return a text that says what the family of tests is, with the joint test of all outcomes."""
    arms, count = labels.treated_arms, len(exhibit.columns)
    wide = len(arms) > 1 and exhibit.family == "arms_and_outcomes"
    over = labels.say("tests.family_of_table", n=count)
    if wide:
        over = labels.say("tests.family_of_all_arms", n=count, arms=len(arms))
    elif len(arms) > 1:
        over = labels.say("tests.family_of_each_arm", n=count)
    joint = []
    for arm in arms:
        p = numbers.cell(exhibit.specification, "omnibus", arm, "p_value_ri").text
        if p:
            joint.append(f"p = {p}" if len(arms) == 1 else f"{labels.arm(arm)} p = {p}")
    sentences = [labels.say("tests.family_explained", over=over)]
    if len(arms) > 1 and exhibit.comparison == "joint":
        sentences.append(labels.say("tests.arms_rerandomised_together"))
    elif wide:
        sentences.append(labels.say("tests.arms_rerandomised_separately"))
    if exhibit.step_down == "min_p":
        sentences.append(labels.say("tests.balanced_step_down"))
    if joint:
        sentences.append(labels.say("tests.joint_test", results="; ".join(joint).replace("= <", "< ")))
    return " ".join(sentences)
