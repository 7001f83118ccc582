"""The engine: what it writes, what it refuses, what it leaves alone."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.codes.prices import PriceIndex
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.months import engine
from refino_eval.months.engine import derive_panel, merge_panel
from refino_eval.months.panel_plan import plan_panel
from refino_eval.months.panel_sql import panel_sql
from refino_eval.sql.isolated_engine import isolated_engine
from support.builders import LABEL, source


def make_source(name, temporality, columns, coverage=("2015-01-01", "2022-12-31")):
    when = {"period": "month"} if temporality == "accumulated" else {"start": "date", "stop": "date"}
    return source(name, temporality, when | columns, coverage=coverage)


SOURCES = {
    "jobs": make_source(
        "jobs", "spell", {"employer_id": "id", "hours": "hundredths", "code": "code", "from": "integer"}
    ),
    "wages": make_source("wages", "accumulated", {"amount": "ore"}),
    "uncovered": make_source("uncovered", "spell", {}, coverage=None),
}
PRICES = {"cpi": PriceIndex("cpi", {2018: 50, 2019: 100})}


def definitions(**states):
    common = {"label": LABEL, "description": "x", "unit": LABEL}
    return Definitions.model_validate({"states": {name: {**common, **state} for name, state in states.items()}})


JOBS = definitions(
    hours={"register": "jobs", "value": "hours", "combine": "sum", "within": {"key": "employer_id"}, "range": [0, 168]},
    main={"register": "jobs", "value": "hours", "combine": "max"},
    employed={"register": "jobs"},
    wage={"register": "wages", "value": "amount", "combine": "sum"},
    half={"expression": "main >= 18.75"},
    quarter={"expression": "half or main >= 9"},
    order={"register": "jobs", "value": "from", "combine": "max"},
)


@pytest.fixture
def folder(tmp_path):
    people = [f"{n:03d}" for n in range(40)]
    draws = [dt.date(2019, 1 + n % 12, 1 + n % 28) for n in range(40)]
    pq.write_table(
        pa.table({"person_id": people[::-1], "draw_date": pa.array(draws, pa.date32())}), tmp_path / "cohort"
    )
    number = range(200)
    jobs = {
        "person_id": [f"{n % 50:03d}" for n in number],
        "start": pa.array([dt.date(2018 + n % 3, 1 + n % 12, 1 + n % 28) for n in number], pa.date32()),
        "stop": pa.array([None if n % 7 == 0 else dt.date(2019 + n % 3, 1 + n % 12, 28) for n in number], pa.date32()),
        "employer_id": [f"e{n % 3}" for n in number],
        "hours": pa.array([n * 7 % 4000 for n in number], pa.int64()),
        "code": ["A"] * 200,
        "from": pa.array(list(number), pa.int64()),
        "never_listed": ["secret"] * 200,
    }
    pq.write_table(pa.table(jobs), tmp_path / "jobs")
    months = [dt.date(2018 + n % 3, 1 + n % 12, 1) for n in number]
    wages = {
        "person_id": jobs["person_id"],
        "start": pa.array(months, pa.date32()),
        "stop": pa.array([(day + dt.timedelta(days=31)).replace(day=1) for day in months], pa.date32()),
        "amount": pa.array([n * 100 for n in number], pa.int64()),
    }
    pq.write_table(pa.table(wages), tmp_path / "wages")
    return tmp_path


def run(folder, states, *, definitions=JOBS, out="panel", **options):
    report = derive_panel(
        definitions,
        SOURCES,
        PRICES,
        clock_unit=options.pop("unit", "month"),
        first=options.pop("first", -3),
        last=options.pop("last", 3),
        states=states,
        cohort_path=folder / "cohort",
        clean_paths={"jobs": folder / "jobs", "wages": folder / "wages"},
        out_path=folder / out,
        **options,
    )
    return report, pq.read_table(folder / out)


def test_only_what_was_asked_for_becomes_columns(folder):
    report, panel = run(folder, ["quarter", "employed"])
    assert panel.column_names == ["person_id", "event_time", "quarter", "employed"]
    assert [field.type for field in panel.schema] == [pa.string(), pa.int32(), pa.float64(), pa.float64()]
    assert (report.people, report.rows, report.states) == (40, 280, ("quarter", "employed"))


def test_every_person_and_period_in_order(folder):
    _, panel = run(folder, ["hours"])
    keys = list(zip(panel["person_id"].to_pylist(), panel["event_time"].to_pylist(), strict=True))
    assert keys == [(f"{person:03d}", time) for person in range(40) for time in range(-3, 4)]


def test_states_do_not_depend_on_what_else_is_asked_for(folder):
    _, together = run(folder, list(JOBS.states))
    for state in JOBS.states:
        _, alone = run(folder, [state], out="alone")
        assert alone[state].equals(together[state]), state


def test_same_bytes_on_one_and_two_threads_and_again(folder):
    written = []
    for threads in (1, 2, 2):
        run(folder, list(JOBS.states), threads=threads, buckets=3)
        written.append((folder / "panel").read_bytes())
    assert written[0] == written[1] == written[2]


def test_buckets_change_nothing(folder):
    _, whole = run(folder, list(JOBS.states))
    for buckets in (2, 7, 100):
        report, parts = run(folder, list(JOBS.states), buckets=buckets)
        assert parts.equals(whole)
        assert report.buckets == min(buckets, 40)


def merged(folder, states, parts, **options):
    paths = [folder / f"part_{number}" for number in range(1, parts + 1)]
    for number, path in enumerate(paths, start=1):
        run(folder, states, out=path.name, part=(number, parts), **options)
    return merge_panel(
        JOBS, SOURCES, clock_unit="month", first=-3, last=options.get("last", 3), states=states, part_paths=paths,
        out_path=folder / "merged",
    )  # fmt: skip


def test_the_file_depends_neither_on_buckets_nor_on_parts(folder, monkeypatch):
    # Row groups of 33 rows end inside people, buckets and parts.
    monkeypatch.setattr(engine, "ROW_GROUP", 33)
    whole, _ = run(folder, list(JOBS.states))
    written = (folder / "panel").read_bytes()
    run(folder, list(JOBS.states), buckets=7)
    assert (folder / "panel").read_bytes() == written
    for parts in (1, 3, 20, 41):  # with 41 parts for 40 people, one is empty
        report = merged(folder, list(JOBS.states), parts, buckets=2)
        assert (folder / "merged").read_bytes() == written, parts
        assert (report.people, report.rows, report.sql) == (whole.people, whole.rows, whole.sql)


def test_values_outside_a_range_are_counted_over_all_parts(folder):
    jobs = pq.read_table(folder / "jobs")
    hours = pa.array([99999] * 200, pa.int64())
    pq.write_table(jobs.set_column(jobs.column_names.index("hours"), "hours", hours), folder / "jobs")
    with pytest.raises(UserError) as whole:
        run(folder, ["hours"])
    with pytest.raises(UserError) as parts:
        merged(folder, ["hours"], 3)
    assert str(parts.value) == str(whole.value)
    assert not (folder / "merged").exists()


def test_large_cohorts_are_cut_by_themselves(folder, monkeypatch):
    monkeypatch.setattr(engine, "BUCKETS_ABOVE", 39)
    monkeypatch.setattr(engine, "PEOPLE_A_BUCKET", 15)
    assert run(folder, ["hours"])[0].buckets == 3


def test_registers_without_rows_give_zeros(folder):
    for name in ("jobs", "wages"):
        pq.write_table(pq.read_table(folder / name).slice(0, 0), folder / name)
    _, panel = run(folder, ["hours", "wage", "half"])
    assert {v for state in ("hours", "wage", "half") for v in panel[state].to_pylist()} == {0.0}


def test_a_cohort_without_people_gives_a_panel_without_rows(folder):
    pq.write_table(pq.read_table(folder / "cohort").slice(0, 0), folder / "cohort")
    report, panel = run(folder, ["hours"])
    assert (report.rows, panel.num_rows, panel.column_names) == (0, 0, ["person_id", "event_time", "hours"])


def test_two_draws_of_a_person_are_not_a_cohort(folder):
    cohort = pq.read_table(folder / "cohort")
    pq.write_table(pa.concat_tables([cohort, cohort.slice(0, 1)]), folder / "cohort")
    with pytest.raises(ValueError, match="41 rows, 40 people"):
        run(folder, ["hours"])


def test_a_value_outside_its_range_is_reported_and_leaves_the_old_panel(folder):
    run(folder, ["main"])
    before = (folder / "panel").read_bytes()
    jobs = pq.read_table(folder / "jobs")
    hours = pa.array([99999] + [100] * 199, pa.int64())
    pq.write_table(jobs.set_column(jobs.column_names.index("hours"), "hours", hours), folder / "jobs")
    with pytest.raises(UserError) as fault:
        run(folder, ["hours"], buckets=2, last=30)
    assert "State 'hours'" in str(fault.value)
    assert "outside its range 0 to 168" in str(fault.value)
    assert "34 person-months" in str(fault.value)
    assert "largest 1001.99" in str(fault.value)
    assert (folder / "panel").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["cohort", "jobs", "panel", "wages"]


def test_the_engine_reads_its_registers_and_nothing_else(folder):
    (folder / "other.csv").write_text("a\n1\n")
    with isolated_engine([folder / "spill"], files=[folder / "jobs"], memory_limit="500MB") as connection:
        assert connection.sql(f"SELECT COUNT(*) FROM read_parquet('{folder / 'jobs'}')").fetchall() == [(200,)]
        for query in (
            f"SELECT * FROM read_csv('{folder / 'other.csv'}')",
            f"COPY (SELECT 1) TO '{folder / 'out.csv'}'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(Exception, match=r"(?i)permission|cannot|disabled|locked"):
                connection.execute(query)


def test_columns_that_no_state_needs_are_not_read(folder):
    plan = plan_panel(JOBS, SOURCES, unit="month", first=0, last=1, states=["employed"])
    assert plan.columns("jobs") == ("person_id", "start", "stop")


def test_states_of_one_register_share_one_pass(folder):
    plan = plan_panel(JOBS, SOURCES, unit="month", first=0, last=1, states=list(JOBS.states))
    text = panel_sql(plan)
    assert text.count("FROM register_jobs AS s") == 1
    assert text.count("FROM register_wages AS s") == 1


def test_amounts_of_a_month_are_joined_by_the_month_itself():
    """A range join would try every month of the clock for every month of wages: it gives the same, much later."""
    plan = plan_panel(JOBS, SOURCES, unit="month", first=0, last=1, states=["wage"])
    assert "AND s.start = periods.period_start\n" in panel_sql(plan)


def test_the_text_has_no_date_functions_and_says_the_coverage(folder):
    report, _ = run(folder, list(JOBS.states))
    assert "DATE '2015-01-01'" in report.sql
    assert "DATE '2023-01-01'" in report.sql
    for word in ("date_trunc", "interval", "unnest", "generate_series", "list_", "range("):
        assert word not in report.sql.lower()


def plan(states, unit="month", **given):
    return plan_panel(definitions(**given), SOURCES, unit=unit, first=0, last=1, states=states)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (
            {"register": "job"},
            "the register 'job' is not among the sources that the evaluation reads. Did you mean 'jobs'?",
        ),
        ({"register": "uncovered"}, "does not say which period it covers"),
        ({"register": "jobs", "value": "hour", "combine": "sum"}, "lists no column 'hour'. Did you mean 'hours'?"),
        ({"register": "jobs", "value": "code", "combine": "sum"}, "is of type code"),
        ({"register": "jobs", "within": {"key": "employer"}}, "Did you mean 'employer_id'?"),
        ({"register": "jobs", "where": [{"column": "code", "in": [310]}]}, "must be written in quotes"),
        ({"register": "jobs", "where": [{"column": "code", "at_least": 3}]}, "compare numbers"),
        ({"expression": "x + 1"}, "'x' needs itself: x -> x"),
        ({"expression": "y > 1"}, "there is no state 'y'"),
    ],
)
def test_faults_of_a_state(state, told):
    with pytest.raises(UserError) as fault:
        plan(["x"], x=state)
    assert told in str(fault.value)


def test_all_faults_at_once():
    with pytest.raises(UserError) as fault:
        plan(["x", "y"], x={"register": "job"}, y={"register": "uncovered", "value": "no", "combine": "max"})
    assert len(fault.value.problems) == 3


def test_unknown_states_and_names_that_are_taken():
    with pytest.raises(UserError) as fault:
        plan(["hous", "event_time"], hours={"register": "jobs"}, event_time={"register": "jobs"})
    assert "There is no state 'hous'. Did you mean 'hours'?" in fault.value.problems[0]
    assert "No state can be called 'event_time'" in fault.value.problems[1]


def test_a_circle_is_reported_step_by_step():
    circle = {"a": {"expression": "b > 1"}, "b": {"expression": "c > 1"}, "c": {"expression": "a > 1"}}
    with pytest.raises(UserError, match="a -> b -> c -> a"):
        plan(["a"], **circle)


def test_amounts_of_a_month_have_no_weeks():
    with pytest.raises(UserError, match="say nothing about a single week"):
        plan(["x"], unit="week", x={"register": "wages", "value": "amount", "combine": "sum"})
    assert plan(["x"], unit="week", x={"register": "wages"}).groups[0].by_month is False


def test_a_price_that_the_index_lacks_is_reported_only_where_it_is_needed(folder):
    wage = {"register": "wages", "value": "amount", "combine": "sum", "deflate": {"index": "cpi", "base_year": 2019}}
    with pytest.raises(UserError, match=r"lacks the year\(s\) 2020"):
        run(folder, ["x"], definitions=definitions(x=wage), last=3)
    cohort = {"person_id": ["1"], "draw_date": pa.array([dt.date(2019, 6, 1)], pa.date32())}
    pq.write_table(pa.table(cohort), folder / "cohort")
    assert run(folder, ["x"], definitions=definitions(x=wage))[1].num_rows == 7
    wage["deflate"]["index"] = "cpy"
    with pytest.raises(UserError, match=r"no price index 'cpy'\. Did you mean 'cpi'"):
        run(folder, ["x"], definitions=definitions(x=wage))


def test_registers_that_were_not_ingested_and_other_engines(folder):
    with pytest.raises(UserError, match="'uncovered', which has not been ingested"):
        derive_panel(
            definitions(x={"register": "uncovered"}),
            {"uncovered": make_source("uncovered", "spell", {})},
            {},
            clock_unit="month",
            first=0,
            last=1,
            states=["x"],
            cohort_path=folder / "cohort",
            clean_paths={},
            out_path=folder / "panel",
        )
    with pytest.raises(UserError, match="no engine 'sparc'"):
        run(folder, ["hours"], engine="sparc")


@pytest.mark.parametrize("rows", [[0, 1, 2], [0, 1, 2, 3, 3], [0, 2, 1, 3], [0, 1, 3, 2], [2, 3, 0, 1]])
def test_rows_that_an_engine_loses_doubles_or_moves_stop_the_panel(rows):
    plan = plan_panel(JOBS, SOURCES, unit="month", first=-1, last=0, states=["employed"])
    integers = {"person_no": [1, 1, 2, 2], "event_time": [-1, 0, -1, 0]}
    made = pa.table({name: pa.array(values, pa.int32()) for name, values in integers.items()})
    assert sum(table.num_rows for table in engine._complete(iter([made]), plan, people=2)) == 4
    with pytest.raises(RuntimeError, match="once at every event time"):
        list(engine._complete(iter([made.take(rows)]), plan, people=2))


def test_ids_of_the_panel_are_text(folder):
    run(folder, ["employed"])
    assert pq.read_schema(folder / "panel").field("person_id").type == pa.string()
