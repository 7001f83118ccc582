"""Delivered files: headers, encodings, line breaks, damage, and the messages about them."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers import ingest as ingest_module
from refino_eval.registers.ingest import ingest
from refino_eval.sql.isolated_engine import isolated_engine

SECRET = "00042317"


def make_source(**changes: Any) -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": "links the registers"},
        "name": {"from": "navn", "type": "text", "why": "a text with letters"},
    }
    base = {
        "register": "people",
        "label": {"nb": "folk", "en": "people"},
        "owner": "nobody",
        "temporality": "event",
        "files": ["folk_p*_v*.csv"],
        "columns": columns | {"start": {"from": "dag", "type": "date", "why": "the day of it"}},
    }
    return Source.model_validate(base | changes)


def take_in(folder: Path, source: Source, **options: Any) -> tuple[list[Any], list[Any]]:
    clean, rejects = folder / "out" / "clean.parquet", folder / "out" / "rejects.parquet"
    report = ingest(source, folder, codelists={}, clean_path=clean, rejects_path=rejects, **options)
    rows = tuple(duckdb.sql(f"SELECT * FROM '{path}'").fetchall() for path in (clean, rejects))
    assert report.delivered == len(rows[0]) + len(rows[1])
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["clean.parquet", "rejects.parquet"]
    return rows[0], rows[1]


def text(folder: Path, content: bytes, source: Source | None = None) -> tuple[list[Any], list[Any]]:
    (folder / "folk_p1_v1.csv").write_bytes(content)
    clean, rejects = take_in(folder, source or make_source())
    return [(row[0], row[3], row[5]) for row in clean], [(row[1], row[2], row[3]) for row in rejects]


def fault(folder: Path, content: bytes | None, source: Source | None = None) -> str:
    if content is not None:
        (folder / "folk_p1_v1.csv").write_bytes(content)
    with pytest.raises(UserError) as caught:
        take_in(folder, source or make_source())
    assert SECRET not in str(caught.value)
    out = folder / "out"
    assert not out.exists() or not list(out.iterdir())
    return str(caught.value)


HEADER = b"lopenr;navn;dag\n"
UNREADABLE = "unreadable_line"


@pytest.mark.parametrize(
    ("content", "clean", "rejects"),
    [
        (HEADER, [], []),
        (b"lopenr;navn;dag", [], []),
        (HEADER + b"01;a;2018-01-01\n", [("01", "a", 1)], []),
        (HEADER + b"01;a;2018-01-01", [("01", "a", 1)], []),
        (b"lopenr;navn;dag\r\n01;a;2018-01-01\r\n02;b;2018-01-01\r\n", [("01", "a", 1), ("02", "b", 2)], []),
        (b"lopenr;navn;dag\r\n01;a;2018-01-01\r", [("01", "a", 1)], []),
        (b"\xef\xbb\xbf" + HEADER + b"01;a;2018-01-01\n", [("01", "a", 1)], []),
        (b" dag ;x;navn;lopenr\n2018-01-01;9;a;01\n", [("01", "a", 1)], []),
        (b'"lopenr";"navn";"dag"\n"01";"a;""b""";"2018-01-01"\n', [("01", 'a;"b"', 1)], []),
        (HEADER + b'01;5" pipe;2018-01-01\n', [("01", '5" pipe', 1)], []),
        (HEADER + b"  01 ; a ;\t2018-01-01 \n", [("01", "a", 1)], []),
        (HEADER + b"01;a\n02;b;2018-01-01\n03;c;2018-01-01;x\n", [("02", "b", 2)], [(1, UNREADABLE, ""), (3, UNREADABLE, "")]),
        (HEADER + b"\n02;b;2018-01-01\n\n", [("02", "b", 2)], [(1, UNREADABLE, ""), (3, UNREADABLE, "")]),
        (HEADER + b"01;a;2018-01-01\n02;b;20", [("01", "a", 1)], [(2, "bad_value", "start")]),
        (HEADER + b"01;a;2018-01-01\n02;b", [("01", "a", 1)], [(2, UNREADABLE, "")]),
        (HEADER + b'01;"a;2018-01-01\n02;b";2018-01-01\n03;c;2018-01-01\n',
         [("02", 'b"', 2), ("03", "c", 3)], [(1, UNREADABLE, "")]),
        (HEADER + b"01;a\0;2018-01-01\n02;b;2018-01-01\n", [("02", "b", 2)], [(1, UNREADABLE, "")]),
        (HEADER + b"01;a\x1fb;2018-01-01\n02;b;2018-01-01\n", [("02", "b", 2)], [(1, UNREADABLE, "")]),
        (HEADER + b"01;a\rb;2018-01-01\n02;b;2018-01-01\n", [("02", "b", 2)], [(1, UNREADABLE, "")]),
        (HEADER + b"01;\xd8;2018-01-01\n02;\xc3\x98;2018-01-01\n", [("02", "Ø", 2)], [(1, UNREADABLE, "")]),
        (HEADER + b'01;"a"b;2018-01-01\n02;"";2018-01-01\n', [("02", None, 2)], [(1, UNREADABLE, "")]),
    ],
)  # fmt: skip
def test_lines(tmp_path: Path, content: bytes, clean: list[Any], rejects: list[Any]) -> None:
    assert text(tmp_path, content) == (clean, rejects)


