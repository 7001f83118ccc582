"""The rows of numbers of a part of a table: their labels, the groups that they belong to, and the rows that they describe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from refino_eval.published.reading.column_heads import Column
from refino_eval.published.reading.grids import GridCell
from refino_eval.published.reading.head_words import ATTACHED, OF_COLUMN, Head, head, statistic_of
from refino_eval.published.reading.printed_cells import Decimals, Piece, is_empty, pieces, plain
from refino_eval.published.reading.table_parts import Part, Row

_LETTER = re.compile(r"[^\W\d_]")


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
    long
        Whether a column of the table names the statistic of each row, so that no row describes another.
    """

    row: int
    panel: str
    label: str
    head: Head
    numbers: dict[int, list[Piece]]
    cells: dict[int, GridCell]
    below: bool = False
    long: bool = False


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
    statistics = _column_of_statistics(part, labels)
    above: Row = ()
    for index, row in enumerate(part.body, start=part.first):
        texts = _labels(row, labels, above)
        numbers = _numbers(row, labels, decimals)
        if not numbers:
            # `Hours | n.a. | n.a.` is no label of a group.
            if any(texts) and not any(cell.text.strip() and cell.origin for cell in row[labels:]):
                groups.add(_joined(texts))
            continue
        if statistics is None:
            joined = _joined(texts)
            label = groups.label(joined, row[0], statistic_of(joined))
            said = _said(label)
        else:
            label = _joined([*texts[:statistics], *texts[statistics + 1 :]])
            said = Head(label, statistic_of(texts[statistics]))
        below = bool(lines) and statistics is None and _continues(row, labels, label)
        cells = {column: row[column] for column in numbers}
        lines.append(Line(index, groups.panel, label, said, numbers, cells, below, long=statistics is not None))
        above = [GridCell(text) for text in texts] if any(texts) else above
    return lines


def _joined(texts: Sequence[str]) -> str:
    """Return the texts of label columns as one label, each once."""
    return " ".join(" – ".join(dict.fromkeys(text for text in texts if text)).split())


def _continues(row: Row, labels: int, label: str) -> bool:
    """Return whether a row continues the row above: its label is merged with that row's, or empty."""
    return labels > 0 and not (label and any(cell.origin and cell.text.strip() for cell in row[:labels]))


def _column_of_statistics(part: Part, labels: int) -> int | None:
    """Return the label column whose entries all name statistics (the long form of a table), or None."""
    for column in range(labels if labels > 1 else 0):
        entries = [text for row in part.body if not is_empty(text := row[column].text)]
        named = [statistic_of(text) for text in entries]
        if len(set(entries)) > 1 and all(named) and "std_error" in named:
            return column
    return None


def _labels(row: Row, labels: int, above: Row) -> list[str]:
    """Return the texts of a row's label columns; an empty one before others has the text of the row above.

    The last column is never filled, and neither is a label for the statistics of a whole column (`Observations`).
    """
    texts = ["" if is_empty(cell.text) else cell.text.strip() for cell in row[:labels]]
    if labels < 2 or not texts[-1] or not above or statistic_of(texts[-1]) in OF_COLUMN:
        return texts
    first = next(at for at, text in enumerate(texts) if text)
    return [above[at].text if at < first and _LETTER.search(above[at].text) else text for at, text in enumerate(texts)]


def variables(lines: Sequence[Line], columns: Mapping[int, Column]) -> list[Line]:
    """Return rows in which labels of one letter are names of variables (`t`, `z`), if columns hold the statistics."""
    if not {"estimate", "std_error"} <= {column.head.statistic for column in columns.values()}:
        return list(lines)
    return [
        replace(line, head=Head(line.label)) if len(line.label) == 1 and line.head.statistic in ATTACHED else line
        for line in lines
    ]


def _said(label: str) -> Head:
    """Return what a label says; of `Employed, SE` the name is `Employed`."""
    said = head(label) if label else Head("")
    if label in ("B", "b"):
        return Head(label)  # the second of A, B, C, not a coefficient
    name, _, last = label.rpartition(",")
    if name and statistic_of(last) in ("estimate", *ATTACHED) and not statistic_of(name):
        return replace(said, name=name.strip())
    return said


def _numbers(row: Row, labels: int, decimals: Decimals) -> dict[int, list[Piece]]:
    """Return the numbers of a row by column; a cell that repeats a merged one has none of its own."""
    read = {at: pieces(row[at].text, decimals) for at in range(labels, len(row)) if row[at].origin}
    return {at: numbers for at, numbers in read.items() if numbers is not None}


def add_stars(part: Part, lines: Sequence[Line], columns: Mapping[int, Column]) -> set[tuple[int, int]]:
    """Add the stars of a column of stars to the numbers that they belong to, and return their places.

    They belong to the nearest column of numbers on their left that is not one of errors or p-values.
    """
    used = {at for line in lines for at in line.numbers}
    taken: set[tuple[int, int]] = set()
    for at in sorted({*range(1, len(part.body[0]) if part.body else 0)} - used):
        owner = max(
            (other for other in used if other < at and columns[other].head.statistic not in ATTACHED), default=0
        )
        for line in lines:
            stars = plain(part.body[line.row - part.first][at].text)
            if stars and set(stars) <= {"*"} and owner in line.numbers:
                first, *others = line.numbers[owner]
                starred = replace(first, text=first.text + stars, printed=first.printed + stars[:3])
                line.numbers[owner] = [starred, *others]
                taken.add((line.row, at))
    return taken
