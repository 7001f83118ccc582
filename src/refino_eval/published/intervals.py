"""What a printed string can stand for, in exact arithmetic.

A print of `d` decimals that was rounded stands for every number within half a unit of its last digit, both ends
included, since a tie may have been rounded either way. So a statement about printed numbers is wrong for certain only when
no choice of true values within these intervals makes it right. All bounds are fractions: no float enters, and a sum that
fits to the last half unit fits.

Four things decide how wide an interval is:

- Counts (`n`, `count`, ...) are exact, unless they are of ten thousand or more, end in two zeros and may be rounded.
- An integer that is no count may be rounded to its last digit that is not zero: `46 000` stands for 45 500 to 46 500.
- A level given in words (`about`, `just_under`, `just_over`) stands for the range that `compare` allows it.
- What is known to be rounded to more than its last digit (`rounded_to`) stands for half of that to either side.

A number may also have been cut instead of rounded (20.36 printed as 20.3). That reading is weaker, and is kept apart:
what only a cut would explain is a finding of lower certainty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.values import Printed

COUNTS = frozenset({"n", "n_treated", "n_control", "count", "n_clusters", "df"})
"""Statistics whose prints are exact whole numbers."""

ROUNDED_COUNTS = 10_000
"""A count from here on that ends in two zeros may be rounded."""


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`, both included."""

    low: Fraction
    high: Fraction

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Interval) -> Interval:
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError("the divisor's interval holds zero")
        return self * Interval(1 / other.high, 1 / other.low)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __abs__(self) -> Interval:
        if self.low >= 0:
            return self
        if self.high <= 0:
            return -self
        return Interval(Fraction(0), max(-self.low, self.high))

    def times(self, factor: Fraction) -> Interval:
        """Return the interval scaled by an exact factor."""
        return Interval(min(self.low * factor, self.high * factor), max(self.low * factor, self.high * factor))

    def squared(self) -> Interval:
        """Return what the squares of the numbers range over."""
        size = abs(self)
        return Interval(size.low**2, size.high**2)

    def meets(self, other: Interval) -> bool:
        """Return whether the two have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def agrees(self, other: Interval) -> bool:
        """Return whether two prints can be prints of one number.

        A common end is not enough: 17 and 18 both stand for 17.5, but one rounding rule prints a tie only one way.
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        return low < high or (low == high and low in (self.point, other.point))

    def reaches(self, other: Interval) -> bool:
        """Return whether a number here can be no greater than one there, by one rounding rule (see `agrees`)."""
        return self.low < other.high or (self.low == other.high and self.low in (self.point, other.point))

    @property
    def point(self) -> Fraction | None:
        """The one number of an interval without width, else None."""
        return self.low if self.low == self.high else None

    def holds(self, value: Fraction | int) -> bool:
        """Return whether a number lies in the interval."""
        return self.low <= value <= self.high

    @property
    def middle(self) -> Fraction:
        """The number halfway between the ends."""
        return (self.low + self.high) / 2


def point(value: Fraction | int) -> Interval:
    """Return the interval of one number."""
    return Interval(Fraction(value), Fraction(value))


def added(parts: Iterable[Interval]) -> Interval:
    """Return what the sum of numbers from each interval ranges over."""
    return sum(parts, point(0))


def stands_for(printed: Printed, *, statistic: str = "", qualifier: str = "", cut: bool = False) -> Interval:
    """Return the numbers that a print can stand for.

    Parameters
    ----------
    printed
        The number as read from its print.
    statistic
        What it is; counts are exact.
    qualifier
        `about`, `just_under`, `just_over` or nothing.
    cut
        Whether its last digits may have been cut off instead of rounded.

    Returns
    -------
    Interval
    """
    value, unit = Fraction(printed.value), Fraction(printed.unit)
    zeros, known = 0, printed.rounded_to is not None
    if printed.decimals == 0 and value and not known:
        zeros = len(str(abs(int(value)))) - len(str(abs(int(value))).rstrip("0"))
    exact = zeros < 2 or abs(value) < ROUNDED_COUNTS
    if statistic in COUNTS and printed.decimals == 0 and not qualifier and not known and exact:
        return point(value)
    unit *= 10**zeros
    if qualifier == "about" and not known:
        return Interval(value - unit * 5 / 2, value + unit * 5 / 2)
    if qualifier == "just_under":
        return Interval(value - 5 * unit, value)
    if qualifier == "just_over":
        return Interval(value, value + 5 * unit)
    low, high = value - unit / 2, value + unit / 2
    if cut and value >= 0:
        high = value + unit
    if cut and value <= 0:
        low = value - unit
    return Interval(low, high)
