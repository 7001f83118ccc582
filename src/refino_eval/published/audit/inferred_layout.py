"""Sums and products that only the numbers show: a row that is the sum of the rows around it, a column that is a product of two.

Such a relation is found without any name that announces it, so chance must be ruled out. A check that holds by chance has about
the probability that a number of its size falls into the range that the others imply. A relation is taken up if the product
of these probabilities over the checks that hold, times the number of relations that were tried, is below `COINCIDENCE`, and if
it holds in at least twice as many places as it fails.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.intervals import COUNTS
from refino_eval.published.relations import Check, Key

COINCIDENCE = 1e-3
LARGEST_BLOCK = 12
"""Rows or columns that a total is looked for among."""
MOST_SERIES = 10
"""Columns among which products are looked for."""
ADDED = (*sorted(COUNTS - {"df"}), "mean", "share", "value")
"""Statistics that parts and wholes are counted in."""

Line = Mapping[tuple[str, str], Cell]
"""The numbers of one row (or column), by the other name and the statistic."""


@dataclass(frozen=True)
class Candidate:
    """A number that may follow from others."""

    kind: str
    target: Cell
    of: tuple[Cell, ...]
    factor: str = "1"


def sums_of_neighbours(cells: Sequence[Cell]) -> Iterator[list[Candidate]]:
    """Yield the groups of sums that one row (or column) is of a block of rows next to it; a group per relation."""
    for panel in dict.fromkeys(cell.key[1] for cell in cells):
        inside = [
            cell for cell in cells if cell.key[1] == panel and cell.statistic in ADDED and "/" not in "".join(cell.key)
        ]
        for axis, other in ((2, 3), (3, 2)):
            lines: dict[str, dict[tuple[str, str], Cell]] = {}
            for cell in inside:
                lines.setdefault(cell.key[axis], {})[cell.key[other], cell.statistic] = cell
            yield from _likely(list(_blocks(list(lines.values()))))


def _blocks(lines: Sequence[Line]) -> Iterator[list[Candidate]]:
    """Yield each line as the sum of each block of at least two lines that ends before it or begins after it."""
    for place, whole in enumerate(lines):
        for size in range(2, LARGEST_BLOCK + 1):
            for block in (lines[place - size : place] if place >= size else (), lines[place + 1 : place + 1 + size]):
                if len(block) == size:
                    group = [
                        Candidate("sum", cell, tuple(line[key] for line in block))
                        for key, cell in whole.items()
                        if all(key in line for line in block)
                    ]
                    if len(group) >= 2:
                        yield group


def products_of_columns(cells: Sequence[Cell]) -> Iterator[list[Candidate]]:
    """Yield the groups of products and ratios that one column is of two others; a group per relation."""
    series: dict[tuple[str, str], dict[tuple[str, str], Cell]] = {}
    for cell in cells:
        if "/" not in "".join(cell.key):
            series.setdefault((cell.key[3], cell.statistic), {})[cell.key[1], cell.key[2]] = cell
    if 3 <= len(series) <= MOST_SERIES:
        yield from _likely(list(_products(list(series.values()))))


def _products(series: Sequence[Mapping[tuple[str, str], Cell]]) -> Iterator[list[Candidate]]:
    for last in series:
        for first, second in itertools.combinations([column for column in series if column is not last], 2):
            rows = [row for row in last if row in first and row in second]
            if len(rows) < 3:
                continue
            for factor in ("1", "100", "1/100"):
                yield [Candidate("product", last[row], (first[row], second[row]), factor) for row in rows]
                for over, under in ((first, second), (second, first)):
                    yield [Candidate("ratio", last[row], (over[row], under[row]), factor) for row in rows]


def _likely(groups: list[list[Candidate]]) -> Iterator[list[Candidate]]:
    """Yield the groups that hold in too many places for chance; of several for one line, those that are most certain."""
    held: list[tuple[float, list[Candidate]]] = []
    for group in groups:
        chances = [chance for candidate in group if (chance := _chance(candidate)) is not None]
        fails = sum(1 for candidate in group if _fails(candidate))
        if len(chances) < 2 or len(chances) < 2 * fails:
            continue
        total = math.log(max(len(groups), 1)) + sum(math.log(chance) for chance in chances)
        if total < math.log(COINCIDENCE):
            held.append((total, group))
    for _, group in sorted(held, key=lambda pair: pair[0]):
        yield group


def _implied(candidate: Candidate) -> tuple[float, float] | None:
    """Return the ends of what the other numbers imply, in floats; None where a divisor may be 0."""
    ranges = [cell.range for cell in candidate.of]
    factor = float(Fraction(candidate.factor))
    if candidate.kind == "sum":
        return factor * float(sum(each.low for each in ranges)), factor * float(sum(each.high for each in ranges))
    first, second = ranges
    if candidate.kind == "ratio" and second.low <= 0 <= second.high:
        return None
    ends = [
        float(a) * float(b) if candidate.kind == "product" else float(a) / float(b)
        for a in (first.low, first.high)
        for b in (second.low, second.high)
    ]
    return factor * min(ends), factor * max(ends)


def _chance(candidate: Candidate) -> float | None:
    """Return about how probable it is that unrelated numbers of this size agree; None where they do not, or say nothing."""
    implied, own = _implied(candidate), candidate.target.range
    if implied is None or implied[1] < own.low or implied[0] > own.high:
        return None
    parts = [abs(float(cell.printed.value)) for cell in candidate.of]
    size = max(abs(float(candidate.target.printed.value)), *parts)
    if candidate.target.printed.value == 0 or sum(part > 0 for part in parts) < 2:
        return None
    # Counts have one value in each unit.
    width = max(
        implied[1] - implied[0] + float(own.high - own.low), 1.0 if candidate.target.statistic in COUNTS else 0.0
    )
    chance = width / size
    return chance if chance < 0.5 else None


def _fails(candidate: Candidate) -> bool:
    implied, own = _implied(candidate), candidate.target.range
    return implied is not None and (implied[1] < own.low or implied[0] > own.high)


def keys_of(candidate: Candidate) -> tuple[Key, list[Key]]:
    """Return the key of the number that follows, and those of the others."""
    return candidate.target.key, [cell.key for cell in candidate.of]


def named_totals_alone(document: Document, results: Sequence[Check]) -> Iterator[Check]:
    """Yield the checks of a total in a single row or column, where its parts nearly add up to it.

    A single sum cannot show whether the parts are all there: a total is suspect only if they miss it by less than a fifth.
    """
    if len(results) == 1 and not results[0].holds:
        check = results[0]
        if check.printed.middle and abs(check.implied.middle / check.printed.middle - 1) < Fraction(1, 5):
            yield check
