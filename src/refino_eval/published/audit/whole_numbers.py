"""GRIM and GRIMMER: means and standard deviations that no whole numbers of n people give.

A mean of n whole numbers is a whole number divided by n (GRIM; Brown & Heathers 2017, Social Psychological and Personality
Science 8). The sum of squares of whole numbers is a whole number of the same parity as their sum, which restricts the
standard deviation (GRIMMER; Anaya 2016, PeerJ Preprints 4:e2400v1). A table does not state that its variables are whole
numbers: they are taken to be so where all means of a row fit but one, and the fit of the table cannot be chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number
from refino_eval.published.intervals import Interval

CHANCE = 0.01
"""Probability below which it is no chance that the numbers of a row pass."""

DECISIVE = 0.9
"""A check says something if a mean or standard deviation that is no whole number's passes it with less than this probability."""

FEWEST = 20
"""Rows and columns in which sums of squares are listed; a wider range surely holds a possible one."""


@dataclass(frozen=True)
class Tested:
    """One mean or standard deviation: whether whole numbers give it, and how probable that was by chance."""

    cell: Cell
    size: Cell
    passes: bool
    chance: float


Rows = dict[tuple[str, ...], list[Tested]]
"""The tested numbers of each row of a table."""


def whole_numbers(document: Document) -> Iterator[Finding]:
    """Yield means, standard deviations and sizes that contradict whole numbers, where the table supports them."""
    for exhibit in document.exhibits:
        places = [place for key, place in document.places.items() if key[0] == exhibit and "mean" in place]
        tested = [result for place in places for result in _tested(document, place)]
        yield from _contradictions(document, [result for result in tested if result.chance < DECISIVE])


def _tested(document: Document, place: Mapping[str, Cell]) -> Iterator[Tested]:
    mean = place["mean"]
    size = document.common(("n",), mean)
    if (
        size is None
        or size.key[3] != mean.key[3]
        or mean.qualifier
        or size.printed.value < 2
        or size.printed.value % 1
        or mean.printed.percent
    ):
        return
    n = int(size.printed.value)
    sums = whole_sums(mean.range, n)
    yield Tested(mean, size, bool(sums), min(float((mean.range.high - mean.range.low) * n), 1.0))
    sd = place.get("sd")
    if sd is not None and sums and not sd.qualifier and sd.range.low > 0:
        passes, chance = deviation_possible(sd.range, sums, n)
        yield Tested(sd, size, passes, chance)


def whole_sums(mean: Interval, n: int) -> range:
    """Return the sums of n whole numbers whose mean lies in an interval."""
    return range(math.ceil(mean.low * n), math.floor(mean.high * n) + 1)


def deviation_possible(sd: Interval, sums: range, n: int) -> tuple[bool, float]:
    """Return whether n whole numbers with one of some sums have a standard deviation in an interval, and its probability.

    The sum of squares is (n - 1) sd² + sum² / n. It is a whole number, and even exactly if the sum is.
    """
    chance = 0.0
    passes = False
    for total in sums[:FEWEST]:
        base = Fraction(total * total, n)
        low, high = (n - 1) * sd.low**2 + base, (n - 1) * sd.high**2 + base
        first = math.ceil(low)
        first += (first - total) % 2
        passes = passes or first <= high
        chance += float(high - low) / 2
    return passes or len(sums) > FEWEST, min(chance, 1.0)


def _contradictions(document: Document, tested: Sequence[Tested]) -> Iterator[Finding]:
    """Yield failures in rows whose other numbers show that the variable is a whole number.

    A row with other variables passes by chance with some probability. It must be small by itself, or in view of how few rows
    of the table are of another kind.
    """
    rows: Rows = {}
    for result in tested:
        rows.setdefault(result.cell.key[1:3], []).append(result)
    failing = [result for result in tested if not result.passes]
    reported = set()
    for size, wrong in _by_size(failing).items():
        if _is_suspect(size, wrong, rows) and not document.explained("whole_numbers", size.key):
            cells = [result.cell for result in wrong]
            yield _finding(document, size, wrong[0], cells, "audit.size_not_of_whole_numbers")
            reported.add(size)
    yield from _out_of_place(document, [result for result in failing if result.size not in reported], rows)


def _out_of_place(document: Document, failing: Sequence[Tested], rows: Rows) -> Iterator[Finding]:
    """Yield the failures that are alone in a row of whole numbers."""
    rare = _others_are_rare(rows)
    for result in failing:
        if _is_out_of_place(result, rows, rare) and not document.explained("whole_numbers", result.cell.key):
            mean = document.places[result.cell.place]["mean"]
            about = [cell for cell in (mean, result.size) if cell is not result.cell]
            yield _finding(document, result.cell, result, about, "audit.not_of_whole_numbers")


def _by_size(failing: Sequence[Tested]) -> Mapping[Cell, list[Tested]]:
    """Return the failures by the size of their group."""
    groups: dict[Cell, list[Tested]] = {}
    for result in failing:
        groups.setdefault(result.size, []).append(result)
    return groups


def _is_suspect(size: Cell, wrong: Sequence[Tested], rows: Rows) -> bool:
    """Return whether several variables fail with one size and, convincingly, with no other."""
    places = {result.cell.key[1:3] for result in wrong}
    elsewhere = [result for key in places for result in rows[key] if result.size is not size]
    convincing = elsewhere and all(result.passes for result in elsewhere) and _by_chance(elsewhere) < CHANCE**2
    return len(places) >= 2 and bool(convincing)


def _others_are_rare(rows: Rows) -> float:
    """Return how probable it is that a row is of another kind, where most rows are whole numbers by more than chance; else 1."""
    passing = sum(all(result.passes for result in row) and _by_chance(row) < CHANCE for row in rows.values())
    others = len(rows) - passing
    return (others + 1) / (len(rows) + 1) if passing > 2 * others else 1.0


def _is_out_of_place(result: Tested, rows: Rows, rare: float) -> bool:
    """Return whether a number is the only one to fail in a row whose others pass by more than chance."""
    row = [other for other in rows[result.cell.key[1:3]] if other is not result]
    alone = all(other.passes or other.cell.place == result.cell.place for other in row)
    return alone and _by_chance([other for other in row if other.passes]) * rare < CHANCE


def _by_chance(tested: Sequence[Tested]) -> float:
    """Return how probable it is that numbers of other variables pass."""
    return math.prod(result.chance for result in tested)


def _finding(document: Document, at: Cell, result: Tested, about: Sequence[Cell], key: str) -> Finding:
    fits = ""
    if result.cell.statistic == "mean":
        n = int(result.size.printed.value)
        near = math.floor(Fraction(result.cell.printed.value) * n)
        fits = ", ".join(number(Fraction(total, n), result.cell.printed.decimals + 1) for total in (near, near + 1))
    return finding_about(
        key,
        document,
        at,
        rule="whole_numbers",
        fits=fits if at is result.cell else "",
        certainty="likely" if at is result.cell else "possible",
        suspects=[cell.key for cell in (at, *about)],
        size=result.size.text,
    )
