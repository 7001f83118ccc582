"""A grid of texts as published values: heads, groups of rows, and which statistic each number is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from refino_eval.published.intervals import COUNTS
from refino_eval.published.reading.grids import Grid, GridCell, Unread, filled
from refino_eval.published.reading.head_words import (
    ATTACHED,
    OF_COLUMN,
    Head,
    head,
    in_parentheses,
    is_model_number,
    key_part,
    of_caption,
    statistic_of,
)
from refino_eval.published.reading.printed_cells import Decimals, Piece, is_empty, pieces

_YEAR = re.compile(r"(19|20)\d\d([/\-–](19|20)?\d\d)?")
_SHOWN = 3
"""Cells that could not be read, named one by one before the rest are counted."""

_STARRED = re.compile(r"\*")
_EFFECTS = ("estimate", "difference")


@dataclass(frozen=True)
class Value:
    """One published number with the names of its place."""

    names: tuple[str, str, str]
    statistic: str
    piece: Piece
    unit: str
    place: str


@dataclass
class Line:
    """One row of numbers: its panel, its label, the statistic that its label names, and its cells' numbers by column."""

    panel: str
    label: str
    head: Head
    numbers: dict[int, list[Piece]]
    cells: dict[int, GridCell]
    below: bool = False


@dataclass(frozen=True)
class Column:
    """A column of numbers: its name, the statistic of its head and of the number in parentheses, and its unit."""

    name: str
    head: Head
    second: str = ""


