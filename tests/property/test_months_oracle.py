"""Random registers: the engine's SQL against a slow, plain oracle that walks day by day, person by person."""

import datetime as dt
import itertools
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from refino_eval.config.definitions import Definitions
from refino_eval.months.engine import derive_panel
from support.builders import LABEL, source

EPOCH = dt.date(2019, 12, 1)
COVERED = (dt.date(2019, 12, 10), dt.date(2020, 5, 31))
CLOCK = {"month": (-2, 3), "week": (-4, 5)}
TYPES = {
    "kind": ("code", pa.string()),
    "employer_id": ("id", pa.string()),
    "hours": ("hundredths", pa.int64()),
    "amount": ("ore", pa.int64()),
    "points": ("integer", pa.int64()),
    "level": ("number", pa.float64()),
}
SCALE = {"hours": 100, "amount": 100, "points": 1, "level": 1}
WHERES = {
    "all": [],
    "a": [{"column": "kind", "in": ["A"]}],
    "not_a": [{"column": "kind", "not_in": ["A"]}],
    "long": [{"column": "hours", "at_least": 2.5}, {"column": "points", "at_most": 3}],
}


def every_state():
    """Every touch x within x combination, with conditions and values dealt out in turn."""
    withins = [None, {"key": "employer_id", "combine": "max"}, {"key": "employer_id", "combine": "sum"}]
    deal_values = itertools.cycle(("hours", "points", "level", "amount"))
    deal_wheres = itertools.cycle(WHERES)
    states = {}
    for touch in ("any_day", "start_of_period", "end_of_period", "all_days"):
        for within, combine in itertools.product(withins, ("any", "sum", "max", "count")):
            state = {"touch": touch, "combine": combine, "where": WHERES[next(deal_wheres)], "absent": 0.5}
            state |= {"within": within} if within else {}
            state |= {"value": next(deal_values), "divide_by": 4} if combine in ("sum", "max") else {}
            states[f"s{len(states)}"] = {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs", **state}
        next(deal_wheres)  # so that the next touch gets other conditions
    return states


STATES = every_state()
DEFINITIONS = Definitions.model_validate({"states": STATES})
SOURCE = source(
    "jobs",
    "spell",
    {"start": "date", "stop": "date", **{name: kind for name, (kind, _) in TYPES.items()}},
    coverage=COVERED,
)

days = st.integers(0, 200).map(lambda n: EPOCH + dt.timedelta(days=n))
spells = st.fixed_dictionaries(
    {
        "person_id": st.sampled_from(["p1", "p2", "p3", "outside the cohort"]),
        "start": days,
        "length": st.none() | st.integers(-3, 90),
        "kind": st.sampled_from(["A", "B", None]),
        "employer_id": st.sampled_from(["e1", "e2", None]),
        "hours": st.none() | st.integers(0, 600),
        "amount": st.none() | st.integers(-300, 300),
        "points": st.none() | st.integers(-5, 5),
        "level": st.none() | st.integers(-20, 20).map(lambda n: n / 8),
    }
)


def with_stop(spell):
    length = spell.pop("length")
    return {**spell, "stop": None if length is None else spell["start"] + dt.timedelta(days=length)}


registers = st.lists(spells.map(dict).map(with_stop), max_size=14)
cohorts = st.fixed_dictionaries({"p1": days, "p2": days, "p3": days})


def run_engine(register, cohort, unit, definitions=DEFINITIONS, source=SOURCE, buckets=None):
    """Return {(person, event time): {state: value}} from the engine."""
    first, last = CLOCK[unit]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        kinds = {"person_id": pa.string(), "start": pa.date32(), "stop": pa.date32()}
        kinds |= {name: kind for name, (_, kind) in TYPES.items()}
        arrays = {name: pa.array([spell[name] for spell in register], kind) for name, kind in kinds.items()}
        pq.write_table(pa.table(arrays), root / "jobs.parquet")
        people = {"person_id": list(cohort), "draw_date": pa.array(list(cohort.values()), pa.date32())}
        pq.write_table(pa.table(people), root / "cohort.parquet")
        derive_panel(
            definitions,
            {"jobs": source},
            {},
            clock_unit=unit,
            first=first,
            last=last,
            states=list(definitions.states),
            cohort_path=root / "cohort.parquet",
            clean_paths={"jobs": root / "jobs.parquet"},
            out_path=root / "panel.parquet",
            buckets=buckets,
        )
        rows = pq.read_table(root / "panel.parquet").to_pylist()
    return {(row.pop("person_id"), row.pop("event_time")): row for row in rows}


@cache
def days_of(draw, unit, event_time):
    """Collect the days of a period by looking at every day around the draw."""
    around = [draw + dt.timedelta(days=n) for n in range(-200, 201)]
    if unit == "month":
        return [day for day in around if (day.year - draw.year) * 12 + day.month - draw.month == event_time]
    weeks = {}
    number = 0
    for day in around:
        number += day.isoweekday() == 1
        weeks.setdefault(number, []).append(day)
    of_draw = next(number for number, week in weeks.items() if draw in week)
    return weeks[of_draw + event_time]


def holds(spell, condition):
    value = spell[condition["column"]]
    if value is None:
        return False
    if "in" in condition:
        return value in condition["in"]
    if "not_in" in condition:
        return value not in condition["not_in"]
    natural = Fraction(value) / SCALE[condition["column"]]
    return natural >= condition.get("at_least", -(10**9)) and natural <= condition.get("at_most", 10**9)


def touches(spell, period, touch):
    inside = [day >= spell["start"] and (spell["stop"] is None or day < spell["stop"]) for day in period]
    return {"any_day": any(inside), "start_of_period": inside[0], "end_of_period": inside[-1], "all_days": all(inside)}[
        touch
    ]


def combined(values, how):
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if how == "max" else sum(known)


def oracle(register, person, draw, unit, event_time, state):
    """Work out one state of one person in one period from first principles."""
    period = days_of(draw, unit, event_time)
    if any(day < COVERED[0] or day > COVERED[1] for day in period):
        return None
    found = [
        spell
        for spell in register
        if spell["person_id"] == person
        and all(holds(spell, condition) for condition in state["where"])
        and touches(spell, period, state["touch"])
    ]
    if not found:
        return state["absent"]
    within = state.get("within")
    units = {}
    for number, spell in enumerate(found):
        units.setdefault(spell[within["key"]] if within else number, []).append(spell)
    if state["combine"] == "any":
        return 1.0
    if state["combine"] == "count":
        return float(len(units))
    column = state["value"]
    scaled = [
        combined([None if spell[column] is None else Fraction(spell[column]) for spell in unit], within["combine"])
        if within
        else combined([None if spell[column] is None else Fraction(spell[column]) for spell in unit], "sum")
        for unit in units.values()
    ]
    total = combined(scaled, state["combine"])
    return None if total is None else float(total / SCALE[column]) / state["divide_by"]


def check(register, cohort, unit):
    panel = run_engine(register, cohort, unit)
    first, last = CLOCK[unit]
    assert list(panel) == [(person, time) for person in sorted(cohort) for time in range(first, last + 1)]
    for (person, time), row in panel.items():
        for name, state in STATES.items():
            expected = oracle(register, person, cohort[person], unit, time, state)
            assert row[name] == pytest.approx(expected, abs=1e-9), (person, time, name, state, cohort[person])


# Every example runs the engine on files; making a failing one smaller takes minutes, so that only the long runs do it.
QUICK = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
LONG = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("unit", ["month", "week"])
@QUICK
@given(register=registers, cohort=cohorts)
def test_every_touch_and_combination_agrees_with_the_oracle(unit, register, cohort):
    check(register, cohort, unit)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["month", "week"])
