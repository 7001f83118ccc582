"""Numbers in a neighbouring cell: two failing checks of which one target is the other's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Check, Key

EXACTLY = ("sum", "difference", "product", "ratio", "weighted_mean", "same")
"""Kinds of relations that determine a number, and do not only bound it."""

DIGITS = 3
"""Significant digits from which it is unlikely to be chance that a neighbour is the missing number."""

NARROW = Fraction(1, 100)
"""The missing number must be implied to within this fraction of its size."""


def shifted_pairs(document: Document, failures: Sequence[Check]) -> Iterator[tuple[Check, Check]]:
    """Yield pairs of failing checks: of a number that is missing in its cell, and of the neighbour that shows it.

    Neighbours are of one statistic, at most one row and one column apart in the table's order. The number of the
    neighbour must equal the missing one to the digits published, and have at least three significant digits.

    Parameters
    ----------
    document
        The document that the numbers belong to.
    failures
        Checks that fail.
    """
    determined = [check for check in failures if check.relation.kind in EXACTLY and _narrow(check.implied)]
    used: set[Key] = set()
    for missing in determined:
        for stray in failures:
            home, away = missing.target, stray.target
            if stray.relation.kind not in EXACTLY or home in used or away in used:
                continue
            is_missing = neighbours(document, home, away) and missing.implied.meets(document.read(away))
            if is_missing and _digits(document.cells[away]) >= DIGITS:
                used |= {home, away}
                yield missing, stray


def neighbours(document: Document, one: Key, other: Key) -> bool:
    """Return whether two numbers of one statistic are at most one row and one column apart in one table."""
    if one == other or (one[0], one[1], one[4]) != (other[0], other[1], other[4]):
        return False
    table = [key for key in document.keys if (key[0], key[1], key[4]) == (one[0], one[1], one[4])]
    for axis in (2, 3):
        order = list(dict.fromkeys(key[axis] for key in table))
        if abs(order.index(one[axis]) - order.index(other[axis])) > 1:
            return False
    return True


def _narrow(implied: Interval) -> bool:
    return implied.high - implied.low <= NARROW * abs(implied.middle)


def _digits(cell: Cell) -> int:
    """Return the number of significant digits of a published number, without trailing zeros."""
    return len("".join(sign for sign in cell.text if sign.isdigit()).strip("0"))
