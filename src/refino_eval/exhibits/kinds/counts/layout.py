"""People by where or when they were drawn, and arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.counts.model import CountsExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import WITHOUT_GROUP, group_label, split_label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import exhibit_notes
from refino_eval.exhibits.wording.number_format import NumberStyle

BETWEEN = " / "
"""Stands between the two values that a row is counted by."""


def layout(
    name: str,
    exhibit: CountsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out a row for each value, those of a second column beneath the first's, and everybody at the foot."""
    numbers = Numbers.of(frame, style)
    arms = (*labels.treated_arms, labels.control)
    head = " / ".join(
        text if k == 0 else inside(text)
        for k, text in enumerate(split_label(column, labels, language) for column in exhibit.by)
    )
    share = labels.word("share_treated", language)
    header = Row(
        (
            label(head),
            *(label(labels.arm(arm, language), align="right") for arm in arms),
            label(labels.word("all", language), align="right"),
            *(label(share.format(arm=labels.arm(arm, language)), align="right") for arm in labels.treated_arms),
        )
    )
    body = []
    for row in dict.fromkeys(frame["row"]):
        cells = (
            *(numbers.cell("", row, arm, "count") for arm in arms),
            numbers.cell("", row, "all", "count"),
            *(numbers.cell("", row, arm, "share", write=style.percent) for arm in labels.treated_arms),
        )
        body.append(Row((_heading(row, exhibit, labels, language), *cells), role="foot" if row == "all" else "body"))
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts),
    )


def _heading(row: str, exhibit: CountsExhibit, labels: LabelBook, language: str) -> Cell:
    if row == "all":
        return label(labels.word("all", language))
    outer, _, inner = row.partition(BETWEEN)
    value, column = (inner, exhibit.by[-1]) if inner else (outer, exhibit.by[0])
    text = labels.word(value, language) if value == WITHOUT_GROUP else group_label(column, value, labels, language)
    return label(f"\N{EM SPACE}{text}" if inner else text)
