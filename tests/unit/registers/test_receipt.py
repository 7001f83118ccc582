"""The receipt of a delivery: its counts, each problem once and with its location, the letter, and nothing about anybody."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers.delivery_letter import find_letter, read_letter
from refino_eval.registers.delivery_receipt import Draws, Receipt, take_receipt
from refino_eval.registers.ingest import ingest
from refino_eval.registers.receipt_output import receipt_text, write_receipt_csv
from refino_eval.registers.receipt_problems import ERROR, NOTE, WARNING
from refino_eval.report.receipt_page import write_receipt_html
from support.builders import LABEL

WHY = "needed for this test"
HEADER = "lopenr;fra;til;kode;timer"
GOOD = [f"000{90 + k};2015-0{1 + k % 9}-01;2016-0{1 + k % 9}-01;A;37,5" for k in range(100)]
SECRET = ("00091", "SECRETCODE", "1111-22-33", "99999,5")
LISTS = {"letters": Codelist("letters", (Code("A", "a", "a", "", None, None, "test"),))}


def make_source(**changes: Any) -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": WHY},
        "start": {"from": "fra", "type": "date", "why": WHY},
        "stop": {"from": "til", "type": "date", "why": WHY},
        "code": {"from": "kode", "type": "code", "codelist": "letters", "why": WHY},
        "hours": {"from": "timer", "type": "hundredths", "why": WHY},
    }
    rules = [
        {"rule": "superseded", "key": ["person_id", "start"]},
        {"rule": "duplicate_row"},
        {"rule": "stop_before_start"},
    ]
    rules += [{"rule": "outside_coverage"}, {"rule": "value_range", "column": "hours", "low": 1, "high": 80}]
    base = {
        "register": "spells", "label": LABEL, "owner": "x", "temporality": "spell", "files": ["spells_v*.csv"],
        "decimal": ",", "columns": columns, "coverage": {"first": "2015-01-01", "last": "2016-12-31"}, "rules": rules,
    }  # fmt: skip
    return Source.model_validate(base | changes)


def deliver(folder: Path, *extra: str, name: str = "spells_v1.csv", rows: list[str] | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *(GOOD if rows is None else rows), *extra]) + "\n", encoding="utf-8")
    return path


def receipt(folder: Path, source: Source | None = None, *, letter: Path | None = None) -> Receipt:
    work = folder.parent / "work"
    taken = take_receipt(
        "study",
        [source or make_source()],
        folder,
        codelists=LISTS,
        work=work,
        letter=None if letter is None else (letter, read_letter(letter)),
    )
    assert list(work.iterdir()) == [], "drafts hold people's rows"
    return taken


def everything_written(taken: Receipt, folder: Path) -> str:
    paths = [*write_receipt_csv(taken, folder), write_receipt_html(taken, folder / "receipt.html", label="Study")]
    return "\n".join([*receipt_text(taken), *(path.read_text(encoding="utf-8") for path in paths)])


def test_the_numbers_of_a_good_delivery(tmp_path):
    folder = tmp_path / "delivery"
    path = deliver(folder)
    taken = receipt(folder)
    (file,) = taken.files
    assert (file.rows, file.clean, file.rejected, file.people, file.duplicates, file.unknown_codes) == (
        100,
        100,
        0,
        100,
        0,
        0,
    )
    assert (file.first, file.last) == (dt.date(2015, 1, 1), dt.date(2015, 9, 1))
    assert (file.size, file.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    assert [(each.year, each.rows) for each in taken.years] == [(2015, 100)]
    assert {column.missing for column in taken.columns} == {0}
    # Nothing begins in the second year of the coverage, beside a hundred in the first.
    assert [(fault.rule, fault.severity) for fault in taken.problems] == [("empty_year", WARNING)]


def draws_source() -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": WHY},
        "start": {"from": "dag", "type": "date", "why": WHY},
        "arm": {"from": "gruppe", "type": "text", "why": WHY},
    }
    return make_source(register="draws", temporality="event", files=["draws.csv"], columns=columns, rules=[])


@pytest.mark.parametrize(
    ("write", "rule", "severity"),
    [
        (lambda i: i, "", ""),
        (lambda i: i.lstrip("0"), "linkage", ERROR),
        (lambda i: f"9{i}", "linkage", ERROR),
        (lambda i: i if int(i) % 2 else f"9{i}", "linkage_by_arm", WARNING),
    ],
)
def test_the_receipt_counts_how_registers_link_to_the_draws(tmp_path, write, rule, severity):
    folder = tmp_path / "delivery"
    ids = [row.split(";")[0] for row in GOOD]
    deliver(folder, rows=[f"{write(i)};{row.split(';', 1)[1]}" for i, row in zip(ids, GOOD, strict=True)])
    draws = ["lopenr;dag;gruppe", *(f"{i};2015-01-01;{'T' if int(i) % 2 else 'C'}" for i in ids)]
    (folder / "draws.csv").write_text("\n".join(draws) + "\n", encoding="utf-8")
    taken = take_receipt(
        "study",
        [draws_source(), make_source()],
        folder,
        codelists=LISTS,
        work=tmp_path / "work",
        draws=Draws("draws", "arm", ("T",), ("C",)),
    )
    (link,) = taken.linkages
    found = sum(write(i) == i for i in ids)
    assert (link.register, link.people, link.found, link.treated + link.control) == ("spells", 100, found, 100)
    about = [(p.rule, p.severity) for p in taken.problems if p.rule.startswith("linkage")]
    assert about == ([(rule, severity)] if rule else [])
    assert "spells,100," in (write_receipt_csv(taken, tmp_path / "out")[-2]).read_text(encoding="utf-8")
    assert list((tmp_path / "work").iterdir()) == []


BROKEN = {
    "unreadable_line": ("00091;2015-01-01;2016-01-01;A", ""),
    "missing_value": (";2015-01-01;2016-01-01;A;37,5", "lopenr"),
    "missing_start": ("00091;;2016-01-01;A;37,5", "fra"),
    "bad_value": ("00091;1111-22-33;2016-01-01;A;37,5", "fra"),
    "unknown_code": ("00091;2015-01-02;2016-01-01;SECRETCODE;37,5", "kode"),
    "duplicate_row": (GOOD[0], ""),
    "stop_before_start": ("00091;2015-03-02;2015-01-01;A;37,5", ""),
    "outside_coverage": ("00091;2013-03-02;2014-01-01;A;37,5", ""),
    "value_range": ("00091;2015-01-02;2016-01-01;A;99999,5", "timer"),
}


@pytest.mark.parametrize("rule", BROKEN)
@pytest.mark.parametrize("share", ["few", "many"])
def test_rejected_rows_are_reported_with_file_column_and_rows(tmp_path, rule, share):
    line, column = BROKEN[rule]
    folder = tmp_path / "delivery"
    times = 3 if share == "few" else 150
    alike = rule == "duplicate_row"
    deliver(folder, *[line if alike else line.replace("00091", f"0{7000 + k}") for k in range(times)])
    taken = receipt(folder)
    fault = next(each for each in taken.problems if each.rule == rule)
    assert (fault.register, fault.file, fault.column) == ("spells", "spells_v1.csv", column)
    assert fault.rows == times
    assert fault.first_rows == (101, 102, 103) if share == "few" else fault.first_rows == (101, 102, 103, 104, 105)
    assert fault.severity == (WARNING if share == "few" else ERROR)
    assert fault.what.startswith(f"{times} of {100 + times} ")
    assert fault.do
    text = everything_written(taken, tmp_path / "out")
    assert not [secret for secret in (*SECRET, *(row.split(";")[0] for row in GOOD), "07000") if secret in text]


def test_missing_shares_and_unknown_codes_and_people_are_counted(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, "00001;2015-01-01;;A;1,0", "00001;2015-01-02;;B;1,0", ";2015-01-01;2016-01-01;A;", "x;y")
    taken = receipt(folder)
    (file,) = taken.files
    assert (file.rows, file.people, file.unknown_codes, file.rejected) == (104, 101, 1, 3)
    missing = {column.delivered_as: column.missing for column in taken.columns}
    assert missing == {"lopenr": 1, "fra": 0, "til": 2, "kode": 0, "timer": 1}
    assert {column.rows for column in taken.columns} == {103}, "a line that cannot be read lacks nothing"


def test_repeated_rows_are_counted_without_a_rule(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, GOOD[0], GOOD[0])
    taken = receipt(folder, make_source(rules=[]))
    assert (taken.files[0].duplicates, taken.files[0].rejected) == (2, 0)


def test_a_correction_that_revokes_a_row_is_a_note(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    deliver(folder, name="spells_v2.csv", rows=["00090;2015-01-01;2014-12-31;A;37,5"])
    taken = receipt(folder)
    message_text = {(fault.file, fault.rule): fault.severity for fault in taken.problems if fault.rule != "empty_year"}
    assert message_text == {("spells_v1.csv", "superseded"): NOTE, ("spells_v2.csv", "stop_before_start"): NOTE}


def test_an_empty_file_and_an_empty_column(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, rows=[row.replace(";37,5", ";") for row in GOOD])
    assert [(f.rule, f.column, f.severity) for f in receipt(folder).problems if f.rule == "empty_column"] == [
        ("empty_column", "timer", WARNING)
    ]
    deliver(folder, rows=[])
    assert [(f.rule, f.severity) for f in receipt(folder).problems] == [("no_rows", ERROR)]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    (folder / "spells_v2.csv").write_text("lopenr;fra;til;timer\n", encoding="utf-8")
    taken = receipt(folder)
    assert [file.file for file in taken.files] == ["spells_v1.csv"]
    (fault,) = taken.of(ERROR)
    assert "spells_v2.csv" in fault.what
    assert "'kode'" in fault.what


def test_a_missing_register_is_reported_with_other_problems(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, rows=[])
    other = make_source(register="others", files=["others_v*.csv"])
    taken = take_receipt("study", [make_source(), other], folder, codelists=LISTS, work=tmp_path / "work")
    assert [fault.register for fault in taken.of(ERROR)] == ["others", "spells"]


def letter_text(folder: Path, **changes: Any) -> Path:
    path = folder / "spells_v1.csv"
    entry = {"file": path.name, "rows": 100, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} | changes
    lines = ", ".join(f"{key}: {value}" for key, value in entry.items())
    letter = folder / "delivery.yaml"
    letter.write_text(
        f"sender: The owner\nsent: 2026-01-15\nfiles:\n  - {{{lines}}}\nbesides: ['*.md']\n", encoding="utf-8"
    )
    return letter


def letter_rules(taken: Receipt) -> list[tuple[str, str, str]]:
    return [(f.rule, f.file, f.severity) for f in taken.problems if f.rule.startswith("letter")]


def test_a_letter_that_agrees(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    (folder / "readme.md").write_text("hello", encoding="utf-8")
    taken = receipt(folder, letter=letter_text(folder))
    assert letter_rules(taken) == []
    assert taken.files[0].letter == "agrees"
    assert taken.letter == "The owner, 2026-01-15"


def test_rows_and_checksum_that_differ_from_the_letter(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    letter = letter_text(folder)
    deliver(folder, "00001;2015-01-01;2016-01-01;A;1,0")
    taken = receipt(folder, letter=letter)
    assert letter_rules(taken) == [
        ("letter_rows_differ", "spells_v1.csv", ERROR), ("letter_checksum_differs", "spells_v1.csv", ERROR),
    ]  # fmt: skip
    assert "100 rows, the file has 101" in next(f.what for f in taken.problems if f.rule == "letter_rows_differ")
    assert taken.files[0].letter == "differs"


def test_a_file_that_was_listed_and_not_sent_and_two_that_were_sent_and_not_listed(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    letter = letter_text(folder, file="spells_v9.csv")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    taken = receipt(folder, letter=letter)
    assert sorted(letter_rules(taken)) == [
        ("letter_file_missing", "spells_v9.csv", ERROR),
        ("letter_file_unlisted", "notes.txt", WARNING),
        ("letter_file_unlisted", "spells_v1.csv", ERROR),
    ]
    assert taken.files[0].letter == "unlisted"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("files: []\n", "files"),
        ("files: [{file: a, rows: -1}]\n", "rows"),
        ("files: [{file: a, sha256: abc}]\n", "sha256"),
        ("files: [{file: a}, {file: a}]\n", "lists a twice"),
        ("fils: [{file: a}]\n", "'files'"),
    ],
)
def test_an_invalid_letter_is_reported(tmp_path, text, said):
    (tmp_path / "delivery.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        read_letter(tmp_path / "delivery.yaml")


def test_the_letter_is_found_by_name_or_default(tmp_path):
    assert find_letter(tmp_path, None) is None
    with pytest.raises(UserError, match="letter_2026"):
        find_letter(tmp_path, "letter_2026.yaml")
    (tmp_path / "delivery.yaml").write_text("x", encoding="utf-8")
    assert find_letter(tmp_path, None) == tmp_path / "delivery.yaml"


def test_the_page_is_self_contained(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder)
    page = write_receipt_html(receipt(folder), tmp_path / "receipt.html", label="A <study>").read_text(encoding="utf-8")
    assert "A &lt;study&gt;" in page
    assert not [word for word in ("http", "<script", "<link", "src=", "@import", "url(") if word in page]


def test_the_same_bytes_twice(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, *[line for line, _ in BROKEN.values()])
    one, two = (everything_written(receipt(folder), tmp_path / name) for name in ("one", "two"))
    assert one == two


def test_a_receipt_and_a_run_agree_on_every_row(tmp_path):
    folder = tmp_path / "delivery"
    deliver(folder, *(line for line, _ in BROKEN.values()), "00091;31.12.2015;;;", "00092;2015-01-09;;;")
    source = make_source()
    taken = receipt(folder, source)
    report = ingest(
        source,
        folder,
        codelists=LISTS,
        clean_path=tmp_path / "clean.parquet",
        rejects_path=tmp_path / "rejects.parquet",
    )
    (file,) = taken.files
    assert (file.rows, file.clean, file.rejected) == (report.delivered, report.clean, report.rejected)
    message_text = {
        fault.rule: fault.rows for fault in taken.problems if fault.rule not in ("empty_year", "empty_column")
    }
    assert message_text == {rule.rule: rule.rows for rule in report.rules}
    missing = {column.column: column.missing for column in taken.columns}
    # The cut line is no row of cells; a date that cannot be read is a value, though not one that can be used.
    assert missing == {"person_id": 1, "start": 1, "stop": 2, "code": 2, "hours": 2}


def test_repaired_rows_are_reported(tmp_path):
    folder = tmp_path / "delivery"
    rows = ["00001;2015-01-01;2015-06-30;A;10", "00001;2015-05-01;2015-12-31;A;10", "00002;2015-01-01;2015-06-30;A;10"]
    deliver(folder, rows=rows)
    source = make_source(rules=[{"rule": "overlap", "key": ["person_id"], "keep": "merge"}])
    taken = receipt(folder, source)
    assert [(each.register, each.rule, each.rows, each.people) for each in taken.repairs] == [
        ("spells", "overlap", 1, 1)
    ]
    written = everything_written(taken, tmp_path / "out")
    assert "Kept, and changed" in written
    assert "spells,overlap,1,1" in written
