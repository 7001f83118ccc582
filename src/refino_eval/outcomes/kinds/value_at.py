"""The value in one period."""

from __future__ import annotations

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_values import Given, Values


def compute(outcome: Outcome, values: Values) -> Values:
    """Return the value in the period that is read."""
    first: Values = values[:, 0]
    return first


def plain(outcome: Outcome, given: Given, known: list[float]) -> float:
    """Compute the same for one person."""
    return known[0]
