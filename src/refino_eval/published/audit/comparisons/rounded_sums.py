"""Sums of rounded shares that are further from a hundred than rounding makes them, though it could.

The exact rule allows half a unit of the last digit for each share. The errors of rounding are uniform and independent, so that their
sum is seldom more than three standard deviations from zero: a twelve-row column of whole per cent adds up to between 97 and 103.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number
from refino_eval.published.audit.inferred_layout import is_difference
from refino_eval.published.audit.shares_and_counts import whole
from refino_eval.published.intervals import added

CHANCE = 0.01
"""Expected number of lines of a table that are so far from a hundred by rounding alone, below which one is reported."""

USUAL = 2.6
"""Standard deviations within which all other lines must be; one in a hundred would be outside by rounding alone."""

FEWEST = 3
"""Lines of a table, and shares of a line."""


def rounded_sums(document: Document) -> Iterator[Finding]:
    """Yield the line of shares whose sum is improbably far from a hundred where all other lines add up to it."""
    for exhibit in document.exhibits:
        shares = [
            cell
            for cell in document.of("share")
            if cell.key[0] == exhibit and not {*EVERYBODY} & {*cell.key[2:4]} and not is_difference(cell.key[:4])
        ]
        for panel in dict.fromkeys(cell.key[1] for cell in shares):
            for axis in (3, 2):
                lines: dict[str, list[Cell]] = {}
                for cell in shares:
                    if cell.key[1] == panel:
                        lines.setdefault(cell.key[axis], []).append(cell)
                yield from _far_from_hundred(document, list(lines.values()))


def _far_from_hundred(document: Document, lines: Sequence[Sequence[Cell]]) -> Iterator[Finding]:
    long = len(lines) >= FEWEST and min(map(len, lines)) >= FEWEST
    if not long or len({len(line) for line in lines}) > 1:
        return
    away = [_away(document, line) for line in lines]
    far = [k for k, z in enumerate(away) if abs(z) > USUAL]
    if len(far) != 1 or math.erfc(abs(away[far[0]]) / math.sqrt(2)) * len(lines) >= CHANCE:
        return
    line = lines[far[0]]
    if not document.explained("sums", line[0].key):
        yield finding_about(
            "audit.rounded_sum_far", document, line[0], rule="sums", certainty="possible",
            suspects=[cell.key for cell in line], total=number(added(cell.range for cell in line).middle, 1),
            whole=whole(document, line[0]), away=f"{abs(away[far[0]]):.1f}",
        )  # fmt: skip


def _away(document: Document, line: Sequence[Cell]) -> float:
    """Return how many standard deviations of rounding a sum of shares is from everybody."""
    total = added(cell.range for cell in line).middle - whole(document, line[0])
    # A share published as zero may have no people in it, and then no rounding error.
    variance = sum(float(cell.range.high - cell.range.low) ** 2 / 12 for cell in line if cell.printed.value)
    return float(total) / math.sqrt(variance) if variance else 0.0
