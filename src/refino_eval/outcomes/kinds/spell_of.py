"""Whether something is true for so many periods in a row."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, as_numbers, longest_run, plain_longest_run


def compute(outcome: Outcome, values: Values) -> Values:
    """Return whether it holds for `at_least` periods in a row."""
    return as_numbers(longest_run(values) >= (outcome.at_least or 0))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    return f"CASE WHEN {person.longest_run()} >= {outcome.at_least} THEN 1E0 ELSE 0E0 END"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return float(plain_longest_run(given) >= (outcome.at_least or 0))
