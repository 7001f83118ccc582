"""Which statistic each number of a table is: by its row's label, its column's head, and what the numbers look like.

A cell is judged by rules in a fixed order; the first that decides counts. Words come before looks, and the words nearest to the
number (a label that names a statistic) before those of the whole table (its caption).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from refino_eval.published.reading.column_heads import Column
from refino_eval.published.reading.head_words import ATTACHED, in_parentheses
from refino_eval.published.reading.printed_cells import Piece
from refino_eval.published.reading.table_lines import Line

_ARMS = re.compile(r"\b(treat\w*|control\w*|kontroll\w*|tiltak\w*|intervention|behandl\w*)\b")
_CONTROL = re.compile(r"\b(control\w*|kontroll\w*|comparison|sammenlign\w*|placebo)\b")
_NO_INTERVALS = {"df": "df", "range": "value"}
"""What two numbers are that are no ends of a confidence interval."""

_SMALL = 0.12
"""Ratio below which a number after a mean is its standard error: with 70 people, that of a standard deviation as large as the mean."""

_ABOUT_THINGS = ("share", "count", "mean", "difference", "median")
"""Statistics that a label may name while the column decides which number it is: `Mean age`, `Share of women`."""


@dataclass(frozen=True)
class Looks:
    """What the numbers of a part look like.

    Attributes
    ----------
    shapes
        By column: `counts`, `whole`, `wide` (negative numbers), `starred`, or nothing in particular.
    usual
        The statistic of numbers about which nothing else says what they are.
    with_errors
        Names of columns that have a column of standard errors, t-statistics or intervals.
    above
        Columns with numbers above a hundred, which are no percentages.
    of_arms
        Columns of the means of arms, in a table that compares them.
    in_parentheses
        What follows a mean in parentheses: `sd`, or `std_error` where it is small.
    """

    shapes: Mapping[int, str]
    usual: str
    with_errors: frozenset[str]
    above: frozenset[int]
    of_arms: frozenset[int] = frozenset()
    in_parentheses: str = "sd"


def looks_of(lines: Sequence[Line], columns: Mapping[int, Column], stated: str = "") -> Looks:
    """Return what the numbers of a part look like.

    Parameters
    ----------
    lines, columns
        The part.
    stated
        The statistic that a note says is in parentheses, or nothing.
    """
    cells = {at: [line.numbers[at] for line in lines if at in line.numbers] for at in columns}
    return Looks(
        _shapes(cells, columns),
        _usual(columns),
        frozenset(
            column.name
            for column in columns.values()
            if column.head.statistic in ("std_error", "t_stat", "conf_interval")
        ),
        frozenset(at for at in columns if _over(cells[at])),
        _of_arms(cells, columns),
        stated or _after_means([cell for each in cells.values() for cell in each]),
    )


def _of_arms(cells: Mapping[int, Sequence[Sequence[Piece]]], columns: Mapping[int, Column]) -> frozenset[int]:
    """Return the columns of arms where one is the control group, and no number has stars as an effect would."""
    arms = {at for at, column in columns.items() if not column.head.statistic}
    starred = any("*" in cell[0].printed for each in cells.values() for cell in each)
    control = any(_CONTROL.search(columns[at].name.lower()) for at in arms)
    return frozenset(arms) if control and len(arms) > 1 and not starred else frozenset()


def _after_means(cells: Sequence[Sequence[Piece]]) -> str:
    """Return whether numbers after means are standard deviations or errors: errors are small next to their means."""
    pairs = [(_size(cell[0]), _size(cell[1])) for cell in cells if len(cell) > 1 and cell[1].shape == "round"]
    ratios = sorted(second / first for first, second in pairs if first)
    return "std_error" if ratios and ratios[len(ratios) // 2] < _SMALL else "sd"


def _size(piece: Piece) -> float:
    return float(re.sub(r"[^\d.]", "", piece.printed) or 0)


def _shapes(cells: Mapping[int, Sequence[Sequence[Piece]]], columns: Mapping[int, Column]) -> dict[int, str]:
    """Return what the first numbers of each column look like.

    Whole numbers whose words do not say that they count anything may be amounts that were rounded, so they are plain values,
    unless a column of shares of the same table shows that people are counted.
    """
    shares = any(column.head.statistic == "share" or column.head.unit == "percent" for column in columns.values())
    return {
        at: _shape(
            [cell[0] for cell in cells[at] if cell[0].shape == "plain"], may_count=shares and not column.head.unit
        )
        for at, column in columns.items()
    }


def _usual(columns: Mapping[int, Column]) -> str:
    """Return what numbers are that nothing says more about: means in a table of arms or of comparisons."""
    named = {column.head.statistic for column in columns.values()}
    arms = any(_ARMS.search(column.name.lower()) for column in columns.values())
    compared = bool(named & {"sd", "p_value", "difference"}) and "estimate" not in named
    return "mean" if arms or compared else "value"


def _shape(plain_numbers: Sequence[Piece], *, may_count: bool) -> str:
    """Return what the numbers of a column look like; empty where they look like nothing in particular."""
    wide = any(piece.printed.startswith("-") for piece in plain_numbers)
    if any("*" in piece.printed for piece in plain_numbers):
        return "starred"
    if plain_numbers and all(piece.whole for piece in plain_numbers):
        return "counts" if may_count and not wide else "whole"
    return "wide" if wide else ""


def _above_hundred(cell: Sequence[Piece]) -> bool:
    return not cell[0].percent and _size(cell[0]) > 100


def _over(numbers: Iterable[Sequence[Piece]]) -> bool:
    """Return whether more than one in ten numbers, and not only one of several, are above a hundred: they are no percentages."""
    above = [_above_hundred(cell) for cell in numbers if not cell[0].percent]
    return sum(above) > max(len(above) / 10, 1 if len(above) > 3 else 0)


@dataclass(frozen=True)
class CellInPart:
    """A cell with everything that says what its first number is.

    Attributes
    ----------
    line, column, at
        Its row, its column, and the column's place.
    looks
        What the numbers of the part look like.
    following
        The next row of numbers, which may hold its standard error.
    attached
        Whether the row describes the row above.
    caption
        The statistic that the caption states for all numbers, or nothing.
    """

    line: Line
    column: Column
    at: int
    looks: Looks
    following: Line | None = field(default=None, repr=False)
    attached: bool = False
    caption: str = ""

    @property
    def numbers(self) -> list[Piece]:
        """The numbers of the cell."""
        return self.line.numbers[self.at]

    @property
    def own(self) -> str:
        """The statistic that the row's label names."""
        return self.line.head.statistic

    @property
    def above(self) -> str:
        """The statistic that the column's head names."""
        return self.column.head.statistic

    @property
    def shape(self) -> str:
        """What the numbers of its column look like."""
        return self.looks.shapes.get(self.at, "")

    @property
    def second(self) -> str:
        """The statistic that the heads say the number in parentheses is."""
        return self.column.second or in_parentheses(self.line.label)

    @property
    def stated(self) -> str:
        """What the caption states, where neither row nor column says anything."""
        units = self.line.head.unit or self.column.head.unit
        return "" if self.own or self.above or units or "(" in self.line.label else self.caption

    @property
    def percent(self) -> bool:
        """Whether its sign, its row, its column or the caption says that it is in per cent."""
        return (
            self.numbers[0].percent
            or "percent" in (self.line.head.unit, self.column.head.unit)
            or "share" in (self.own, self.above, self.stated)
        )


