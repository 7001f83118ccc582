"""Whether something happens during a spell that begins with the window, its first and last periods left out.

What is read is 0 outside the spell's state, 1 in it, and 2 in it when the outcome's state holds as well. The spell lasts until
the first period in which its state does not hold or is not observed: a spell that is still going on is used as far as it is
observed.
"""

from __future__ import annotations

import numpy as np

from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.period_sql import PersonSql
from refino_eval.outcomes.period_values import Given, Values

BOTH = 2
"""What is read where the spell and the outcome's state hold."""


def compute(outcome: Outcome, values: Values) -> Values:
    """Return whether it holds in a period of the spell that is not trimmed; missing where the first period is."""
    first, last = outcome.trim
    # NaN >= 1 is false: a period that is not observed ends the spell like one outside it.
    lasts = np.logical_and.accumulate(values >= 1, axis=1)
    length = lasts.sum(axis=1)[:, None]
    place = np.arange(values.shape[1])[None, :]
    inside = (place >= first) & (place < length - last)
    happens = (inside & (values >= BOTH)).any(axis=1)
    return np.where(np.isnan(values[:, 0]), np.nan, happens.astype(float))


def sql(outcome: Outcome, person: PersonSql) -> str:
    """Write the same as SQL."""
    first, last = outcome.trim
    end = person.end_of_first_stretch(f"{person.value} >= 1")
    inside = f"event_time >= {person.read[0] + first} AND event_time < {end} - {last}"
    happens = person.count(f"{person.value} >= {BOTH} AND {inside}")
    known = person.at(person.read[0])
    return f"CASE WHEN {known} IS NULL THEN NULL WHEN {happens} > 0 THEN 1E0 ELSE 0E0 END"


def plain(outcome: Outcome, given: Given, known: list[float]) -> tuple[float | None, None]:
    """Compute the same for one person."""
    if given[0] is None:
        return None, None
    spell: list[float] = []
    for value in given:
        if value is None or value < 1:
            break
        spell.append(value)
    first, last = outcome.trim
    return float(any(value >= BOTH for value in spell[first : len(spell) - last])), None
