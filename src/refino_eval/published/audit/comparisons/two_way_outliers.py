"""Numbers that break a proportion between two lines of like numbers: samples, standard errors, means, standard deviations.

The sizes of a table by outcome are in about one proportion to those of the next table, standard errors of two specifications too,
and the standard deviations of two groups from row to row. In logarithms a line is another line plus a constant. A number is
suspect if all others keep to such a constant much more closely than it does, and so closely that this is hardly chance.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number, quoted, short
from refino_eval.published.audit.inferred_layout import Floats, is_difference

KINDS = {
    "n": ("n", "n_treated", "n_control"), "std_error": ("std_error",),
    "mean": ("mean", "mean_treated", "mean_control"), "sd": ("sd", "sd_treated", "sd_control"),
}  # fmt: skip
"""Statistics of one kind."""

FEWEST = {"n": 4, "std_error": 4, "mean": 7, "sd": 7}
"""Numbers that two lines must have in common. Means and deviations of rare outcomes vary by chance."""

TIMES = 5.0
"""How many times as much as the others a number must deviate."""

FLOORS = {"n": math.log(1.04), "std_error": math.log(1.5), "mean": math.log(2.5), "sd": math.log(1.8)}
"""Log factor from which a number deviates."""

EXCHANGED = math.log(1.15)
"""Log factor from which two numbers are far enough from each other's for an exchange to show."""

GROSS = math.log(3)
"""Log factor from which a standard error deviates by a slip, however closely the others keep together."""

CHANCE = 1e-2
"""Probability that unrelated lines keep so close together, among all that are compared."""

MOST_LINES = 40
"""Lines of one kind among which pairs are compared."""

Name = tuple[str, ...]
Line = Mapping[str, Cell]


