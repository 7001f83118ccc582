"""Calendar arithmetic: event time in months and in ISO weeks, exact to the day.

Event time 0 is the calendar month (or the ISO week, Monday to Sunday) of the draw. Periods are half-open,
``[start, stop)``. Scalar functions take and give `datetime.date`; those named in the plural take and give numpy arrays
(``datetime64[D]`` and ``int64``), and agree with the scalar ones on every day.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from refino_eval.config.base import Unit

Days = npt.NDArray[np.datetime64]
Integers = npt.NDArray[np.int64]

_WEEK = 7


def month_index(day: dt.date) -> int:
    """Return the number of a day's calendar month: 12 x year + month - 1."""
    return 12 * day.year + day.month - 1


def month_start(index: int) -> dt.date:
    """Return the first day of the month that `month_index` numbers."""
    return dt.date(index // 12, index % 12 + 1, 1)


def month_name(day: dt.date) -> str:
    """Write a day's month as yyyy-mm."""
    return f"{day.year:04d}-{day.month:02d}"


def monday(day: dt.date) -> dt.date:
    """Return the Monday of a day's ISO week."""
    return day - dt.timedelta(days=day.weekday())


def event_month(day: dt.date, origin: dt.date) -> int:
    """Count calendar months from the month of `origin` to the month of `day`."""
    return month_index(day) - month_index(origin)


def event_week(day: dt.date, origin: dt.date) -> int:
    """Count ISO weeks from the week of `origin` to the week of `day`."""
    return (monday(day) - monday(origin)).days // _WEEK


def event_time(day: dt.date, origin: dt.date, unit: Unit) -> int:
    """Count months or weeks, by `unit`, from the period of `origin` to the period of `day`."""
    return event_month(day, origin) if unit == "month" else event_week(day, origin)


def period_bounds(time: int, origin: dt.date, unit: Unit) -> tuple[dt.date, dt.date]:
    """Return the first day of the period at an event time, and the first day after it."""
    if unit == "month":
        index = month_index(origin) + time
        return month_start(index), month_start(index + 1)
    start = monday(origin) + dt.timedelta(days=_WEEK * time)
    return start, start + dt.timedelta(days=_WEEK)


def event_months(days: npt.ArrayLike, origins: npt.ArrayLike) -> Integers:
    """Count calendar months from each origin's month to each day's.

    Parameters
    ----------
    days, origins
        Anything convertible to ``datetime64[D]``, of the same shape or one of them a single day. NaT is refused.

    Returns
    -------
    numpy.ndarray
        Event months, ``int64``.
    """
    return np.asarray(_month_numbers(_days(days)) - _month_numbers(_days(origins)), dtype=np.int64)


def event_weeks(days: npt.ArrayLike, origins: npt.ArrayLike) -> Integers:
    """Count ISO weeks from each origin's week to each day's; parameters as in `event_months`."""
    return np.asarray(_week_numbers(_days(days)) - _week_numbers(_days(origins)), dtype=np.int64)


def _month_numbers(days: Days) -> Integers:
    return np.asarray(days.astype("datetime64[M]").astype(np.int64), dtype=np.int64)


def _week_numbers(days: Days) -> Integers:
    # 1970-01-01 was a Thursday: adding three days makes weeks begin on Mondays. Floor division is exact before 1970 too.
    return np.asarray((days.astype(np.int64) + 3) // _WEEK, dtype=np.int64)


def _days(values: npt.ArrayLike) -> Days:
    days = np.asarray(values, dtype="datetime64[D]")
    if np.isnat(days).any():
        raise ValueError("event time needs dates: some are missing")
    return days
