"""Round distances: between the ticks of an axis of time, and between the times at which a curve is reported."""

from __future__ import annotations

import math

CLOCK_STEPS = {"week": (1, 2, 4, 13, 26, 52, 104, 260), "month": (1, 2, 3, 6, 12, 24, 48, 120)}
"""Distances between ticks of event time that a reader counts in, by clock."""


def round_step(span: float, most: int, *, smallest: float = 0.0) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that divides a span into at most so many parts.

    Parameters
    ----------
    span
        Length to divide, above 0.
    most
        The most parts.
    smallest
        Least distance; 1 for whole periods.
    """
    needed = max(span / most, smallest)
    power = 10.0 ** math.floor(math.log10(needed))
    # The last factor covers a quotient that rounding leaves a hair above 5.
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= needed * (1 - 1e-12))
