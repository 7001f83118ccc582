"""Sizes of two groups that a column for all contradicts: its means lie where other sizes would put them.

In a row where two groups differ, the mean of all is a weighted mean, and its position between theirs gives the weight of the
first group. If most rows agree about that weight, the sizes published for the groups must agree with it too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about
from refino_eval.published.audit.inferred_layout import COINCIDENCE, Floats, lines_of
from refino_eval.published.audit.inferred_shares import common_range

LEAST = 3
"""Rows that must agree about the weight."""


def pooled_sizes(document: Document) -> Iterator[Finding]:
    """Yield the size of a group, or of all, that the weights of most rows rule out."""
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        rows: dict[tuple[str, ...], list[Cell]] = {}
        for cell in cells:
            if cell.statistic == "n":
                rows.setdefault(cell.key[1:3], []).append(cell)
        for sizes in rows.values():
            if len(sizes) == 3:
                yield from _contradicted(document, cells, sizes)


def _contradicted(document: Document, cells: Sequence[Cell], sizes: Sequence[Cell]) -> Iterator[Finding]:
    for total, (one, other) in ((sizes[k], [s for s in sizes if s is not sizes[k]]) for k in range(3)):
        weight = _weight(cells, one.key[3], other.key[3], total.key[3])
        if weight is not None:
            yield from _of_other_size(document, sizes, total, weight)
            return


def _of_other_size(
    document: Document, sizes: Sequence[Cell], total: Cell, weight: tuple[float, float]
) -> Iterator[Finding]:
    """Yield the size that the weight of the first group rules out."""
    one, other = (size for size in sizes if size is not total)
    n = {size: float(size.printed.value) for size in sizes}
    implied = {
        one: (weight[0] * n[total], weight[1] * n[total]),
        other: ((1 - weight[1]) * n[total], (1 - weight[0]) * n[total]),
    }
    wrong = [size for size, (low, high) in implied.items() if not low - 1 <= n[size] <= high + 1]
    if not wrong or any(document.explained("means", size.key) for size in wrong):
        return
    # Both groups contradict a wrong total; one group's size is wrong if the other's fits.
    at = wrong[0] if len(wrong) == 1 else total
    fits = implied[at] if at in implied else _total_of(n[one], n[other])
    yield finding_about(
        "audit.size_not_of_pooled", document, at, rule="means", certainty="likely",
        fits=f"[{math.ceil(fits[0])}, {math.floor(fits[1])}]",
        suspects=[size.key for size in (sizes if len(wrong) == 2 else [at])],
    )  # fmt: skip


def _total_of(one: float, other: float) -> tuple[float, float]:
    return one + other, one + other


def _weight(cells: Sequence[Cell], one: str, other: str, total: str) -> tuple[float, float] | None:
    """Return the range of the weight of the first group that most rows allow, or None where it may be chance."""
    ranges = [_weights(cells, statistic, (one, other, total)) for statistic in ("mean", "share")]
    low, high = (np.concatenate(ends) for ends in zip(*ranges, strict=True))
    limits = common_range(low, high)
    if limits is None or not 0 < limits[0] <= limits[1] < 1:
        return None
    inside = (low <= limits[1]) & (high >= limits[0])
    chances = np.sort(np.minimum(high[inside] - low[inside], 1.0))
    # The narrowest row determines the weight, and is no evidence.
    certain = math.fsum(math.log(chance) for chance in chances[1:]) < math.log(COINCIDENCE)
    return limits if inside.sum() >= LEAST and inside.sum() >= 2 * (~inside).sum() and certain else None


def _weights(cells: Sequence[Cell], statistic: str, columns: tuple[str, str, str]) -> tuple[Floats, Floats]:
    """Return the smallest and largest weight of the first column that each row allows in which the first two columns differ."""
    lines = lines_of([cell for cell in cells if cell.key[3] in columns], "column", (statistic,))
    at = {cell.key[3]: k for k, line in enumerate(lines.cells) for cell in line if cell is not None}
    if not set(columns) <= set(at):
        return np.empty(0), np.empty(0)
    one, other, total = (at[column] for column in columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [
            (c[total] - b[other]) / (a[one] - b[other])
            for a, b, c in itertools.product((lines.low, lines.high), repeat=3)
        ]
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    apart = (lines.low[one] > lines.high[other]) | (lines.high[one] < lines.low[other])
    known = apart & ~np.isnan(low)
    return low[known], high[known]
