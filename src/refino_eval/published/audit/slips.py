"""Typing errors: the numbers that a published number becomes when one slip is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from refino_eval.published.audit.document import Cell
from refino_eval.published.intervals import Interval

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


def most_probable_first(cells: Sequence[Cell], wanted: Sequence[Interval | None]) -> list[Cell]:
    """Return numbers in their order, but first the only one among them of which a slip makes the number that fits."""
    likely = [cell for cell, fits in zip(cells, wanted, strict=True) if fits is not None and is_slip(cell, fits)]
    if len(likely) != 1:
        return list(cells)
    return likely + [cell for cell in cells if cell is not likely[0]]
