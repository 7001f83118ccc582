"""What becomes of a delivered row: tiny tables, delivered rows on the left, clean rows and rejects below.

Every type and every rule has its rows here. A table is read as text: columns are divided by `|`, `-` is an empty cell,
`NULL` no value.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config.sources import Source
from refino_eval.registers.ingest import ingest

WHY = "needed for this worked example"
DAY = dt.date
CODELISTS = {
    "kinds": Codelist(
        "kinds",
        (
            Code("A", "a", "a", "g", None, None, "example"),
            Code("OLD", "o", "o", "g", None, DAY(2017, 12, 31), "example"),
            Code("NEW", "n", "n", "g", DAY(2018, 1, 1), None, "example"),
        ),
    )
}


def source(text: str) -> Source:
    data = yaml.safe_load(text)
    for column in data["columns"].values():
        column["why"] = WHY
    base = {
        "register": "example",
        "label": {"nb": "eksempel", "en": "example"},
        "owner": "nobody",
        "files": ["example*.csv"],
    }
    return Source.model_validate(base | data)


def run(
    tmp_path: Path, text: str, *files: str, origin: dt.date | None = None
) -> tuple[list[list[str]], list[list[str]]]:
    """Ingest files given as tables; return clean rows and rejects as lists of shown cells."""
    model = source(text)
    for number, table in enumerate(files, 1):
        rows = ["" if cell == "-" else cell for line in table.strip().splitlines() for cell in (line.strip(),)]
        lines = [model.delimiter.join("" if c.strip() == "-" else c.strip() for c in row.split("|")) for row in rows]
        content = "".join(line + "\n" for line in lines).encode(model.encoding)
        (tmp_path / f"example_v{number}.csv").write_bytes(content)
    clean, rejects = tmp_path / "clean.parquet", tmp_path / "rejects.parquet"
    report = ingest(
        model, tmp_path, codelists=CODELISTS, clean_path=clean, rejects_path=rejects, origin=origin, threads=1
    )
    assert report.delivered == report.clean + report.rejected
    good, bad = (duckdb.sql(f"SELECT * FROM '{path}'").fetchall() for path in (clean, rejects))
    assert (len(good), len(bad)) == (report.clean, report.rejected)
    return [[shown(v) for v in row] for row in good], [[shown(v) for v in row[:4]] for row in bad]


def shown(value: Any) -> str:
    return "NULL" if value is None else str(value)


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line.strip()]


def typed(kind: str, extra: str = "") -> str:
    return f"""
        temporality: fixed
        decimal: ","
        columns:
          person_id: {{from: id, type: id}}
          value: {{from: v, type: {kind}{extra}}}
    """


TYPES = [
    # type, options, delivered, clean value (None: rejected with bad_value)
    ("id", "", "00042", "00042"),
    ("id", "", "-", "NULL"),
    ("text", "", "  Ærøskøbing ", "Ærøskøbing"),
    ("text", "", "0301", "0301"),
    ("code", ", codelist: kinds", "A", "A"),
    ("code", ", codelist: kinds", "-", "NULL"),
    ("date", "", "2018-02-28", "2018-02-28"),
    ("date", "", "2018-02-29", None),
    ("date", "", "2018-2-28", None),
    ("date", "", "28.02.2018", None),
    ("date", "", "2018-02-28 00:00", None),
    ("date", ', date_format: "%d.%m.%Y"', "29.02.2020", "2020-02-29"),
    ("date", ', date_format: "%d.%m.%Y"', "01.02.18", None),
    ("date", ', date_format: "%d.%m.%Y"', "31.12.9999", "9999-12-31"),
    ("date", ', date_format: "%Y%m%d"', "20180131", "2018-01-31"),
    ("date", ', date_format: "%Y%m%d"', "2018013", None),
    ("date", ', date_format: "%d%b%Y"', "31JAN2018", "2018-01-31"),
    ("date", ', date_format: "%d%b%Y"', "31JAX2018", None),
    ("integer", "", "-0012", "-12"),
    ("integer", "", "+7", "7"),
    ("integer", "", "12,0", None),
    ("integer", "", "1 234", None),
    ("integer", "", "1e3", None),
    ("integer", "", "999999999999999999", "999999999999999999"),
    ("integer", "", "9999999999999999999", None),
    ("number", "", "0,1", "0.1"),
    ("number", "", "-1,5e-3", "-0.0015"),
    ("number", "", "0.1", None),
    ("number", "", "1.234,5", None),
    ("number", "", "1e999", None),
    ("number", "", "nan", None),
    ("hundredths", "", "37,5", "3750"),
    ("hundredths", "", "37,50", "3750"),
    ("hundredths", "", "37,500", "3750"),
    ("hundredths", "", "37", "3700"),
    ("hundredths", "", "37,505", None),
    ("hundredths", "", "37.50", None),
    ("hundredths", "", "1 037,50", None),
    ("hundredths", "", "37,", None),
    ("hundredths", "", "99999999999999,99", "9999999999999999"),
    ("hundredths", "", "-99999999999999,99", "-9999999999999999"),
    ("hundredths", "", "100000000000000", None),
    ("ore", "", "0,29", "29"),
    ("ore", "", "-0,01", "-1"),
    ("ore", "", "1.000,00", None),
    ("ore", "", "100 kr", None),
    ("month", "", "201812", "201812"),
    ("month", "", "201813", None),
    ("month", "", "2018-12", None),
    ("month", "", "201800", None),
    ("year", "", "1967", "1967"),
    ("year", "", "67", None),
    ("week", "", "0", "2018-05-07"),
    ("week", "", "-1", "2018-04-30"),
    ("week", "", "208", "2022-05-02"),
    ("week", "", "1,5", None),
    ("week", "", "-", "NULL"),
]


@pytest.mark.parametrize(("kind", "options", "delivered", "value"), TYPES)
def test_type(tmp_path: Path, kind: str, options: str, delivered: str, value: str | None) -> None:
    # The draw on Wednesday 9 May 2018 lies in the week from Monday 7 May.
    clean, rejects = run(tmp_path, typed(kind, options), f"id | v\n07 | {delivered}", origin=DAY(2018, 5, 9))
    if value is None:
        assert (clean, rejects) == ([], [["example_v1.csv", "1", "bad_value", "value"]])
    else:
        assert (clean, rejects) == ([["07", value, "example_v1.csv", "1"]], [])


def test_unknown_code_and_required_value(tmp_path: Path) -> None:
    clean, rejects = run(
        tmp_path, typed("code", ", codelist: kinds, required: true"), "id | v\n1 | A\n2 | a\n3 | -\n- | A"
    )
    assert clean == table("1 | A | example_v1.csv | 1")
    assert rejects == table(
        """
        example_v1.csv | 2 | unknown_code  | value
        example_v1.csv | 3 | missing_value | value
        example_v1.csv | 4 | missing_value | person_id
        """
    )


SPELL = """
    temporality: spell
    coverage: {first: 2018-01-01, last: 2018-12-31}
    columns:
      person_id: {from: id, type: id}
      start: {from: fra, type: date}
      stop: {from: til, type: date, inclusive: %s}
      kind: {from: slag, type: text}
    rules: %s
