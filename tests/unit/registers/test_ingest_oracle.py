"""Random deliveries, clean and damaged: the engine and a slow reading by plain Python agree on every row.

The oracle knows the csv module, datetime and decimal, and nothing of the engine: it reads a line at a time, a rule at a
time. Whatever is delivered, each row ends either clean or rejected, with the same values and the same reason.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import os
import re
import tempfile
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config.sources import Source
from refino_eval.registers.ingest import ingest

FIRST, LAST = dt.date(2018, 1, 1), dt.date(2018, 12, 31)
NAMES = ("id", "job", "from", "to", "hours", "kind", "share", "died")
INSIDE = ("person_id", "job_id", "start", "stop", "hours", "kind", "share", "died")
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
    "future_date": {"rule": "future_date", "column": "stop", "after": dt.date(2018, 6, 15)},
    "person_not_listed": {"rule": "person_not_listed", "file": "people.txt"},
    "hours_from_percent": {
        "rule": "hours_from_percent",
        "column": "hours",
        "percent": "share",
        "full_time_hours": 37.5,
    },
    "cut_at": {"rule": "cut_at", "column": "died"},
}
COLUMN_OF = {"value_range": "hours", "value_in": "kind", "future_date": "stop", "cut_at": "died"}
REPAIRS = ("hours_from_percent", "cut_at")
LISTED = ("007", "00042317", "12")
EXAMPLES = int(os.environ.get("REFINO_EVAL_ORACLE_EXAMPLES", "120"))
"""More examples for a long run by night: REFINO_EVAL_ORACLE_EXAMPLES=20000."""


def make_source(rules: list[str], encoding: str, overlap: dict[str, Any] | None = None) -> Source:
    types = ("id", "id", "date", "date", "hundredths", "code", "hundredths", "date")
    columns: dict[str, dict[str, Any]] = {
        inside: {"from": name, "type": kind, "why": "needed for the comparison"}
        for inside, name, kind in zip(INSIDE, NAMES, types, strict=True)
    }
    for name in ("start", "stop", "died"):
        columns[name]["date_format"] = "%d.%m.%Y"
    columns["kind"]["codelist"] = "kinds"
    return Source.model_validate(
        {
            "register": "example",
            "label": {"nb": "eksempel", "en": "example"},
            "owner": "nobody",
            "temporality": "spell",
            "files": ["v*.csv"],
            "encoding": encoding,
            "decimal": ",",
            "columns": columns,
            "coverage": {"first": FIRST, "last": LAST},
            "rules": [*(RULES[name] for name in rules), *([overlap] if overlap else [])],
        }
    )


# --- the oracle -------------------------------------------------------------------------------------------------


def oracle(
    files: list[bytes], rules: list[str], encoding: str, overlap: dict[str, Any] | None
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], dict[str, int]]:
    rows = [row for number, content in enumerate(files) for row in read_rows(number, content, encoding)]
    for row in rows:
        row["why"] = type_fault(row)
    for rule in rules:
        passed = [row for row in rows if row["why"] is None]
        for row in passed:
            if rule != "hours_from_percent" and hits(rule, row, passed):
                row["next"] = (rule, COLUMN_OF.get(rule, ""))
        for row in passed:
            row["why"] = row.pop("next", None)
            if row["why"] is None and rule in REPAIRS:
                repair(rule, row)
    if overlap:
        join([row for row in rows if row["why"] is None], **overlap)
    clean = [(*(row["values"][n] for n in INSIDE), row["file"], row["row"]) for row in rows if row["why"] is None]
    rejects = [(row["file"], row["row"], *row["why"], *row["texts"]) for row in rows if row["why"] is not None]
    mended = [name for row in rows if row["why"] is None for name in row.get("mended", ())]
    return clean, rejects, {name: mended.count(name) for name in set(mended)}


def repair(rule: str, row: dict[str, Any]) -> None:
    value = row["values"]
    before = dict(value)
    if rule == "hours_from_percent" and not value["hours"] and value["share"] and 0 < value["share"] <= 100_000:
        exact = Decimal(value["share"]) / 10_000 * Decimal("37.5") * 100
        value["hours"] = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
        row.setdefault("mended", set()).add(rule)
    if rule == "cut_at" and value["died"] is not None and value["died"].year < 9999:
        ends = value["died"] + dt.timedelta(days=1)
        if value["stop"] is None or value["stop"] > ends:
            value["stop"] = ends
    if before != value:
        row.setdefault("mended", set()).add(rule)


def join(rows: list[dict[str, Any]], *, key: list[str], keep: str, gap: int | None = None, **_: Any) -> None:
    """Join spells pair by pair until nothing changes: which rows hang together does not depend on any order."""
    taking = [
        row
        for row in rows
        if all(row["values"][name] is not None for name in key) and end(row) > row["values"]["start"]
    ]
    groups = [[row] for row in taking]
    joined = True
    while joined:
        joined = False
        for one, other in itertools.combinations(groups, 2):
            if any(touch(a, b, key, gap) for a in one for b in other):
                one.extend(other)
                groups = [group for group in groups if group is not other]
                joined = True
                break
    for group in groups:

        def place(row: dict[str, Any]) -> tuple[Any, ...]:
            return row["values"]["start"], row["no"], row["row"]

        if keep == "merge":
            kept = min(group, key=place)
            last = max(group, key=end)["values"]["stop"]
            if kept["values"]["stop"] != last:
                kept["values"]["stop"] = last
                kept.setdefault("mended", set()).add("overlap")
        else:
            kept = min(group, key=lambda row: (row["values"]["start"] - end(row), *place(row)))
        for row in group:
            if row is not kept:
                row["why"] = ("overlap", "")


def end(row: dict[str, Any]) -> dt.date:
    return row["values"]["stop"] or dt.date.max


def touch(a: dict[str, Any], b: dict[str, Any], key: list[str], gap: int | None) -> bool:
    if any(a["values"][name] != b["values"][name] for name in ("person_id", *key)):
        return False
    between = (max(a["values"]["start"], b["values"]["start"]) - min(end(a), end(b))).days
    return between < 0 if gap is None else between <= gap


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


def possible(name: str, year: int) -> bool:
    return 1850 <= year <= 2100 or (year == 9999 and name != "start")


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
        value = row["values"][name]
        if isinstance(value, dt.date) and not possible(name, value.year):
            return "impossible_date", name
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
    "share": hundredths,
    "died": day,
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
    if rule == "future_date":
        return value["stop"] is not None and value["stop"] - dt.timedelta(days=1) > dt.date(2018, 6, 15)
    if rule == "person_not_listed":
        return value["person_id"] not in LISTED
    if rule == "cut_at":
        return value["died"] is not None and value["start"] > value["died"]
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
    st.sampled_from(["100", "50,01", "0", "", "-1", "33,33", "1000", "1000,01", "x"]),
    st.sampled_from(["", "", "", "31.01.2018", "30.12.2018", "31.12.9999", "01.01.2017", "1.1.2018"]),
)
good_line = cells.map(lambda row: ";".join((*row, "unlisted")).encode())
damage = st.sampled_from(
    [
        b"",
        b";;;;;;;;",
        b"007;J1",
        b"1;2;3;4;5;6;7;8;9;10",
        b'007;"open;01.01.2018;;;A;;;x',
        b"00\0;J1;01.01.2018;;;A;;;x",
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


overlaps = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "rule": st.just("overlap"),
            "key": st.sampled_from([[], ["job_id"]]),
            "keep": st.sampled_from(["merge", "longest"]),
            "gap": st.sampled_from([None, 0, 1, 14]),
        }
    ),
)


def in_valid_order(rules: list[str]) -> list[str]:
    """Put the comparison of whole rows after the repairs, as the configuration must."""
    repairs = [place for place, name in enumerate(rules) if name in REPAIRS]
    if "duplicate_row" in rules and repairs:
        rest = [name for name in rules if name != "duplicate_row"]
        last = max(place for place, name in enumerate(rest) if name in REPAIRS)
        return [*rest[: last + 1], "duplicate_row", *rest[last + 1 :]]
    return rules


@settings(max_examples=EXAMPLES, deadline=None)
@example(parts=[([b"\xef\xbb\xbf"], b"\n", False, False)], rules=[], overlap=None, encoding="utf-8", threads=1)
@given(
    parts=files,
    rules=st.lists(st.sampled_from(sorted(RULES)), unique=True, max_size=9).map(in_valid_order),
    overlap=overlaps,
    encoding=st.sampled_from(["utf-8", "latin-1", "cp1252"]),
    threads=st.sampled_from([1, 2]),
)
def test_engine_agrees_with_plain_python(
    parts: list[Any], rules: list[str], overlap: dict[str, Any] | None, encoding: str, threads: int
) -> None:
    contents = [as_file(part, encoding) for part in parts]
    clean, rejects, mended = oracle(contents, rules, encoding, overlap)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, content in enumerate(contents):
            (folder / f"v{number}.csv").write_bytes(content)
        (folder / "people.txt").write_text("id\n" + "\n".join(LISTED) + "\n", encoding="utf-8")
        paths = {"clean_path": folder / "clean.parquet", "rejects_path": folder / "rejects.parquet"}
        report = ingest(
            make_source(rules, encoding, overlap), folder, codelists={"kinds": LIST}, threads=threads, **paths
        )
        got_clean = duckdb.sql(
            f"SELECT person_id, job_id, start, stop, hours, kind, share, died, source_file, source_row FROM '{folder}/clean.parquet'"
        )
        got_rejects = duckdb.sql(f"SELECT * FROM '{folder}/rejects.parquet'")
        assert got_rejects.fetchall() == sorted(rejects, key=lambda row: row[:2])
        assert got_clean.fetchall() == sorted(clean, key=in_order)
    assert report.delivered == len(clean) + len(rejects)
    assert {repair.rule: repair.rows for repair in report.repairs} == mended
    assert report.people == len({row[0] for row in clean})
    counted = {rule.rule: rule.rows for rule in report.rules}
    assert counted == {name: sum(row[2] == name for row in rejects) for name in {row[2] for row in rejects}}


def in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    person, _, start, stop, *_, file, place = row
    return person.encode(), start, stop or dt.date.max, file, place


def test_order_of_files_cells_and_rows_changes_nothing_it_should_not() -> None:
    """The oracle's own sense of order: a merged spell is the same whichever row of it came first."""
    head = ";".join((*NAMES, "more")).encode()
    rows = [b"1;J1;01.01.2018;31.01.2018;20;A;;;", b"1;J1;15.01.2018;15.06.2018;20;A;;;", b"1;J1;01.06.2018;;20;A;;;"]
    overlap = {"rule": "overlap", "key": ["job_id"], "keep": "merge", "gap": None}
    spells = set()
    for order in itertools.permutations(rows):
        clean, rejects, _ = oracle([b"\n".join([head, *order])], [], "utf-8", overlap)
        spells.add((clean[0][2:4], len(clean), len(rejects)))
    assert spells == {((dt.date(2018, 1, 1), None), 1, 2)}