@dataclass
class TableReader:
    """Reads one grid; `values` and `unread` are filled by `read`."""

    grid: Grid
    decimals: Decimals
    values: list[Value] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    _with_errors: set[str] = field(default_factory=set)
    _above: set[int] = field(default_factory=set)

    @property
    def _stated(self) -> str:
        """What the caption states about all numbers."""
        return of_caption(self.grid.caption)

    def read(self) -> None:
        """Read all parts of the grid: a heading in the middle begins a new part."""
        rows = self.grid.rows
        self._report_cells()
        start, panel = 0, ""
        while start < len(rows):
            heads, titles = self._heads(start)
            stop = next((row for row in range(heads + 1, len(rows)) if self._begins_part(row)), len(rows))
            panel = titles or panel
            while stop < len(rows) and stop - 1 > heads and filled(rows[stop - 1]) == [0]:
                stop -= 1  # the title of the next part
            self._part(rows[start:heads], rows[heads:stop], panel)
            start = max(stop, start + 1)

    # --- where heads are -------------------------------------------------------------------------------------------

    def _numbers(self, cell: GridCell) -> list[Piece] | None:
        return pieces(cell.text, self.decimals)

    def _is_data(self, row: Sequence[GridCell]) -> bool:
        """Return whether a row has numbers to the right of its label, other than years and numbers of models."""
        texts = [cell.text.strip() for cell in row[1:] if cell.text.strip() and not is_empty(cell.text)]
        numeric = [text for text in texts if pieces(text, self.decimals) is not None]
        heads = [text for text in numeric if is_model_number(text) or _YEAR.fullmatch(text)]
        label = row[0].text.strip() if row else ""
        looks_like_head = len(heads) == len(numeric) and not (label and statistic_of(label) and len(heads) < 2)
        if numeric and looks_like_head and len(heads) == len(texts):
            # `1 2 3` may be data; `(1) (2) (3)`, and years, are heads as long as no label says otherwise.
            counted = [re.sub(r"\D", "", text) for text in heads]
            in_order = (not label and counted == [str(number) for number in range(1, len(counted) + 1)]) or all(
                _YEAR.fullmatch(text) or re.search(r"[(\[a-zA-Z]", text) for text in heads
            )
            return not (in_order and (not label or not statistic_of(label)))
        return len(numeric) > 0 and len(numeric) >= len(texts) / 4

    def _heads(self, start: int) -> tuple[int, str]:
        """Return the row where the numbers of a part begin, and the titles among its heads."""
        rows = self.grid.rows
        if start == 0 and self.grid.head_rows is not None and any(map(self._is_data, rows[self.grid.head_rows :])):
            first = self.grid.head_rows
        else:
            first = next((row for row in range(start, len(rows)) if self._is_data(rows[row])), len(rows))
            # Labels of groups right above the numbers are not heads of columns.
            while first > start + 1 and filled(rows[first - 1]) == [0] and not rows[first - 1][0].head:
                first -= 1
        titles = [
            rows[row][0].text.strip()
            for row in range(start, first)
            if filled(rows[row]) == [0] and (first - start > 1 or not self._spans(rows[row]))
        ]
        return first, titles[-1] if titles and first - start > len(titles) else ""

    def _spans(self, row: Sequence[GridCell]) -> bool:
        return any(not cell.origin for cell in row[1:])

    def _begins_part(self, row: int) -> bool:
        """Return whether a row below the first heading is a heading again: words over the columns and no label."""
        cells = self.grid.rows[row]
        used = filled(cells)
        if not used or self._is_data(cells):
            return False
        marked = len(used) > 1 and all(cells[column].head for column in used)
        words = [column for column in used if column > 0 and not is_empty(cells[column].text)]
        below = self.grid.rows[row + 1] if row + 1 < len(self.grid.rows) else ()
        if marked and len(words) > 1:
            return True
        return used[0] > 0 and len(words) >= 1 and (self._is_data(below) or len(words) > 1)

    # --- rows and columns of a part --------------------------------------------------------------------------------

    def _part(self, heads: Sequence[Sequence[GridCell]], body: Sequence[Sequence[GridCell]], title: str) -> None:
        labels = self._label_columns(body)
        heads = _spread(heads, labels)
        columns = self._columns(heads, body, labels)
        lines = self._lines(body, labels, title)
        self._values(lines, columns)

    def _label_columns(self, body: Sequence[Sequence[GridCell]]) -> int:
        """Return how many columns on the left hold labels."""
        width = len(body[0]) if body else 0
        for column in range(1, width):
            texts = [row[column].text for row in body if row[column].text.strip() and not is_empty(row[column].text)]
            numbers = sum(pieces(text, self.decimals) is not None for text in texts)
            if (
                numbers >= len(texts) / 5
                or not texts
                or not any(pieces(row[c].text, self.decimals) for row in body for c in range(column + 1, width))
            ):
                return column
        return 1

    def _columns(
        self, heads: Sequence[Sequence[GridCell]], body: Sequence[Sequence[GridCell]], labels: int
    ) -> dict[int, Column]:
        """Return the columns by place: statistics that describe a column next to them take its name."""
        width = len(body[0]) if body else 0
        result: dict[int, Column] = {}
        # Of each common heading, the last column that another one can describe: its name and statistic.
        latest: dict[str, tuple[str, str]] = {}
        for column in range(labels, width):
            texts = list(dict.fromkeys(" ".join(row[column].text.split()) for row in heads if not self._is_title(row)))
            texts = [text for text in texts if text]
            read = [head(text) for text in texts]
            role = next((each for each in reversed(read) if each.statistic), None)
            named = [each for each in read if each is not role or each.statistic in ("difference", "share", "count")]
            spanner = " – ".join(each.name for each in named)
            statistic = role.statistic if role else ""
            size = next((each.size for each in read if each.size), "")
            unit = next((each.unit for each in reversed(read) if each.unit), "")
            merged = Head(spanner, statistic, unit, size, any(each.relative for each in read))
            name = spanner or (role.name if role and statistic not in ("mean", "sd") else "")
            if statistic in ATTACHED or statistic in ("mean_control", "mean_treated", "n", "df"):
                name = _described(merged, role, spanner, latest) or name
            else:
                within = " – ".join(each.name for each in (named if role else named[:-1]) if each is not role)
                latest[within] = (name, statistic)
            second = next((word for text in reversed(texts) if (word := in_parentheses(text))), "")
            result[column] = Column(name or (role.name if role else "") or f"({column - labels + 1})", merged, second)
        return result

    def _is_title(self, row: Sequence[GridCell]) -> bool:
        return filled(row) == [0]

    def _lines(self, body: Sequence[Sequence[GridCell]], labels: int, title: str) -> list[Line]:
        lines: list[Line] = []
        outer, inner, grouped, parent = title, "", False, ""
        for row in body:
            parts = list(
                dict.fromkeys(
                    cell.text.strip() for cell in row[:labels] if cell.text.strip() and not is_empty(cell.text)
                )
            )
            label = " ".join(" – ".join(parts).split())
            numbers = {
                column: read
                for column in range(labels, len(row))
                if row[column].origin and (read := self._numbers(row[column])) is not None
            }
            if not numbers:
                if label and all(is_empty(cell.text) or not cell.origin for cell in row[labels:]):
                    # A label above another label is the larger group.
                    outer, inner = (inner or outer, label) if grouped and inner else (outer, label)
                    grouped = True
                continue
            grouped = False
            statistic = statistic_of(label)
            continued = bool(lines) and (
                not label or not any(cell.origin and cell.text.strip() for cell in row[:labels])
            )
            if row[0].indent and parent and not statistic:
                label = f"{parent} – {label}"
            elif not statistic and label:
                parent = label
            panel = " – ".join(dict.fromkeys(each for each in (outer, inner) if each))
            cells = {column: row[column] for column in numbers}
            lines.append(Line(panel, label, head(label) if label else Head(""), numbers, cells, below=continued))
        return lines

    # --- numbers ---------------------------------------------------------------------------------------------------

    def _values(self, lines: list[Line], columns: dict[int, Column]) -> None:
        shapes = _shapes(lines, columns)
        self._with_errors = {
            column.name
            for column in columns.values()
            if column.head.statistic in ("std_error", "t_stat", "conf_interval")
        }
        self._above = {
            column for column in columns if _over([line.numbers[column] for line in lines if column in line.numbers])
        }
        owner: Line | None = None
        for position, line in enumerate(lines):
            statistic = line.head.statistic
            attached = owner is not None and (line.below or (_describes_above(line) and not _own_row(line, columns)))
            row = owner if attached and owner is not None else line
            if not attached and statistic not in OF_COLUMN:
                owner = line
            following = lines[position + 1 : position + 4]
            for column, numbers in line.numbers.items():
                described = columns[column]
                main = self._statistic(line, described, numbers[0], shapes, following, column, attached)
                if main in COUNTS - {"df"} and not numbers[0].whole:
                    main = "value"  # the words named a number of people, the number is none
                names = (row.panel, _row_name(row, main), described.name)
                unit = _unit(line, described, numbers[0])
                for name, piece in _named(main, described, line, numbers):
                    self.values.append(Value(names, name, piece, _unit_of(name, unit, piece), line.cells[column].place))
        self._sizes(lines, columns)

    def _statistic(
        self,
        line: Line,
        column: Column,
        piece: Piece,
        shapes: dict[int, str],
        following: Sequence[Line],
        at: int,
        attached: bool,
    ) -> str:
        """Return the statistic of the first number of a cell."""
        own, above = line.head.statistic, column.head.statistic
        if attached and not own:
            return _beneath(line.numbers[at], column, above)
        if own and own not in ("share", "count", "mean", "difference", "median") and above not in ATTACHED:
            return own
        if above and above not in ("difference", "count", "share", "median"):
            return above
        stated = "" if own or above or line.head.unit or column.head.unit or "(" in line.label else self._stated
        percent = piece.percent or "percent" in (line.head.unit, column.head.unit) or "share" in (own, above, stated)
        if (column.second or in_parentheses(line.label)) == "sd" and len(line.numbers[at]) > 1:
            return "mean"
        if self._is_estimate(line, column, piece, shapes.get(at, ""), following, at, percent=percent):
            return "estimate"
        if own in ("mean", "median") or above == "median":
            return own or above
        if percent and above != "difference":
            return self._share_or_value(line, column, piece, shapes.get(at, ""), at)
        if "count" in (own, above, stated):
            counted = line.numbers.values() if own == "count" else [[piece]]
            return "count" if all(cell[0].whole for cell in counted) and shapes.get(at) != "wide" else "value"
        if above == "difference" or (own == "difference" and shapes.get(at) != "counts"):
            return "difference"
        return "count" if shapes.get(at) == "counts" else shapes[-1]

    def _is_estimate(
        self, line: Line, column: Column, piece: Piece, shape: str, following: Sequence[Line], at: int, *, percent: bool
    ) -> bool:
        """Return whether a number has a standard error, or stars where these are not footnote marks, as of shares."""
        if _has_error(line, following, at):
            return True
        if column.head.statistic == "difference" and column.name in self._with_errors:
            return True
        starred = bool(_STARRED.search(piece.printed)) or shape == "starred"
        return starred and not percent and line.head.statistic not in ("mean", "median")

    def _share_or_value(self, line: Line, column: Column, piece: Piece, shape: str, at: int) -> str:
        """Return what a number in per cent is: numbers above a hundred and changes are no shares, whatever the words say."""
        # Whether they are above a hundred is asked of the column, of the row, or of the number: of what the words describe.
        if column.head.statistic == "share" or column.head.unit == "percent":
            too_large = at in self._above
        elif line.head.statistic == "share" or line.head.unit == "percent":
            too_large = any(map(_above_hundred, line.numbers.values()))
        else:
            too_large = _above_hundred(line.numbers[at])
        relative = line.head.relative or column.head.relative or shape == "wide"
        return "value" if relative or (too_large and not piece.percent) else "share"

    def _sizes(self, lines: list[Line], columns: dict[int, Column]) -> None:
        """Add the sizes that heads state: `Control (N = 101)`."""
        have = {value.names[2] for value in self.values if value.statistic == "n"}
        for described in columns.values():
            size = pieces(described.head.size, self.decimals) if described.head.size else None
            if size and described.name not in have:
                have.add(described.name)
                self.values.append(Value(("", "all", described.name), "n", size[0], "", f"{self.grid.place}, head"))

    def _report_cells(self) -> None:
        """Report the cells with digits that are no numbers, below the headings and right of the labels."""
        rows = self.grid.rows
        first, _ = self._heads(0)
        labels = self._label_columns(rows[first:]) if first < len(rows) else 1
        odd = [
            cell
            for row in rows[first:]
            for cell in row[labels:]
            if cell.origin and not cell.head and _mostly_digits(cell.text) and pieces(cell.text, self.decimals) is None
        ]
        for cell in odd[:_SHOWN]:
            shown = " ".join(cell.text.split())
            self.unread.append(
                Unread(f"{self.grid.place}, {cell.place}", f"“{shown[:60]}{'…' if len(shown) > 60 else ''}”")
            )
        if len(odd) > _SHOWN:
            self.unread.append(Unread(self.grid.place, f"+ {len(odd) - _SHOWN}"))


