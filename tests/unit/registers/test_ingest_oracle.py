"""Random deliveries, clean and damaged: the engine and a slow reading by plain Python agree on every row.

The oracle knows the csv module, datetime and decimal, and nothing of the engine: it reads a line at a time, a rule at a
time. Whatever is delivered, each row ends either clean or rejected, with the same values and the same reason.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config.sources import Source
from refino_eval.registers.ingest import ingest

FIRST, LAST = dt.date(2018, 1, 1), dt.date(2018, 12, 31)
NAMES = ("id", "job", "from", "to", "hours", "kind")
INSIDE = ("person_id", "job_id", "start", "stop", "hours", "kind")
CODES = {"A": (None, None), "B": (None, dt.date(2018, 1, 31)), "C": (dt.date(2018, 2, 1), None)}
LIST = Codelist("kinds", tuple(Code(code, code, code, "", *days, "example") for code, days in CODES.items()))
RULES: dict[str, dict[str, Any]] = {
    "superseded": {"rule": "superseded", "key": ["job_id"]},
    "duplicate_row": {"rule": "duplicate_row"},
    "missing_stop": {"rule": "missing_stop"},
    "stop_before_start": {"rule": "stop_before_start"},
    "outside_coverage": {"rule": "outside_coverage"},
    "value_range": {"rule": "value_range", "column": "hours", "low": 0.5, "high": 40},
    "value_in": {"rule": "value_in", "column": "kind", "keep": ["A", "B"]},
}


def make_source(rules: list[str], encoding: str) -> Source:
    types = ("id", "id", "date", "date", "hundredths", "code")
    columns: dict[str, dict[str, Any]] = {
        inside: {"from": name, "type": kind, "why": "needed for the comparison"}
        for inside, name, kind in zip(INSIDE, NAMES, types, strict=True)
    }
    for name in ("start", "stop"):
        columns[name]["date_format"] = "%d.%m.%Y"
    columns["kind"]["codelist"] = "kinds"
    return Source.model_validate(
        {
            "register": "example",
            "label": {"nb": "eksempel", "en": "example"},
            "owner": "nobody",
            "temporality": "spell",
            "files": ["*.csv"],
            "encoding": encoding,
            "decimal": ",",
            "columns": columns,
            "coverage": {"first": FIRST, "last": LAST},
            "rules": [RULES[name] for name in rules],
        }
    )


# --- the oracle -------------------------------------------------------------------------------------------------


def oracle(files: list[bytes], rules: list[str], encoding: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    rows = [row for number, content in enumerate(files) for row in read_rows(number, content, encoding)]
    for row in rows:
        row["why"] = type_fault(row)
    for rule in rules:
        passed = [row for row in rows if row["why"] is None]
        for row in passed:
            if hits(rule, row, passed):
                row["next"] = (rule, {"value_range": "hours", "value_in": "kind"}.get(rule, ""))
        for row in passed:
            row["why"] = row.pop("next", None)
    clean = [(*(row["values"][n] for n in INSIDE), row["file"], row["row"]) for row in rows if row["why"] is None]
    rejects = [(row["file"], row["row"], *row["why"], *row["texts"]) for row in rows if row["why"] is not None]
    return clean, rejects


def read_rows(number: int, content: bytes, encoding: str) -> list[dict[str, Any]]:
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    found = []
    header = lines[0].decode(encoding).removeprefix("\ufeff").strip().split(";")
    for place, line in enumerate(lines[1:], 1):
        fields = read_line(line.removesuffix(b"\r"), encoding)
        readable = fields is not None and len(fields) == len(header)
        texts = (
            [fields[header.index(name)] for name in NAMES] if readable and fields is not None else [None] * len(NAMES)
        )
        found.append({"no": number, "file": f"v{number}.csv", "row": place, "readable": readable, "texts": texts})
    return found


def read_line(line: bytes, encoding: str) -> list[str] | None:
    try:
        text = line.decode(encoding)
        if any(mark in text for mark in "\0\r\x1f"):
            return None
        return next(csv.reader([text], delimiter=";", strict=True), [""])
    except (UnicodeDecodeError, csv.Error):
        return None


def type_fault(row: dict[str, Any]) -> tuple[str, str] | None:
    row["values"] = dict.fromkeys(INSIDE)
    if not row["readable"]:
        return "unreadable_line", ""
    for name, delivered in zip(INSIDE, row["texts"], strict=True):
        text = delivered.strip(" \t")
        if not text and name in ("person_id", "start"):
            return {"person_id": "missing_value", "start": "missing_start"}[name], name
        if text:
            try:
                row["values"][name] = READERS[name](text)
            except (ValueError, OverflowError):
                return "bad_value", name
    kind, start = row["values"]["kind"], row["values"]["start"]
    if kind is not None:
        if kind not in CODES:
            return "unknown_code", "kind"
        low, high = CODES[kind]
        if (low and start < low) or (high and start > high):
            return "unknown_code", "kind"
    return None


def day(text: str) -> dt.date:
    if not re.fullmatch(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}", text):
        raise ValueError(text)
    return dt.date(int(text[6:]), int(text[3:5]), int(text[:2]))


def last_day(text: str) -> dt.date | None:
    found = day(text)
    return None if found.year == 9999 else found + dt.timedelta(days=1)


def hundredths(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,14}(,[0-9]{1,2}0*)?", text):
        raise ValueError(text)
    return int(Decimal(text.replace(",", ".")) * 100)


READERS: dict[str, Any] = {
    "person_id": str,
    "job_id": str,
    "start": day,
    "stop": last_day,
    "hours": hundredths,
    "kind": str,
}


def hits(rule: str, row: dict[str, Any], passed: list[dict[str, Any]]) -> bool:
    value = row["values"]
    if rule == "missing_stop":
        return value["stop"] is None
    if rule == "stop_before_start":
        return value["stop"] is not None and value["stop"] <= value["start"]
    if rule == "outside_coverage":
        return value["start"] > LAST or (value["stop"] is not None and value["stop"] <= FIRST)
    if rule == "value_range":
        return value["hours"] is not None and not 50 <= value["hours"] <= 4000
    if rule == "value_in":
        return value["kind"] not in ("A", "B")
    if rule == "superseded":
        key = value["job_id"]
        return key is not None and any(other["no"] > row["no"] and other["values"]["job_id"] == key for other in passed)
    before = [other for other in passed if (other["no"], other["row"]) < (row["no"], row["row"])]
    return any(other["values"] == value for other in before)


# --- the deliveries ---------------------------------------------------------------------------------------------

days = st.sampled_from(
    ["01.01.2018", "31.12.2017", "31.01.2018", "01.02.2018", "31.12.2018", "01.01.2019", "31.12.9999", "", " 15.06.2018",
     "29.02.2018", "1.2.2018", "01.02.18", "2018-01-01", "00.01.2018", "15.13.2018", "01.01.0001"]
)  # fmt: skip
cells = st.tuples(
    st.sampled_from(["007", "7", "00042317", "", " 12 ", '"007"', "Å1"]),
    st.sampled_from(["J1", "J2", "J3", "", '"J;4"', '"J""5"']),
    days,
    days,
    st.sampled_from(
        ["37,5", "37,50", "0,49", "0,5", "40", "40,01", "-1", "", "37.5", "1 000", "37,505", "x", '"20"', "9" * 15]
    ),
    st.sampled_from(["A", "B", "C", "D", "a", "", '"A"']),
)
good_line = cells.map(lambda row: ";".join((*row, "unlisted")).encode())
damage = st.sampled_from(
    [
        b"",
        b";;;;;;",
        b"007;J1",
        b"1;2;3;4;5;6;7;8",
        b'007;"open;01.01.2018;;;A;x',
        b"00\0;J1;01.01.2018;;;A;x",
        b"\xff\xfe\x81",
    ]
)
cut = st.tuples(good_line, st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
junk = st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b" "))
lines = st.lists(st.one_of(good_line, good_line, good_line, good_line, damage, cut, junk), max_size=25)
files = st.lists(
    st.tuples(lines, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.booleans()), min_size=1, max_size=3
)


def as_file(parts: tuple[list[bytes], bytes, bool, bool], encoding: str) -> bytes:
    body, newline, trailing, marked = parts
    header = ";".join((*NAMES, "more")).encode()
    mark = b"\xef\xbb\xbf" if marked and encoding == "utf-8" else b""
    return mark + newline.join([header, *body]) + (newline if trailing else b"")


@settings(max_examples=80, deadline=None)
@given(
    parts=files,
    rules=st.lists(st.sampled_from(sorted(RULES)), unique=True, max_size=7),
    encoding=st.sampled_from(["utf-8", "latin-1", "cp1252"]),
    threads=st.sampled_from([1, 2]),
)
def test_engine_agrees_with_plain_python(parts: list[Any], rules: list[str], encoding: str, threads: int) -> None:
    contents = [as_file(part, encoding) for part in parts]
    clean, rejects = oracle(contents, rules, encoding)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, content in enumerate(contents):
            (folder / f"v{number}.csv").write_bytes(content)
        paths = {"clean_path": folder / "clean.parquet", "rejects_path": folder / "rejects.parquet"}
        report = ingest(make_source(rules, encoding), folder, codelists={"kinds": LIST}, threads=threads, **paths)
        got_clean = duckdb.sql(
            f"SELECT person_id, job_id, start, stop, hours, kind, source_file, source_row FROM '{folder}/clean.parquet'"
        )
        got_rejects = duckdb.sql(f"SELECT * FROM '{folder}/rejects.parquet'")
        assert got_rejects.fetchall() == sorted(rejects, key=lambda row: row[:2])
        assert got_clean.fetchall() == sorted(clean, key=in_order)
    assert report.delivered == len(clean) + len(rejects)
    assert report.people == len({row[0] for row in clean})
    counted = {rule.rule: rule.rows for rule in report.rules}
    assert counted == {name: sum(row[2] == name for row in rejects) for name in {row[2] for row in rejects}}


def in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    person, _, start, stop, *_, file, place = row
    return person.encode(), start, stop or dt.date.max, file, place
