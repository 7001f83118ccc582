"""Spells in, values out: what a state is, in tables that can be read without the code.

In a table of spells the bar runs over the days of the register: `stop` is the day after the last, `-` is an open spell.
Expected values are given by event time; `.` is missing.
"""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.codes.prices import PriceIndex
from refino_eval.config.definitions import Definitions
from refino_eval.months.engine import derive_panel
from support.builders import LABEL, source

COLUMN_TYPES = {
    "employer_id": ("id", pa.string()),
    "hours": ("hundredths", pa.int64()),
    "kind": ("code", pa.string()),
    "level": ("number", pa.float64()),
    "points": ("integer", pa.int64()),
}


def rows_of(table):
    """Read an ASCII table: a header line, then a line per spell."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    header, *body = lines
    return [
        {name: None if cell in ("-", "") else cell for name, cell in zip(header, line, strict=True)} for line in body
    ]


def values(tmp_path, state, table, *, draw, first, last, unit="month", coverage=("2019-01-01", "2019-12-31"), more=()):
    """Run one state on one person's spells, and give its values by event time as text."""
    spells = rows_of(table)
    arrays = {
        "person_id": pa.array(["p"] * len(spells), pa.string()),
        "start": pa.array([dt.date.fromisoformat(s["start"]) for s in spells], pa.date32()),
        "stop": pa.array([s["stop"] and dt.date.fromisoformat(s["stop"]) for s in spells], pa.date32()),
    }
    for name, (_, kind) in COLUMN_TYPES.items():
        given = [s.get(name) for s in spells]
        scale = {"hours": lambda v: round(float(v) * 100), "level": float, "points": int}.get(name, str)
        arrays[name] = pa.array([None if v is None else scale(v) for v in given], kind)
    pq.write_table(pa.table(arrays), tmp_path / "jobs.parquet")
    cohort = {"person_id": ["p"], "draw_date": pa.array([dt.date.fromisoformat(draw)], pa.date32())}
    pq.write_table(pa.table(cohort), tmp_path / "cohort.parquet")
    columns = {"start": "date", "stop": "date", **{name: kind for name, (kind, _) in COLUMN_TYPES.items()}}
    jobs = source("jobs", "spell", columns, coverage=(coverage[0], coverage[1]))
    common = {"label": LABEL, "description": "x", "unit": LABEL}
    states = {"state": {**common, **({} if "expression" in state else {"register": "jobs"}), **state}}
    for name, other in dict(more).items():
        states[name] = {**common, "register": "jobs", **other}
    derive_panel(
        Definitions.model_validate({"states": states}),
        {"jobs": jobs},
        {"cpi": PriceIndex("cpi", {2018: 80, 2019: 100, 2020: 200})},
        clock_unit=unit,
        first=first,
        last=last,
        states=["state"],
        cohort_path=tmp_path / "cohort.parquet",
        clean_paths={"jobs": tmp_path / "jobs.parquet"},
        out_path=tmp_path / "panel.parquet",
    )
    panel = pq.read_table(tmp_path / "panel.parquet")
    assert panel["event_time"].to_pylist() == list(range(first, last + 1))
    return " ".join("." if v is None else f"{v:g}" for v in panel["state"].to_pylist())


ONE_JOB = """
    start      | stop
    2019-03-15 | 2019-05-10
"""
WHOLE_MONTHS = """
    start      | stop
    2019-03-01 | 2019-05-01
"""


