"""Kinds of outcomes: how each is computed from the periods that it reads, for everybody at once and for one person.

A kind is a module here with three functions: `compute` on arrays, `sql` for engines that compute outcomes as SQL, and
`plain` in ordinary steps for one person. A line in `refino_eval.config.outcome_kinds` has what the configuration knows
about it. Worked examples are run by `compute` and `plain`, and property tests compare all three.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from refino_eval.config.outcome_kinds import OUTCOME_KINDS

if TYPE_CHECKING:
    from refino_eval.config.definitions import Outcome
    from refino_eval.outcomes.period_sql import PersonSql
    from refino_eval.outcomes.period_values import Given, Values

LOADS = ("outcomes/kinds/*.py", "outcomes/period_sql.py", "outcomes/period_values.py")
"""What this module imports by name: `digest` follows it like an import."""


def _module(kind: str) -> Any:
    return import_module(f"{__name__}.{kind}")


def compute(outcome: Outcome, values: Values) -> tuple[Values, Values | None]:
    """Compute an outcome from the periods that it reads.

    Parameters
    ----------
    outcome
        The definition.
    values
        Shape (people, periods): what is read at each of `outcome.read`, NaN when missing.

    Returns
    -------
    tuple
        A value for each person (NaN when missing by the outcome's rule), and the censoring flag for kinds that have one.
    """
    import numpy as np

    result = _module(outcome.kind).compute(outcome, values)
    value, flag = result if isinstance(result, tuple) else (result, None)
    if not OUTCOME_KINDS[outcome.kind].has_missing_rule:
        missing = np.isnan(values)
        lost = missing.any(axis=1) if outcome.missing == "any" else missing.all(axis=1)
        value = np.where(lost, np.nan, value)
    return value, flag


def outcome_sql(outcome: Outcome, person: PersonSql) -> tuple[str, str | None]:
    """Write an outcome as SQL over the columns that are gathered from a person's periods.

    Returns
    -------
    tuple
        A value for each person (NULL when missing by the outcome's rule), and the censoring flag for kinds that have one.
    """
    result = _module(outcome.kind).sql(outcome, person)
    value, flag = result if isinstance(result, tuple) else (result, None)
    if not OUTCOME_KINDS[outcome.kind].has_missing_rule:
        enough = outcome.count if outcome.missing == "any" else 1
        value = f"CASE WHEN {person.count(person.known)} >= {enough} THEN {value} END"
    return value, flag


def plain_outcome(outcome: Outcome, given: Given) -> tuple[float | None, float | None]:
    """Compute an outcome of one person in ordinary steps.

    Parameters
    ----------
    outcome
        The definition.
    given
        The values at `outcome.read`, None when missing.

    Returns
    -------
    tuple
        The value, and the censoring flag (None for kinds without one, and where nothing is known).
    """
    present = [value for value in given if value is not None]
    if OUTCOME_KINDS[outcome.kind].has_missing_rule:
        value, flag = _module(outcome.kind).plain(outcome, given, present)
        return value, flag
    if not present or (outcome.missing == "any" and len(present) < len(given)):
        return None, None
    return float(_module(outcome.kind).plain(outcome, given, present)), None
