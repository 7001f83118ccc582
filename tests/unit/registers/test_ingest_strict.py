"""Deliveries that could be read in two ways: ids, dates and packed files are exact, or refused with their cause."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers.ingest import ingest
from refino_eval.registers.readers import archives, statistical_files, text_rows
from refino_eval.registers.readers.file_form import FileForm
from refino_eval.registers.readers.value_kinds import BLANKS

WHY = "a reason that is long enough"


def make_source(file: str, *, person: dict[str, Any] | None = None, **changes: Any) -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": WHY, **(person or {})},
        "start": {"from": "dag", "type": "date", "why": WHY, "date_format": changes.pop("date_format", "%Y-%m-%d")},
    }
    base = {
        "register": "people",
        "label": {"nb": "x", "en": "x"},
        "owner": "x",
        "temporality": "event",
        "files": [file],
    }
    return Source.model_validate(base | {"columns": columns} | changes)


def rows(folder: Path, source: Source) -> tuple[list[Any], list[Any]]:
    clean, rejects = folder / "out/clean.parquet", folder / "out/rejects.parquet"
    ingest(source, folder, codelists={}, clean_path=clean, rejects_path=rejects, threads=1)
    read = (f"SELECT * FROM '{clean}' ORDER BY source_row", f"SELECT source_row, rule, rule_column FROM '{rejects}'")
    return duckdb.sql(read[0]).fetchall(), duckdb.sql(read[1]).fetchall()


def problem(folder: Path, source: Source) -> str:
    with pytest.raises(UserError) as caught:
        rows(folder, source)
    return str(caught.value)


@pytest.mark.parametrize("blank", ["\u00a0", "\u2007", "\u200b", "\ufeff", " ", "\t", "\u3000"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_blanks_of_every_kind_are_stripped_from_ids(tmp_path: Path, blank: str, form: str) -> None:
    if form == "csv":
        (tmp_path / "f.csv").write_text(f"lopenr;dag\n{blank}0042{blank};2018-01-01\n", encoding="utf-8")
    else:
        table = {"lopenr": [f"{blank}0042{blank}"], "dag": [dt.date(2018, 1, 1)]}
        pq.write_table(pa.table(table), tmp_path / "f.parquet")
    clean, _ = rows(tmp_path, make_source(f"f.{form}", format=form))
    assert clean[0][0] == "0042"


def test_a_typed_file_loses_every_blank_at_either_end_and_none_inside(tmp_path: Path) -> None:
    texts = [
        text for blank in BLANKS for text in (f"{blank}å4", f"å4{blank}", f"å{blank}4", blank, f"{blank}å\n{blank}")
    ]
    table = {"lopenr": texts, "dag": [dt.date(2018, 1, 1)] * len(texts)}
    pq.write_table(pa.table(table), tmp_path / "f.parquet")
    clean, rejects = rows(tmp_path, make_source("f.parquet", format="parquet"))
    expected = [text.strip(BLANKS) for text in texts]
    assert [row[0] for row in clean] == [text for text in expected if text]
    assert [row[0] for row in rejects] == [number for number, text in enumerate(expected, start=1) if not text]


def test_latin_1_no_break_spaces_are_stripped(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"lopenr;dag\n\xa00042;2018-01-01\n")
    assert rows(tmp_path, make_source("f.csv", encoding="latin-1"))[0][0][0] == "0042"


@pytest.mark.parametrize(
    ("delivered", "form", "expected"),
    [
        ("42", {"width": 8, "digits": True}, "00000042"),
        ("00000042", {"width": 8, "digits": True}, "00000042"),
        ("100000042", {"width": 8, "digits": True}, None),
        ("42.0", {"width": 8, "digits": True}, None),
        ("4 2", {"width": 8, "digits": True}, None),
        ("A0000042", {"width": 8, "digits": True}, None),
        ("0042", {"digits": True}, "0042"),
        ("42.0", {"digits": True}, None),
        ("A42", {}, "A42"),
    ],
)
def test_ids_of_another_form_than_stated_are_rejected(tmp_path: Path, delivered: str, form: Any, expected: str) -> None:
    (tmp_path / "f.csv").write_text(f"lopenr;dag\n{delivered};2018-01-01\n", encoding="utf-8")
    clean, rejects = rows(tmp_path, make_source("f.csv", person=form))
    assert [row[0] for row in clean] == ([expected] if expected else [])
    assert rejects == ([] if expected else [(1, "bad_value", "person_id")])


def test_ids_in_a_stata_float_are_refused_above_its_exact_range(tmp_path: Path) -> None:
    day = pd.to_datetime(["2018-01-01", "2018-01-01"])
    for ids, exact in (([16_777_215.0, 7.0], True), ([16_777_217.0, 7.0], False)):
        pd.DataFrame({"lopenr": np.array(ids, dtype="float32"), "dag": day}).to_stata(
            tmp_path / "f.dta", write_index=False
        )
        source = make_source("f.dta", format="dta")
        if exact:
            assert [row[0] for row in rows(tmp_path, source)[0]] == ["16777215", "7"]
        else:
            assert "too large to be exact" in problem(tmp_path, source)


@pytest.mark.parametrize("form", ["%d.%m.%y", "%y%m%d", "%D"])
def test_years_of_two_digits_are_refused(tmp_path: Path, form: str) -> None:
    (tmp_path / "f.csv").write_text("lopenr;dag\n42;01.02.68\n", encoding="utf-8")
    text = problem(tmp_path, make_source("f.csv", date_format=form))
    assert "column start" in text
    assert "four digits" in text


@pytest.mark.parametrize(
    ("day", "is_clean"), [("1850-01-01", True), ("1768-01-01", False), ("2101-01-01", False), ("9999-12-31", False)]
)
def test_dates_that_cannot_be_are_rejected(tmp_path: Path, day: str, is_clean: bool) -> None:
    (tmp_path / "f.csv").write_text(f"lopenr;dag\n42;{day}\n", encoding="utf-8")
    clean, rejects = rows(tmp_path, make_source("f.csv"))
    assert (len(clean) == 1) == is_clean
    assert rejects == ([] if is_clean else [(1, "impossible_date", "start")])


def period_source(kind: str, **changes: Any) -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": WHY},
        "period": {"from": "dag", "type": kind, "why": WHY},
    }
    return make_source("f.dta", format="dta", temporality="accumulated", columns=columns, **changes)


@pytest.mark.parametrize(
    ("form", "value", "kind", "period"),
    [("%tm", 700.0, "month", 201805), ("%td", 21_305.0, "month", 201805), ("%td", 21_305.0, "year", 2018)],
)
def test_months_and_years_of_statistics_programs(
    tmp_path: Path, form: str, value: float, kind: str, period: int
) -> None:
    frame = pd.DataFrame({"lopenr": ["42"], "dag": [value]})
    pyreadstat.write_dta(frame, str(tmp_path / "f.dta"), variable_format={"dag": form})
    assert rows(tmp_path, period_source(kind))[0][0][3] == period


def test_months_where_days_are_needed_are_named(tmp_path: Path) -> None:
    pyreadstat.write_dta(
        pd.DataFrame({"lopenr": ["42"], "dag": [700.0]}), str(tmp_path / "f.dta"), variable_format={"dag": "%tm"}
    )
    text = problem(tmp_path, make_source("f.dta", format="dta"))
    assert "'dag' holds months since 1960" in text


@pytest.mark.parametrize("kind", [pa.timestamp("us", tz="UTC"), pa.duration("s"), pa.time32("s")])
def test_types_with_a_zone_or_a_hidden_unit_are_refused(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(
        pa.table(
            {
                "lopenr": ["42"],
                "dag": pa.array([1], pa.int32()).cast(pa.int64()).cast(kind)
                if kind != pa.time32("s")
                else pa.array([1], kind),
            }
        ),
        tmp_path / "f.parquet",
    )
    assert "holds values of type" in problem(tmp_path, make_source("f.parquet", format="parquet"))


def test_an_archive_made_to_fill_the_disk_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_UNPACKED_FREELY", 1 << 20)
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"lopenr;dag\n" + b"42;2018-01-01\n" * 300_000))
    assert "unpacks to more than 100 times its size" in problem(tmp_path, make_source("f.csv.gz"))


def test_a_file_of_line_feeds_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_rows, "_MANY_UNREADABLE", 1_000)
    (tmp_path / "f.csv").write_bytes(b"lopenr;dag\n" + b"\n" * 5_000)
    assert "lines cannot be split into the columns" in problem(tmp_path, make_source("f.csv"))


def test_a_parquet_file_that_promises_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_ROWS_FREELY", 1_000)
    count = 10_000_000
    table = pa.table(
        {
            "lopenr": pa.array(["42"] * 1, pa.string()).take(pa.array(np.zeros(count, dtype=np.int64))),
            "dag": pa.array(np.zeros(count, dtype=np.int32)).cast(pa.date32()),
        }
    )
    pq.write_table(table, tmp_path / "f.parquet", compression="zstd")
    assert "as no table does" in problem(tmp_path, make_source("f.parquet", format="parquet"))


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": [{"rule": "value_range", "column": "start", "low": float("nan")}]},
        {"rules": [{"rule": "value_range", "column": "start", "high": float("inf")}]},
        {"rules": [{"rule": "overlap", "keep": "merge", "gap": 10**12}]},
    ],
)
def test_numbers_that_no_rule_can_use_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rules"):
        make_source("f.csv", **changes)


@pytest.mark.parametrize("name", ["blanks", "island", "file_no", "broken"])
def test_names_that_the_program_uses_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "f.csv").write_text("lopenr;dag\n42;2018-01-01\n", encoding="utf-8")
    source = make_source("f.csv")
    columns = {key: column.model_dump(by_alias=True) for key, column in source.columns.items()}
    columns[name] = {"from": "dag", "type": "text", "why": WHY}
    assert f"'{name}'" in problem(tmp_path, make_source("f.csv", columns=columns))


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("MONYY7.", "days_1960"),
        ("MONYY", "days_1960"),
        ("YYMMN6.", "days_1960"),
        ("DATETIME20.", "seconds_1960"),
        ("BEST12.", None),
    ],
)
def test_date_formats_of_sas_are_counts_of_days_or_seconds(shown, kind):
    """A month written as MONYY is a day of that month, so that a column of type month is read from it."""
    found = next((kind for pattern, kind in statistical_files._COUNTS["sas7bdat"] if pattern.fullmatch(shown)), None)
    assert found == kind


def test_a_character_set_that_cannot_be_read_is_named_as_the_cause():
    form = FileForm("sas7bdat")
    message = statistical_files._library_message(form, Exception("File has an unsupported character set"))
    assert "character set that cannot be read" in message
    assert "Save it in UTF-8" in message