# --- The rules, in their order ---------------------------------------------------------------------------------------


def _of_cell(cell: CellInPart) -> str:
    """Take the statistic that the cell itself names: `p = .03`."""
    return cell.numbers[0].named


def _beneath(cell: CellInPart) -> str:
    """Decide a row without a label, below the row that it describes.

    Plain numbers below a head that names a statistic are another row of the same label, with the same statistics.
    """
    first = cell.numbers[0].shape
    if not cell.attached or cell.own or (first == "plain" and cell.above and cell.line.label):
        return ""
    if first == "low":
        return "conf_interval"
    if cell.column.second:
        return cell.column.second
    if first in ("round", "square"):
        return "sd" if cell.above == "mean" else "std_error"
    return "value"


def _of_label(cell: CellInPart) -> str:
    """Take the label's statistic, unless the column is one of errors or intervals, or the label is about what is measured."""
    return cell.own if cell.own not in _ABOUT_THINGS and cell.above not in ATTACHED else ""


def _of_head(cell: CellInPart) -> str:
    """Take the head's statistic, unless it leaves open which number it is: a difference may be an estimate, a share a count."""
    return cell.above if cell.above not in ("difference", "count", "share", "median") else ""


def _with_second(cell: CellInPart) -> str:
    """Decide by the number in parentheses: `Mean (SD)`, `n (%)`, `12/40`, or means of arms with something of their size after them."""
    first, *others = cell.numbers
    if first.whole and others and others[0].shape == "of" and cell.at in cell.looks.of_arms:
        return "count"
    if not others or others[0].shape not in ("round", "square", "sigma"):
        return ""
    if cell.second == "sd" or (not cell.second and cell.at in cell.looks.of_arms and not cell.own):
        return "mean"
    return "count" if cell.second == "share" and first.whole else ""