class TestWhichPeriodsASpellTouches:
    @pytest.mark.parametrize(
        ("touch", "expected"),
        [
            #                     Feb Mar Apr May Jun
            ("any_day", "         0   1   1   1   0"),
            ("start_of_period", " 0   0   1   1   0"),
            ("end_of_period", "   0   1   1   0   0"),
            ("all_days", "        0   0   1   0   0"),
        ],
    )
    def test_a_spell_from_mid_march_to_9_may(self, tmp_path, touch, expected):
        got = values(tmp_path, {"touch": touch}, ONE_JOB, draw="2019-04-30", first=-2, last=2)
        assert got == " ".join(expected.split())

    @pytest.mark.parametrize("touch", ["any_day", "start_of_period", "end_of_period", "all_days"])
    def test_whole_months_touch_alike(self, tmp_path, touch):
        assert values(tmp_path, {"touch": touch}, WHOLE_MONTHS, draw="2019-04-01", first=-2, last=2) == "0 1 1 0 0"

    def test_one_day_is_any_day(self, tmp_path):
        one_day = "start | stop\n 2019-04-30 | 2019-05-01"
        assert values(tmp_path, {}, one_day, draw="2019-04-01", first=-1, last=1) == "0 1 0"

    def test_a_spell_without_days_touches_nothing(self, tmp_path):
        no_day = "start | stop\n 2019-04-10 | 2019-04-10"
        assert values(tmp_path, {}, no_day, draw="2019-04-01", first=-1, last=1) == "0 0 0"

    def test_an_open_spell_lasts(self, tmp_path):
        open_spell = "start | stop\n 2019-10-31 | -"
        assert values(tmp_path, {"touch": "all_days"}, open_spell, draw="2019-10-01", first=0, last=2) == "0 1 1"

    def test_weeks_run_from_monday_to_sunday(self, tmp_path):
        # Drawn on Wednesday 8 May 2019; the spell is Sunday 12 and Monday 13 May.
        days = "start | stop\n 2019-05-12 | 2019-05-14"
        assert values(tmp_path, {}, days, draw="2019-05-08", first=-1, last=2, unit="week") == "0 1 1 0"

    def test_weeks_cross_new_year(self, tmp_path):
        # Sunday 3 January 2021 belongs to the week of Monday 28 December 2020.
        days = "start | stop\n 2020-12-28 | 2020-12-29"
        coverage = ("2020-01-01", "2021-12-31")
        got = values(tmp_path, {}, days, draw="2021-01-03", first=-1, last=1, unit="week", coverage=coverage)
        assert got == "0 1 0"


TWO_EMPLOYERS = """
    start      | stop       | employer_id | hours
    2019-04-01 | 2019-06-01 | a           | 20
    2019-04-20 | 2019-06-01 | a           | 15
    2019-05-01 | 2019-06-01 | b           | 7.50
"""


class TestHowSpellsCombine:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            #                                                                              Mar Apr  May
            ({"combine": "any"}, "                                                         0   1    1"),
            ({"combine": "count"}, "                                                       0   2    3"),
            ({"combine": "count", "within": {"key": "employer_id"}}, "                     0   1    2"),
            ({"combine": "sum", "value": "hours"}, "                                       0   35   42.5"),
            ({"combine": "sum", "value": "hours", "within": {"key": "employer_id"}}, "     0   20   27.5"),
            ({"combine": "max", "value": "hours"}, "                                       0   20   20"),
            (
                {"combine": "max", "value": "hours", "within": {"key": "employer_id", "combine": "sum"}},
                "                                                                          0   35   35",
            ),
        ],
    )
    def test_two_registrations_with_one_employer_and_one_with_another(self, tmp_path, state, expected):
        got = values(tmp_path, state, TWO_EMPLOYERS, draw="2019-04-01", first=-1, last=1)
        assert got == " ".join(expected.split())

    def test_conditions_hold_together(self, tmp_path):
        table = """
            start      | stop       | kind | hours
            2019-04-01 | 2019-05-01 | A    | 20
            2019-05-01 | 2019-06-01 | A    | 19.99
            2019-06-01 | 2019-07-01 | B    | 30
            2019-07-01 | 2019-08-01 | -    | 30
        """
        where = [{"column": "kind", "in": ["A"]}, {"column": "hours", "at_least": 20}]
        assert values(tmp_path, {"where": where}, table, draw="2019-04-01", first=0, last=3) == "1 0 0 0"
        # A missing code is none of those that are kept out, and still is not known to be another.
        where = [{"column": "kind", "not_in": ["A"]}]
        assert values(tmp_path, {"where": where}, table, draw="2019-04-01", first=0, last=3) == "0 0 1 0"

    def test_an_apostrophe_in_a_code_is_just_a_letter(self, tmp_path):
        table = "start | stop | kind\n 2019-04-01 | 2019-05-01 | O'Neil"
        where = [{"column": "kind", "in": ["O'Neil", "'; DROP TABLE periods; --"]}]
        assert values(tmp_path, {"where": where}, table, draw="2019-04-01", first=0, last=1) == "1 0"


