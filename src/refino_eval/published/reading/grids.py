"""A table as it is in a file: rows of texts, with spans filled, and the place of each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

CAPTION = re.compile(
    r"\W*(?:web |online )?(?:appendix |vedlegg(?:s)? ?)?(?:table|tabell|tab\.)\s*[a-z]{0,2}[.\-]?\d*\b", re.IGNORECASE
)
"""Beginning of a paragraph that names a table: `Table 4.4`, `Tabell 2-1`, `Appendix Table A1`."""

_LINK = re.compile(r"\s*[←→↑⇐↩]")

Notation = Literal["", "en", "nb"]
"""A language that a file declares, which decides the decimal sign where the numbers leave it open."""


@dataclass(frozen=True)
class GridCell:
    """One cell of a grid.

    Attributes
    ----------
    text
        Its text; line breaks are kept.
    place
        Where it is, for a reader: ``"row 4"``, ``"C7"``.
    head
        Whether the file marks it as a heading.
    origin
        False where the text is repeated from a merged cell that begins elsewhere.
    indent
        How far a label is indented.
    """

    text: str = ""
    place: str = ""
    head: bool = False
    origin: bool = True
    indent: int = 0


@dataclass(frozen=True)
class Grid:
    """One table of a document.

    Attributes
    ----------
    rows
        Rows of equal length.
    place
        Where the table is: ``"page 12, table 3"``, ``"sheet 'Results'"``.
    caption
        Its caption, or nothing.
    head_rows
        How many rows the file marks as headings; None where it marks none.
    """

    rows: tuple[tuple[GridCell, ...], ...]
    place: str
    caption: str = ""
    head_rows: int | None = None


@dataclass(frozen=True)
class Unread:
    """Something in a document that was not read, and why: nothing is left out silently."""

    place: str
    reason: str


@dataclass
class Grids:
    """All tables of a file, and what in it could not be read."""

    grids: list[Grid] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    notation: Notation = ""


def squared(rows: Sequence[Sequence[GridCell]]) -> tuple[tuple[GridCell, ...], ...]:
    """Return rows of equal length; what is missing is empty."""
    width = max((len(row) for row in rows), default=0)
    return tuple((*row, *([GridCell()] * (width - len(row)))) for row in rows)


def filled(row: Sequence[GridCell]) -> list[int]:
    """Return the columns of a row that have a text of their own."""
    return [column for column, cell in enumerate(row) if cell.text.strip() and cell.origin]


def blocks(rows: Sequence[Sequence[GridCell]]) -> Iterator[tuple[str, list[Sequence[GridCell]]]]:
    """Yield the tables that blank rows separate, each with the title above it.

    A block without a heading of its own continues the table above (panels are often set apart by a blank row), unless it
    has only words, which are the title of the next table, or notes.
    """
    title, current, blank = "", list[Sequence[GridCell]](), False
    for row in rows:
        used = filled(row)
        if not used:
            blank = True
            continue
        if len(used) == 1 and _LINK.match(row[used[0]].text):
            continue  # a link back to the contents
        named = CAPTION.match(row[used[0]].text) is not None and len(used) == 1
        # A row with a heading over several columns and without a label begins a new table after a blank row.
        begins = blank and len(used) > 1 and used[0] > 0 and not any(re.search(r"\d", row[i].text) for i in used)
        if current and (named or begins):
            loose = list(_trailing_titles(current)) if begins else []
            kept = current[: len(current) - len(loose)]
            if kept:
                yield title, kept
                title = ""
            title, current = (" ".join(each[filled(each)[0]].text.strip() for each in loose) or title), []
        if named and not current:
            title = row[used[0]].text.strip()
        elif not current and len(used) == 1 and used[0] == 0:
            title = title or row[0].text.strip()
            if title != row[0].text.strip():
                current.append(row)
        else:
            current.append(row)
        blank = False
    if current:
        yield title, current


def _trailing_titles(rows: Sequence[Sequence[GridCell]]) -> Iterator[Sequence[GridCell]]:
    """Yield the last rows that have a single text, in order: the titles of what follows."""
    number = 0
    while number < len(rows) and filled(rows[-1 - number]) == [0] and number < 1:
        number += 1
    yield from rows[len(rows) - number :]
