"""How wide a table's columns are, counted in characters: every form that sets columns by itself starts here."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from refino_eval.exhibits.layout.table import Cell, Part, Row, Table

LONGEST_HEAD = 34
"""Characters of the first column, where its headings break into lines."""


LEAST = 4


PROSE = 60
"""An entry longer than this is a text that breaks into lines; its column is no wider."""


UPRIGHT, BETWEEN = 139, 0.7
"""Digits of the printed page's smallest type across an A4 page, and those that the space between two columns takes (print.css)."""


UPRIGHT_LARGE, BETWEEN_LARGE, NARROWEST_HEAD = 118, 1.9, 22
"""The same in the type of tables of few columns, and digits of the first column at least, whose headings break into lines."""


NARROW = frozenset(",.;:()[]|!'\"-iljtfrI ") | {"\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"}
"""Marks that take about half the room of a digit."""


NUMBER = re.compile(r"[(<\N{MINUS SIGN}\-+ ]*\d[\d \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]*(?P<end>[.,]\d+[^\d]*)")
"""A single number with decimals in an entry, with or without parentheses, a unit and a mark."""


GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
"""The comma that groups thousands in English."""


@lru_cache(maxsize=1 << 15)
def measure(text: str) -> int:
    """Return how wide a text is, in digits."""
    return -(-sum(1 if mark in NARROW else 2 for mark in text) // 2)


def is_prose(cell: Cell) -> bool:
    """Whether an entry is a text to be read, which must break into lines, and no number or name."""
    return not cell.heading and cell.number is None and measure(cell.text) > PROSE


def decimal_end(cell: Cell) -> str | None:
    """Return an entry from its decimal sign on; None where it is no single number with decimals.

    Whole numbers stay at the right edge: a number of people has nothing in common with the decimals above it.
    """
    if cell.heading or cell.align != "right" or is_prose(cell):
        return None
    # A comma before three digits is a decimal sign unless the number behind the text says otherwise.
    large = cell.number is not None and abs(cell.number) >= 999.5
    match = NUMBER.fullmatch(GROUPED.sub("", cell.shown) if large else cell.shown)
    return match["end"] if match else None


def column_widths(part: Part, *, broken: bool = False) -> list[int]:
    """Return how many digits wide each column must be.

    Parameters
    ----------
    part
        A grid.
    broken
        Whether texts of the body may break into lines at a space, as headings do.

    Returns
    -------
    list of int
        Of the first column, its longest heading, at most `LONGEST_HEAD`. Of the others, the longest entry of the body
        or the longest word of the heading; a heading over several columns counts for them together.
    """
    widths = [LEAST] * part.width
    for row in part.body:
        for place, cell in placed(row):
            if place == 0 and cell.span == 1:
                widths[0] = max(widths[0], min(measure(cell.shown), LONGEST_HEAD))
            elif cell.span == 1:
                wanted = _longest(cell.shown) if broken and not is_prose(cell) else min(measure(cell.shown), PROSE)
                widths[place] = max(widths[place], wanted)
    for row in part.header:
        for place, cell in placed(row):
            covered = range(place, place + cell.span)
            # Headings are bold, hence wider.
            lacking = round(1.15 * _longest(cell.text)) - sum(widths[k] for k in covered)
            for k in covered:
                widths[k] += max(0, -(-lacking // cell.span))
    return widths


def lies_on_paper(table: Table) -> bool:
    """Whether the printed page must lie on its side: no upright one holds a grid even in the smallest type, entries broken."""
    return any(sum(column_widths(part, broken=True)) + part.width * BETWEEN > UPRIGHT for part in table.parts)


def has_whole_entries(part: Part, *, dense: bool) -> bool:
    """Whether an upright printed page has room for each entry on one line, so that no interval breaks."""
    across, between = (UPRIGHT, BETWEEN) if dense else (UPRIGHT_LARGE, BETWEEN_LARGE)
    widths = column_widths(part)
    return min(sum(widths[:1]), NARROWEST_HEAD) + sum(widths[1:]) + part.width * between <= across


def _longest(text: str) -> int:
    return max(map(measure, text.split(" ")), default=0)


def placed(row: Row) -> list[tuple[int, Cell]]:
    """Return each cell with the column it begins in."""
    starts = [0]
    for cell in row.cells:
        starts.append(starts[-1] + cell.span)
    return [(start, cell) for (start, _), cell in zip(pairwise(starts), row.cells, strict=True)]