"""


def spell(rules: str = "[]", inclusive: str = "true") -> str:
    return SPELL % (inclusive, rules)


def test_inclusive_end_becomes_the_day_after(tmp_path: Path) -> None:
    clean, rejects = run(
        tmp_path,
        spell(),
        """
        id | fra        | til        | slag
        1  | 2018-01-01 | 2018-01-31 | whole month
        1  | 2018-02-28 | 2018-02-28 | one day
        2  | 2018-02-01 | -          | open
        3  | 2018-02-01 | 9999-12-31 | open, as registers also write it
        4  | -          | 2018-01-31 | no start
        5  | 2018-02-01 | 2018-01-31 | kept without a rule against it
        """,
    )
    assert clean == table(
        """
        1 | 2018-01-01 | 2018-02-01 | whole month | example_v1.csv | 1
        1 | 2018-02-28 | 2018-03-01 | one day     | example_v1.csv | 2
        2 | 2018-02-01 | NULL       | open        | example_v1.csv | 3
        3 | 2018-02-01 | NULL       | open, as registers also write it | example_v1.csv | 4
        5 | 2018-02-01 | 2018-02-01 | kept without a rule against it   | example_v1.csv | 6
        """
    )
    assert rejects == table("example_v1.csv | 5 | missing_start | start")


def test_exclusive_end_stays(tmp_path: Path) -> None:
    clean, _ = run(tmp_path, spell(inclusive="false"), "id|fra|til|slag\n1|2018-01-01|2018-02-01|x")
    assert clean == table("1 | 2018-01-01 | 2018-02-01 | x | example_v1.csv | 1")


def test_event_lasts_a_day(tmp_path: Path) -> None:
    text = """
        temporality: event
        columns:
          person_id: {from: id, type: id}
          start: {from: dag, type: date}
    """
    clean, rejects = run(tmp_path, text, "dag | id\n2018-12-31 | 1\n- | 2")
    assert clean == table("1 | 2018-12-31 | 2019-01-01 | example_v1.csv | 1")
    assert rejects == table("example_v1.csv | 2 | missing_start | start")


@pytest.mark.parametrize(
    ("kind", "period", "start", "stop"),
    [("month", "201812", "2018-12-01", "2019-01-01"), ("year", "2018", "2018-01-01", "2019-01-01")],
)
def test_accumulated_covers_its_period(tmp_path: Path, kind: str, period: str, start: str, stop: str) -> None:
    text = f"""
        temporality: accumulated
        coverage: {{first: 2018-01-01, last: 2018-12-31}}
        columns:
          person_id: {{from: id, type: id}}
          period: {{from: p, type: {kind}}}
          amount: {{from: kr, type: ore}}
        rules: [{{rule: outside_coverage}}]
    """
    outside = {"month": "201901", "year": "2019"}[kind]
    clean, rejects = run(tmp_path, text, f"id | p | kr\n1 | {period} | 10.5\n2 | - | 1\n3 | {outside} | 1")
    assert clean == [["1", start, stop, period, "1050", "example_v1.csv", "1"]]
    assert rejects == table("example_v1.csv | 2 | missing_value | period\nexample_v1.csv | 3 | outside_coverage |")


def test_week_spell(tmp_path: Path) -> None:
    text = """
        temporality: spell
        columns:
          person_id: {from: id, type: id}
          start: {from: a, type: week}
          stop: {from: b, type: week}
    """
    # Drawn on a Thursday; week 1 begins on the Monday after, and an inclusive last week ends on the next Monday.
    clean, _ = run(tmp_path, text, "id | a | b\n1 | 1 | 1\n2 | 1 | 208\n3 | 0 | -", origin=DAY(1994, 12, 29))
    assert clean == table(
        """
        1 | 1995-01-02 | 1995-01-09 | example_v1.csv | 1
        2 | 1995-01-02 | 1998-12-28 | example_v1.csv | 2
        3 | 1994-12-26 | NULL       | example_v1.csv | 3
        """
    )


def test_missing_stop(tmp_path: Path) -> None:
    rows = "id|fra|til|slag\n1|2018-01-01|-|x\n2|2018-01-01|9999-12-31|x\n3|2018-01-01|2018-01-01|x"
    clean, rejects = run(tmp_path, spell("[{rule: missing_stop}]"), rows)
    assert [row[0] for row in clean] == ["3"]
    assert rejects == table("example_v1.csv | 1 | missing_stop |\nexample_v1.csv | 2 | missing_stop |")


def test_stop_before_start(tmp_path: Path) -> None:
    rows = "id|fra|til|slag\n1|2018-01-02|2018-01-01|x\n2|2018-01-02|2018-01-02|x\n3|2018-01-02|-|x"
    clean, rejects = run(tmp_path, spell("[{rule: stop_before_start}]"), rows)
    assert [row[0] for row in clean] == ["2", "3"]
    assert rejects == table("example_v1.csv | 1 | stop_before_start |")


def test_outside_coverage_keeps_a_single_day_inside(tmp_path: Path) -> None:
    clean, rejects = run(
        tmp_path,
        spell("[{rule: outside_coverage}]"),
        """
        id | fra        | til        | slag
        1  | 2017-01-01 | 2017-12-31 | the day before
        2  | 2017-01-01 | 2018-01-01 | the first day
        3  | 2018-12-31 | 2019-06-30 | the last day
        4  | 2019-01-01 | 2019-06-30 | the day after
        5  | 2016-01-01 | -          | open across
        6  | 2019-01-01 | -          | open after
        """,
    )
    assert [row[0] for row in clean] == ["2", "3", "5"]
    assert [row[1:3] for row in rejects] == [
        ["1", "outside_coverage"],
        ["4", "outside_coverage"],
        ["6", "outside_coverage"],
    ]


def test_value_range_includes_its_ends_and_passes_what_is_missing(tmp_path: Path) -> None:
    text = """
        temporality: fixed
        decimal: ","
        columns:
          person_id: {from: id, type: id}
          hours: {from: t, type: hundredths}
        rules: [{rule: value_range, column: hours, low: 0.01, high: 80}]
    """
    clean, rejects = run(tmp_path, text, "id | t\n1 | 0,01\n2 | 80\n3 | 0\n4 | 80,01\n5 | -")
    assert clean == [
        ["1", "1", "example_v1.csv", "1"],
        ["2", "8000", "example_v1.csv", "2"],
        ["5", "NULL", "example_v1.csv", "5"],
    ]
    assert rejects == table("example_v1.csv | 3 | value_range | hours\nexample_v1.csv | 4 | value_range | hours")


def test_value_in_takes_out_every_other_code_and_the_missing(tmp_path: Path) -> None:
    rows = "id|fra|til|slag\n1|2018-01-01|-|came\n2|2018-01-01|-|never came\n3|2018-01-01|-|-"
    clean, rejects = run(tmp_path, spell("[{rule: value_in, column: kind, keep: [came]}]"), rows)
    assert [row[0] for row in clean] == ["1"]
    assert rejects == table("example_v1.csv | 2 | value_in | kind\nexample_v1.csv | 3 | value_in | kind")


def test_duplicate_row_keeps_the_first_in_file_order(tmp_path: Path) -> None:
    first = "id|fra|til|slag\n1|2018-01-01|-|x\n1|2018-01-01|-|y\n1|2018-01-01|-|x"
    second = "slag|id|fra|til\nx|1|2018-01-01|9999-12-31\nz|1|2018-01-01|-"
    clean, rejects = run(tmp_path, spell("[{rule: duplicate_row}]"), first, second)
    assert [row[3:] for row in clean] == table("x | example_v1.csv | 1\ny | example_v1.csv | 2\nz | example_v2.csv | 2")
    assert rejects == table("example_v1.csv | 3 | duplicate_row |\nexample_v2.csv | 1 | duplicate_row |")


CORRECTED = """
    temporality: spell
    columns:
      person_id: {from: id, type: id}
      job_id: {from: jobb, type: id}
      start: {from: fra, type: date}
      stop: {from: til, type: date}
    rules: %s
