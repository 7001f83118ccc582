"""The first period of a window in which something is true, censored where it does not happen.

What follows a gap may not be the first time. With `missing: any` only the unbroken stretch from the beginning of the
window is therefore used; with `missing: all` gaps are passed over.
"""

from __future__ import annotations

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_values import Given, Values, holds


def compute(outcome: Outcome, values: Values) -> tuple[Values, Values]:
    """Return the event time at which it first holds, or the last one observed, and whether it is censored."""
    read = np.asarray(outcome.read, dtype=float)
    observed = ~np.isnan(values)
    if outcome.missing == "any":
        observed = np.logical_and.accumulate(observed, axis=1)
    happens = holds(values) & observed
    is_known, is_first = observed.any(axis=1), happens.any(axis=1)
    last = read[len(read) - 1 - np.argmax(observed[:, ::-1], axis=1)]
    otherwise = last if outcome.censored == "last" else np.full(len(values), np.nan)
    value = np.where(is_first, read[np.argmax(happens, axis=1)], otherwise)
    return np.where(is_known, value, np.nan), np.where(is_known, ~is_first, np.nan)


def plain(outcome: Outcome, given: Given, known: list[float]) -> tuple[float | None, float | None]:
    """Compute the same for one person."""
    last: int | None = None
    for time, value in zip(outcome.read, given, strict=True):
        if value is None:
            if outcome.missing == "any":
                break
            continue
        if value != 0:
            return float(time), 0.0
        last = time
    if last is None:
        return None, None
    return (float(last) if outcome.censored == "last" else None), 1.0
