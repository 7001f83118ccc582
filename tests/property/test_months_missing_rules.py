"""Random registers: shares of days, main jobs and every rule for missing values, engine against the plain oracle."""

import datetime as dt
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from refino_eval.config.definitions import Definitions
from refino_eval.months.engine import derive_panel
from refino_eval.months.state_oracle import PlainStates
from support.builders import LABEL, source

EPOCH = dt.date(2019, 12, 1)
CLOCK = {"month": (-2, 3), "week": (-4, 5)}
KINDS = {"kind": pa.string(), "hours": pa.int64(), "points": pa.int64(), "employer_id": pa.string()}


SPANS = {"start": "date", "stop": "date"}
SOURCES = {
    "jobs": source(
        "jobs", "spell", {**SPANS, "kind": "text", "hours": "hundredths", "points": "integer", "employer_id": "id"},
        coverage={"first": "2019-12-10", "last": "2020-05-31"},
    ),
    "persons": source("persons", "fixed", {"died": "date", "grade": "integer"}),
    "moves": source("moves", "event", {"start": "date", "way": "text"}),
}  # fmt: skip


def spell(**more):
    return {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs", **more}


DEATH = {"register": "persons", "column": "died"}
MOVED = {"register": "moves", "column": "start", "where": [{"column": "way", "in": ["out"]}]}
A = [{"column": "kind", "in": ["A"]}]
STATES = {
    "share": spell(touch="share_of_days"),
    "share_of_a": spell(touch="share_of_days", where=A, absent=0.25),
    "share_long": spell(touch="share_of_days", where=[{"column": "hours", "at_least": 2.5}], missing={"after_coverage": 0}),
    "main_points": spell(combine="main_job", main={"by": "hours"}, value="points"),
    "main_hours_of_a": spell(combine="main_job", main={"by": "points"}, value="hours", where=A, divide_by=2, absent=-1),
    "main_is_a": spell(combine="main_job", main={"by": "hours", "where": A}),
    "main_at_end": spell(combine="main_job", touch="end_of_period", main={"by": "hours", "where": [{"column": "points", "at_most": 1}]}),
    "before": spell(missing={"before_coverage": 7}),
    "after": spell(combine="count", missing={"after_coverage": 3.5}),
    "both": spell(combine="sum", value="hours", missing={"before_coverage": 0, "after_coverage": -1}),
    "dead": spell(missing={"after_death": {**DEATH, "value": 0}}),
    "dead_missing": spell(missing={"after_death": DEATH, "after_coverage": 0}),
    "moved": spell(combine="max", value="points", missing={"after_emigration": {**MOVED, "value": 9}}),
    "moved_missing": spell(missing={"after_emigration": MOVED, "after_death": {**DEATH, "value": 0}, "before_coverage": 1}),
    "dead_share": spell(touch="share_of_days", missing={"after_death": {**DEATH, "value": 0}}),
    "good_main": {"label": LABEL, "description": "x", "unit": LABEL, "expression": "main_is_a and share > 0.5"},
    "ratio": {"label": LABEL, "description": "x", "unit": LABEL, "expression": "main_points / (after - 1) + min(share, 0.5)"},
}  # fmt: skip
DEFINITIONS = Definitions.model_validate({"states": STATES})

PEOPLE = ("p1", "p2", "p3")
days = st.integers(0, 200).map(lambda n: EPOCH + dt.timedelta(days=n))


def with_stop(row):
    length = row.pop("length")
    return {**row, "stop": None if length is None else row["start"] + dt.timedelta(days=length)}


spells = st.fixed_dictionaries(
    {
        "person_id": st.sampled_from(PEOPLE),
        "start": days,
        "length": st.none() | st.integers(-3, 60),
        "kind": st.sampled_from(["A", "B", None]),
        "employer_id": st.sampled_from(["e1", "e2", None]),
        "hours": st.none() | st.sampled_from([100, 250, 251, 300]),
        "points": st.none() | st.integers(0, 2),
    }
).map(with_stop)
lives = st.fixed_dictionaries(
    {
        "jobs": st.lists(spells, max_size=14),
        "persons": st.lists(
            st.fixed_dictionaries({"person_id": st.sampled_from(PEOPLE), "died": st.none() | days}), max_size=4
        ),
        "moves": st.lists(
            st.fixed_dictionaries(
                {"person_id": st.sampled_from(PEOPLE), "start": days, "way": st.sampled_from(["in", "out"])}
            ),
            max_size=4,
        ),
    }
)
cohorts = st.fixed_dictionaries({person: days for person in PEOPLE})

SCHEMAS = {
    "jobs": {"person_id": pa.string(), "start": pa.date32(), "stop": pa.date32(), **KINDS},
    "persons": {"person_id": pa.string(), "died": pa.date32()},
    "moves": {"person_id": pa.string(), "start": pa.date32(), "way": pa.string()},
}


def run_engine(life, cohort, unit, **more):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, schema in SCHEMAS.items():
            arrays = {column: pa.array([row[column] for row in life[name]], kind) for column, kind in schema.items()}
            pq.write_table(pa.table(arrays), root / f"{name}.parquet")
        people = {"person_id": list(cohort), "draw_date": pa.array(list(cohort.values()), pa.date32())}
        pq.write_table(pa.table(people), root / "cohort.parquet")
        first, last = CLOCK[unit]
        derive_panel(
            DEFINITIONS, SOURCES, {}, clock_unit=unit, first=first, last=last, states=list(STATES),
            cohort_path=root / "cohort.parquet", clean_paths={name: root / f"{name}.parquet" for name in SCHEMAS},
            out_path=root / "panel.parquet", **more,
        )  # fmt: skip
        rows = pq.read_table(root / "panel.parquet").to_pylist()
    return {(row.pop("person_id"), row.pop("event_time")): row for row in rows}


def check(life, cohort, unit):
    plain = PlainStates(DEFINITIONS, SOURCES, {}, unit)
    for (person, time), row in run_engine(life, cohort, unit).items():
        own = {name: [each for each in rows if each["person_id"] == person] for name, rows in life.items()}
        for name in STATES:
            expected = plain.value(name, own, draw=cohort[person], event_time=time)
            assert row[name] == pytest.approx(expected, abs=1e-9), (person, time, name)


QUICK = settings(
    max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.parametrize("unit", ["month", "week"])
@QUICK
@given(life=lives, cohort=cohorts)
def test_engine_and_oracle_agree(unit, life, cohort):
    check(life, cohort, unit)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["month", "week"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(life=lives, cohort=cohorts)
def test_engine_and_oracle_agree_on_many(unit, life, cohort):
    check(life, cohort, unit)


@QUICK
@given(life=lives, cohort=cohorts, data=st.data())
def test_order_and_buckets_do_not_matter(life, cohort, data):
    shuffled = {name: data.draw(st.permutations(rows)) for name, rows in life.items()}
    assert run_engine(shuffled, cohort, "month", buckets=2) == run_engine(life, cohort, "month")


@QUICK
@given(life=lives, cohort=cohorts)
def test_a_day_delivered_twice_is_one_day(life, cohort):
    twice = {**life, "jobs": life["jobs"] * 2}
    once, again = run_engine(life, cohort, "month"), run_engine(twice, cohort, "month")
    for key, row in once.items():
        for name in ("share", "share_of_a", "share_long", "dead_share", "main_points", "main_is_a"):
            assert again[key][name] == row[name]
