"""Steps in which numbers are written: no finer than the number of people behind them justifies.

A mean over n people changes by one average deviation over n when one person leaves. A number that is written in steps of at least
`digits_for_people` such changes does not show what one person adds, also when two nearly equal populations are compared.
"""

from __future__ import annotations

import math

import numpy as np

SIGNIFICANT = 3
"""Significant digits of a number without a standard error."""


def step_at_least(size: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is not below `size`; 0 for a size of 0."""
    if not math.isfinite(size) or size <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(size))
    # A tolerance, so that a size of exactly 0.2 in floating point is not taken for a larger one.
    factor = next(factor for factor in (1, 2, 5, 10) if factor * power >= size * (1 - 1e-9))
    return float(factor * power)


def in_steps(value: float, step: float) -> float:
    """Round a number to the nearest multiple of a step, halves upwards; a step of 0 leaves it unchanged."""
    if step <= 0 or not math.isfinite(value):
        return value
    # Rounding to one decimal more than the step has removes what the product adds in floating point; + 0.0 makes 0 of -0.
    decimals = max(0, -math.floor(math.log10(step)) + 1)
    return float(np.round(math.floor(value / step + 0.5) * step, decimals)) + 0.0


def step_of_mean(scale: float, people: float, *, digits_for_people: int) -> float:
    """Return the step of a mean of values with a standard deviation `scale` (1 for a share) over `people`."""
    return step_at_least(digits_for_people * scale / people) if people > 0 else math.inf


def step_of_effect(std_error: float, people: float, *, digits_for_people: int) -> float:
    """Return the step of an estimate: two significant digits of its standard error, or more where few people are behind it.

    The change of an estimate when a person leaves is about its standard error over the square root of the number of people.
    """
    if not std_error > 0:
        return 0.0
    two_digits = 10.0 ** (math.floor(math.log10(std_error)) - 1)
    return step_at_least(max(two_digits, digits_for_people * std_error / math.sqrt(max(people, 1))))


def step_of_significant(value: float, digits: int = SIGNIFICANT) -> float:
    """Return the step that keeps so many significant digits of a number."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1) if value and math.isfinite(value) else 0.0
