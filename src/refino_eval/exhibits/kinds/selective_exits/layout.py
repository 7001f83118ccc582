"""Early exits by predicted outcome and arm, with the slopes and their difference beneath."""

from __future__ import annotations

from functools import partial

import pandas as pd

from refino_eval.exhibits.kinds.selective_exits.model import SelectiveExitsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note


def layout(exhibit: SelectiveExitsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out shares who left early by group, then the slopes in both arms, their difference and its p-value."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    arms = (labels.treated, labels.control)
    shares = _shares(exhibit, arms, numbers, labels)
    return page.table(exhibit, frame, (shares, _slopes(arms, numbers, labels)), _notes(exhibit, numbers, labels))


def _shares(exhibit: SelectiveExitsExhibit, arms: tuple[str, ...], numbers: Numbers, labels: LabelBook) -> Part:
    left = labels.say("selective_exits.left_early", months=exhibit.within_months)
    participants = labels.say("selective_exits.participants")
    header = Row(
        (
            label(left),
            *(
                cell
                for arm in arms
                for cell in (label(labels.arm(arm), align="right"), label(participants, align="right"))
            ),
        )
    )
    rows = [f"group_{number + 1}" for number in range(exhibit.groups)]
    body = []
    for row in (*rows, "all"):
        cells = []
        for arm in arms:
            cells += [per_cent(numbers, "exits", row, arm, "share"), numbers.cell("exits", row, arm, "n")]
        body.append(Row((label(_group(row, exhibit, labels)), *cells), role="foot" if row == "all" else "body"))
    return Part(header=(header,), body=tuple(body))


def _group(row: str, exhibit: SelectiveExitsExhibit, labels: LabelBook) -> str:
    if row == "all":
        return labels.say("selective_exits.everybody")
    number = int(row.removeprefix("group_"))
    which = {1: "lowest", exhibit.groups: "highest"}.get(number)
    said = labels.say(f"selective_exits.{which}") if which else ""
    return labels.say("selective_exits.group", number=number, count=exhibit.groups, which=said)


def _slopes(arms: tuple[str, ...], numbers: Numbers, labels: LabelBook) -> Part:
    header = Row(
        (
            label(""),
            *(label(labels.arm(arm), align="right") for arm in arms),
            label(labels.word("difference"), align="right"),
            label(labels.say("selective_exits.p_value_of_difference"), align="right"),
        )
    )
    columns = (*arms, "difference")
    style = numbers.style

    def hundredfold(value: float) -> str:
        return style.fixed(100 * value, decimals=1)

    slopes = (numbers.cell("slopes", "slope", column, "estimate", write=hundredfold) for column in columns)
    errors = (
        numbers.cell("slopes", "slope", column, "std_error", pattern=style.beneath, write=hundredfold)
        for column in columns
    )
    p_value = numbers.cell("slopes", "slope", "difference", "p_value")
    return Part(
        header=(header,),
        body=(
            Row((label(labels.say("selective_exits.slope")), *slopes, p_value)),
            Row((error_label(numbers, labels), *errors, label("")), role="beneath"),
        ),
    )


def _notes(exhibit: SelectiveExitsExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    strata = labels.cells()
    say = partial(labels.say)
    return [
        say(
            "selective_exits.prediction_explained",
            outcome=labels.outcome(exhibit.predicted),
            covariates=", ".join(inside(labels.covariate(name, unit=False)) for name in exhibit.covariates),
            folds=exhibit.folds,
        ),
        say("selective_exits.slope_explained", n=numbers.cell("slopes", "slope", "all", "n").text),
        *([say("selective_exits.slope_with_cells", cells=strata)] if strata else []),
        say("selective_exits.starters_only"),
        errors_note([exhibit.vcov], labels.language),
    ]
