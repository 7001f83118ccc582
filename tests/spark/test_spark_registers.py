"""Registers in a data lake: Spark cleans them by the same rules as files, and refuses what it cannot do alike."""

import datetime as dt
import random
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.errors import UserError
from refino_eval.registers.ingest import ingest
from refino_eval.registers.lake_limits import lake_problems
from refino_eval.registers.lake_registers import check_lake_columns, ingest_from_lake
from refino_eval.sql.spark_server import LOCAL, server_address
from support.builders import source

ROWS = 600
COLUMNS = {
    "person_id": {"type": "id", "width": 4, "digits": True},
    "start": {"type": "date", "date_format": "%d.%m.%Y"},
    "stop": {"type": "date", "date_format": "%d.%m.%Y"},
    "born": {"type": "date", "date_format": "excel"},
    "hours": "hundredths",
    "percent": "hundredths",
    "wage": "ore",
    "level": "number",
    "kind": {"type": "code", "width": 2},
    "points": "integer",
    "month": "month",
    "year": "year",
    "known": {"type": "date", "date_format": "%Y%m%d"},
}
RULES = [
    {"rule": "value_in", "column": "kind", "keep": ["01", "B"]},
    {"rule": "hours_from_percent", "column": "hours", "percent": "percent", "full_time_hours": 37.5},
    {"rule": "value_range", "column": "hours", "low": 0, "high": 60},
    {"rule": "cut_at", "column": "known"},
    {"rule": "duplicate_row"},
    {"rule": "stop_before_start"},
    {"rule": "future_date", "column": "start", "after": "2019-06-30"},
    {"rule": "outside_coverage"},
    {"rule": "value_range", "column": "level", "low": -10.5, "high": 1000},
]
SPELLS = source(
    "jobs", "spell", COLUMNS, files=["jobs.csv"], decimal=",", rules=RULES, coverage=("2018-01-01", "2020-12-31")
)


def random_texts(chance):
    """Return one delivered row: mostly valid values, and every way of being none."""
    day = dt.date(2017, 9, 1) + dt.timedelta(days=chance.randrange(800))
    later = day + dt.timedelta(days=chance.randint(-20, 400))

    def mostly(valid, *others):
        return valid if chance.random() < 0.9 else chance.choice(others)

    return {
        "person_id": mostly(f"{chance.randrange(60):04d}", "12345", "x1", "", " 7 ", "8"),
        "start": mostly(f"{day:%d.%m.%Y}", "31.02.2018", "1.2.2018", "2018-02-01", "01.02.18", ""),
        "stop": mostly(f"{later:%d.%m.%Y}", "31.12.9999", "", "01.01.1700"),
        "born": mostly(str(chance.randint(20_000, 40_000)), "60", "59", "0", "-4", "1e4", ""),
        "hours": mostly("37,5", "37,50", "0", "12", "-3", "99", "37,505", "1 234", ""),
        "percent": mostly("50", "33,33", "100", "", "0"),
        "wage": mostly(f"{chance.randrange(10**6)},{chance.randrange(100):02d}", "+5", "1.5", "99999999999999,99", ""),
        "level": mostly("1,25", "1e3", "-2E-3", "1e999", "0,1", "abc", "", "-77"),
        "kind": mostly("1", "01", "B", "C", "æ", ""),
        "points": mostly("5", "-5", "+7", "5,0", "1" * 19, ""),
        "month": mostly("201802", "201813", "2018", ""),
        "year": mostly("2018", "0018", "20181", ""),
        "known": mostly(f"{later + dt.timedelta(days=chance.randint(-30, 500)):%Y%m%d}", "20180231", "99991231", ""),
    }


@pytest.fixture(scope="module")
def texts():
    chance = random.Random(7)
    made = [random_texts(chance) for _ in range(ROWS)]
    # Rows that come again, some of them of people whose other rows are rejected.
    return made + made[: ROWS // 5]


def write_text(path, rows, *more):
    lines = [";".join(rows[0]), *(";".join(row.values()) for row in rows), *more]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path, rows):
    pq.write_table(pa.table({name: [row[name] or None for row in rows] for name in rows[0]}), path)


def rows_of(path):
    """Return the rows of a file, without blanks and without the names and numbers that say where they were delivered."""
    dropped = ("source_file", "source_row")
    rows = [{k: v for k, v in row.items() if k not in dropped} for row in pq.read_table(path).to_pylist()]
    return sorted(({k: (v.strip() or None) if isinstance(v, str) else v for k, v in row.items()} for row in rows), key=repr)  # fmt: skip


def cleaned(tmp_path, described, address, **more):
    """Clean a register as files and in the lake; return both reports and check that the rows are the same."""
    reports = []
    for name in ("files", "lake"):
        paths = {"clean_path": tmp_path / name / "clean.parquet", "rejects_path": tmp_path / name / "rejects.parquet"}
        options = {"codelists": {}, **more, **paths}
        if name == "files":
            reports.append(ingest(described, tmp_path, **options))
        else:
            in_lake = described.model_copy(update={"lake": f"file://{address}", **({"format": "parquet"} if address.suffix != ".csv" else {})})  # fmt: skip
            reports.append(ingest_from_lake(in_lake, **options))
    for kind in ("clean", "rejects"):
        one, other = (tmp_path / name / f"{kind}.parquet" for name in ("files", "lake"))
        assert [(field.name, field.type) for field in pq.read_schema(other)] == [(field.name, field.type) for field in pq.read_schema(one)]  # fmt: skip
        assert rows_of(other) == rows_of(one)
    return reports


