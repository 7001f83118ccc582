"""Slips of the hand: typing errors that can be undone, and numbers that were written into a neighbouring cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.intervals import Interval
from refino_eval.published.relations import Check, Key

POWERS = (Fraction(1, 100), Fraction(1, 10), Fraction(10), Fraction(100))


def slips(cell: Cell) -> Iterator[Fraction]:
    """Yield the values of a number with its sign turned, its decimal point moved, or two neighbouring digits transposed.

    A single wrong digit is left out: nearly every number is one digit away from one that would fit.
    """
    value, unit = Fraction(cell.printed.value), Fraction(cell.printed.unit)
    if not value:
        return
    yield -value
    for power in POWERS:
        yield value * power
    digits = f"{abs(value / unit).numerator}"
    for place in range(len(digits) - 1):
        turned = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        if turned != digits:
            yield (1 if value > 0 else -1) * int(turned) * unit


def is_slip(cell: Cell, wanted: Interval) -> bool:
    """Return whether a slip makes a number of one that lies in an interval, to the digits published."""
    half = Fraction(cell.printed.unit) / 2
    return any(Interval(value - half, value + half).meets(wanted) for value in slips(cell))


def mistyped(text: str, right: str) -> bool:
    """Return whether a number differs from another by one digit, or by two neighbouring digits transposed."""
    if len(text) != len(right):
        return False
    wrong = [place for place, pair in enumerate(zip(text, right, strict=True)) if pair[0] != pair[1]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return text[wrong[0]] == right[wrong[1]] and text[wrong[1]] == right[wrong[0]]
    return len(wrong) == 1


def most_probable_first(cells: Sequence[Cell], wanted: Sequence[Interval | None]) -> list[Cell]:
    """Return numbers in their order, but first the only one among them of which a slip makes the number that fits."""
    likely = [cell for cell, fits in zip(cells, wanted, strict=True) if fits is not None and is_slip(cell, fits)]
    if len(likely) != 1:
        return list(cells)
    return likely + [cell for cell in cells if cell is not likely[0]]


# --- A number in a neighbouring cell --------------------------------------------------------------------------------

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