def test_latin_1_and_cp1252(tmp_path: Path) -> None:
    name = "ÆØÅ æøå Café"
    content = (HEADER.decode() + f"01;{name};2018-01-01\n").encode("latin-1")
    assert text(tmp_path, content, make_source(encoding="latin-1")) == ([("01", name, 1)], [])
    # 0x96 is a dash in cp1252; 0x81 is nothing there.
    content = HEADER + b"01;a \x96 b;2018-01-01\n02;\x81;2018-01-01\n"
    assert text(tmp_path, content, make_source(encoding="cp1252")) == ([("01", "a – b", 1)], [(2, UNREADABLE, "")])


def test_row_numbers_hold_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refino_eval.registers.readers.text_rows._BLOCK", 64)
    monkeypatch.setattr("refino_eval.registers.readers.text_rows._BATCH", 3)
    lines = [b"broken" if number % 7 == 0 else b"%05d;n%d;2018-01-01" % (number, number) for number in range(1, 500)]
    clean, rejects = text(tmp_path, HEADER.replace(b"\n", b"\r\n") + b"\r\n".join(lines) + b"\r\n")
    assert clean == [(f"{n:05d}", f"n{n}", n) for n in range(1, 500) if n % 7]
    assert rejects == [(n, UNREADABLE, "") for n in range(7, 500, 7)]


def test_rejects_keep_the_delivered_text_and_nothing_of_an_unreadable_line(tmp_path: Path) -> None:
    (tmp_path / "folk_p1_v1.csv").write_bytes(HEADER + b" 007 ;a; 01.01.2018\n008;b\n")
    _, rejects = take_in(tmp_path, make_source())
    assert rejects == [
        ("folk_p1_v1.csv", 1, "bad_value", "start", " 007 ", "a", " 01.01.2018"),
        ("folk_p1_v1.csv", 2, UNREADABLE, "", None, None, None),
    ]


def test_missing_file_names_register_pattern_folder_and_similar_files(tmp_path: Path) -> None:
    (tmp_path / "folk_2018_v1.csv").write_bytes(HEADER)
    (tmp_path / "unlike.txt").write_bytes(b"")
    message_text = fault(tmp_path, None)
    for part in ("'people'", "'folk_p*_v*.csv'", str(tmp_path), "folk_2018_v1.csv", "config/sources/people.yaml"):
        assert part in message_text
    assert "unlike.txt" not in message_text
    with pytest.raises(UserError, match="does not exist"):
        take_in(tmp_path / "nowhere", make_source())


def test_missing_column_gets_the_nearest_name_and_all_faults_come_at_once(tmp_path: Path) -> None:
    message_text = fault(tmp_path, b"lopenr;navnn;dagg\n00042317;a;2018-01-01\n")
    assert "lacks the column 'navn'" in message_text
    assert "Did you mean 'navnn'?" in message_text
    assert "lacks the column 'dag'" in message_text
    assert len(message_text.splitlines()) == 2


def test_file_without_header_shows_nothing_of_its_first_row(tmp_path: Path) -> None:
    message_text = fault(tmp_path, b"00042317;Kari;2018-01-01\n00042318;Ola;2018-01-01\n")
    assert "header" in message_text
    assert "Kari" not in message_text


def test_wrong_delimiter_is_reported_as_a_header_problem(tmp_path: Path) -> None:
    assert "its delimiter" in fault(tmp_path, b"lopenr,navn,dag\n00042317,a,2018-01-01\n")


def test_duplicate_header_counts_only_for_listed_columns(tmp_path: Path) -> None:
    assert "the column 'navn' 2 times" in fault(tmp_path, b"lopenr;navn;dag;navn\n")
    assert text(tmp_path, b"lopenr;x;navn;dag;x\n01;1;a;2018-01-01;2\n") == ([("01", "a", 1)], [])


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\0\0\0\0", b'"lopenr;navn;dag\n', b"\xff\xfel\0o\0p\0\n\0", b"PAR1" * 99]
)
def test_a_file_that_is_no_text_file_is_a_plain_fault(tmp_path: Path, content: bytes) -> None:
    assert "folk_p1_v1.csv" in fault(tmp_path, content)


