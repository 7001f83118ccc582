"""Who has started a programme by each horizon: shares of the arms, and the draw's effect on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import pandas as pd

from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for, format_statistic


def per_cent(
    numbers: Numbers, panel: str, row: str, column: str, statistic: str, *, pattern: str = "{}", decimals: int = 1
) -> Cell:
    """Return the cell of a share, or a difference of shares, in per cent; the heading says the unit."""
    return numbers.cell(
        panel, row, column, statistic, pattern=pattern, write=lambda value: numbers.style.fixed(100 * value, decimals)
    )


Align = Literal["left", "center", "right"]


Role = Literal["body", "beneath", "block", "foot"]


SUPPRESSED = "."
"""Shown where a number was taken out by disclosure control."""


WITHOUT_NUMBER = {"not_estimable": "\N{EN DASH}", "no_data": "\N{EN DASH}", "pays_for_itself": "\N{INFINITY}"}
"""Shown where there is no number to take out, by status."""


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, how it stands, and the number behind it.

    Attributes
    ----------
    text
        As the reader sees it.
    align
        Side it stands to.
    number
        The unrounded number, where there is one.
    heading
        Whether it heads its row or column.
    span
        Columns it covers.
    key
        Panel, row, column and statistic of the tidy number it shows (of an interval: its lower end).
    mark
        Stars after the number, apart from the text so that a spreadsheet still reads a number.
    note
        What a heading means: `heads.with_footnotes` marks it with a letter and puts the text among the notes.
    """

    text: str
    align: Align = "right"
    number: float | None = None
    heading: bool = False
    span: int = 1
    key: tuple[str, str, str, str] | None = None
    mark: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """The text with its mark, as it stands on a page."""
        return self.text + self.mark


@dataclass(frozen=True)
class Row:
    """A row of cells. `beneath` continues the row above it, `block` heads a group, `foot` stands below the rule."""

    cells: tuple[Cell, ...]
    role: Role = "body"

    def spread(self) -> list[Cell]:
        """Return a cell a column: a spanning cell is followed by empty ones."""
        return [each for cell in self.cells for each in (cell, *[Cell("")] * (cell.span - 1))]


@dataclass(frozen=True)
class Part:
    """One grid of a table, with a caption of its own when there are several."""

    header: tuple[Row, ...]
    body: tuple[Row, ...]
    caption: str = ""

    @property
    def sides(self) -> list[Align]:
        """The side that each column's text is set to: that of the first row that is no heading of a block."""
        rows = [row for row in self.body if row.role != "block"] or [*self.body, *self.header]
        return [cell.align for cell in rows[0].cells for _ in range(cell.span)] if rows else []

    @cached_property
    def width(self) -> int:
        """How many columns it has."""
        return max((sum(cell.span for cell in row.cells) for row in (*self.header, *self.body)), default=0)


@dataclass(frozen=True)
class Table:
    """A finished table in one language; a `watermark` is on each of its pages and sheets."""

    exhibit: str
    language: str
    title: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    watermark: str = ""


@dataclass(frozen=True)
class Numbers:
    """Looks up one exhibit's tidy numbers and writes them in one style."""

    values: dict[tuple[str, str, str, str], tuple[float, str]]
    style: NumberStyle

    @classmethod
    def of(cls, frame: pd.DataFrame, style: NumberStyle) -> Numbers:
        """Index a tidy frame by `(panel, row, column, statistic)`."""
        columns = [frame[name].tolist() for name in ("panel", "row", "column", "statistic", "value", "status")]
        return cls({(p, r, c, s): (v, status) for p, r, c, s, v, status in zip(*columns, strict=True)}, style)

    def value(self, panel: str, row: str, column: str, statistic: str) -> float:
        """Return a number, NaN when there is none."""
        return self.values.get((panel, row, column, statistic), (math.nan, ""))[0]

    def cell(
        self,
        panel: str,
        row: str,
        column: str,
        statistic: str,
        *,
        pattern: str = "{}",
        write: Callable[[float], str] | None = None,
    ) -> Cell:
        """Return the cell of a number; empty when there is none, the suppression mark when it was taken out."""
        value, status = self.values.get((panel, row, column, statistic), (math.nan, ""))
        if not math.isfinite(value):
            return (
                Cell(WITHOUT_NUMBER.get(status, SUPPRESSED), key=(panel, row, column, statistic))
                if status
                else Cell("")
            )
        text = write(value) if write else format_statistic(self.style, statistic, value)
        return Cell(pattern.format(text), number=value, key=(panel, row, column, statistic))

    def estimate(self, panel: str, row: str, column: str) -> Cell:
        """Return the cell of an estimate, with the decimals of its standard error, which has two significant digits."""
        error = self.value(panel, row, column, "std_error")
        cell = self.cell(panel, row, column, "estimate", write=lambda value: self.like(value, error))
        mark = self.style.starred(self.value(panel, row, column, "p_value"))
        return replace(cell, mark=mark) if mark and cell.number is not None else cell

    def like(self, value: float, error: float) -> str:
        """Return an estimate as it is written next to a standard error."""
        if self.style.decimals is not None:
            return self.style.fixed(value, self.style.decimals)
        # More decimals than those of the standard error would be noise, and fewer would hide digits that it supports.
        return self.style.rounded(value, decimals_for(error if math.isfinite(error) and error > 0 else value, 2))

    def interval(self, panel: str, row: str, column: str) -> Cell:
        """Return the cell of a confidence interval, with the decimals of the standard error."""
        low, high, error = (self.value(panel, row, column, name) for name in ("conf_low", "conf_high", "std_error"))
        if not (math.isfinite(low) and math.isfinite(high)):
            return Cell("")
        texts = [format_statistic(self.style, "conf_low", limit, std_error=error) for limit in (low, high)]
        text = f"[{texts[0]}{';' if self.style.decimal == ',' else ','} {texts[1]}]"
        return Cell(text, key=(panel, row, column, "conf_low"))


def label(text: str, *, align: Align = "left", span: int = 1) -> Cell:
    """Return a cell that heads its row or column."""
    return Cell(text, align=align, heading=True, span=span)


def error_label(numbers: Numbers, labels: LabelBook) -> Cell:
    """Return the heading of a row of standard errors: parentheses say it on a page, words in a spreadsheet."""
    return label(labels.word("std_error") if numbers.style.machine else "")


def leads(body: Sequence[Row]) -> list[int]:
    """Return over how many rows each row's first cell stands: unheaded rows beneath belong to it, and have none (0)."""
    taken = [row.role == "beneath" and not row.cells[0].text for row in body]
    heights = [0 if t else 1 for t in taken]
    last = 0
    for place, t in enumerate(taken):
        if not t:
            last = place
        elif place:
            heights[last] += 1
    return heights
