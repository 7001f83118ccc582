"""Months and days as integers, and curves over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]
FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]

NO_DAY = -(10**6)
"""The day that represents an empty date."""
DAYS_PER_MONTH = 30.4375
EPOCH = dt.date(1970, 1, 1).toordinal()


def month_number(text: str) -> int:
    """Months since January 1970 of a month written yyyy-mm."""
    year, month = text.split("-")
    return (int(year) - 1970) * 12 + int(month) - 1


def month_of(day: dt.date) -> int:
    """Months since January 1970 of a date."""
    return (day.year - 1970) * 12 + day.month - 1


def day_number(day: dt.date) -> int:
    """Days since 1 January 1970."""
    return day.toordinal() - EPOCH


def first_day(month: IntArray) -> IntArray:
    """Return the first day (since 1970) of each month (since January 1970)."""
    return np.asarray(month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def month_of_day(day: IntArray) -> IntArray:
    """Return the month (since January 1970) of each day (since 1970)."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def year_of_day(day: IntArray) -> IntArray:
    """Return the calendar year of each day (since 1970)."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def curve(points: Mapping[int, float], at: IntArray) -> FloatArray:
    """Join points by straight lines; constant beyond the ends.

    Parameters
    ----------
    points
        Value at some event months.
    at
        Event months, any shape.
    """
    months = sorted(points)
    return np.interp(at, months, [points[month] for month in months])


def month_curve(points: Mapping[str, float], at: IntArray) -> FloatArray:
    """Return `curve` for points at calendar months written yyyy-mm."""
    return curve({month_number(text): value for text, value in points.items()}, at)
