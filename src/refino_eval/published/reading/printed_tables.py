"""A table as a reader sees it, with the keys of its numbers, and the part of it around some of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from refino_eval.published.reading.grids import Grid, filled
from refino_eval.published.relations import Key

MOST_ROWS, MOST_COLUMNS = 14, 8
"""Rows below the heads, and columns, of a table that is shown whole."""


@dataclass(frozen=True)
class PrintedCell:
    """One cell: its text, whether it continues a merged cell, and its numbers by key, each as written in the text."""

    text: str = ""
    covered: bool = False
    numbers: Mapping[Key, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PrintedTable:
    """A table as published.

    Attributes
    ----------
    exhibit
        Its key.
    caption
        Its caption, or nothing.
    rows
        Rows of equal length.
    heads
        Indices of the rows that are heads.
    labels
        How many columns on the left hold labels.
    gaps
        Index of a row -> how many rows were left out above it.
    cut
        Columns to whose left columns were left out.
    """

    exhibit: str
    caption: str
    rows: tuple[tuple[PrintedCell, ...], ...]
    heads: frozenset[int]
    labels: int = 1
    gaps: Mapping[int, int] = field(default_factory=dict)
    cut: frozenset[int] = frozenset()

    def around(self, keys: Collection[Key]) -> PrintedTable | None:
        """Return the table, or of a large one the rows and columns around some numbers; None without any of them."""
        marked = [
            (at, column)
            for at, row in enumerate(self.rows)
            for column, cell in enumerate(row)
            if any(key in keys for key in cell.numbers)
        ]
        if not marked:
            return None
        rows = self._rows_around({at for at, _ in marked})
        columns = self._columns_around({column for _, column in marked})
        return replace(
            self,
            rows=tuple(tuple(self._cell(at, column, columns) for column in columns) for at in rows),
            heads=frozenset(new for new, at in enumerate(rows) if at in self.heads),
            gaps=_left_out(rows),
            cut=frozenset(_left_out(columns)),
        )

    def _cell(self, at: int, column: int, columns: Sequence[int]) -> PrintedCell:
        """Return a cell; where the beginning of a merged head is left out, the first column that is kept has its text."""
        cell = self.rows[at][column]
        if not cell.covered or at not in self.heads:
            return cell
        before = columns.index(column) and columns[columns.index(column) - 1]
        same = self.rows[at][before].text == cell.text and before < column
        kept = all(self.rows[at][between].covered for between in range(before + 1, column + 1))
        return cell if same and kept else replace(cell, covered=False)

    def _rows_around(self, marked: set[int]) -> list[int]:
        """Return the rows to show: all, or the heads, the marked rows with their neighbours, and the title above each."""
        if len(self.rows) - len(self.heads) <= MOST_ROWS:
            return list(range(len(self.rows)))
        wanted = {at for at in self.heads if at < max(marked)}
        for at in marked:
            wanted |= {near for near in (at - 1, at, at + 1) if 0 <= near < len(self.rows)}
            wanted |= {max((above for above in range(at) if self.is_title(above)), default=at)}
        return sorted(wanted)

    def is_title(self, at: int) -> bool:
        """Return whether a row has a text in its first column alone."""
        return [column for column, cell in enumerate(self.rows[at]) if cell.text and not cell.covered] == [0]

    def _columns_around(self, marked: set[int]) -> list[int]:
        width = len(self.rows[0])
        if width <= MOST_COLUMNS:
            return list(range(width))
        near = {column + step for column in marked for step in (-1, 0, 1)}
        return sorted({*range(self.labels), *(column for column in near if 0 <= column < width)})


def _left_out(kept: Sequence[int]) -> dict[int, int]:
    """Return how many rows or columns are left out before each that is kept, where any are."""
    steps = {new: at - before - 1 for new, (before, at) in enumerate(itertools.pairwise([-1, *kept]))}
    return {new: number for new, number in steps.items() if number}


def table_of_grid(
    grid: Grid, exhibit: str, heads: Collection[int], labels: int, numbers: Mapping[tuple[int, int], Mapping[Key, str]]
) -> PrintedTable:
    """Return a grid of a document as a printed table; blank rows and columns, and its caption's row, are left out.

    Parameters
    ----------
    grid, exhibit
        The table and its key.
    heads, labels
        Rows that are heads, and columns that hold labels.
    numbers
        Row and column in the grid -> the numbers of that cell.
    """
    rows = [at for at, row in enumerate(grid.rows) if filled(row)]
    columns = [column for column in range(len(grid.rows[0])) if any(column in filled(grid.rows[at]) for at in rows)]
    kept = tuple(
        tuple(
            PrintedCell(
                " ".join(grid.rows[at][column].text.split()),
                not grid.rows[at][column].origin,
                numbers.get((at, column), {}),
            )
            for column in columns
        )
        for at in rows
    )
    return PrintedTable(
        exhibit,
        grid.caption,
        kept,
        frozenset(new for new, at in enumerate(rows) if at in heads),
        max(sum(column < labels for column in columns), 1),
    )


def divided(cell: PrintedCell, keys: Collection[Key]) -> Iterator[tuple[str, Key | None]]:
    """Yield the parts of a cell's text, each number of `keys` apart; the whole text where a number is not written so."""
    rest = cell.text
    for key, text in cell.numbers.items():
        if key not in keys:
            continue
        before, found, after = rest.partition(text.strip())
        if not found:
            yield rest, key
            return
        if before:
            yield before, None
        yield found, key
        rest = after
    if rest:
        yield rest, None
