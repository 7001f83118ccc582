"""The mean of the values of a window."""

from __future__ import annotations

import math

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, rounded, row_sums


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the mean of the values of a window that are not missing."""
    count = (~np.isnan(values)).sum(axis=1)
    mean: Values = rounded(row_sums(values)) / np.maximum(count, 1)
    return mean


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"({person.total()}) / CAST(GREATEST({person.count(person.known)}, 1) AS DOUBLE)"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return math.fsum(known) / len(known)
