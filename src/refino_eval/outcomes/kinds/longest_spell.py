"""For how many periods in a row something is true at most."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, longest_run, plain_longest_run


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the length of the longest stretch of periods in which it holds."""
    return longest_run(values)


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"CAST({person.longest_run()} AS DOUBLE)"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return float(plain_longest_run(given))