def test_every_type_and_rule_gives_the_same_clean_rows_and_rejects(tmp_path, texts):
    write_text(tmp_path / "jobs.csv", texts)
    write_parquet(tmp_path / "jobs.parquet", texts)
    files, lake = cleaned(tmp_path, SPELLS, tmp_path / "jobs.parquet")
    assert (lake.delivered, lake.clean, lake.rejected, lake.people) == (
        files.delivered,
        files.clean,
        files.rejected,
        files.people,
    )
    assert lake.rules == files.rules
    assert lake.repairs == files.repairs
    assert {rule.rule for rule in lake.rules} >= {"bad_value", "missing_value", *(rule["rule"] for rule in RULES)} - {"hours_from_percent"}  # fmt: skip
    assert {repair.rule for repair in lake.repairs} == {"hours_from_percent", "cut_at"}
    order = [(row["person_id"], row["start"]) for row in pq.read_table(tmp_path / "lake" / "clean.parquet").to_pylist()]
    assert order == sorted(order)


def test_a_folder_of_typed_files_is_read_as_one_register(tmp_path):
    described = source(
        "wages", "accumulated", {"period": "month", "amount": "ore", "paid": "date", "rate": "number"}, files=["w.csv"]
    )
    rows = [
        {
            "person_id": f"p{n % 7}",
            "period": 201800 + n % 14,
            "amount": (Decimal(n - 40) / 4).quantize(Decimal("0.01")),
            "rate": n,
            "paid": dt.date(2018, 1, 1 + n % 28),
        }
        for n in range(90)
    ]
    write_text(tmp_path / "w.csv", [{name: str(value) for name, value in row.items()} for row in rows])
    (tmp_path / "parts").mkdir()
    for number in range(3):
        pq.write_table(pa.Table.from_pylist(rows[number::3]), tmp_path / "parts" / f"part-{number}.parquet")
    files, lake = cleaned(tmp_path, described, tmp_path / "parts")
    assert lake.rules == files.rules
    assert lake.clean > 50


@pytest.mark.skipif(server_address() == LOCAL, reason="the server inside the program is not used for text files")
def test_text_files_are_read_with_the_lines_that_have_too_few_fields(tmp_path, texts):
    write_text(tmp_path / "jobs.csv", texts[:50], "0001;01.02.2018", ";".join(["0001"] * 20))
    files, lake = cleaned_counts(tmp_path)
    assert lake.rules == files.rules


def cleaned_counts(tmp_path):
    made = []
    for name in ("files", "lake"):
        paths = {"clean_path": tmp_path / name / "c.parquet", "rejects_path": tmp_path / name / "r.parquet"}
        address = SPELLS.model_copy(update={"lake": f"file://{tmp_path}/jobs.csv"})
        made.append(ingest(SPELLS, tmp_path, codelists={}, **paths) if name == "files" else ingest_from_lake(address, codelists={}, **paths))  # fmt: skip
    assert rows_of(tmp_path / "lake" / "c.parquet") == rows_of(tmp_path / "files" / "c.parquet")
    return made


def test_columns_that_are_absent_or_of_another_type_are_reported_before_anything_is_read(tmp_path):
    pq.write_table(pa.table({"person_id": ["a"], "strat": ["x"], "stop": [1.5]}), tmp_path / "x.parquet")
    described = source(
        "jobs", "spell", {"start": "date", "stop": "date"}, format="parquet", lake=f"file://{tmp_path}/x.parquet"
    )
    with pytest.raises(UserError) as caught:
        check_lake_columns(described)
    absent, typed = caught.value.problems
    assert "has no column 'start'" in absent
    assert "Did you mean 'strat'" in absent
    assert "holds the column 'stop' as double" in typed


def test_what_spark_cannot_do_is_refused_before_the_run(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", LOCAL)
    rules = [{"rule": "superseded", "key": ["person_id"]}, {"rule": "overlap", "keep": "merge"}]
    spans = {"start": "date", "stop": "date"}
    described = source("jobs", "spell", spans, rules=rules, lake="s3a://lake/jobs", format="csv")
    problems = lake_problems({"jobs": described}, "spark")
    assert [word in problem for word, problem in zip(("superseded", "overlap", "too few or too many"), problems, strict=True)] == [True] * 3  # fmt: skip
    (fixed,) = lake_problems({"p": source("p", "fixed", {}, lake="s3a://lake/p", format="parquet")}, "spark")
    assert "one row a person" in fixed
    (format,) = lake_problems({"jobs": source("jobs", "spell", spans, lake="s3a://lake/p", format="dta")}, "spark")
    assert "format dta" in format
    (engine,) = lake_problems({"jobs": described}, "duckdb")
    assert "Set `engine: spark`" in engine
