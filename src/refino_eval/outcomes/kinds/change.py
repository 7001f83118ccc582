"""The difference between the values at two event times."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the value at the second event time minus that at the first."""
    begin, end = (values[:, outcome.read.index(time)] for time in outcome.times or ())
    difference: Values = end - begin
    return difference


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    begin, end = (person.at(time) for time in outcome.times or ())
    return f"{end} - {begin}"


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    begin, end = (given[outcome.read.index(time)] for time in outcome.times or ())
    # Kinds without a missing rule of their own are computed only where enough is known.
    assert begin is not None
    assert end is not None
    return end - begin