@LONG
@given(register=registers, cohort=cohorts)
def test_many_registers_agree_with_the_oracle(unit, register, cohort):
    check(register, cohort, unit)


@QUICK
@given(register=registers, cohort=cohorts, data=st.data())
def test_the_order_of_the_rows_and_the_buckets_do_not_matter(register, cohort, data):
    shuffled = data.draw(st.permutations(register))
    buckets = data.draw(st.integers(1, 4))
    assert run_engine(shuffled, cohort, "month", buckets=buckets) == run_engine(register, cohort, "month")


def chosen(keep):
    return Definitions.model_validate({"states": {name: state for name, state in STATES.items() if keep(state)}})


IDEMPOTENT = chosen(
    lambda state: (
        (state["combine"] in ("any", "max") or "within" in state)
        and (state.get("value") is None or state.get("within", {}).get("combine") != "sum")
    )
)


@QUICK
@given(register=registers, cohort=cohorts, data=st.data())
def test_rows_delivered_twice_count_once_where_the_largest_is_taken(register, cohort, data):
    again = [spell for spell in register if data.draw(st.booleans())]
    assert run_engine(register + again, cohort, "week", IDEMPOTENT) == run_engine(register, cohort, "week", IDEMPOTENT)


# A spell cut in two covers the same days; only `all_days` asks for them in one piece.
SPLITTABLE = chosen(lambda state: state["touch"] != "all_days")
POINTWISE = chosen(lambda state: state["touch"] in ("start_of_period", "end_of_period"))


def split(register, data):
    pieces = []
    for spell in register:
        stop = spell["stop"] or EPOCH + dt.timedelta(days=400)
        length = (stop - spell["start"]).days
        if length < 2 or not data.draw(st.booleans()):
            pieces.append(spell)
            continue
        middle = spell["start"] + dt.timedelta(days=data.draw(st.integers(1, length - 1)))
        pieces += [{**spell, "stop": middle}, {**spell, "start": middle}]
    return pieces


@QUICK
@given(register=registers, cohort=cohorts, data=st.data())
def test_a_spell_cut_in_two_is_the_same_spell(register, cohort, data):
    pieces = split(register, data)
    # On a single day one of the two pieces is there, whatever is combined.
    assert run_engine(pieces, cohort, "month", POINTWISE) == run_engine(register, cohort, "month", POINTWISE)
    # In a month both may be, and count once where the largest is taken.
    both = Definitions.model_validate(
        {"states": {n: STATES[n] for n in STATES if n in IDEMPOTENT.states and n in SPLITTABLE.states}}
    )
    assert run_engine(pieces, cohort, "month", both) == run_engine(register, cohort, "month", both)


def shifted(day, months):
    """Move a day by whole months; its day of the month exists in every month."""
    if day is None:
        return None
    index = day.year * 12 + day.month - 1 + months
    return dt.date(index // 12, index % 12 + 1, day.day)


@QUICK
@given(register=registers, cohort=cohorts, months=st.integers(-30, 30))
def test_moving_everything_by_whole_months_moves_nothing(register, cohort, months):
    def tame(day):
        return day and day.replace(day=min(day.day, 27))

    def moved(by):
        rows = [{**s, "start": shifted(tame(s["start"]), by), "stop": shifted(tame(s["stop"]), by)} for s in register]
        draws = {person: shifted(tame(day), by) for person, day in cohort.items()}
        coverage = {"first": shifted(COVERED[0], by), "last": shifted(COVERED[1].replace(day=27), by)}
        source = SOURCE.model_copy(update={"coverage": SOURCE.coverage.model_validate(coverage)})
        pointless = chosen(lambda state: state["touch"] in ("any_day", "start_of_period"))
        return run_engine(rows, draws, "month", pointless, source)

    assert moved(months) == moved(0)
