"""Whether anybody can have a value of an outcome: its window against the registers' coverage and the dates of assignment."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping

from refino_eval.config import definitions as d
from refino_eval.config.base import Unit
from refino_eval.config.dependencies import needed_states, outcome_states, used_outcomes
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Coverage, Source


def coverage_problems(study: Evaluation, definitions: d.Definitions, sources: Mapping[str, Source]) -> Iterator[str]:
    """Return a sentence for each outcome that nobody can have, whatever the delivery holds."""
    first_draw, last_draw = _assigned_between(study)
    for name in used_outcomes(study, definitions):
        outcome = definitions.outcomes.get(name)
        if outcome is None:
            continue
        states = [definitions.states[state] for state in needed_states(definitions, outcome_states(outcome))]
        read = {state.register_name: state for state in states if isinstance(state, d.SpellState)}
        impossible = [
            register
            for register, state in read.items()
            if _is_impossible(outcome, state, sources, first_draw, last_draw)
        ]
        # An expression over several registers can be known by one of them alone.
        if read and len(impossible) == len(read):
            covered = sources[impossible[0]].coverage
            assert covered is not None
            yield (
                f"the outcome '{name}' reads event {outcome.clock} {outcome.periods[0]} to {outcome.periods[1]}, and the register "
                f"'{impossible[0]}' covers {covered.first} to {covered.last}, so that it is missing for everybody assigned "
                f"{_between(first_draw, last_draw)}. Change the window, or config/sources/{impossible[0]}.yaml."
            )


def _assigned_between(study: Evaluation) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and last day of random assignment that the population allows; None where it sets no limit."""
    if study.population is None:
        return None, None
    if study.population.draw_date is not None:
        return study.population.draw_date, study.population.draw_date
    if study.population.entry is not None:
        entry = study.population.entry
        return dt.date.fromisoformat(f"{entry.first}-01"), dt.date.fromisoformat(f"{entry.last}-01")
    steps = study.population.steps
    first = max((step.draw_from for step in steps if step.draw_from is not None), default=None)
    last = min((step.draw_to for step in steps if step.draw_to is not None), default=None)
    return first, last


def _is_impossible(
    outcome: d.Outcome,
    state: d.SpellState,
    sources: Mapping[str, Source],
    first_draw: dt.date | None,
    last_draw: dt.date | None,
) -> bool:
    source = sources.get(state.register_name)
    covered = source.coverage if source is not None else None
    if covered is None:
        return False
    first, last = outcome.periods
    if outcome.missing == "all":
        first, last = last, first  # one period of the window is enough
    earliest, latest = _periods(covered, outcome.clock)
    # Periods of assignment for which the window lies inside what is covered.
    lower = earliest - first if state.missing.before_coverage == "missing" else -math.inf
    upper = latest - last if state.missing.after_coverage == "missing" else math.inf
    if first_draw is not None:
        lower = max(lower, _period(first_draw, outcome.clock))
    if last_draw is not None:
        upper = min(upper, _period(last_draw, outcome.clock))
    return lower > upper


def _periods(covered: Coverage, unit: Unit) -> tuple[float, float]:
    """Return the first and the last whole period that a register covers."""
    if unit == "week":
        # Weeks count from the day of assignment, so that a part of one at either end may be whole.
        return _period(covered.first, unit), _period(covered.last, unit)
    first, last = covered.first, covered.last + dt.timedelta(days=1)
    return _period(first, unit) + (first.day > 1), _period(last, unit) - 1


def _period(day: dt.date, unit: Unit) -> float:
    return day.toordinal() // 7 if unit == "week" else 12 * day.year + day.month


def _between(first: dt.date | None, last: dt.date | None) -> str:
    if first is None and last is None:
        return "at any time"
    return f"from {first or 'the first'} to {last or 'the last'}"
