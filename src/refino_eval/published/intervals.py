"""The numbers that a published string can be, in exact arithmetic.

A published number of `d` decimals can be every number within half a unit of its last digit, both ends included, since a
tie may have been rounded either way. So a statement about published numbers is certainly wrong only if no choice of true
values within these intervals makes it right. All bounds are fractions: no float enters.

Four things decide how wide an interval is:

- Counts (`n`, `count`, ...) are exact, unless they are ten thousand or more, end in two zeros and may be rounded.
- Another whole number may be rounded to its last digit that is not zero: `46 000` can be 45 500 to 46 500.
- A level given in words (`about`, `just_under`, `just_over`) can be in the range that `compare` allows it.
- A number known to be rounded to more than its last digit (`rounded_to`) can be half of that to either side.

A number may also have been truncated instead of rounded (20.36 published as 20.3). That reading is weaker, and is kept
apart: a finding that truncation would explain is less certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from refino_eval.published.values import Printed

COUNTS = frozenset({"n", "n_treated", "n_control", "count", "n_clusters", "df"})
"""Statistics that are published as exact whole numbers."""

ROUNDED_COUNTS = 10_000
"""Counts of at least this size that end in two zeros may be rounded."""


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
            raise ZeroDivisionError("the divisor's interval includes zero")
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
        """Return the range of the squares."""
        size = abs(self)
        return Interval(size.low**2, size.high**2)

    def meets(self, other: Interval) -> bool:
        """Return whether the two have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def agrees(self, other: Interval) -> bool:
        """Return whether two published numbers can be the same number.

        A common end is not enough: 17 and 18 can both be 17.5, but one rounding rule rounds a tie only one way.
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        return low < high or (low == high and low in (self.point, other.point))

    def reaches(self, other: Interval) -> bool:
        """Return whether a number in this interval can be at most one in the other, by one rounding rule (see `agrees`)."""
        return self.low < other.high or (self.low == other.high and self.low in (self.point, other.point))

    @property
    def point(self) -> Fraction | None:
        """The number of an interval without width, else None."""
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
    """Return the range of the sum of numbers from each interval."""
    return sum(parts, point(0))


def stands_for(printed: Printed, *, statistic: str = "", qualifier: str = "", cut: bool = False) -> Interval:
    """Return the values that a published number can be.

    Parameters
    ----------
    printed
        The published number.
    statistic
        Its statistic; counts are exact.
    qualifier
        `about`, `just_under`, `just_over` or nothing.
    cut
        Whether its last digits may have been truncated instead of rounded.

    Returns
    -------
    Interval
    """
    value, unit, known = Fraction(printed.value), Fraction(printed.unit), printed.rounded_to is not None
    zeros = 0 if known else _trailing_zeros(printed)
    count = statistic in COUNTS and printed.decimals == 0 and not qualifier and not known
    if count and (zeros < 2 or abs(value) < ROUNDED_COUNTS):
        return point(value)
    unit *= 10**zeros
    if qualifier == "about" and not known:
        return Interval(value - unit * 5 / 2, value + unit * 5 / 2)
    if qualifier in ("just_under", "just_over"):
        return Interval(value - 5 * unit, value) if qualifier == "just_under" else Interval(value, value + 5 * unit)
    # Truncation moves a number towards zero, so the true one is up to a whole unit further away from it.
    below, above = (unit if cut and sign * value >= 0 else unit / 2 for sign in (-1, 1))
    return Interval(value - below, value + above)


def _trailing_zeros(printed: Printed) -> int:
    """Return how many zeros end a whole number; none for zero itself."""
    digits = str(abs(int(printed.value)))
    return len(digits) - len(digits.rstrip("0")) if printed.decimals == 0 and printed.value else 0