def test_endless_line_is_a_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refino_eval.registers.readers.text_rows._BLOCK", 64)
    monkeypatch.setattr("refino_eval.registers.readers.text_rows._LONGEST_LINE", 256)
    message_text = fault(tmp_path, HEADER + b"01;a;2018-01-01\n" + b"x" * 1000)
    assert "could not be read to its end, after 1 rows" in message_text


def test_same_base_name_twice_is_a_fault(tmp_path: Path) -> None:
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "folk_p1_v1.csv").write_bytes(HEADER)
    assert "two files called folk_p1_v1.csv" in fault(tmp_path, None, make_source(files=["*/folk_p*.csv"]))


PARQUET = {"format": "parquet", "files": ["folk.parquet"]}


def write_parquet(folder: Path, **columns: Any) -> None:
    pq.write_table(pa.table(columns), folder / "folk.parquet", row_group_size=2)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([100312, 2**53 + 1, None], pa.int64()), ["100312", "9007199254740993", None]),
        (pa.array([100312.0, 7.0, None], pa.float64()), ["100312", "7", None]),
        (pa.array([100312.0, 7.0, float("nan")], pa.float32()), ["100312", "7", None]),
        (pa.array(["000042", " 7 ", ""], pa.string()), ["000042", "7", None]),
        (pa.array(["000042", "7", None]).dictionary_encode(), ["000042", "7", None]),
    ],
)
def test_parquet_ids_become_text_exactly(tmp_path: Path, ids: Any, expected: list[str | None]) -> None:
    day = [dt.date(2018, 1, 1)] * 3
    write_parquet(tmp_path, dag=pa.array(day, pa.date32()), lopenr=ids, navn=["a", "b", "c"])
    clean, rejects = take_in(tmp_path, make_source(**PARQUET))
    assert {row[5]: row[0] for row in clean} == {n: v for n, v in enumerate(expected, 1) if v is not None}
    assert [(row[1], row[2], row[3]) for row in rejects] == [(3, "missing_value", "person_id")]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(0.5, pa.float64()), (2.0**53, pa.float64()), (float("inf"), pa.float64()), (2.0**24, pa.float32())],
)
def test_parquet_id_that_a_float_does_not_hold_exactly(tmp_path: Path, value: float, kind: Any) -> None:
    write_parquet(tmp_path, dag=pa.array([dt.date(2018, 1, 1)]), lopenr=pa.array([value], kind), navn=["a"])
    assert "Ask the register's owner for ids written as text" in fault(tmp_path, None, make_source(**PARQUET))


def test_parquet_dates_and_amounts(tmp_path: Path) -> None:
    columns = {
        "person_id": {"from": "a.id", "type": "id", "why": "links the registers"},
        "start": {"from": "dag", "type": "date", "date_format": "%d.%m.%Y", "why": "the day of it"},
        "amount": {"from": "kr", "type": "ore", "why": "an amount of money"},
        "hours": {"from": "t", "type": "hundredths", "why": "hours in a week"},
        "flag": {"from": "f", "type": "integer", "why": "a flag of some kind"},
    }
    stamps = [dt.datetime(2018, 1, 1), dt.datetime(2018, 1, 1, 12), None]
    write_parquet(
        tmp_path,
        **{"a.id": pa.array([1, 2, 3]), "a": pa.array([9, 9, 9]), "dag": pa.array(stamps, pa.timestamp("us"))},
        kr=pa.array([0.29, 1234.5, 0.1 + 0.2]),
        t=pa.array(["37,50", "37,50", "37,50"]),
        f=pa.array([True, False, None]),
    )
    clean, rejects = take_in(tmp_path, make_source(**PARQUET, columns=columns, decimal=","))
    assert clean == [("1", dt.date(2018, 1, 1), dt.date(2018, 1, 2), 29, 3750, 1, "folk.parquet", 1)]
    assert [(row[1], row[2], row[3]) for row in rejects] == [(2, "bad_value", "start"), (3, "missing_start", "start")]


def test_parquet_faults(tmp_path: Path) -> None:
    source = make_source(**PARQUET)
    (tmp_path / "folk.parquet").write_bytes(b"PAR1 not really")
    assert "is not a parquet file" in fault(tmp_path, None, source)
    write_parquet(tmp_path, dag=pa.array([[1]]), lopenr=pa.array(["1"]), nvan=pa.array(["a"]))
    message_text = fault(tmp_path, None, source)
    assert "Did you mean 'nvan'?" in message_text
    assert "'dag' holds values of type list" in message_text


