"""In how many periods of a window something is true."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, as_numbers, holds


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the number of periods of a window in which it holds."""
    return as_numbers(holds(values).sum(axis=1))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"CAST({person.count(person.holds)} AS DOUBLE)"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return float(sum(value != 0 for value in known))