class TestZeroAndMissing:
    def test_missing_where_the_register_does_not_cover_the_whole_month(self, tmp_path):
        got = values(tmp_path, {}, ONE_JOB, draw="2019-05-01", first=-3, last=2, coverage=("2019-03-02", "2019-06-29"))
        assert got == ". . 1 1 . ."

    def test_the_last_day_covered_is_included(self, tmp_path):
        got = values(tmp_path, {}, ONE_JOB, draw="2019-05-01", first=-3, last=2, coverage=("2019-03-01", "2019-06-30"))
        assert got == ". 1 1 1 0 ."

    def test_absent_says_what_nothing_is(self, tmp_path):
        state = {"combine": "max", "value": "hours", "absent": -1, "divide_by": 2}
        assert values(tmp_path, state, TWO_EMPLOYERS, draw="2019-04-01", first=-1, last=0) == "-1 10"

    def test_a_spell_whose_value_is_not_known_is_missing_not_absent(self, tmp_path):
        table = """
            start      | stop       | hours | kind
            2019-04-01 | 2019-05-01 | -     | A
            2019-05-01 | 2019-06-01 | -     | A
            2019-05-01 | 2019-06-01 | 10    | A
            2019-06-01 | 2019-07-01 | 10    | B
        """
        state = {"combine": "sum", "value": "hours"}
        assert values(tmp_path, state, table, draw="2019-04-01", first=-1, last=2) == "0 . 10 10"
        # The same beside a state with another condition, which shares the pass over the register.
        state = {"expression": "a_hours + 0 * b_hours"}
        more = {
            "a_hours": {"combine": "sum", "value": "hours", "where": [{"column": "kind", "in": ["A"]}]},
            "b_hours": {"combine": "sum", "value": "hours", "where": [{"column": "kind", "in": ["B"]}]},
        }
        assert values(tmp_path, state, table, draw="2019-04-01", first=-1, last=2, more=more) == "0 . 10 0"

    def test_a_derived_state_follows_three_valued_logic(self, tmp_path):
        more = {"hours": {"combine": "sum", "value": "hours"}, "any_job": {}}
        table = "start | stop | hours\n 2019-04-01 | 2019-05-01 | -"
        for expression, expected in {
            "any_job or hours > 5": "1 0",
            "any_job and hours > 5": ". 0",
            "hours + any_job": ". 0",
            "missing(hours) and any_job": "1 0",
        }.items():
            state = {"expression": expression}
            made = values(tmp_path, state, table, draw="2019-04-01", first=0, last=1, more=more)
            assert made == expected, expression


class TestUnits:
    def test_prices_follow_the_calendar_year_of_the_period(self, tmp_path):
        table = """
            start      | stop       | points
            2018-12-01 | 2019-01-01 | 80
            2019-01-01 | 2019-02-01 | 80
        """
        state = {"combine": "sum", "value": "points", "deflate": {"index": "cpi", "base_year": 2019}, "divide_by": 10}
        coverage = ("2018-01-01", "2019-12-31")
        assert values(tmp_path, state, table, draw="2018-12-31", first=0, last=2, coverage=coverage) == "10 8 0"

    def test_tenths_add_up_exactly(self, tmp_path):
        table = "start | stop | level\n" + "2019-04-01 | 2019-05-01 | 0.1\n" * 10
        state = {"expression": "total = 1"}
        more = {"total": {"combine": "sum", "value": "level"}}
        assert values(tmp_path, state, table, draw="2019-04-01", first=0, last=0, more=more) == "1"