def test_engine_limits_and_threads_do_not_show_in_the_files(tmp_path: Path) -> None:
    rows = b"".join(b"%06d;n%d;20%02d-01-01\n" % (n * 7919 % 40009, n % 97, n % 30) for n in range(300_000))
    (tmp_path / "folk_p1_v1.csv").write_bytes(HEADER + rows)
    source = make_source(rules=[{"rule": "duplicate_row"}])
    written = []
    for threads, memory in ((1, "1GB"), (2, "1GB"), (2, "120MB")):
        clean, _ = (tmp_path / f"{name}{threads}{memory}.parquet" for name in ("clean", "rejects"))
        rejects = tmp_path / f"rejects{threads}{memory}.parquet"
        ingest(
            source, tmp_path, codelists={}, clean_path=clean, rejects_path=rejects, threads=threads, memory_limit=memory
        )
        written.append((clean.read_bytes(), rejects.read_bytes()))
    assert written[0] == written[1] == written[2]


def test_outputs_stay_as_they_were_when_ingestion_fails(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "clean.parquet").write_bytes(b"earlier")
    (tmp_path / "folk_p1_v1.csv").write_bytes(b"")
    with pytest.raises(UserError):
        take_in(tmp_path, make_source())
    assert os.listdir(out) == ["clean.parquet"]
    assert (out / "clean.parquet").read_bytes() == b"earlier"


def test_a_lost_row_stops_the_ingestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folk_p1_v1.csv").write_bytes(HEADER + b"01;a;2018-01-01\n02;b;2018-01-01\n")
    query = ingest_module._clean_query
    losing = lambda validated: query(validated).replace("FROM clean", "FROM clean WHERE source_row > 1")  # noqa: E731
    monkeypatch.setattr(ingest_module, "_clean_query", losing)
    with pytest.raises(RuntimeError, match="2 rows were delivered, but 1 clean and 0 rejected"):
        take_in(tmp_path, make_source())
    assert os.listdir(tmp_path / "out") == []


def test_the_engine_reaches_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "other.csv").write_text("a\n1\n")
    with isolated_engine([tmp_path / "allowed"], threads=1) as con:
        for statement in (f"SELECT * FROM '{tmp_path}/other.csv'", f"COPY (SELECT 1) TO '{tmp_path}/new.csv'"):
            with pytest.raises(duckdb.PermissionException):
                con.execute(statement)
        with pytest.raises(duckdb.InvalidInputException):
            con.execute("SET enable_external_access = true")


@pytest.mark.parametrize(
    ("changes", "message_text"),
    [
        ({"rules": [{"rule": "missing_stop"}]}, "missing_stop is for spells"),
        ({"rules": [{"rule": "outside_coverage"}]}, "outside_coverage needs `coverage`"),
        ({"rules": [{"rule": "value_range", "column": "name", "low": 1}]}, "value_range needs a column of numbers"),
        ({"rules": [{"rule": "value_in", "column": "start", "keep": ["x"]}]}, "value_in needs a column of codes"),
        ({"delimiter": ";;"}, "delimiter must be one character"),
    ],
)
def test_rules_that_do_not_fit_the_register_are_reported(
    tmp_path: Path, changes: dict[str, Any], message_text: str
) -> None:
    assert message_text in fault(tmp_path, HEADER, make_source(**changes))


@pytest.mark.parametrize(
    ("column", "message_text"),
    [
        (
            {"from": "dag", "type": "date", "date_format": "%d.%m", "why": "the day of it"},
            "does not state year, month and day",
        ),
        ({"from": "dag", "type": "week", "why": "the week of it"}, "must give `population.draw_date`"),
        ({"from": "dag", "type": "text", "why": "the day of it"}, "must be of type date or week"),
    ],
)
def test_invalid_start_columns_are_reported(tmp_path: Path, column: dict[str, Any], message_text: str) -> None:
    source = make_source()
    columns = {name: col.model_dump(by_alias=True) for name, col in source.columns.items()} | {"start": column}
    assert message_text in fault(tmp_path, HEADER, make_source(columns=columns))


def test_code_list_that_is_not_given_or_lacks_a_kept_code(tmp_path: Path) -> None:
    column = {"from": "navn", "type": "code", "codelist": "kinds", "why": "a kind of something"}
    source = make_source()
    columns = {name: col.model_dump(by_alias=True) for name, col in source.columns.items()} | {"name": column}
    assert "names the code list 'kinds'" in fault(tmp_path, HEADER, make_source(columns=columns))
