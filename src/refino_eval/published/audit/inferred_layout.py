"""Relations between the rows or columns of a table that only the numbers show.

A row may be the sum of the rows next to it, a column the difference, product or ratio of two others, a column of percentages
proportional to a column of counts, a column for all a weighted mean of two groups. Such a relation is found without any name
that announces it, so chance must be ruled out. A check that holds by chance has about the probability that a number of its
size falls into the range that the others imply. A relation is taken up if the product of these probabilities over the checks
that hold, times the number of relations that were tried, is below `COINCIDENCE`, and if it holds in at least twice as many
places as it fails. The search uses floats; each relation that it yields is checked again in exact arithmetic.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from refino_eval.published.audit.document import Cell
from refino_eval.published.intervals import COUNTS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

COINCIDENCE = 1e-3
EXPECTED = 1e-2
"""The same for a relation that a name announces."""
DIFFERENCES = ("difference", "change", "differanse", "endring")
"""How the names of columns and statistics begin that are differences."""
LARGEST_BLOCK = 15
"""Rows or columns that a total is looked for among."""
MOST_LINES = 30
"""Rows or columns of one table among which differences, products and ratios are looked for."""
ADDED = (*sorted(COUNTS - {"df"}), "mean", "share", "value", "estimate", "difference")
"""Statistics that may be sums or differences of one another."""
MULTIPLIED = (*sorted(COUNTS - {"df"}), "share", "value", "ratio", "mean")
"""Statistics that may be products or ratios of one another."""
SLACK = 1e-9
"""Relative width that the search adds to every range, so that no float error turns a check that holds into one that fails."""


def is_difference(key: Sequence[str]) -> bool:
    """Return whether the row, the column or the statistic of a number announces a difference."""
    return any(part.startswith(DIFFERENCES) for part in key[2:])


@dataclass(frozen=True)
class Candidate:
    """A number that may follow from others.

    Attributes
    ----------
    kind
        `sum`, `difference`, `product` or `ratio`.
    target, of
        The number that follows, and those that it follows from.
    factor
        What follows from `of` is multiplied by this.
    exact
        Whether the document calculated with the numbers of `of` as published.
    """

    kind: str
    target: Cell
    of: tuple[Cell, ...]
    factor: str = "1"
    exact: bool = False


@dataclass(frozen=True)
class Lines:
    """The rows (or columns) of one table: cells by line and position, the ranges of their numbers, and names of positions.

    Positions of one name are one piece of evidence: a count and its percentage in one column add up together.
    """

    cells: tuple[tuple[Cell | None, ...], ...]
    low: Floats
    high: Floats
    exact: Flags
    columns: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.cells)

    def kept(self, lines: Sequence[int]) -> Lines:
        """Return some of the lines, in the order given."""
        index = list(lines)
        return Lines(
            tuple(self.cells[k] for k in index), self.low[index], self.high[index], self.exact[index], self.columns
        )


def lines_of(cells: Sequence[Cell], axis: str, statistics: Sequence[str]) -> Lines:
    """Return the numbers of one table as lines.

    Parameters
    ----------
    cells
        The numbers of one exhibit, or of a panel.
    axis
        `row`: a line is a row, and its positions are columns with their statistics; `column`: the reverse, where the
        statistic is a part of the column's name; `panel`: a line is a panel, and its positions are its cells.
    statistics
        Statistics that are included.
    """
    inside = [cell for cell in cells if cell.statistic in statistics and "/" not in "".join(cell.key)]
    names = {cell: _names(cell, axis) for cell in inside}
    lines = list(dict.fromkeys(line for line, _ in names.values()))
    positions = list(dict.fromkeys(position for _, position in names.values()))
    table: list[list[Cell | None]] = [[None] * len(positions) for _ in lines]
    line_at = {name: k for k, name in enumerate(lines)}
    position_at = {name: k for k, name in enumerate(positions)}
    for cell in inside:
        line, position = names[cell]
        table[line_at[line]][position_at[position]] = cell
    low = np.full((len(lines), len(positions)), np.nan)
    high, exact = low.copy(), np.zeros(low.shape, dtype=bool)
    for i, j in itertools.product(range(len(lines)), range(len(positions))):
        at = table[i][j]
        if at is not None:
            low[i, j], high[i, j] = float(at.range.low), float(at.range.high)
            exact[i, j] = at.statistic in COUNTS
    names_of = tuple(position[0] if axis == "row" else "/".join(position) for position in positions)
    return Lines(tuple(map(tuple, table)), low, high, exact, names_of)


def _names(cell: Cell, axis: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a number's line and of its position."""
    _, panel, row, column, statistic = cell.key
    if axis == "row":
        return (panel, row), (column, statistic)
    return ((column, statistic), (panel, row)) if axis == "column" else ((panel,), (row, column, statistic))