def _mostly_digits(text: str) -> bool:
    """Return whether a text looks like a number: it has at least as many digits as letters."""
    digits = len(re.findall(r"\d", text))
    return digits > 0 and digits >= len(re.findall(r"[^\W\d_]", text))


def _spread(heads: Sequence[Sequence[GridCell]], labels: int) -> list[Sequence[GridCell]]:
    """Return the heads with each text of an upper row over the empty cells to its right.

    Files without merged cells (CSV, text) leave the cells under a common heading empty. Where cells are merged, an empty one is
    empty.
    """
    result = list(heads)
    if any(not cell.origin for row in heads for cell in row[labels:]):
        return result
    for number, row in enumerate(heads[:-1]):
        lower = heads[-1]
        if filled(row) == [0]:
            continue
        cells, last = list(row), GridCell()
        for column in range(labels, len(row)):
            if row[column].text:
                last = row[column]
            elif lower[column].text:
                cells[column] = GridCell(last.text, last.place, last.head, origin=False)
        result[number] = cells
    return result


def _described(own: Head, role: Head | None, spanner: str, latest: dict[str, tuple[str, str]]) -> str:
    """Return the name of the column that a column of standard errors, intervals, p-values or sizes describes, or nothing.

    Errors and intervals describe the column before them; p-values, means and sizes an effect before them.
    """
    name, statistic = latest.get(spanner, ("", ""))
    if own.statistic == "p_value" and role is not None and "," in role.name:
        return ""
    if own.statistic in ("std_error", "conf_interval", "conf_low", "conf_high", "sd"):
        return name
    return name if statistic in _EFFECTS else ""


