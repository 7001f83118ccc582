"""The rows of numbers of a part of a table: their labels, the groups that they belong to, and the rows that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from refino_eval.published.reading.grids import GridCell
from refino_eval.published.reading.head_words import Head, head, statistic_of
from refino_eval.published.reading.printed_cells import Decimals, Piece, is_empty, pieces
from refino_eval.published.reading.table_parts import Part, Row


@dataclass(frozen=True)
class Line:
    """One row of numbers.

    Attributes
    ----------
    row
        Its index in the grid.
    panel
        The groups of rows that it belongs to.
    label
        Its label, with that of the row that it is indented under.
    head
        What the label says about the numbers.
    numbers, cells
        Its numbers, and its cells, by column.
    below
        Whether it has no label of its own, so that it describes the row above.
    """

    row: int
    panel: str
    label: str
    head: Head
    numbers: dict[int, list[Piece]]
    cells: dict[int, GridCell]
    below: bool = False


@dataclass
class _Groups:
    """The labels without numbers above a row: those right above each other are a larger and a smaller group."""

    outer: str
    inner: str = ""
    parent: str = ""
    _just_read: bool = False

    def add(self, label: str) -> None:
        """Take a label without numbers: it replaces the smaller group, or divides the group right above it."""
        if self._just_read and self.inner:
            self.outer = self.inner
        self.inner, self._just_read = label, True

    def label(self, label: str, cell: GridCell, statistic: str) -> str:
        """Return the label of a row of numbers; an indented one is named with the row that it is indented under."""
        self._just_read = False
        if cell.indent and self.parent and not statistic:
            return f"{self.parent} – {label}"
        if label and not statistic:
            self.parent = label
        return label

    @property
    def panel(self) -> str:
        return " – ".join(dict.fromkeys(each for each in (self.outer, self.inner) if each))


def lines_of(part: Part, labels: int, decimals: Decimals) -> list[Line]:
    """Return the rows of numbers of a part."""
    lines: list[Line] = []
    groups = _Groups(part.title)
    for index, row in enumerate(part.body, start=part.first):
        label = _label(row, labels)
        numbers = _numbers(row, labels, decimals)
        if not numbers:
            if label and all(is_empty(cell.text) or not cell.origin for cell in row[labels:]):
                groups.add(label)
            continue
        named = groups.label(label, row[0], statistic_of(label))
        # A merged label, or none, continues the row above.
        own_label = any(cell.origin and cell.text.strip() for cell in row[:labels])
        lines.append(
            Line(
                index,
                groups.panel,
                named,
                head(named) if named else Head(""),
                numbers,
                {column: row[column] for column in numbers},
                below=bool(lines) and not (label and own_label),
            )
        )
    return lines


def _label(row: Row, labels: int) -> str:
    """Return the texts of a row's label columns, each once."""
    texts: Sequence[str] = [cell.text.strip() for cell in row[:labels] if not is_empty(cell.text)]
    return " ".join(" – ".join(dict.fromkeys(texts)).split())


def _numbers(row: Row, labels: int, decimals: Decimals) -> dict[int, list[Piece]]:
    """Return the numbers of a row by column; a cell that repeats a merged one has none of its own."""
    read = {at: pieces(row[at].text, decimals) for at in range(labels, len(row)) if row[at].origin}
    return {at: numbers for at, numbers in read.items() if numbers is not None}
