"""The engine Spark against DuckDB and the plain oracle: the same panels, byte for byte.

The server is the one inside the program (Sail), or the one that SPARK_REMOTE names: `on_real_spark.sh` starts a real
Spark and runs this folder again.
"""

import datetime as dt
import itertools
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.codes.prices import PriceIndex, load_indices
from refino_eval.config.definitions import Definitions
from refino_eval.config.load import load_configuration
from refino_eval.errors import UserError
from refino_eval.months import spark_panel
from refino_eval.months.engine import derive_panel, merge_panel
from refino_eval.months.state_oracle import PlainStates
from refino_eval.outcomes.examples import check_examples
from support.builders import LABEL, source

ROOT = Path(__file__).resolve().parents[2]
REGISTERS = 200
PEOPLE = 3
EPOCH = dt.date(2019, 12, 1)
CLOCK = {"month": (-2, 3), "week": (-4, 5)}
COVERAGE = ("2019-12-10", "2020-05-31")
SPANS = {"start": "date", "stop": "date"}
TYPES = {
    "jobs": {
        "start": pa.date32(), "stop": pa.date32(), "kind": pa.string(), "employer_id": pa.string(), "hours": pa.int64(),
        "amount": pa.int64(), "points": pa.int64(), "level": pa.float64(),
    },
    "persons": {"died": pa.date32()},
    "moves": {"start": pa.date32(), "stop": pa.date32(), "way": pa.string()},
}  # fmt: skip
SOURCES = {
    "jobs": source(
        "jobs", "spell",
        {**SPANS, "kind": "code", "employer_id": "id", "hours": "hundredths", "amount": "ore", "points": "integer", "level": "number"},
        coverage=COVERAGE,
    ),
    "persons": source("persons", "fixed", {"died": "date"}),
    "moves": source("moves", "event", {"start": "date", "way": "code"}),
}  # fmt: skip
PRICES = {"cpi": PriceIndex("cpi", {2019: 97.3, 2020: 101.1, 2023: 110.7})}
A = [{"column": "kind", "in": ["A"]}]
LONG = [{"column": "hours", "at_least": 2.5}, {"column": "points", "at_most": 3}]


def state(**keys):
    return {"label": LABEL, "description": "x", "unit": LABEL, **({} if "expression" in keys else {"register": "jobs"}), **keys}  # fmt: skip


def every_state():
    """Every touch x within x combination with conditions and values in turn, and every other form of a state."""
    withins = [None, {"key": "employer_id", "combine": "max"}, {"key": "employer_id", "combine": "sum"}]
    values = itertools.cycle(("hours", "points", "level", "amount"))
    wheres = itertools.cycle(([], A, [{"column": "kind", "not_in": ["A"]}], LONG, []))
    made = {}
    for touch in ("any_day", "start_of_period", "end_of_period", "all_days"):
        for within, combine in itertools.product(withins, ("any", "sum", "max", "count")):
            keys = {"touch": touch, "combine": combine, "where": next(wheres), "absent": 0.5}
            keys |= {"within": within} if within else {}
            keys |= {"value": next(values), "divide_by": 4} if combine in ("sum", "max") else {}
            made[f"s{len(made)}"] = state(**keys)
    death = {"register": "persons", "column": "died"}
    moved = {"register": "moves", "column": "start", "where": [{"column": "way", "in": ["out"]}]}
    return made | {
        "share": state(touch="share_of_days"),
        "share_of_a": state(touch="share_of_days", where=A, missing={"after_coverage": 0}),
        "main": state(combine="main_job", main={"by": "hours"}, value="points"),
        "main_is_a": state(combine="main_job", main={"by": "hours", "where": A}),
        "dead": state(missing={"after_death": {**death, "value": 0}, "before_coverage": 7}),
        "moved": state(combine="max", value="points", missing={"after_emigration": {**moved, "value": 9}}),
        "real": state(combine="sum", value="amount", deflate={"index": "cpi", "base_year": 2023}, divide_by=1000),
        "ratio": state(expression="main / (s3 - 1) + min(share, 0.5)"),
        "rounded": state(expression="round(real * 10) + floor(share * 7) - round(s1 / 2)"),
        "logic": state(expression="main_is_a and share > 0.5 or not (s2 >= 1) or main in [1, 2]"),
        "banded": state(expression="coalesce(real ** 0.5, abs(real) / 3, -1)"),
    }


STATES = every_state()
DEFINITIONS = Definitions.model_validate({"states": STATES})


