"""The first period of a window in which something is true, censored where it does not happen.

What follows a gap may not be the first time. With `missing: any` only the unbroken stretch from the beginning of the
window is therefore used; with `missing: all` gaps are passed over.
"""

from __future__ import annotations

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values, holds


def compute(outcome: Outcome, values: Values) -> tuple[Values, Values]:
    """Return the event time at which it first holds, or the last one observed, and whether it is censored."""
    read = np.asarray(outcome.read, dtype=float)
    observed = ~np.isnan(values)
    if outcome.missing == "any":
        observed = np.logical_and.accumulate(observed, axis=1)
    happens = holds(values) & observed
    is_known, is_first = observed.any(axis=1), happens.any(axis=1)
    last = read[len(read) - 1 - np.argmax(observed[:, ::-1], axis=1)]
    otherwise = last if outcome.censored == "last" else np.full(len(values), np.nan)
    value = np.where(is_first, read[np.argmax(happens, axis=1)], otherwise)
    return np.where(is_known, value, np.nan), np.where(is_known, ~is_first, np.nan)


def sql(outcome: Outcome, person: PersonSql) -> tuple[str, str]:
    """Write the same as SQL: the value, and whether it is censored."""
    happens, gap = person.first(person.holds), person.first(f"{person.value} IS NULL")
    if outcome.missing == "any":
        is_known = f"({gap} IS NULL OR {gap} > {outcome.read[0]})"
        is_first = f"({happens} IS NOT NULL AND ({gap} IS NULL OR {happens} < {gap}))"
        last = person.before(gap)
    else:
        is_known, is_first = f"{person.count(person.known)} > 0", f"{happens} IS NOT NULL"
        last = person.last(person.known)
    otherwise = last if outcome.censored == "last" else "NULL"
    value = f"CASE WHEN {is_first} THEN {happens} WHEN {is_known} THEN {otherwise} END"
    flag = f"CASE WHEN {is_first} THEN 0E0 WHEN {is_known} THEN 1E0 END"
    return f"CAST({value} AS DOUBLE)", flag


def plain(outcome: Outcome, given: Given, known: list[float]) -> tuple[float | None, float | None]:
    """Compute the same for one person."""
    last: int | None = None
    for time, value in zip(outcome.read, given, strict=True):
        if value is None:
            if outcome.missing == "any":
                break
            continue
        if value != 0:
            return float(time), 0.0
        last = time
    if last is None:
        return None, None
    return (float(last) if outcome.censored == "last" else None), 1.0
