"""Who took part because of the draw: the three types of people, and compliers' outcomes in either arm."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.compliers.model import CompliersExhibit
from refino_eval.exhibits.layout.heads import Group, Noted, grouped_heads
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, influence_note, specification_note, weights_of
from refino_eval.exhibits.wording.number_format import NumberStyle

TYPES = ("compliers", "always_takers", "never_takers")


PANEL = "characteristics"


def layout(exhibit: CompliersExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the types' shares and means beside everybody's, and beneath them compliers' outcomes."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    parts = [_types(exhibit, numbers, labels)]
    if exhibit.columns:
        parts.append(_outcomes(exhibit, numbers, labels))
    return page.table(exhibit, frame, tuple(parts), _notes(exhibit, numbers, labels))


def _types(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    arm = labels.arm(labels.treated)
    explained = labels.say("compliers.compliers_explained", compliers=labels.word("compliers"), arm=arm)
    first, *others = (labels.word(kind) for kind in TYPES)
    header = grouped_heads(
        Group.of(Noted(first, explained), *others, labels.word("all"), over=labels.say("compliers.types")),
        Group.of(labels.say("compliers.ratio_compliers_all"), labels.say("compliers.p_equal_to_all")),
    )
    body = [
        Row(
            (
                label(labels.say("compliers.share_per_cent")),
                *(per_cent(numbers, PANEL, "types", kind, "share") for kind in TYPES),
                Cell(style.fixed(100.0, 1), number=1.0),
                Cell(""),
                Cell(""),
            )
        ),
        _beneath(
            numbers,
            labels,
            [per_cent(numbers, PANEL, "types", kind, "std_error", pattern=style.beneath) for kind in TYPES],
            3,
        ),
    ]
    for covariate in exhibit.covariates:
        body.append(
            Row(
                (
                    label(labels.covariate(covariate)),
                    *(numbers.cell(PANEL, covariate, kind, "mean", write=style.amount) for kind in (*TYPES, "all")),
                    numbers.cell(PANEL, covariate, "compliers", "ratio", write=lambda value: style.fixed(value, 2)),
                    numbers.cell(PANEL, covariate, "compliers", "p_value"),
                )
            )
        )
        errors = [numbers.cell(PANEL, covariate, kind, "std_error", pattern=style.beneath) for kind in TYPES]
        body.append(_beneath(numbers, labels, errors, 3))
    counts = [numbers.value(PANEL, covariate, "all", "n") for covariate in exhibit.covariates]
    texts = (
        style.integer(min(counts))
        if min(counts) == max(counts)
        else f"{style.integer(min(counts))}–{style.integer(max(counts))}"
    )
    body.append(Row((label("N"), *[Cell("")] * 3, Cell(texts), Cell(""), Cell("")), role="foot"))
    caption = labels.say("compliers.characteristics")
    return Part(header=header, body=tuple(body), caption=caption)


def _beneath(numbers: Numbers, labels: LabelBook, errors: list[Cell], empty: int) -> Row:
    return Row((error_label(numbers, labels), *errors, *[Cell("")] * empty), role="beneath")


def _outcomes(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    effect = Noted(labels.word("take_up"), labels.say("compliers.difference_is_late"))
    header = grouped_heads(
        Group.of(
            labels.say("compliers.mean_without_participation"),
            labels.say("compliers.mean_with_participation"),
            over=labels.word("mean"),
        ),
        Group.of(effect, labels.word("p_value")),
        Group.of(labels.say("compliers.mean_of_all_assigned_to", arm=labels.arm(labels.control)), "N"),
    )
    body = []
    for key, outcome in exhibit.columns.items():
        error = numbers.value("outcomes", key, "without", "std_error")
        body.append(
            Row(
                (
                    label(labels.outcome(outcome)),
                    *(_mean(numbers, key, column, "mean") for column in ("without", "with")),
                    numbers.estimate("outcomes", key, "effect"),
                    numbers.cell("outcomes", key, "effect", "p_value"),
                    _mean(numbers, key, labels.control, "mean_control"),
                    numbers.cell("outcomes", key, "effect", "n"),
                )
            )
        )
        errors = [
            numbers.cell("outcomes", key, column, "std_error", pattern=style.beneath)
            for column in ("without", "with", "effect")
        ]
        if error == error:
            body.append(_beneath(numbers, labels, errors, 3))
    caption = labels.say("compliers.outcomes_of_compliers")
    return Part(header=header, body=tuple(body), caption=caption)


def _mean(numbers: Numbers, key: str, column: str, statistic: str) -> Cell:
    """Return a mean of an outcome with three significant digits: a share and a number of hours stand in one column."""
    return numbers.cell(
        "outcomes", key, column, statistic, write=lambda value: numbers.style.significant(value, 3, most=3)
    )


def _notes(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    style = NumberStyle.of(labels.language)
    left_out = numbers.value(PANEL, "types", "all", "n_left_out")
    lines = (
        [labels.say("compliers.participation_is", outcome=labels.outcome(exhibit.take_up))] if exhibit.take_up else []
    )
    lines += [
        labels.say("compliers.estimated_within_cells"),
    ]
    if left_out > 0:
        lines.append(labels.say("compliers.left_out_one_arm_cells", n=style.integer(left_out)))
    entry = labels.specification_of(exhibit.specification)
    if entry is None:
        return lines
    lines.append(influence_note(labels.say("compliers.shares_and_means"), entry, labels))
    if exhibit.columns:
        lines.append(specification_note(exhibit.specification, entry, labels))
        lines.append(errors_note([entry.vcov], labels.language))
    elif weights := weights_of(entry, labels):
        lines.append(weights)
    return lines