def _estimate(cell: CellInPart) -> str:
    """Recognise a number with a standard error, or with stars where these are not footnote marks, as of shares."""
    if cell.second == "range":
        return ""
    if _has_error(cell) or (cell.above == "difference" and cell.column.name in cell.looks.with_errors):
        return "estimate"
    starred = "*" in cell.numbers[0].printed or cell.shape == "starred"
    return "estimate" if starred and not cell.percent and cell.own not in ("mean", "median") else ""


def _has_error(cell: CellInPart) -> bool:
    """Return whether the number has a standard error or an interval in its cell or below it."""
    numbers = cell.numbers
    if any(piece.shape in ("low", "sigma") for piece in numbers):
        return True
    if len(numbers) > 1 and numbers[1].shape == "round" and not numbers[0].whole and not numbers[1].percent:
        return True
    below = cell.following
    if below is None or cell.at not in below.numbers:
        return False
    return below.head.statistic in ("std_error", "t_stat", "conf_interval") or (
        below.below and below.numbers[cell.at][0].shape in ("round", "square", "low")
    )


def _middle(cell: CellInPart) -> str:
    return (cell.own or cell.above) if cell.own in ("mean", "median") or cell.above == "median" else ""


def _share(cell: CellInPart) -> str:
    """Decide a number in per cent: numbers above a hundred and changes are no shares, whatever the words say."""
    if not cell.percent or cell.above == "difference":
        return ""
    # Whether they are above a hundred is asked of the column, of the row, or of the number: of what the words describe.
    if cell.above == "share" or cell.column.head.unit == "percent":
        too_large = cell.at in cell.looks.above
    elif cell.own == "share" or cell.line.head.unit == "percent":
        too_large = any(map(_above_hundred, cell.line.numbers.values()))
    else:
        too_large = _above_hundred(cell.numbers)
    relative = cell.line.head.relative or cell.column.head.relative or cell.shape == "wide"
    return "value" if relative or (too_large and not cell.numbers[0].percent) else "share"


def _count(cell: CellInPart) -> str:
    """Decide a number that words say is a count: all of its row are whole, or it is an amount."""
    if "count" not in (cell.own, cell.above, cell.stated):
        return ""
    counted = cell.line.numbers.values() if cell.own == "count" else [cell.numbers]
    return "count" if all(each[0].whole for each in counted) and cell.shape != "wide" else "value"


def _difference(cell: CellInPart) -> str:
    return "difference" if cell.above == "difference" or (cell.own == "difference" and cell.shape != "counts") else ""


def _by_looks(cell: CellInPart) -> str:
    return "count" if cell.shape == "counts" else cell.looks.usual


_RULES: tuple[Callable[[CellInPart], str], ...] = (
    _of_cell, _beneath, _of_label, _of_head, _with_second, _estimate, _middle, _share, _count, _difference, _by_looks,
)  # fmt: skip


def statistic_of_cell(cell: CellInPart) -> str:
    """Return the statistic of the first number of a cell."""
    return next(name for rule in _RULES if (name := rule(cell)))


def named_numbers(main: str, cell: CellInPart) -> Iterator[tuple[str, Piece]]:
    """Yield the numbers of one cell with their statistics; the first of them is `main`."""
    first = cell.numbers[0]
    for index, piece in enumerate(cell.numbers):
        if piece.shape == "of":
            yield "n", piece
        elif piece.shape in ("low", "high"):
            yield _NO_INTERVALS.get(main if main == "df" else cell.second, f"conf_{piece.shape}"), piece
        elif index == 0:
            yield ("value" if main == "conf_interval" else main), piece
        elif piece.named:
            yield piece.named, piece
        elif not cell.second and not piece.percent and first.whole and main in ("count", "n"):
            # `120 (45.0)`: a number of people with its percentage.
            yield "share", Piece(piece.text, f"{piece.printed}%", piece.shape, piece.qualifier)
        else:
            yield cell.second or _in_parentheses(main, piece, cell.looks), piece


def _in_parentheses(main: str, piece: Piece, looks: Looks) -> str:
    """Return the statistic of a number after another one, where no head says what it is."""
    if piece.percent:
        return "share"
    if main == "share":
        return "count"
    if main in ("mean", "median"):
        return looks.in_parentheses if looks.of_arms else "sd"
    return "std_error" if piece.shape in ("round", "square", "sigma") else "value"
