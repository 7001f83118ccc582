"""Pairs of columns of the same kind whose ratio is about the same in all rows but one.

Means, standard deviations and control means of two groups, of two panels or of two years often move together from row to row.
A number is suspect if its ratio to the neighbour deviates at least `FACTOR` and several times as much as in any other row: a
decimal point or a leading digit is wrong.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number, short
from refino_eval.published.audit.inferred_layout import is_difference, lines_of

LEVELS = (("mean", "mean_treated", "mean_control"), ("sd", "sd_treated", "sd_control"))
"""Statistics of one kind. Counts and shares vary too freely between rows for their ratios to say anything."""

FEWEST = 5
"""Other rows that must agree."""

FACTOR = math.log(2)
"""Deviation from which a ratio is an outlier."""

TIMES = 5
"""The outlier deviates from the median this many times as much as any other row."""


def outlying_ratios(document: Document) -> Iterator[Finding]:
    """Yield numbers whose ratio to the next column is far from that of all other rows; one finding for each number."""
    reported: set[Cell] = set()
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        for statistics in LEVELS:
            inside = [cell for cell in cells if not {*EVERYBODY} & {*cell.key[2:4]} and not is_difference(cell.key)]
            for first, second, deviations in _outliers(inside, statistics):
                if not {first, second} & reported and not document.explained("magnitude", first.key):
                    reported |= {first, second}
                    yield _finding(document, first, second, deviations)


def _outliers(
    cells: Sequence[Cell], statistics: Sequence[str]
) -> Iterator[tuple[Cell, Cell, tuple[float, float, float, int]]]:
    lines = lines_of(cells, "column", statistics)
    middle = (lines.low + lines.high) / 2
    for a, b in itertools.combinations(range(min(len(lines), 12)), 2):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.log(middle[a] / middle[b])
        known = np.flatnonzero(np.isfinite(ratios))
        if len(known) <= FEWEST:
            continue
        centre = float(np.median(ratios[known]))
        away = np.abs(ratios[known] - centre)
        worst = int(away.argmax())
        rest = np.delete(away, worst)
        # Ranges of rounding are included: a small number has no exact ratio.
        at = known[worst]
        ends = [
            math.log(x / y)
            for x in (lines.low[a, at], lines.high[a, at])
            for y in (lines.low[b, at], lines.high[b, at])
            if x > 0 < y
        ]
        surely = min((abs(end - centre) for end in ends), default=0.0)
        one, other = lines.cells[a][at], lines.cells[b][at]
        if surely > max(FACTOR, TIMES * float(rest.max())) and one is not None and other is not None:
            others = np.delete(ratios[known], worst)
            yield one, other, (float(others.min()), float(others.max()), float(ratios[at]), len(rest))


def _finding(document: Document, one: Cell, other: Cell, deviations: tuple[float, float, float, int]) -> Finding:
    low, high, ratio, rows = (*(Fraction(math.exp(value)) for value in deviations[:3]), deviations[3])
    return finding_about(
        "audit.outlying_ratio",
        document,
        one,
        rule="magnitude",
        certainty="possible",
        suspects=[one.key, other.key],
        other=short(other.key, one.key),
        other_published=other.text,
        rows=rows,
        range=f"[{number(low, 2)}, {number(high, 2)}]",
        ratio=number(ratio, 2),
    )