def _describes_above(line: Line) -> bool:
    """Return whether a row has a statistic of the row above; `p, equal effects` is a test of several rows."""
    return line.head.statistic in ATTACHED and not (line.head.statistic == "p_value" and "," in line.label)


def _own_row(line: Line, columns: dict[int, Column]) -> bool:
    """Return whether a row that names a statistic describes columns that name statistics themselves."""
    return line.head.statistic == "sd" and any(column.head.statistic for column in columns.values())


def _row_name(line: Line, statistic: str) -> str:
    """Return the name of a row; sizes and fits of a column belong to everybody."""
    if line.head.statistic in OF_COLUMN and statistic == line.head.statistic:
        return "all" if statistic in ("n", "n_treated", "n_control", "r_squared") else line.head.name
    return line.head.name or line.label


def _beneath(numbers: Sequence[Piece], column: Column, above: str) -> str:
    """Return the statistic of a row without a label, below the row that it describes."""
    first = numbers[0].shape
    if first == "low":
        return "conf_interval"
    if column.second:
        return column.second
    if first in ("round", "square"):
        return "sd" if above == "mean" else "std_error"
    return "value"


def _has_error(line: Line, following: Sequence[Line], column: int) -> bool:
    """Return whether the number has a standard error or an interval in its cell or below it."""
    numbers = line.numbers[column]
    if any(piece.shape in ("low", "sigma") for piece in numbers):
        return True
    if len(numbers) > 1 and numbers[1].shape == "round" and not numbers[0].whole and not numbers[1].percent:
        return True
    for below in following[:1]:
        if column in below.numbers:
            return below.head.statistic in ("std_error", "t_stat", "conf_interval") or (
                below.below and below.numbers[column][0].shape in ("round", "square", "low")
            )
    return False


