"""Each effect under every test: outcomes as rows, tests as columns, then what the effect can be and cannot be."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from refino_eval.exhibits.keys import difference_row
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
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
    parts = (
        _part(numbers, exhibit, labels, ("estimate", "std_error", *tests), labels.say("tests.caption_tests")),
        _part(
            numbers, exhibit, labels, ("interval", *reach),
            labels.say("tests.caption_excluded_effects"),
        ),
    )  # fmt: skip
    return page.table(exhibit, frame, parts, _notes(exhibit, frame, numbers, labels))


def _part(
    numbers: Numbers, exhibit: TestsExhibit, labels: LabelBook, statistics: tuple[str, ...], caption: str
) -> Part:
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    header = Row(
        (
            label(""),
            *(
                label(
                    labels.word("conf").format(level=level) if statistic == "interval" else labels.word(statistic),
                    align="right",
                )
                for statistic in statistics
            ),
        )
    )
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
    return Part(header=(header,), body=tuple(body), caption=caption)


def _cell(numbers: Numbers, exhibit: TestsExhibit, arm: str, key: str, statistic: str) -> Cell:
    if statistic == "interval":
        return numbers.interval(exhibit.specification, key, arm)
    if statistic == "estimate":
        return numbers.estimate(exhibit.specification, key, arm)
    if statistic == "std_error":
        return numbers.cell(exhibit.specification, key, arm, statistic, pattern=numbers.style.beneath)
    return numbers.cell(exhibit.specification, key, arm, statistic)


def _notes(exhibit: TestsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook) -> list[str]:
    style = NumberStyle.of(labels.language)
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    lines.append(_redraws(exhibit, frame, style, labels))
    if exhibit.wild_bootstrap is not None:
        lines.append(labels.say("notes.wild_bootstrap", draws=style.integer(exhibit.wild_bootstrap)))
    lines.append(_family(exhibit, numbers, labels))
    lines.append(labels.say("tests.detectable_and_excluded_explained"))
    if entry is not None:
        lines.append(inference_note([entry.vcov], [entry.level], frame, labels.language))
    return lines


def _redraws(exhibit: TestsExhibit, frame: pd.DataFrame, style: NumberStyle, labels: LabelBook) -> str:
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
