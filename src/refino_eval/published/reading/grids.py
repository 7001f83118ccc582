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

_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
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

    What follows a blank row is a new table if it begins with a heading, or with a title and a heading; otherwise it continues the
    table above, whose panels may be set apart by blank rows. A row that names a table (`Table 4.4`) always begins one.
    """
    # Links back to the contents of a workbook are no part of a table.
    kept = [row for row in rows if len(filled(row)) != 1 or not _LINK.match(row[filled(row)[0]].text)]
    title, current, blank = "", list[Sequence[GridCell]](), False
    for number, row in enumerate(kept):
        if not filled(row):
            blank = True
            continue
        following = kept[number + 1] if number + 1 < len(kept) else ()
        if current and _begins_table(row, following, blank=blank):
            yield title, current
            title, current = "", []
        blank = False
        if not current and not title and (_stands_alone(row) or _names_table(row)):
            title = row[filled(row)[0]].text.strip()
        else:
            current.append(row)
    if current:
        yield title, current


def _stands_alone(row: Sequence[GridCell]) -> bool:
    return filled(row) == [0]


def _names_table(row: Sequence[GridCell]) -> bool:
    """Return whether a row has one text, which names a table."""
    used = filled(row)
    return len(used) == 1 and CAPTION.match(row[used[0]].text) is not None


def _begins_table(row: Sequence[GridCell], following: Sequence[GridCell], *, blank: bool) -> bool:
    """Return whether a row begins a table: it names one, or a blank row is above it, and it is a heading or a title above one."""
    if not blank or _names_table(row):
        return _names_table(row)
    return _is_heading(row) or (_stands_alone(row) and _is_heading(following))


def _is_heading(row: Sequence[GridCell]) -> bool:
    """Return whether a row has only words: over the columns without a label, or at least three with one."""
    used = filled(row)
    texts = [row[column].text for column in used]
    wordy = all(len(_LETTER.findall(text)) > len(_DIGIT.findall(text)) for text in texts)
    return wordy and bool(used) and (used[0] > 0 or len(set(texts)) > 2)