"""


def test_superseded_by_a_later_file_whole(tmp_path: Path) -> None:
    first = "id|jobb|fra|til\n1|A|2018-01-01|-\n1|A|2018-03-01|-\n1|B|2018-01-01|-\n1|-|2018-01-01|-"
    second = "id|jobb|fra|til\n1|A|2018-01-01|2018-02-01\n1|A|2018-04-01|-\n1|-|2018-05-01|-"
    clean, rejects = run(tmp_path, CORRECTED % "[{rule: superseded, key: [job_id]}]", first, second)
    assert sorted(row[3] + row[4] + row[5] for row in clean) == sorted(
        ["Bexample_v1.csv3", "NULLexample_v1.csv4", "Aexample_v2.csv1", "Aexample_v2.csv2", "NULLexample_v2.csv3"]
    )
    assert rejects == table("example_v1.csv | 1 | superseded |\nexample_v1.csv | 2 | superseded |")


def test_unchanged_row_in_a_correction_survives_once(tmp_path: Path) -> None:
    same = "id|jobb|fra|til\n1|A|2018-01-01|-"
    rules = "[{rule: superseded, key: [job_id]}, {rule: duplicate_row}]"
    clean, rejects = run(tmp_path, CORRECTED % rules, same, same)
    assert [row[4] for row in clean] == ["example_v2.csv"]
    assert rejects == table("example_v1.csv | 1 | superseded |")


def test_a_superseded_row_is_no_earlier_row_to_repeat(tmp_path: Path) -> None:
    rules = "[{rule: superseded, key: [job_id]}, {rule: duplicate_row}]"
    head, row = "id|jobb|fra|til", "1|A|2018-01-01|-"
    clean, rejects = run(tmp_path, CORRECTED % rules, f"{head}\n{row}", f"{head}\n{row}\n{row}")
    assert [row[4:] for row in clean] == [["example_v2.csv", "1"]]
    assert rejects == table("example_v1.csv | 1 | superseded |\nexample_v2.csv | 2 | duplicate_row |")


def test_rules_act_in_their_order(tmp_path: Path) -> None:
    first = "id|jobb|fra|til\n1|A|2018-01-01|-"
    taken_back = "id|jobb|fra|til\n1|A|2018-01-02|2018-01-01"
    both = ["{rule: superseded, key: [job_id]}", "{rule: stop_before_start}"]
    clean, rejects = run(tmp_path, CORRECTED % f"[{', '.join(both)}]", first, taken_back)
    assert (clean, [row[2] for row in rejects]) == ([], ["superseded", "stop_before_start"])
    clean, rejects = run(tmp_path, CORRECTED % f"[{', '.join(reversed(both))}]", first, taken_back)
    assert ([row[4] for row in clean], [row[2] for row in rejects]) == (["example_v1.csv"], ["stop_before_start"])


def test_a_correction_that_cannot_be_read_corrects_nothing(tmp_path: Path) -> None:
    first = "id|jobb|fra|til\n1|A|2018-01-01|-"
    broken = "id|jobb|fra|til\n1|A|01.01.2018|-"
    clean, rejects = run(tmp_path, CORRECTED % "[{rule: superseded, key: [job_id]}]", first, broken)
    assert [row[4] for row in clean] == ["example_v1.csv"]
    assert rejects == table("example_v2.csv | 1 | bad_value | start")


def test_code_is_judged_on_the_day_of_the_row(tmp_path: Path) -> None:
    text = """
        temporality: event
        columns:
          person_id: {from: id, type: id}
          start: {from: dag, type: date}
          kind: {from: slag, type: code, codelist: kinds}
    """
    rows = "id|dag|slag\n1|2017-12-31|OLD\n2|2018-01-01|OLD\n3|2017-12-31|NEW\n4|2018-01-01|NEW\n5|2018-01-01|-"
    clean, rejects = run(tmp_path, text, rows)
    assert [row[0] for row in clean] == ["1", "4", "5"]
    assert rejects == table("example_v1.csv | 2 | unknown_code | kind\nexample_v1.csv | 3 | unknown_code | kind")


def test_fixed_register_has_one_row_a_person(tmp_path: Path) -> None:
    clean, rejects = run(tmp_path, typed("text"), "id | v\n1 | x\n1 | y\n2 | x")
    assert [row[0:2] for row in clean] == [["1", "x"], ["2", "x"]]
    assert rejects == table("example_v1.csv | 2 | repeated_person |")


def test_later_files_go_by_number_not_by_letter(tmp_path: Path) -> None:
    tables = ["id|jobb|fra|til\n1|A|2018-01-01|-"] * 10
    clean, _ = run(tmp_path, CORRECTED % "[{rule: superseded, key: [job_id]}]", *tables)
    assert [row[4] for row in clean] == ["example_v10.csv"]
