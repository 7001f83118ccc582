"""Periods of event time in months and ISO weeks, compared with the standard library's calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refino_eval.codes import calendars as cal

DAY = dt.date
days = st.dates(min_value=DAY(1900, 1, 1), max_value=DAY(2199, 12, 31))


@pytest.mark.parametrize(
    ("day", "origin", "month", "week"),
    [
        (DAY(2018, 5, 9), DAY(2018, 5, 9), 0, 0),
        (DAY(2018, 5, 31), DAY(2018, 5, 1), 0, 4),
        (DAY(2018, 6, 1), DAY(2018, 5, 31), 1, 0),
        (DAY(2018, 5, 14), DAY(2018, 5, 13), 0, 1),
        (DAY(2017, 12, 31), DAY(2018, 1, 1), -1, -1),
        (DAY(2020, 2, 29), DAY(2018, 2, 28), 24, 104),
        (DAY(2021, 1, 3), DAY(2020, 12, 28), 1, 0),
        (DAY(1969, 12, 28), DAY(1969, 12, 29), 0, -1),
    ],
)
def test_period_at_an_event_time_contains_the_day(day: dt.date, origin: dt.date, month: int, week: int) -> None:
    for time, unit in ((month, "month"), (week, "week")):
        start, stop = cal.period_bounds(time, origin, unit)
        assert start <= day < stop


@given(day=days, time=st.integers(-60, 60))
def test_periods_follow_each_other_without_gaps(day: dt.date, time: int) -> None:
    for unit in ("month", "week"):
        start, stop = cal.period_bounds(time, day, unit)
        assert start < stop == cal.period_bounds(time + 1, day, unit)[0]


@given(day=days)
def test_weeks_are_those_of_iso_8601(day: dt.date) -> None:
    start, stop = cal.period_bounds(0, day, "week")
    assert start.isocalendar()[:2] == day.isocalendar()[:2] == (stop - dt.timedelta(days=1)).isocalendar()[:2]
    assert (start.isoweekday(), (stop - start).days) == (1, 7)


@given(day=days)
def test_months_are_calendar_months(day: dt.date) -> None:
    start, stop = cal.period_bounds(0, day, "month")
    assert (start.day, stop.day) == (1, 1)
    assert (start.year, start.month) == (day.year, day.month) != (stop.year, stop.month)


def test_month_numbers() -> None:
    assert cal.month_start(cal.month_index(DAY(2018, 12, 31)) + 1) == DAY(2019, 1, 1)
