"""Numbers that stand beside their place: two failing checks of which one target holds the other's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Check, Key

EXACTLY = ("sum", "difference", "product", "ratio", "weighted_mean", "same")
"""Kinds that say what a number is, and not only how large it may be."""

DIGITS = 3
"""Significant digits that make it no accident that a neighbour shows the missing number."""

NARROW = Fraction(1, 100)
"""What follows for the missing number is known to within this part of its size."""


def displaced(document: Document, failures: Sequence[Check]) -> Iterator[tuple[Check, Check]]:
    """Yield pairs of failing checks: of a number that is missing in its place, and of the neighbour that shows it.

    Neighbours are one row and one column apart at most, in the table's order, and of one statistic. The number of the
    neighbour must be the missing one to the digits printed, and show at least three; a print that fits both places
    is no displacement.

    Parameters
    ----------
    document
        Where the numbers stand.
    failures
        Checks that fail.
    """
    known = [check for check in failures if check.relation.kind in EXACTLY and _narrow(check.implied)]
    used: set[Key] = set()
    for missing in known:
        for stray in failures:
            home, away = missing.target, stray.target
            if stray.relation.kind not in EXACTLY or home in used or away in used:
                continue
            shown = beside(document, home, away) and missing.implied.meets(document.read(away))
            if shown and _digits(document.cells[away]) >= DIGITS:
                used |= {home, away}
                yield missing, stray


def beside(document: Document, one: Key, other: Key) -> bool:
    """Return whether two numbers of one statistic are neighbours in one table: a row and a column apart at most."""
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
    """Return how many significant digits a print shows, without the zeros at its end."""
    return len("".join(sign for sign in cell.text if sign.isdigit()).strip("0"))
