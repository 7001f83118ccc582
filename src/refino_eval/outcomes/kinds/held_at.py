"""Whether something is true at every one of several event times."""

from __future__ import annotations

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, as_numbers, holds


def compute(outcome: Outcome, values: Values) -> Values:
    """Return whether it holds at every event time that is not missing."""
    return as_numbers((holds(values) | np.isnan(values)).all(axis=1))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"CASE WHEN {person.count(f'{person.value} = 0')} = 0 THEN 1E0 ELSE 0E0 END"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return float(all(known))
