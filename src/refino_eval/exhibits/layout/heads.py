"""Headings of columns: groups under one heading, short words, and what they mean in footnotes by mark (a, b, ...)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook

MARKS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
"""Raised letters as signs, since headings are plain text in every format."""


@dataclass(frozen=True)
class Noted:
    """A heading whose meaning is in a footnote."""

    text: str
    note: str


@dataclass(frozen=True)
class Group:
    """Columns next to each other, under a heading in common or under none."""

    columns: tuple[str | Noted, ...]
    over: str | Noted = ""

    @classmethod
    def of(cls, *columns: str | Noted, over: str | Noted = "") -> Group:
        """Return a group of these columns."""
        return cls(columns, over)


def grouped_heads(*groups: Group, first: str = "") -> tuple[Row, ...]:
    """Return the header rows of a table: headings over groups, if there are any, and those of the columns.

    Parameters
    ----------
    groups
        From the left, without the first column.
    first
        Heading of the first column.
    """
    heads = Row((label(first), *(_head(column) for group in groups for column in group.columns)))
    if not any(group.over for group in groups):
        return (heads,)
    over: list[Cell] = [label("")]
    for group in groups:
        if group.over and len(group.columns) > 1:
            over.append(replace(_head(group.over), align="center", span=len(group.columns)))
        else:
            over += [_head(group.over), *(label("") for _ in group.columns[1:])]
    return (Row(tuple(over)), heads)


def compared_heads(labels: LabelBook, *, over: str, difference: str) -> tuple[Row, ...]:
    """Return the header rows of a comparison: both arms, and their difference with its standard error, p-value and N.

    Parameters
    ----------
    over
        What the numbers of the arms are.
    difference
        What the difference is, with its unit.
    """
    arms = (labels.arm(arm) for arm in (labels.treated, labels.control))
    inference = (labels.word(name) for name in ("estimated", "std_error", "p_value"))
    return grouped_heads(Group(tuple(arms), over), Group(tuple(inference), difference), Group.of("N"))


def _head(text: str | Noted) -> Cell:
    if isinstance(text, Noted):
        return replace(label(text.text, align="right"), note=text.note)
    return label(text, align="right")


def noted(row: Row, note: str) -> Row:
    """Return a row whose heading has a footnote; the same row without a note."""
    first, *others = row.cells
    return replace(row, cells=(replace(first, note=note), *others)) if note else row


def with_footnotes(table: Table, *, marked: bool = True) -> Table:
    """Mark the headings that have a note with letters in reading order, and put these notes before the others.

    The same note has the same letter wherever it is. A table for a spreadsheet has the notes without marks: its headings are names.
    """
    notes = list(
        dict.fromkeys(
            cell.note for part in table.parts for row in (*part.header, *part.body) for cell in row.cells if cell.note
        )
    )  # fmt: skip
    if not notes:
        return table
    letters = {note: MARKS[place] if marked else "" for place, note in enumerate(notes)}
    parts = tuple(
        Part(
            tuple(_marked(row, letters) for row in part.header),
            tuple(_marked(row, letters) for row in part.body),
            part.caption,
        )
        for part in table.parts
    )
    listed = (f"{letters[note]} {note}".strip() for note in notes)
    return replace(table, parts=parts, notes=(*listed, *table.notes))


def _marked(row: Row, letters: dict[str, str]) -> Row:
    if not any(cell.note for cell in row.cells):
        return row
    cells = tuple(
        replace(cell, text=cell.text + letters[cell.note], note="") if cell.note else cell for cell in row.cells
    )
    return replace(row, cells=cells)