@dataclass(frozen=True)
class Pair:
    """Two lines of like numbers and the logs of their ratios, at the names that they have in common."""

    one: Line
    other: Line
    names: tuple[str, ...]
    ratios: tuple[float, ...]
    tried: int

    def deviation(self, k: int) -> tuple[float, float]:
        """Return by how much the k-th ratio surely deviates from the others' median, and the largest deviation of these."""
        others = np.delete(self.ratios, k)
        centre = float(np.median(others))
        ends = [side.range for side in (self.one[self.names[k]], self.other[self.names[k]])]
        low, high = float(ends[0].low / ends[1].high), float(ends[0].high / ends[1].low)
        away = max(math.log(low) - centre if low > 0 else 0.0, centre - math.log(high), 0.0)
        usual = np.sort(np.abs(others - centre))[: len(others) - len(others) // 10]
        return away, float(usual.max())

    def close(self, usual: float, free: int) -> bool:
        """Return whether it is no chance that all but some ratios are so close together."""
        return max(2 * usual, 1e-3) ** (len(self.ratios) - 1 - free) * self.tried * len(self.ratios) < CHANCE


def two_way_outliers(document: Document) -> Iterator[Finding]:
    """Yield numbers that break a proportion between two lines, and pairs of numbers that keep to it when exchanged."""
    for kind, statistics in KINDS.items():
        # Columns of regressors have standard errors of different kinds: a main effect, an interaction.
        for axis in (3,) if kind == "std_error" else (3, 2):
            pairs = list(_pairs(document, statistics, axis, FEWEST[kind]))
            swaps = [(pair, swap) for pair in pairs if (swap := _exchanged(pair, kind)) is not None]
            yield from _exchanges(document, swaps)
            exchanged = [pair for pair, _ in swaps]
            yield from _deviating(document, kind, [pair for pair in pairs if pair not in exchanged])


def _pairs(document: Document, statistics: Sequence[str], axis: int, fewest: int) -> Iterator[Pair]:
    """Yield pairs of lines: numbers by column (axis 3) of two rows, panels or tables, or by row (axis 2) of two columns."""
    lines: dict[Name, dict[str, Cell]] = {}
    for cell in document.of(*statistics):
        if cell.range.low > 0 and not {*EVERYBODY} & {cell.key[axis]} and not is_difference(cell.key[:4]):
            lines.setdefault((*cell.key[:axis], *cell.key[axis + 1 :]), {})[cell.key[axis]] = cell
    long = {name: line for name, line in lines.items() if len(line) >= fewest}
    if len(long) > MOST_LINES:
        return
    tried = len(long) * (len(long) - 1) // 2
    for (one, first), (other, second) in itertools.combinations(long.items(), 2):
        names = tuple(name for name in first if name in second)
        # Columns are compared within a table, rows also with those of other tables.
        common = len(names) >= max(fewest, 0.75 * max(len(first), len(second)))
        if common and (axis == 3 or one[0] == other[0]):
            ratios = tuple(math.log(first[name].printed.value / second[name].printed.value) for name in names)
            yield Pair(first, second, names, ratios, tried)


def _exchanged(pair: Pair, kind: str) -> tuple[int, int] | None:
    """Return two positions whose numbers in one line keep to the proportion when they are exchanged, and do not as published."""
    ratios = np.array(pair.ratios)
    before = _spread(ratios)
    found = []
    for i, j in itertools.combinations(range(len(ratios)), 2):
        gap = math.log(pair.one[pair.names[i]].printed.value / pair.one[pair.names[j]].printed.value)
        changed = ratios.copy()
        changed[i], changed[j] = ratios[i] - gap, ratios[j] + gap
        after = _spread(changed)
        gross = kind == "std_error" and abs(gap) > GROSS
        if before > TIMES * after and before > EXCHANGED and (gross or pair.close(after, 1)):
            found.append((i, j))
    return found[0] if len(found) == 1 else None


def _spread(ratios: Floats) -> float:
    return float(np.abs(ratios - np.median(ratios)).max())


def _exchanges(document: Document, swaps: Sequence[tuple[Pair, tuple[int, int]]]) -> Iterator[Finding]:
    """Yield exchanges: an exchange in either line repairs a pair, so that of most pairs is reported."""
    options = [
        (pair, at, [tuple(line[pair.names[k]] for k in at) for line in (pair.one, pair.other)]) for pair, at in swaps
    ]
    times = Counter(frozenset(cells) for _, _, both in options for cells in both)
    explained: set[Cell] = set()
    for pair, _, both in sorted(options, key=lambda option: -max(times[frozenset(cells)] for cells in option[2])):
        first, second = max(both, key=lambda cells: times[frozenset(cells)])
        if {cell for cells in both for cell in cells} & explained or document.explained("swap", first.key):
            continue
        alone = times[frozenset((first, second))] == 1
        # Of several lines, more than one must show in which the numbers were exchanged.
        if alone and pair.tried > 1:
            continue
        explained |= {first, second}
        suspects = [cell.key for cells in both for cell in cells] if alone else [first.key, second.key]
        yield finding_about(
            "audit.exchanged_in_proportion", document, first, rule="swap", certainty="possible",
            fits=quoted([second, first]), cells=[second.key], suspects=suspects,
            other=short(second.key, first.key), other_published=second.text, rows=len(pair.names) - 2,
        )  # fmt: skip


def _deviating(document: Document, kind: str, pairs: Sequence[Pair]) -> Iterator[Finding]:
    found: list[tuple[Cell, Cell, Pair, int]] = []
    for pair in pairs:
        far = [k for k in range(len(pair.names)) if _far(pair, k, kind)]
        if len(far) == 1:
            name = pair.names[far[0]]
            found.append((pair.one[name], pair.other[name], pair, far[0]))
    times = Counter(cell for one, other, *_ in found for cell in (one, other))
    reported: set[Cell] = set()
    for one, other, pair, k in found:
        # A number that deviates from several lines is at fault itself.
        at = max((one, other), key=lambda cell: times[cell])
        if not {one, other} & reported and not document.explained("magnitude", at.key):
            reported |= {one, other}
            yield _outlier(document, at, other if at is one else one, pair, k, alone=times[at] == 1)


def _far(pair: Pair, k: int, kind: str) -> bool:
    away, usual = pair.deviation(k)
    far = away > max(FLOORS[kind], TIMES * usual)
    return far and (pair.close(usual, 1) or (kind == "std_error" and away > GROSS))


def _outlier(document: Document, at: Cell, other: Cell, pair: Pair, k: int, *, alone: bool) -> Finding:
    ratios = [math.exp(ratio) for ratio in np.delete(pair.ratios, k)]
    return finding_about(
        "audit.out_of_proportion", document, at, rule="magnitude", certainty="possible",
        suspects=[at.key, other.key] if alone else [at.key], other=short(other.key, at.key),
        other_published=other.text, rows=len(ratios), ratio=number(Fraction(math.exp(pair.ratios[k])), 3),
        range=f"[{number(Fraction(min(ratios)), 3)}, {number(Fraction(max(ratios)), 3)}]",
    )  # fmt: skip
