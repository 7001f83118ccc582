"""The sum of the values of a window."""

from __future__ import annotations

import math

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, rounded, row_sums


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the sum of the values of a window."""
    return rounded(row_sums(values))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return person.total()


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return math.fsum(known)
