"""Stars that fall where |t| rises: whatever the levels are, an estimate without a star is not clearer than one with a star.

The levels of a table with few stars cannot be inferred, but within one table they are the same for all estimates.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number, short
from refino_eval.published.audit.significance import TRange, t_range

MARGIN = Fraction(5, 4)
"""Factor by which |t| must differ: tests of few clusters have larger critical values."""

Tested = tuple[Cell, int, TRange, Mapping[str, Cell]]


def star_order(document: Document) -> Iterator[Finding]:
    """Yield the estimates whose stars contradict those of most others of their table."""
    tables: dict[str, list[Tested]] = {}
    for place in document.places.values():
        cell, t = place.get("estimate") or place.get("t_stat"), t_range(place)
        if cell is not None and t is not None and not document.explained("stars", cell.key):
            stars = max(other.printed.stars for other in place.values())
            tables.setdefault(cell.key[0], []).append((cell, stars, t, place))
    for tested in tables.values():
        yield from _contradictions(document, tested)


def _against_order(few: Tested, many: Tested) -> bool:
    """Return whether the first of two tests has fewer stars although its |t| is surely larger."""
    return few[1] < many[1] and many[2].high is not None and few[2].low > MARGIN * many[2].high


def _out_of_order(document: Document, worst: Tested, other: Tested, suspects: Sequence[Tested]) -> Finding:
    names = ("estimate", "t_stat", "std_error")
    return finding_about(
        "audit.stars_against_order", document, worst[0], rule="stars", certainty="possible",
        suspects=[place[name].key for *_, place in suspects for name in names if name in place],
        stars=worst[1], t=number(worst[2].low, 2), other=short(other[0].key, worst[0].key),
        other_stars=other[1], other_t=number(other[2].low, 2),
    )  # fmt: skip


def _contradictions(document: Document, tested: list[Tested]) -> Iterator[Finding]:
    pairs = [pair for pair in itertools.permutations(tested, 2) if _against_order(*pair)]
    while pairs:
        times = Counter(one[0] for pair in pairs for one in pair)
        worst = max((one for pair in pairs for one in pair), key=lambda one: times[one[0]])
        few, many = next(pair for pair in pairs if worst in pair)
        pairs = [pair for pair in pairs if worst not in pair]
        suspects = (worst,) if times[worst[0]] > 1 else (few, many)
        yield _out_of_order(document, worst, many if worst is few else few, suspects)
