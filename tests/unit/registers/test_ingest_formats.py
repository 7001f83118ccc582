"""Formats: one small register delivered in every form there is must give the same clean rows, to the cell."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers.ingest import ingest
from refino_eval.registers.readers import statistical_files, text_rows

DAY = dt.date
ROWS = [
    ("00000042", "Ærlig talt", DAY(2018, 1, 31), DAY(2018, 2, 28), 3750),
    ("00100312", "b;c", DAY(1967, 5, 1), None, 1875),
    ("99999999", None, DAY(2020, 2, 29), DAY(2022, 12, 31), None),
]
CLEAN = [
    (person, day, last + dt.timedelta(days=1) if last else None, name, hours, number)
    for number, (person, name, day, last, hours) in enumerate(ROWS, 1)
]


def make_source(file: str, **changes: Any) -> Source:
    form = changes.pop("date_format", "%Y-%m-%d")
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "width": 8, "why": "links the registers"},
        "name": {"from": "navn", "type": "text", "why": "a text with letters"},
        "start": {"from": "fra", "type": "date", "date_format": form, "why": "the first day"},
        "stop": {"from": "til", "type": "date", "date_format": form, "why": "the last day"},
        "hours": {"from": "timer", "type": "hundredths", "why": "hours in a week"},
    }
    base = {"register": "people", "label": {"nb": "folk", "en": "people"}, "owner": "nobody", "temporality": "spell"}
    return Source.model_validate(base | {"files": [file], "columns": columns, "rules": []} | changes)


def take_in(folder: Path, source: Source) -> tuple[list[Any], list[Any]]:
    paths = {"clean_path": folder / "out" / "c.parquet", "rejects_path": folder / "out" / "r.parquet"}
    report = ingest(source, folder, codelists={}, threads=1, **paths)
    query = "SELECT person_id, start, stop, name, hours, source_row FROM '{}' ORDER BY source_row"
    clean = duckdb.sql(query.format(paths["clean_path"])).fetchall()
    rejects = duckdb.sql(f"SELECT * FROM '{paths['rejects_path']}'").fetchall()
    assert report.delivered == len(clean) + len(rejects)
    return clean, rejects


def as_text(delimiter: str, decimal: str, form: str, *, quoted: bool = False, newline: str = "\n") -> str:
    def cell(value: Any) -> str:
        shown = "" if value is None else value.strftime(form) if isinstance(value, DAY) else str(value)
        return '"' + shown.replace('"', '""') + '"' if quoted or delimiter in shown else shown

    lines = [delimiter.join(["lopenr", "navn", "fra", "til", "timer"])]
    for person, name, day, last, hours in ROWS:
        shown = None if hours is None else f"{hours / 100:.2f}".replace(".", decimal)
        lines.append(delimiter.join(cell(value) for value in (person, name, day, last, shown)))
    return newline.join([*lines, ""])


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize(("delimiter", "decimal"), [(";", ","), (",", "."), ("\t", ","), ("|", ".")])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"])
@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
def test_text_forms(tmp_path: Path, encoding: str, delimiter: str, decimal: str, form: str, packed: str) -> None:
    content = as_text(delimiter, decimal, form, quoted=packed == ".gz", newline="\r\n" if packed else "\n").encode(
        encoding
    )
    path = tmp_path / f"folk.csv{packed}"
    if packed == ".gz":
        path.write_bytes(gzip.compress(content, mtime=0))
    elif packed == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside/folk.csv", content)
            archive.writestr("__MACOSX/folk.csv", b"x")
    else:
        path.write_bytes(content)
    options = {"encoding": encoding.removesuffix("-sig"), "delimiter": delimiter, "decimal": decimal}
    assert take_in(tmp_path, make_source(path.name, date_format=form, **options)) == (CLEAN, [])


def frame() -> pd.DataFrame:
    """Return the rows as a statistics program holds them: ids and hours as doubles, dates as dates."""
    persons, names, days, lasts, hours = zip(*ROWS, strict=True)
    numbers = [np.nan if each is None else each / 100 for each in hours]
    return pd.DataFrame(
        {
            "lopenr": [float(each) for each in persons],
            "navn": [each or "" for each in names],
            "fra": pd.Series(list(days), dtype=object),
            "til": pd.Series(list(lasts), dtype=object),
            "timer": numbers,
        }
    )


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "sas", "stata", "excel"])
@pytest.mark.parametrize(("suffix", "write"), [("dta", pyreadstat.write_dta), ("sav", pyreadstat.write_sav)])
def test_statistics_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, write: Any, form: str, piece: int
) -> None:
    monkeypatch.setattr(statistical_files, "_PIECE", piece)
    write(frame(), str(tmp_path / f"folk.{suffix}"))
    source = make_source(f"folk.{suffix}", format=suffix, date_format=form)
    assert take_in(tmp_path, source) == (CLEAN, [])


def test_sas_by_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No free program writes sas7bdat: the library's reader is replaced by one that answers as it does for such a file.
    origin = DAY(1960, 1, 1)
    columns = {
        "lopenr": [float(row[0]) for row in ROWS],
        "navn": [row[1] or "" for row in ROWS],
        "fra": [float((row[2] - origin).days) for row in ROWS],
        "til": [None if row[3] is None else (row[3] - origin).days * 86_400.0 for row in ROWS],
        "timer": [None if row[4] is None else row[4] / 100 for row in ROWS],
    }
    meta = SimpleNamespace(
        column_names=list(columns),
        readstat_variable_types={name: "string" if name == "navn" else "double" for name in columns},
        original_variable_types={
            "fra": "DATE9.",
            "til": "DATETIME20.",
            "lopenr": "BEST12.",
            "navn": "$20.",
            "timer": None,
        },
        number_rows=3,
    )

    def read(path: str, row_offset: int = 0, row_limit: int = 0, **options: Any) -> tuple[Any, Any]:
        assert options["disable_datetime_conversion"]
        return {name: values[row_offset : row_offset + row_limit] for name, values in columns.items()}, meta

    monkeypatch.setattr(pyreadstat, "read_sas7bdat", read)
    (tmp_path / "folk.sas7bdat").write_bytes(b"")
    assert take_in(tmp_path, make_source("folk.sas7bdat", format="sas7bdat", date_format="%d.%m.%Y")) == (CLEAN, [])


@pytest.mark.parametrize(
    ("form", "delivered", "day"),
    [
        ("sas", "0", DAY(1960, 1, 1)),
        ("sas", "21215", DAY(2018, 1, 31)),
        ("sas", "-1", DAY(1959, 12, 31)),
        ("stata", "21215", DAY(2018, 1, 31)),
        ("excel", "43131", DAY(2018, 1, 31)),
        ("excel", "1", DAY(1900, 1, 1)),
        ("excel", "59", DAY(1900, 2, 28)),
        ("excel", "60", None),
        ("excel", "61", DAY(1900, 3, 1)),
        ("excel", "0", None),
        ("excel", "-5", None),
        ("sas", "21215.5", None),
        ("sas", "31JAN2018", None),
        ("sas", "9999999", None),
        ("sas", "2936549", None),
        ("sas", "2936550", None),
    ],
)
def test_days_counted_from_an_origin(tmp_path: Path, form: str, delivered: str, day: dt.date | None) -> None:
    (tmp_path / "folk.csv").write_text(f"lopenr;navn;fra;til;timer\n42;a;{delivered};;\n", encoding="utf-8")
    clean, rejects = take_in(tmp_path, make_source("folk.csv", date_format=form))
    assert [row[1] for row in clean] == ([day] if day else [])
    rule = "impossible_date" if delivered == "2936549" else "bad_value"
    assert [row[2:4] for row in rejects] == ([] if day else [(rule, "start")])


@pytest.mark.parametrize("form", ["excel", "sas", "%d.%m.%Y"])
def test_a_true_date_is_the_same_day_whatever_the_declared_form(tmp_path: Path, form: str) -> None:
    days = [DAY(1900, 1, 1), DAY(1900, 2, 28), DAY(1900, 3, 1), DAY(2018, 1, 31)]
    table = {"lopenr": ["1", "2", "3", "4"], "navn": ["a"] * 4, "fra": days, "til": days, "timer": ["1"] * 4}
    pq.write_table(pa.table(table), tmp_path / "folk.parquet")
    clean, rejects = take_in(tmp_path, make_source("folk.parquet", format="parquet", date_format=form))
    assert ([row[1] for row in clean], rejects) == (days, [])


def test_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    data = frame().assign(fra=[pd.Timestamp("2018-01-31 00:00"), pd.Timestamp("2018-01-31 12:00"), pd.NaT])
    pyreadstat.write_sav(data, str(tmp_path / "folk.sav"))
    clean, rejects = take_in(tmp_path, make_source("folk.sav", format="sav"))
    assert [row[1] for row in clean] == [DAY(2018, 1, 31)]
    assert [row[2:4] for row in rejects] == [("bad_value", "start"), ("missing_start", "start")]


@pytest.mark.parametrize(
    ("delivered", "value"), [("42", "00000042"), ("00000042", "00000042"), ("123456789", "123456789"), ("A42", "A42")]
)
def test_width_gives_leading_zeros_back_and_cuts_nothing(tmp_path: Path, delivered: str, value: str) -> None:
    (tmp_path / "folk.csv").write_text(f"lopenr;navn;fra;til;timer\n{delivered};a;2018-01-01;;\n", encoding="utf-8")
    assert take_in(tmp_path, make_source("folk.csv"))[0][0][0] == value


def fault(folder: Path, source: Source) -> str:
    with pytest.raises(UserError) as caught:
        take_in(folder, source)
    return str(caught.value)


def test_packed_files_that_cannot_be_read(tmp_path: Path) -> None:
    body = as_text(";", ".", "%Y-%m-%d").encode() * 5000
    whole = gzip.compress(body, mtime=0)
    (tmp_path / "folk.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "could not be read to its end" in fault(tmp_path, make_source("folk.csv.gz"))
    (tmp_path / "folk.csv.gz").write_bytes(b"no gzip")
    assert "the archive is damaged or cut off" in fault(tmp_path, make_source("folk.csv.gz"))
    (tmp_path / "folk.csv.zip").write_bytes(b"no zip")
    assert "not a zip archive" in fault(tmp_path, make_source("folk.csv.zip"))
    with zipfile.ZipFile(tmp_path / "folk.csv.zip", "w") as archive:
        archive.writestr("a.csv", b"x")
        archive.writestr("b.csv", b"x")
    assert "holds 2 files" in fault(tmp_path, make_source("folk.csv.zip"))
    (tmp_path / "folk.sav.zip").write_bytes(b"")
    assert "only text files are read packed" in fault(tmp_path, make_source("folk.sav.zip", format="sav"))


@pytest.mark.parametrize("suffix", ["sav", "dta", "sas7bdat"])
def test_damaged_files_of_statistics_programs(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"folk.{suffix}"
    source = make_source(path.name, format=suffix)
    path.write_bytes(b"not such a file at all")
    assert "is not a" in fault(tmp_path, source)
    if suffix == "sas7bdat":
        return
    write = pyreadstat.write_sav if suffix == "sav" else pyreadstat.write_dta
    write(pd.concat([frame()] * 2000, ignore_index=True), str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    message_text = fault(tmp_path, source)
    assert "is not a" in message_text or "could not be read to its end" in message_text


# --- the quick reading and the careful one are one ---------------------------------------------------------------

field = st.one_of(
    st.sampled_from(["", "a", " b ", "Æ", '"q"', '"a;b"', '"a""b"', '""', 'x"y', '"open', '"a"b', "\t"]),
    st.text(alphabet='ab;" \t\r\0\x1fÆ', max_size=5),
)
line = st.lists(field, min_size=1, max_size=4).map(";".join)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(line, max_size=12),
    encoding=st.sampled_from(["utf-8", "latin-1", "cp1252"]),
    noise=st.sampled_from([b"", b"\xff;b;c\n", b"\x81;b;c\n", b"\n"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    block=st.sampled_from([8, 64, 1 << 20]),
    trimmed=st.booleans(),
    threads=st.sampled_from([1, 2]),
)
def test_quick_and_careful_readings_agree(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], encoding: str, noise: bytes, ending: str, last: bool,
    block: int, trimmed: bool, threads: int,
) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    body = noise + ending.join(lines).encode(encoding) + (ending.encode() if last and lines else b"")
    path.write_bytes(b"a;b;c\n" + body)
    form = text_rows.TextForm(path, encoding, ";", 3, {"c": 2, "a": 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows, "_BLOCK", block)
        quick = read_rows(form, trimmed, threads)
        patch.setattr(text_rows, "_read_block", careful)
        assert quick == read_rows(form, trimmed, threads)
    assert [row["source_row"] for row in quick] == list(range(1, len(quick) + 1))


def careful(form: text_rows.TextForm, block: bytes, first: int) -> list[pa.RecordBatch]:
    raw = block.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    return list(text_rows._one_by_one(form, list(enumerate(raw.split(b"\n"), first))))


def read_rows(form: text_rows.TextForm, trimmed: bool, threads: int) -> list[dict[str, Any]]:
    rows = [
        row for batch in text_rows.text_batches(form, trimmed=trimmed, threads=threads) for row in batch.to_pylist()
    ]
    return sorted(rows, key=lambda row: row["source_row"])


def test_only_odd_lines_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = text_rows._one_by_one
    monkeypatch.setattr(
        text_rows, "_one_by_one", lambda form, lines: seen.extend(row for row, _ in lines) or real(form, lines)
    )
    good = b'01;"a;b";2018-01-01\n' * 50
    (tmp_path / "x.csv").write_bytes(b"a;b;c\n" + good + b'01;5" pipe;x\n\xff;;\n' + good + b"too;few\n")
    form = text_rows.TextForm(tmp_path / "x.csv", "utf-8", ";", 3, {"a": 0, "b": 1})
    rows = read_rows(form, True, 2)
    assert seen == [51, 52]
    assert [row["source_row"] for row in rows if row["unreadable"]] == [52, 103]
    assert {row["b"] for row in rows} == {"a;b", '5" pipe', None}
