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
from refino_eval.published.audit.inferred_layout import COINCIDENCE, lines_of
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
        if weight is None:
            continue
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
        return


def _total_of(one: float, other: float) -> tuple[float, float]:
    return one + other, one + other


def _weight(cells: Sequence[Cell], one: str, other: str, total: str) -> tuple[float, float] | None:
    """Return the range of the weight of the first group that most rows allow, or None where it may be chance."""
    found_low, found_high = [], []
    for statistic in ("mean", "share"):
        lines = lines_of([cell for cell in cells if cell.key[3] in (one, other, total)], "column", (statistic,))
        at = {cell.key[3]: k for k, line in enumerate(lines.cells) for cell in line if cell is not None}
        if not {one, other, total} <= set(at):
            continue
        ends = []
        for a, b, c in itertools.product((lines.low, lines.high), repeat=3):
            with np.errstate(divide="ignore", invalid="ignore"):
                ends.append((c[at[total]] - b[at[other]]) / (a[at[one]] - b[at[other]]))
        gap_low = lines.low[at[one]] - lines.high[at[other]]
        gap_high = lines.high[at[one]] - lines.low[at[other]]
        apart = (gap_low > 0) | (gap_high < 0)
        found_low.append(np.where(apart, np.min(ends, axis=0), np.nan))
        found_high.append(np.where(apart, np.max(ends, axis=0), np.nan))
    if not found_low:
        return None
    low, high = np.concatenate(found_low), np.concatenate(found_high)
    low, high = low[~np.isnan(low)], high[~np.isnan(high)]
    limits = common_range(low, high)
    if limits is None or not 0 < limits[0] <= limits[1] < 1:
        return None
    inside = (low <= limits[1]) & (high >= limits[0])
    chances = np.sort(np.minimum(high[inside] - low[inside], 1.0))
    # The narrowest row determines the weight, and is no evidence.
    certain = math.fsum(math.log(chance) for chance in chances[1:]) < math.log(COINCIDENCE)
    return limits if inside.sum() >= LEAST and inside.sum() >= 2 * (~inside).sum() and certain else None
