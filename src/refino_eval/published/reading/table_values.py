"""A grid of texts as published values: heads, groups of rows, and which statistic each number is.

A table is read in steps, each in a module of its own: `table_parts` divides it into headings and the rows below them,
`column_heads` and `table_lines` read what heads and labels say, and `cell_statistics` decides what each number is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from refino_eval.published.intervals import COUNTS
from refino_eval.published.reading.cell_statistics import (
    CellInPart,
    looks_of,
    named_numbers,
    statistic_of_cell,
)
from refino_eval.published.reading.column_heads import Column, columns_of
from refino_eval.published.reading.grids import Grid, GridCell, Unread
from refino_eval.published.reading.head_words import (
    ATTACHED,
    OF_COLUMN,
    head,
    is_model_number,
    key_part,
    of_caption,
    of_note,
)
from refino_eval.published.reading.printed_cells import Decimals, Piece, is_empty, pieces
from refino_eval.published.reading.table_lines import Line, add_stars, lines_of, variables
from refino_eval.published.reading.table_parts import NOTE, YEAR, Part, label_columns, parts

_NAMED_ONE_BY_ONE = 3
"""Cells that could not be read, named one by one before the rest are counted."""

_SENTENCE = 80
"""Characters of a text that is no longer the content of a cell of numbers."""

_FREE_NUMBER = re.compile(r"(?<![\w.,])[-+−]?\d[\d.,]*(?![^\W\d_])")
_WITHOUT_UNIT = ("n", "count", "p_value", "t_stat", "f_stat", "df", "r_squared")


@dataclass(frozen=True)
class Value:
    """One published number with the names of its place, and its row and column in the grid."""

    names: tuple[str, str, str]
    statistic: str
    piece: Piece
    unit: str
    place: str
    at: tuple[int, int]


@dataclass
class TableReader:
    """Reads one grid; its numbers, what was not read, the rows of heads and how many columns hold labels are filled by `read`."""

    grid: Grid
    decimals: Decimals
    values: list[Value] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    heads: set[int] = field(default_factory=set)
    labels: int = 1

    def read(self) -> None:
        """Read all parts of the grid: a heading in the middle begins a new part."""
        odd: list[GridCell] = []
        for part in parts(self.grid, self.decimals):
            width = len(part.body[0]) if part.body else 0
            labels = self.labels = label_columns(part, self.decimals)
            self.heads.update(range(part.first - len(part.heads), part.first))
            lines = lines_of(part, labels, self.decimals)
            columns = columns_of(part.heads, labels, width, {at for line in lines for at in line.numbers})
            lines = variables(lines, columns)
            stars = add_stars(part, lines, columns)
            self.values += self._numbers(lines, columns)
            self._sizes(columns)
            read = stars | {(line.row, at) for line in lines for at in line.numbers}
            odd += [*self._lost_heads(part, labels), *_lost_cells(part, labels, read)]
        self._report(odd)

    def _numbers(self, lines: Sequence[Line], columns: Mapping[int, Column]) -> Iterator[Value]:
        """Yield the numbers of a part; a row that describes another one (`SE`, `p`) has the name of that row."""
        notes = " ".join([self.grid.caption, *(row[0].text for row in self.grid.rows if len(row[0].text) > 20)])
        looks, stated = looks_of(lines, columns, of_note(notes)), of_caption(self.grid.caption)
        owner: Line | None = None
        for position, line in enumerate(lines):
            attached = owner is not None and not line.long and _describes(line, columns)
            described = owner if attached and owner is not None else line
            if not attached and line.head.statistic not in OF_COLUMN:
                owner = line
            following = lines[position + 1] if position + 1 < len(lines) else None
            for at in line.numbers:
                cell = CellInPart(line, columns[at], at, looks, following, attached, stated)
                yield from _values_of(cell, described)

    def _sizes(self, columns: Mapping[int, Column]) -> None:
        """Add the sizes that heads state: `Control (N = 101)`."""
        have = {value.names[2] for value in self.values if value.statistic == "n"}
        for column in columns.values():
            size = pieces(column.head.size, self.decimals) if column.head.size else None
            if size and column.name not in have:
                have.add(column.name)
                place = f"{self.grid.place}, head"
                self.values.append(Value(("", "all", column.name), "n", size[0], "", place, (-1, -1)))

    def _lost_heads(self, part: Part, labels: int) -> Iterator[GridCell]:
        """Yield the numbers among heads that are neither years, nor numbers of models, nor sizes, nor names of statistics."""
        for row in part.heads:
            for cell in row[max(labels, 1) :]:
                text = cell.text.strip()
                said = head(text)
                named = is_model_number(text) or YEAR.fullmatch(text) or is_empty(text) or said.size or said.statistic
                if cell.origin and not named and re.search(r"\d", text) and pieces(text, self.decimals) is not None:
                    yield cell

    def _report(self, odd: Sequence[GridCell]) -> None:
        """Report the cells that could not be read: some one by one, the others by their number."""
        for cell in odd[:_NAMED_ONE_BY_ONE]:
            shown = " ".join(cell.text.split())
            shown = f"{shown[:60]}…" if len(shown) > 60 else shown
            self.unread.append(Unread(f"{self.grid.place}, {cell.place}", f"“{shown}”"))
        if len(odd) > _NAMED_ONE_BY_ONE:
            self.unread.append(Unread(self.grid.place, f"+ {len(odd) - _NAMED_ONE_BY_ONE}"))


def _values_of(cell: CellInPart, described: Line) -> Iterator[Value]:
    """Yield the numbers of one cell, as numbers of the row that its row describes."""
    main = statistic_of_cell(cell)
    if main in COUNTS - {"df"} and not cell.numbers[0].whole:
        main = "value"  # the words named a number of people, the number is none
    size = main == "n" and cell.line.below and cell.numbers[0].named == "n"
    names = (described.panel, "all" if size else _row_name(described, main), cell.column.name)
    unit = _unit(cell)
    grid_cell = cell.line.cells[cell.at]
    for statistic, piece in named_numbers(main, cell):
        without = statistic in _WITHOUT_UNIT or piece.percent
        yield Value(names, statistic, piece, "" if without else unit, grid_cell.place, (cell.line.row, cell.at))


def _lost_cells(part: Part, labels: int, read: Set[tuple[int, int]]) -> Iterator[GridCell]:
    """Yield the cells right of the labels that hold a number of their own, other than a year, and were not read."""
    for index, row in enumerate(part.body, start=part.first):
        # A note is no row of numbers, also where commas or merged cells spread it over several cells.
        if NOTE.match(next((cell.text for cell in row if cell.text.strip()), "")):
            continue
        for at, cell in enumerate(row[labels:], start=labels):
            if cell.origin and not cell.head and (index, at) not in read and _has_number(cell.text):
                yield cell


def _has_number(text: str) -> bool:
    """Return whether a short text has a number that stands alone, other than a year: `about 3 of 10`, not `HC1` or `2019`."""
    mostly_digits = len(re.findall(r"\d", text)) > len(re.findall(r"[^\W\d_]", text))
    numbers = _FREE_NUMBER.findall(text)
    return len(text) <= _SENTENCE and (mostly_digits or any(not YEAR.fullmatch(number) for number in numbers))


def _describes(line: Line, columns: Mapping[int, Column]) -> bool:
    """Return whether a row has a statistic of the row above.

    `p, equal effects` is a test of several rows, and a row `SD` below heads that name statistics is a row of its own.
    """
    if line.below:
        return True
    statistic = line.head.statistic
    if statistic not in ATTACHED or (statistic == "p_value" and "," in line.label):
        return False
    return not (statistic == "sd" and any(column.head.statistic for column in columns.values()))


def _row_name(line: Line, statistic: str) -> str:
    """Return the name of a row; sizes and fits of a column belong to everybody."""
    if statistic == "n" and not line.label:
        return "all"
    if not line.long and line.head.statistic in OF_COLUMN and statistic == line.head.statistic:
        return "all" if statistic in ("n", "n_treated", "n_control", "r_squared") else line.head.name
    return line.head.name or line.label


def _unit(cell: CellInPart) -> str:
    """Return the unit of a cell: of its row, else of its column."""
    line, column = cell.line, cell.column
    if line.head.statistic in OF_COLUMN or column.head.statistic in OF_COLUMN:
        return ""
    if "year" in (key_part(column.name), key_part(line.label)) and YEAR.fullmatch(cell.numbers[0].printed):
        return "year"
    return line.head.unit or column.head.unit
