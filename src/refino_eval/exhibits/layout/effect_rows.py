"""Rows that several tables have: an effect with its standard error beneath, and a header of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from refino_eval.exhibits.layout.table import Numbers, Row, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook


def outcome_header(columns: Mapping[str, str], labels: LabelBook, *, first: str = "") -> Row:
    """Return the header row of a table with outcomes as columns."""
    return Row((label(first), *(label(labels.outcome(name), align="right") for name in columns.values())))


def effect_rows(
    numbers: Numbers, panel: str, row: str, heading: str, columns: Mapping[str, str], labels: LabelBook
) -> list[Row]:
    """Return a row of estimates and, beneath it, one of standard errors."""
    errors = (numbers.cell(panel, row, column, "std_error", pattern=numbers.style.beneath) for column in columns)
    return [
        Row((label(heading), *(numbers.estimate(panel, row, column) for column in columns))),
        Row((error_label(numbers, labels), *errors), role="beneath"),
    ]


def marked(row: Row, places: Mapping[int, str]) -> Row:
    """Return a row with a mark behind the text of some cells (places count from the first number)."""
    cells = [
        replace(cell, text=f"{cell.text} {places[k - 1]}") if k - 1 in places and cell.text else cell
        for k, cell in enumerate(row.cells)
    ]
    return replace(row, cells=tuple(cells))