def random_row(chance, register):
    """Return one row of a register; every value may be missing, and a spell may end before it starts."""
    start = EPOCH + dt.timedelta(days=chance.randrange(200))
    stop = None if chance.random() < 0.15 else start + dt.timedelta(days=chance.randint(-3, 90))
    if register == "persons":
        return {"died": start if chance.random() < 0.4 else None}
    if register == "moves":
        return {"start": start, "stop": start + dt.timedelta(days=1), "way": chance.choice(["in", "out"])}
    return {
        "start": start,
        "stop": stop,
        "kind": chance.choice(["A", "B", None]),
        "employer_id": chance.choice(["e1", "e2", None]),
        "hours": chance.choice([None, chance.randint(0, 600)]),
        "amount": chance.choice([None, chance.randint(-300_000, 300_000)]),
        "points": chance.choice([None, chance.randint(-5, 5)]),
        "level": chance.choice([None, chance.randint(-20, 20) / 8]),
    }


@pytest.fixture(scope="module")
def lives():
    """200 registers with three people each: draw date and rows by register of each person."""
    chance = random.Random(20180501)
    people = {}
    for number in range(REGISTERS):
        for person in range(PEOPLE):
            rows = {name: [random_row(chance, name) for _ in range(chance.randint(0, most))] for name, most in (("jobs", 6), ("persons", 1), ("moves", 2))}  # fmt: skip
            # Ids with quotes, backslashes and letters beyond ASCII are text like any other.
            people[f"{number:03d}'\\é{person}"] = (EPOCH + dt.timedelta(days=chance.randrange(200)), rows)
    return people


@pytest.fixture
def folder(lives, tmp_path):
    """The registers as clean files, with people outside the cohort in them."""
    for name, types in TYPES.items():
        rows = [{"person_id": person, **row} for person, (_, life) in lives.items() for row in life[name]]
        rows += [{**row, "person_id": "outside"} for row in rows[:5]]
        schema = pa.schema([("person_id", pa.string()), *types.items()])
        pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / name)
    draws = pa.array([draw for draw, _ in lives.values()], pa.date32())
    pq.write_table(pa.table({"person_id": list(lives), "draw_date": draws}), tmp_path / "cohort")
    return tmp_path


def panel(folder, engine, unit="month", out=None, *, states=tuple(STATES), **options):
    first, last = CLOCK[unit]
    path = folder / (out or engine)
    derive_panel(
        options.pop("definitions", DEFINITIONS),
        SOURCES,
        PRICES,
        clock_unit=unit,
        first=first,
        last=last,
        states=list(states),
        cohort_path=folder / "cohort",
        clean_paths={name: folder / name for name in SOURCES},
        out_path=path,
        engine=engine,
        **options,
    )
    return path


@pytest.mark.parametrize("unit", ["month", "week"])
def test_random_registers_give_the_same_bytes_and_the_oracles_values(folder, lives, unit, monkeypatch):
    # Buckets that end inside a register: rows are put together in order whatever file they come from.
    monkeypatch.setattr(spark_panel, "PEOPLE_A_BUCKET", 250)
    path = panel(folder, "spark", unit)
    assert path.read_bytes() == panel(folder, "duckdb", unit).read_bytes()
    plain = PlainStates(DEFINITIONS, SOURCES, PRICES, unit)
    # The oracle is slow: each person and period is asked for two states, every state for more than fifty of these.
    names = itertools.cycle(STATES)
    for row in pq.read_table(path).to_pylist():
        draw, life = lives[row["person_id"]]
        for name in itertools.islice(names, 2):
            expected = plain.value(name, life, draw=draw, event_time=row["event_time"])
            assert row[name] == pytest.approx(expected, abs=1e-9), (name, row["event_time"])


def test_parts_of_the_people_make_up_the_same_panel(folder):
    parts = [panel(folder, "spark", out=f"part_{number}", states=["real"], part=(number, 2)) for number in (1, 2)]
    merge_panel(
        DEFINITIONS, SOURCES, clock_unit="month", first=-2, last=3, states=["real"], part_paths=parts, out_path=folder / "merged"
    )  # fmt: skip
    assert (folder / "merged").read_bytes() == panel(folder, "duckdb", states=["real"]).read_bytes()


def test_a_cohort_without_people_gives_an_empty_panel(folder):
    pq.write_table(pq.read_table(folder / "cohort").slice(0, 0), folder / "cohort")
    assert (
        panel(folder, "spark", states=["share"]).read_bytes() == panel(folder, "duckdb", states=["share"]).read_bytes()
    )


def test_values_outside_a_range_are_reported_alike(folder):
    narrow = Definitions.model_validate({"states": {"narrow": state(combine="sum", value="points", range=[0, 3])}})
    messages = []
    for engine in ("duckdb", "spark"):
        with pytest.raises(UserError) as caught:
            panel(folder, engine, states=["narrow"], definitions=narrow)
        messages.append(str(caught.value))
        assert not (folder / engine).exists()
    assert "lie outside its range" in messages[0]
    assert messages[0] == messages[1]
    assert not list(folder.glob(".panel_*"))


def test_every_shipped_example_comes_out_as_written():
    configuration = load_configuration(ROOT, evaluation="refino")
    definitions = configuration.definitions
    prices = load_indices(definitions.states, ROOT / "config" / "codelists")
    assert check_examples(definitions, configuration.sources, prices, engine="spark") > 300
