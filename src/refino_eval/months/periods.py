"""Calendar months and ISO weeks around a draw: event time -> first day and day after the last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from refino_eval.codes.calendars import period_bounds
from refino_eval.config.base import Unit


@dataclass(frozen=True)
class Period:
    """One calendar month or week.

    Attributes
    ----------
    event_time
        Periods since that of the draw (0).
    start, stop
        First day, and the day after the last.
    """

    event_time: int
    start: dt.date
    stop: dt.date


def period_at(day: dt.date, event_time: int, unit: Unit) -> Period:
    """Return the period at an event time of somebody drawn on a day.

    Parameters
    ----------
    day
        The day of the draw.
    event_time
        Calendar months, or weeks from Monday to Sunday, since the month or week of the draw.
    unit
        ``month`` or ``week``.
    """
    start, stop = period_bounds(event_time, day, unit)
    return Period(event_time, start, stop)


def periods_around(days: Iterable[dt.date], *, unit: Unit, first: int, last: int) -> Iterator[tuple[dt.date, Period]]:
    """Yield every period from `first` to `last` for each day of draw, in order of day and event time."""
    # Days of one month (week) share their periods, and there are many days of draw but few months.
    shared: dict[dt.date, list[Period]] = {}
    for day in sorted(set(days)):
        own = period_at(day, 0, unit).start
        if own not in shared:
            shared[own] = [period_at(own, event_time, unit) for event_time in range(first, last + 1)]
        for period in shared[own]:
            yield day, period
