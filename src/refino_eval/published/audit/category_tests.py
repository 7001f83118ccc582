"""Chi-square tests of a block of counts: the p-value must follow from the counts of the groups.

A block is the rows from that of the p-value whose counts add up to the size of each group: the categories of one variable. A
single row is tested against everybody else. Pearson's chi-square and, for two by two numbers, Yates' correction are tried; one is
taken to be the table's if it gives so many of the published p-values that this cannot be chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, quoted, span
from refino_eval.published.intervals import Interval, point

CHANCE = 1e-2
"""Probability below which a test is taken to be the table's."""

LARGEST = 12
"""Categories of one variable."""


@dataclass(frozen=True)
class Block:
    """Counts by category and group, and the p-value published with them."""

    p_value: Cell
    counts: tuple[tuple[Cell, ...], ...]
    sizes: tuple[Cell, ...]


def category_tests(document: Document) -> Iterator[Finding]:
    """Yield p-values that the counts of their block rule out, where a test is known from the other blocks."""
    for exhibit in document.exhibits:
        blocks = list(_blocks(document, exhibit))
        best: tuple[float, list[Interval]] | None = None
        for corrected in (False, True):
            implied = [_p_value(block, corrected) for block in blocks]
            fits = [p.meets(block.p_value.range) for p, block in zip(implied, blocks, strict=True)]
            chance = math.prod(
                min(float(block.p_value.range.high - block.p_value.range.low), 1.0)
                for block, fitting in zip(blocks, fits, strict=True)
                if fitting
            )
            if sum(fits) >= len(fits) - sum(fits) and chance < CHANCE and (best is None or chance < best[0]):
                best = chance, implied
        if best is not None:
            yield from _failures(document, blocks, best[1])


Line = Mapping[str, Mapping[str, Cell]]
"""The numbers of one row of a table: column -> statistic -> number."""


def _blocks(document: Document, exhibit: str) -> Iterator[Block]:
    """Yield the blocks of counts of a table that have one p-value in their first row."""
    rows: dict[tuple[str, str], dict[str, Mapping[str, Cell]]] = {}
    for key, place in document.places.items():
        if key[0] == exhibit:
            rows.setdefault(key[1:3], {})[key[3]] = place
    lines = list(rows.values())
    for start, line in enumerate(lines):
        groups = [column for column, place in line.items() if "count" in place and column not in EVERYBODY]
        tested, sizes = _p_values(line), _sizes(document, [line[column]["count"] for column in groups])
        counts = _counts(lines[start : start + LARGEST], groups)
        if len(tested) == 1 and len(groups) >= 2 and sizes and counts:
            yield Block(tested[0], tuple(_whole(counts, sizes)), tuple(sizes))


def _p_values(line: Line) -> list[Cell]:
    return [place["p_value"] for place in line.values() if "p_value" in place]


def _sizes(document: Document, counts: Sequence[Cell]) -> list[Cell]:
    """Return the sizes of the groups of some counts; none unless all are published."""
    sizes = [document.common(("n",), count) for count in counts]
    known = [size for size in sizes if size is not None and size.printed.value > 0]
    return known if len(known) == len(sizes) else []


def _counts(lines: Sequence[Line], groups: Sequence[str]) -> list[tuple[Cell, ...]]:
    """Return the counts of the first row and of those after it that have counts of all groups and no p-value."""
    counts: list[tuple[Cell, ...]] = []
    for number, line in enumerate(lines):
        complete = all("count" in line.get(column, {}) for column in groups)
        if not complete or (number and _p_values(line)):
            break
        counts.append(tuple(line[column]["count"] for column in groups))
    return counts


def _whole(counts: Sequence[tuple[Cell, ...]], sizes: Sequence[Cell]) -> Sequence[tuple[Cell, ...]]:
    """Return the first rows whose counts add up to most groups' sizes; else the first row alone, against all others."""
    totals = [0] * len(sizes)
    for number, row in enumerate(counts, start=1):
        totals = [total + int(cell.printed.value) for total, cell in zip(totals, row, strict=True)]
        agreeing = sum(total == size.printed.value for total, size in zip(totals, sizes, strict=True))
        if number >= 2 and agreeing >= max(1, len(sizes) - 1):
            return counts[:number]
    return counts[:1]


def _p_value(block: Block, corrected: bool) -> Interval:
    """Return the p-value of the chi-square test of a block, with room for float errors."""
    from scipy.special import chdtrc

    table = np.array([[float(cell.printed.value) for cell in row] for row in block.counts])
    if len(table) == 1:
        table = np.vstack([table, [float(size.printed.value) for size in block.sizes] - table[0]])
    table = table[table.sum(axis=1) != 0]
    if len(table) < 2 or (table < 0).any() or (table.sum(axis=0) == 0).any():
        return Interval(Fraction(0), Fraction(1))
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    away = np.abs(table - expected)
    if corrected and table.shape == (2, 2):
        away = np.maximum(away - 0.5, 0.0)
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    p = Fraction(float(chdtrc(df, (away**2 / expected).sum())))
    return point(p) + Interval(Fraction(-1, 10**9), Fraction(1, 10**9))


def _failures(document: Document, blocks: Sequence[Block], implied: Sequence[Interval]) -> Iterator[Finding]:
    for block, p in zip(blocks, implied, strict=True):
        at = block.p_value
        if not p.meets(at.range) and not document.explained("group_tests", at.key):
            numbers = [cell for row in block.counts for cell in row]
            yield finding_about(
                "audit.test_not_from_groups", document, at, rule="group_tests", fits=span(p, at.printed),
                certainty="possible" if p.meets(at.interval(cut=True)) else "likely",
                suspects=[cell.key for cell in (at, *numbers)], groups=quoted(numbers),
            )  # fmt: skip