# --- Evidence --------------------------------------------------------------------------------------------------------


def evidence(
    low: Floats, high: Floats, own_low: Floats, own_high: Floats, size: Floats, least: Floats | float = 0.0
) -> tuple[Floats, Flags, Flags]:
    """Return the log probability that each check holds by chance, which checks hold, and which fail.

    Parameters
    ----------
    low, high
        Ends of what the other numbers imply.
    own_low, own_high
        Ends of what the published number can be.
    size
        Range over which the number could lie if it were unrelated.
    least
        Smallest width: one for counts.
    """
    slack = SLACK * np.maximum(np.abs(low), np.abs(high))
    known = ~np.isnan(low) & ~np.isnan(own_low)
    holds = known & (low - slack <= own_high) & (own_low <= high + slack)
    width = np.maximum(high - low + own_high - own_low, least)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.log(np.minimum(width / size, 1.0))
    chance = np.where(holds & (size > 0) & (chance < math.log(0.5)), chance, 0.0)
    return chance, holds, known & ~holds


def accepted(
    chance: Floats, fails: Flags, tried: float, *, coincidence: float = COINCIDENCE, evenly: bool = False
) -> Flags:
    """Return which relations hold in too many positions for chance, and in at least twice as many as they fail.

    With `evenly`, ten times stronger evidence is enough where a relation holds in only as many positions as it fails. The
    last axis of the arguments holds positions; `tried` is the number of relations among which one was looked for.
    """
    informative, failing = (chance < 0).sum(axis=-1), fails.sum(axis=-1)
    total = chance.sum(axis=-1) + math.log(max(tried, 1))
    result: Flags = (total < math.log(coincidence)) & (informative >= 2 * failing)
    if evenly:
        result |= (total < math.log(coincidence / 10)) & (informative >= failing)
    enough: Flags = result & (informative >= 2)
    return enough


def once(chance: Floats, columns: Sequence[str]) -> Floats:
    """Return chances with only the most telling position of each column."""
    result = chance.copy()
    for name in dict.fromkeys(columns):
        same = [k for k, other in enumerate(columns) if other == name]
        if len(same) > 1:
            best = result[..., same].argmin(axis=-1)
            kept = np.arange(len(same)) == np.expand_dims(best, -1)
            result[..., same] = np.where(kept, result[..., same], 0.0)
    return result


# --- Sums ------------------------------------------------------------------------------------------------------------


def sums_of_neighbours(cells: Sequence[Cell], axis: str) -> Iterator[list[Candidate]]:
    """Yield the groups of sums that one line is of a block of lines next to it, and of subtotals; a group per relation."""
    lines = lines_of(cells, axis, ADDED)
    left = list(range(len(lines)))
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for _ in range(4):
        blocks = {(left[whole], tuple(left[k] for k in block)): None for whole, block in _blocks(lines.kept(left))}
        new = [pair for pair in blocks if pair not in seen]
        seen.update(new)
        for whole, block in new:
            yield group_of(lines, "sum", whole, block)
        left = _after_sums(left, new)
        if not new or len(left) < 3:
            return


def _after_sums(left: Sequence[int], blocks: Sequence[tuple[int, tuple[int, ...]]]) -> list[int]:
    """Return the lines without the parts of sums; subtotals stay unless each is a part of another sum."""
    members = {k for _, block in blocks for k in block}
    totals = {whole for whole, _ in blocks}
    kept = set() if members >= totals else totals
    return [k for k in left if k not in members or k in kept]