def _named(main: str, column: Column, line: Line, numbers: Sequence[Piece]) -> Iterator[tuple[str, Piece]]:
    """Yield the numbers of one cell with their statistics."""
    second = column.second or in_parentheses(line.label)
    for index, piece in enumerate(numbers):
        if piece.shape == "of":
            yield "n", piece
        elif piece.shape in ("low", "high"):
            yield f"conf_{piece.shape}", piece
        elif index == 0:
            yield ("value" if main == "conf_interval" else main), piece
        elif second:
            yield second, piece
        elif piece.percent:
            yield "share", piece
        elif numbers[0].whole and main in ("count", "n"):
            # `120 (45.0)`: a number of people with its percentage.
            yield "share", Piece(piece.text, f"{piece.printed}%", piece.shape, piece.qualifier)
        elif main == "share":
            yield "count", piece
        elif main in ("mean", "median"):
            yield "sd", piece
        else:
            yield ("std_error" if piece.shape in ("round", "square", "sigma") else "value"), piece


def _unit(line: Line, column: Column, piece: Piece) -> str:
    """Return the unit of a cell: of its row, else of its column."""
    if line.head.statistic in OF_COLUMN or column.head.statistic in OF_COLUMN:
        return ""
    if "year" in (key_part(column.name), key_part(line.label)) and _YEAR.fullmatch(piece.printed):
        return "year"
    return line.head.unit or column.head.unit


def _unit_of(statistic: str, unit: str, piece: Piece) -> str:
    """Return the unit of one number of a cell: counts have none, and a percentage with its sign states it itself."""
    if statistic in ("n", "count", "p_value", "t_stat", "f_stat", "df", "r_squared") or piece.percent:
        return ""
    return unit


def _shapes(lines: Sequence[Line], columns: dict[int, Column]) -> dict[int, str]:
    """Return what the numbers of each column look like, and (at -1) the statistic of a table's plain numbers.

    Whole numbers whose words do not say that they count anything may be amounts that were rounded, so they are plain values,
    unless a column or row of shares of the same table shows that people are counted.
    """
    heads = [column.head for column in columns.values()]
    shares = any(head.statistic == "share" or head.unit == "percent" for head in heads)
    result: dict[int, str] = {}
    for at, column in columns.items():
        numbers = [line.numbers[at][0] for line in lines if at in line.numbers]
        may_count = shares and column.head.unit == ""
        shape = _shape([piece for piece in numbers if piece.shape == "plain"], may_count=may_count)
        if shape:
            result[at] = shape
    words = " ".join(column.name.lower() for column in columns.values())
    arms = re.search(r"\b(treat\w*|control\w*|kontroll\w*|tiltak\w*|intervention|behandl\w*)\b", words) is not None
    named = {head.statistic for head in heads}
    compared = bool(named & {"sd", "p_value", "difference"}) and "estimate" not in named
    result[-1] = "mean" if arms or compared else "value"
    return result


def _shape(plain_numbers: Sequence[Piece], *, may_count: bool) -> str:
    """Return what the numbers of a column look like; empty where they look like nothing in particular."""
    wide = any(piece.printed.startswith("-") for piece in plain_numbers)
    if any("*" in piece.printed for piece in plain_numbers):
        return "starred"
    if plain_numbers and all(piece.whole for piece in plain_numbers):
        return "counts" if may_count and not wide else "whole"
    return "wide" if wide else ""


def _above_hundred(cell: Sequence[Piece]) -> bool:
    return not cell[0].percent and float(re.sub(r"[^\d.]", "", cell[0].printed) or 0) > 100


def _over(numbers: Iterable[Sequence[Piece]]) -> bool:
    """Return whether more than one in ten numbers, and not only one of several, are above a hundred: they are no percentages."""
    above = [_above_hundred(cell) for cell in numbers if not cell[0].percent]
    return sum(above) > max(len(above) / 10, 1 if len(above) > 3 else 0)
