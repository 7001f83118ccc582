"""Calendar arithmetic: the periods of event time in months and in ISO weeks, exact to the day.

Event time 0 is the calendar month (or the ISO week, Monday to Sunday) of random assignment. Periods are half-open,
``[start, stop)``.
"""

from __future__ import annotations

import datetime as dt

from refino_eval.config.base import Unit

_WEEK = 7


def month_index(day: dt.date) -> int:
    """Return the number of a day's calendar month: 12 x year + month - 1."""
    return 12 * day.year + day.month - 1


def month_start(index: int) -> dt.date:
    """Return the first day of the month that `month_index` numbers."""
    return dt.date(index // 12, index % 12 + 1, 1)


def monday(day: dt.date) -> dt.date:
    """Return the Monday of a day's ISO week."""
    return day - dt.timedelta(days=day.weekday())


def period_bounds(time: int, origin: dt.date, unit: Unit) -> tuple[dt.date, dt.date]:
    """Return the first day of the period at an event time, and the first day after it."""
    if unit == "month":
        index = month_index(origin) + time
        return month_start(index), month_start(index + 1)
    start = monday(origin) + dt.timedelta(days=_WEEK * time)
    return start, start + dt.timedelta(days=_WEEK)
