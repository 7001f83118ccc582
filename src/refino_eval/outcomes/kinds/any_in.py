"""Whether something happened in a window."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, as_numbers, holds


def compute(outcome: Outcome, values: Values) -> Values:
    """Return whether any value of a window is other than zero."""
    return as_numbers(holds(values).any(axis=1))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"CASE WHEN {person.count(person.holds)} > 0 THEN 1E0 ELSE 0E0 END"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return float(any(known))