def _blocks(lines: Lines) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the lines that are the sum of a block of at least two lines that ends before them or begins after them."""
    number = len(lines)
    tried = [
        (whole, block)
        for whole in range(number)
        for size in range(2, min(LARGEST_BLOCK, number - 1) + 1)
        for block in (range(whole - size, whole), range(whole + 1, whole + 1 + size))
        if block.start >= 0 and block.stop <= number
    ]
    found: list[tuple[float, int, tuple[int, ...]]] = []
    for whole, block in tried:
        part = slice(block.start, block.stop)
        middle = np.abs(lines.low[part] + lines.high[part]) / 2
        # A total may resemble its largest part for another reason: only what the other parts add is evidence.
        size_of = middle.sum(axis=0) - middle.max(axis=0)
        chance, _, fails = evidence(
            lines.low[part].sum(axis=0), lines.high[part].sum(axis=0), lines.low[whole], lines.high[whole],
            size_of, np.where(lines.exact[whole], 1.0, 0.0),
        )  # fmt: skip
        chance = once(chance, lines.columns)
        if accepted(chance, fails, len(tried), evenly=bool(lines.exact[whole][~np.isnan(size_of)].all())):
            found.append((float(chance.sum()), whole, tuple(block)))
    # Of several blocks for one line, the most certain.
    taken: set[int] = set()
    for _, whole, of in sorted(found):
        if whole not in taken:
            taken.add(whole)
            yield whole, of


def group_of(
    lines: Lines, kind: str, target: int, of: Sequence[int], factor: str = "1", *, exact: bool = False
) -> list[Candidate]:
    """Return a relation between lines as one candidate for each position where all its numbers are published."""
    group = []
    for position, cell in enumerate(lines.cells[target]):
        parts = tuple(lines.cells[line][position] for line in of)
        if cell is not None and all(part is not None for part in parts):
            group.append(Candidate(kind, cell, tuple(part for part in parts if part is not None), factor, exact))
    return group


# --- Differences -----------------------------------------------------------------------------------------------------


def differences_of_lines(cells: Sequence[Cell], axis: str) -> Iterator[list[Candidate]]:
    """Yield the groups of differences that one line is of two others; a group per relation.

    A sum of two lines is a difference as well: the last of the three lines in the table's order is the number that follows.
    """
    if axis == "column":
        # A column is one of a statistic: means are no differences of standard deviations.
        for statistic in dict.fromkeys(cell.statistic for cell in cells if cell.statistic in ADDED):
            if statistic != "difference":
                yield from _differences(lines_of(cells, axis, (statistic, "difference")))
    else:
        yield from _differences(lines_of(cells, axis, ADDED))


def _differences(lines: Lines) -> Iterator[list[Candidate]]:
    number = len(lines)
    if not 3 <= number <= MOST_LINES:
        return
    pairs = np.array(list(itertools.combinations(range(number), 2)))
    first, second = pairs[:, 0], pairs[:, 1]
    middle = np.abs(lines.low + lines.high) / 2
    tried = number * (number - 1) * (number - 2) / 2
    announced = np.array([any(cell and is_difference(cell.key) for cell in line) for line in lines.cells])
    signed = (lines.low + lines.high) / 2
    known = np.where(np.isnan(signed), 0.0, signed)
    varies = np.where(np.isnan(signed), -np.inf, known).max(axis=1) - np.where(np.isnan(signed), np.inf, known).min(
        axis=1
    )
    found = []
    for whole in range(number):
        # whole = first + second. Unrelated numbers would miss by about the smallest of the three, or by how much the
        # least variable line varies.
        size = np.minimum(np.minimum(middle[first], middle[second]), middle[whole])
        size = np.maximum(size, np.minimum(np.minimum(varies[first], varies[second]), varies[whole])[:, None])
        least = np.where(lines.exact[whole], 1.0, 0.0)
        chance, _, fails = evidence(
            lines.low[first] + lines.low[second], lines.high[first] + lines.high[second],
            lines.low[whole], lines.high[whole], size, least,
        )  # fmt: skip
        chance[(first == whole) | (second == whole)] = 0.0
        # Adding zero shows only that two numbers are equal.
        chance[(middle[first] == 0) | (middle[second] == 0) | (middle[whole] == 0)] = 0.0
        chance = once(chance, lines.columns)
        expected = (announced[first].astype(int) + announced[second] + announced[whole]) == 1
        good = accepted(chance, fails, tried) | (expected & accepted(chance, fails, number, coincidence=EXPECTED))
        for k in np.flatnonzero(good):
            found.append((float(chance[k].sum()), whole, int(first[k]), int(second[k])))
    for _, whole, a, b in sorted(found):
        last = max(whole, a, b)
        if last == whole:
            yield group_of(lines, "sum", whole, (a, b))
        else:
            yield group_of(lines, "difference", last, (whole, a if last == b else b))


# --- Products, ratios and proportions --------------------------------------------------------------------------------


def products_of_lines(cells: Sequence[Cell], axis: str) -> Iterator[list[Candidate]]:
    """Yield the groups of products and ratios that one line is of two others; a group per relation.

    Each is tried with the numbers as rounded and as published: a document may have calculated with either.
    """
    lines = lines_of(cells, axis, MULTIPLIED)
    number = len(lines)
    if not 3 <= number <= MOST_LINES or lines.low.shape[1] < 3 or _all_shares(lines):
        return
    found = [
        (total, -exact, kind, last, of, factor)
        for last in range(number)
        for kind, of, factor, exact, total in _products(lines, last)
    ]
    taken: set[frozenset[int]] = set()
    for _, exact, kind, last, of, factor in sorted(found):
        # One relation between three lines has one form: the most certain.
        if frozenset((last, *of)) not in taken:
            taken.add(frozenset((last, *of)))
            yield group_of(lines, kind, last, of, factor, exact=bool(exact))


def _all_shares(lines: Lines) -> bool:
    """Return whether a table has shares alone, which are no products of each other."""
    return all(cell is None or cell.statistic == "share" for line in lines.cells for cell in line)


FACTORS = ("1", "100", "1/100", "1000", "1/1000")


def _products(lines: Lines, last: int) -> Iterator[tuple[str, tuple[int, int], str, bool, float]]:
    """Yield products and ratios of two lines that a line is: kind, lines, factor, whether as published, log chance."""
    number = len(lines)
    own_low, own_high = lines.low[last], lines.high[last]
    pairs = np.array([pair for pair in itertools.permutations(range(number), 2) if last not in pair])
    first, second = pairs[:, 0], pairs[:, 1]
    tried = number * len(pairs) * len(FACTORS) * 2
    size = np.broadcast_to(np.abs(own_low + own_high) / 2, (len(pairs), lines.low.shape[1]))
    middle = (lines.low + lines.high) / 2
    varies = np.array([len(np.unique(line[~np.isnan(line)])) > 1 for line in middle])
    identity = np.abs(middle) == 1
    for exact in (False, True):
        low, high = (middle, middle) if exact else (lines.low, lines.high)
        for kind in ("product", "ratio"):
            with np.errstate(divide="ignore", invalid="ignore"):
                over = (1 / high[second], 1 / low[second]) if kind == "ratio" else (low[second], high[second])
                ends = np.array([a * b for a in (low[first], high[first]) for b in over])
            ends[:, (low[second] <= 0) & (high[second] >= 0)] = np.nan
            allowed = varies[first] & varies[second] & ((kind == "ratio") | (first < second))
            bottom, top = ends.min(axis=0), ends.max(axis=0)
            for factor in FACTORS:
                by = float(Fraction(factor))
                chance, _, fails = evidence(bottom * by, top * by, own_low, own_high, size)
                chance[~allowed] = 0.0
                # Multiplying or dividing by one shows only that two numbers are equal.
                chance[identity[second] | identity[last if kind == "ratio" else first]] = 0.0
                # A relation of two columns in one row each proves little: three rows at least.
                informative = (chance < 0).sum(axis=-1)
                good = accepted(chance, fails, tried) & (informative >= 3)
                for k in np.flatnonzero(good):
                    total = _of_alike(chance[k], middle[last])
                    if total + math.log(tried) < math.log(COINCIDENCE):
                        yield kind, (int(first[k]), int(second[k])), factor, exact, total


def _of_alike(chance: Floats, own: Floats) -> float:
    """Return the log probability that a product holds by chance, where its numbers may be much alike: the means of two arms.

    If they differ by little, those after the first hold nearly always if the first does: they could miss only by their differences.
    """
    holding = chance < 0
    values = np.abs(own[holding])
    apart = float((values.max() - values.min()) / values.max())
    again = np.sort(chance[holding])[1:] - math.log(max(min(apart, 1.0), 1e-9))
    return float(chance.min() + np.minimum(again, 0.0).sum())
