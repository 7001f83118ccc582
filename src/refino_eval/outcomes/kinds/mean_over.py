"""The mean of the values of a window."""

from __future__ import annotations

import math

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_values import Given, Values, rounded


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the mean of the values of a window that are not missing."""
    count = (~np.isnan(values)).sum(axis=1)
    mean: Values = rounded(np.nansum(values, axis=1)) / np.maximum(count, 1)
    return mean


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return math.fsum(known) / len(known)
