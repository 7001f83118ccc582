"""Event time -> calendar periods."""

import datetime as dt
import itertools

import pytest

from refino_eval.months.periods import period_at, periods_around

D = dt.date


@pytest.mark.parametrize(
    ("day", "event_time", "unit", "start", "stop"),
    [
        (D(2019, 5, 31), 0, "month", D(2019, 5, 1), D(2019, 6, 1)),
        (D(2019, 5, 31), -5, "month", D(2018, 12, 1), D(2019, 1, 1)),
        (D(2019, 12, 1), 1, "month", D(2020, 1, 1), D(2020, 2, 1)),
        (D(2020, 1, 15), 1, "month", D(2020, 2, 1), D(2020, 3, 1)),
        (D(2021, 1, 3), 0, "week", D(2020, 12, 28), D(2021, 1, 4)),
        (D(1994, 12, 26), 1, "week", D(1995, 1, 2), D(1995, 1, 9)),
        (D(1994, 12, 26), 208, "week", D(1998, 12, 21), D(1998, 12, 28)),
        (D(1994, 12, 26), 48, "month", D(1998, 12, 1), D(1999, 1, 1)),
    ],
)
def test_first_day_and_day_after_the_last(day, event_time, unit, start, stop):
    period = period_at(day, event_time, unit)
    assert (period.start, period.stop) == (start, stop)


@pytest.mark.parametrize("unit", ["month", "week"])
def test_periods_follow_one_another_without_gaps(unit):
    table = list(periods_around([D(2020, 2, 29)], unit=unit, first=-60, last=60))
    assert [period.event_time for _, period in table] == list(range(-60, 61))
    assert all(a.stop == b.start for (_, a), (_, b) in itertools.pairwise(table))


def test_every_day_of_draw_once_and_in_order():
    days = [D(2020, 2, 1), D(2019, 5, 1), D(2020, 2, 1)]
    assert [day for day, _ in periods_around(days, unit="month", first=0, last=0)] == [D(2019, 5, 1), D(2020, 2, 1)]
