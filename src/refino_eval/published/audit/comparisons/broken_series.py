"""The only number that breaks a series: quantiles, cumulative shares, survivors, or a table sorted by one of its columns.

A line of many numbers rises or falls throughout by design, hardly ever by chance. A number that is outside the range of its two
neighbours, by more than the largest steps of the others, was written wrongly more probably than it is a turn of the series.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about

SERIES = ("share", "value", "mean", "count", "n", "ratio", "median", "cumulative")
"""Statistics that may be series."""

FEWEST = 7
"""Other numbers of a series, which rise or fall without an exception."""

TIMES = 2
"""The break must be this many times the largest step of the others."""


def broken_series(document: Document) -> Iterator[Finding]:
    """Yield numbers that break a line that otherwise rises or falls throughout."""
    lines: dict[tuple[object, ...], list[Cell]] = {}
    for cell in document.of(*SERIES):
        for axis in (2, 3):
            if cell.key[5 - axis] not in EVERYBODY:
                lines.setdefault((axis, *cell.key[:2], cell.key[axis], cell.statistic), []).append(cell)
    for line in lines.values():
        breaks = [k for k in range(len(line)) if _breaks(line, k)] if len(line) > FEWEST else []
        if len(breaks) == 1 and not document.explained("order", line[breaks[0]].key):
            k = breaks[0]
            near = [line[at] for at in (k - 1, k + 1) if 0 <= at < len(line)]
            yield finding_about(
                "audit.breaks_series", document, line[k], rule="order", certainty="possible", n=len(line) - 1,
                suspects=[line[k].key], neighbours=" – ".join(cell.text for cell in near),
            )  # fmt: skip


def _breaks(line: Sequence[Cell], k: int) -> bool:
    """Return whether all numbers but one rise, or all fall, and that one is far outside its neighbours' range."""
    others = [cell.range for at, cell in enumerate(line) if at != k]
    steps = [after - before for before, after in itertools.pairwise(others)]
    rises, falls = all(step.low > 0 for step in steps), all(step.high < 0 for step in steps)
    if not rises and not falls:
        return False
    largest = max(abs(step).high for step in steps)
    before, after = line[max(k - 1, 0)], line[min(k + 1, len(line) - 1)]
    low, high = (before, after) if rises else (after, before)
    own = line[k].range
    # At an end only one side is bounded: there one neighbour is the number itself.
    return max(low.range.low - own.high, own.low - high.range.high) > TIMES * largest
