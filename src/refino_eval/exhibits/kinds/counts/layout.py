"""People by where or when they were drawn, and arm."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.counts.model import CountsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import group_label, split_label
from refino_eval.exhibits.wording.labels import LabelBook, inside

BETWEEN = " / "
"""Stands between the two values that a row is counted by."""


def layout(exhibit: CountsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a row for each value, those of a second column beneath the first's, and everybody at the foot."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    arms = (*labels.treated_arms, labels.control)
    head = " / ".join(
        text if k == 0 else inside(text) for k, text in enumerate(split_label(column, labels) for column in exhibit.by)
    )
    share = labels.word("share_treated")
    header = Row(
        (
            label(head),
            *(label(labels.arm(arm), align="right") for arm in arms),
            label(labels.word("all"), align="right"),
            *(label(share.format(arm=labels.arm(arm)), align="right") for arm in labels.treated_arms),
        )
    )
    body = []
    groups = _groups(frame)
    for row in dict.fromkeys(frame["row"]):
        cells = (
            *(numbers.cell("", row, arm, "count") for arm in arms),
            numbers.cell("", row, "all", "count"),
            *(numbers.cell("", row, arm, "share", write=page.style.percent) for arm in labels.treated_arms),
        )
        body.append(Row((_heading(row, exhibit, groups, labels), *cells), role="foot" if row == "all" else "body"))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), ())


def _groups(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the groups of the first column, and of the second."""
    rows = [str(row).partition(BETWEEN) for row in dict.fromkeys(frame["row"]) if row != "all"]
    return [outer for outer, _, _ in rows], [inner for _, _, inner in rows if inner]


def _heading(row: str, exhibit: CountsExhibit, groups: tuple[list[str], list[str]], labels: LabelBook) -> Cell:
    if row == "all":
        return label(labels.word("all"))
    outer, _, inner = row.partition(BETWEEN)
    value, column = (inner, exhibit.by[-1]) if inner else (outer, exhibit.by[0])
    others = [group for group in groups[1 if inner else 0] if group != WITHOUT_GROUP]
    text = labels.word(value) if value == WITHOUT_GROUP else group_label(column, value, others, labels)
    return label(f"\N{EM SPACE}{text}" if inner else text)
