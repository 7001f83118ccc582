"""Event time in months and ISO weeks, against the standard library's own calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
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
def test_event_time(day: dt.date, origin: dt.date, month: int, week: int) -> None:
    assert (cal.event_time(day, origin, "month"), cal.event_time(day, origin, "week")) == (month, week)


@given(day=days, origin=days)
def test_period_of_an_event_time_holds_the_day(day: dt.date, origin: dt.date) -> None:
    for unit in ("month", "week"):
        time = cal.event_time(day, origin, unit)
        start, stop = cal.period_bounds(time, origin, unit)
        assert start <= day < stop
        assert cal.event_time(start, origin, unit) == cal.event_time(stop - dt.timedelta(days=1), origin, unit) == time
        assert cal.period_bounds(time + 1, origin, unit)[0] == stop


@given(day=days)
def test_weeks_are_those_of_iso_8601(day: dt.date) -> None:
    start, stop = cal.period_bounds(0, day, "week")
    assert start.isocalendar()[:2] == day.isocalendar()[:2] == (stop - dt.timedelta(days=1)).isocalendar()[:2]
    assert (start.isoweekday(), (stop - start).days) == (1, 7)


@given(pairs=st.lists(st.tuples(days, days), min_size=1, max_size=20))
def test_arrays_agree_with_scalars(pairs: list[tuple[dt.date, dt.date]]) -> None:
    left, right = (np.array(side, dtype="datetime64[D]") for side in zip(*pairs, strict=True))
    assert cal.event_months(left, right).tolist() == [cal.event_month(*pair) for pair in pairs]
    assert cal.event_weeks(left, right).tolist() == [cal.event_week(*pair) for pair in pairs]
    assert cal.event_weeks(left, pairs[0][1]).tolist() == [cal.event_week(day, pairs[0][1]) for day, _ in pairs]


def test_missing_days_are_refused() -> None:
    with pytest.raises(ValueError, match="some are missing"):
        cal.event_months(["2018-01-01", "NaT"], "2018-01-01")


def test_month_names_and_numbers() -> None:
    assert cal.month_name(DAY(2018, 5, 9)) == "2018-05"
    assert cal.month_start(cal.month_index(DAY(2018, 12, 31)) + 1) == DAY(2019, 1, 1)
