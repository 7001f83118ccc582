"""The kinds of outcome once more, one person at a time, in plain loops: what the worked examples are run on twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from refino_eval.config.definitions import Outcome

Seen = Sequence[float | None]
"""What a person shows at each event time that an outcome reads, in order; None when missing."""


def plain_outcome(outcome: Outcome, seen: Seen) -> tuple[float | None, float | None]:
    """Work out an outcome of one person.

    Parameters
    ----------
    outcome
        The definition.
    seen
        The values at `outcome.read`.

    Returns
    -------
    tuple
        The value, and the censoring flag (None for kinds without one, and where nothing was seen).
    """
    if outcome.kind == "first_month":
        return _first(outcome, seen)
    known = [value for value in seen if value is not None]
    if not known or (outcome.missing == "any" and len(known) < len(seen)):
        return None, None
    return float(_PLAIN[outcome.kind](outcome, seen, known)), None


def _first(outcome: Outcome, seen: Seen) -> tuple[float | None, float | None]:
    last: int | None = None
    for time, value in zip(outcome.read, seen, strict=True):
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


def _longest(outcome: Outcome, seen: Seen, known: Sequence[float]) -> float:
    runs = "".join("1" if value else " " for value in seen).split()
    return float(max(map(len, runs), default=0))


def _at(outcome: Outcome, seen: Seen, time: int) -> float:
    value = seen[outcome.read.index(time)]
    assert value is not None
    return value


_PLAIN: Mapping[str, Callable[[Outcome, Seen, Sequence[float]], float]] = {
    "value_at": lambda outcome, seen, known: known[0],
    "any_in": lambda outcome, seen, known: any(known),
    "months_in": lambda outcome, seen, known: sum(value != 0 for value in known),
    "sum_over": lambda outcome, seen, known: math.fsum(known),
    "mean_over": lambda outcome, seen, known: math.fsum(known) / len(known),
    "spell_of": lambda outcome, seen, known: _longest(outcome, seen, known) >= (outcome.at_least or 0),
    "longest_spell": _longest,
    "held_at": lambda outcome, seen, known: all(known),
    "change": lambda outcome, seen, known: (
        _at(outcome, seen, (outcome.times or ())[1]) - _at(outcome, seen, (outcome.times or ())[0])
    ),
}
