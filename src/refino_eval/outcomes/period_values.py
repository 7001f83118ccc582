"""What kinds of outcomes have in common: when something holds, rounding, and stretches of periods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""Shape (people, periods), NaN when missing."""

Given = Sequence[float | None]
"""One person's values at each event time that an outcome reads, in order; None when missing."""

DECIMALS = 12
"""Sums are rounded here, so that ten tenths are one."""


def holds(values: Values) -> npt.NDArray[np.bool_]:
    """Return where something is true; in a missing period it is not."""
    result: npt.NDArray[np.bool_] = (values != 0) & ~np.isnan(values)
    return result


def as_numbers(values: Any) -> Values:
    """Return true and false, or counts, as doubles."""
    return np.asarray(values, dtype=np.float64)


Term = TypeVar("Term")


def added(terms: Sequence[Term], add: Callable[[Term, Term], Term]) -> Term:
    """Add terms in an order that depends on their number alone, so that every engine gets the same sum.

    Eight partial sums of every eighth term, then these in pairs, then what is left: the order in which numpy adds a row.
    """
    if len(terms) < 8:
        return reduce(add, terms)
    if len(terms) > 128:
        half = len(terms) // 16 * 8
        return add(added(terms[:half], add), added(terms[half:], add))
    whole = len(terms) // 8 * 8
    parts = [reduce(add, terms[first:whole:8]) for first in range(8)]
    while len(parts) > 1:
        parts = [add(left, right) for left, right in zip(parts[::2], parts[1::2], strict=True)]
    return reduce(add, terms[whole:], parts[0])


def row_sums(values: Values) -> Values:
    """Return each row's sum of the values that are not missing, added in the order of `added`."""
    filled = np.where(np.isnan(values), 0.0, values)
    return added(list(filled.T), np.add)


def rounded(sums: Values) -> Values:
    """Return sums rounded at the twelfth decimal.

    Rounding multiplies by 10**12, which is inexact for large numbers: a whole number therefore stays as it is, up to the
    largest.
    """
    return np.where(sums == np.floor(sums), sums, np.round(sums, DECIMALS))


def longest_run(values: Values) -> Values:
    """Return the number of periods in the longest stretch in which something holds."""
    run, longest = np.zeros(len(values)), np.zeros(len(values))
    for period in holds(values).T:
        run = (run + 1) * period
        longest = np.maximum(longest, run)
    return longest


def plain_longest_run(given: Given) -> int:
    """Return the same for one person."""
    runs = "".join("1" if value else " " for value in given).split()
    return max(map(len, runs), default=0)
