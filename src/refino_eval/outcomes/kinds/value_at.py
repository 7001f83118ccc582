"""The value in one period."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the value in the period that is read."""
    first: Values = values[:, 0]
    return first


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return person.at(outcome.read[0])


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return known[0]
