"""Word and Excel read back: a real table, numbers that are numbers, the same bytes on every run."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import math
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace

import docx
import openpyxl
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from refino_eval.exhibits.formats import reproducible_zip as packages
from refino_eval.exhibits.formats.excel import in_sheet, number_format, to_excel, to_excel_bundle
from refino_eval.exhibits.formats.word import to_word, to_word_bundle
from refino_eval.exhibits.formats.write import Laid, write_bundle
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.exhibits.render import laid_out
from refino_eval.exhibits.tidy import validate
from refino_eval.exhibits.wording.number_format import NumberStyle
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
NAMES = [name for name, exhibit in EXHIBITS.items() if exhibit.form == "table"]


def _laid(name: str, language: str = "nb", stars: tuple[float, ...] = ()) -> Laid:
    facts = {**toy.FACTS, "stars": stars}
    return laid_out(name, EXHIBITS[name], validate(FRAMES[name]), labels=BOOK, language=language, facts=facts)


def _read_word(content: bytes):
    return docx.Document(io.BytesIO(content))


def _borders(cell) -> dict[str, int]:
    found = cell._tc.tcPr.find(qn("w:tcBorders"))
    return {} if found is None else {edge.tag.split("}")[1]: int(edge.get(qn("w:sz"))) for edge in found}


def test_word_is_a_table_with_caption_rules_and_notes() -> None:
    document = _read_word(to_word(_laid("table_8_1").page))
    first = document.paragraphs[0]
    assert (first.style.name, first.text) == ("Caption", EXHIBITS["table_8_1"].title.nb)
    (table,) = document.tables
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert texts[1] == ["Refino", "−0,010", "−0,17", "0,003", "−0,014"]
    assert texts[2][1:] == ["(0,016)", "(0,73)", "(0,015)", "(0,013)"]
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert table.rows[1]._tr.trPr.find(qn("w:tblHeader")) is None
    heights = [_borders(row.cells[1]) for row in table.rows]
    assert heights[0] == {"top": 12}
    assert heights[1] == {"top": 6}
    assert heights[-1] == {"bottom": 12}
    assert [k for k, edges in enumerate(heights) if edges.get("top") == 6] == [1, 4]  # under the heading, over the foot
    assert all(cell.paragraphs[0].alignment == 2 for row in table.rows[1:] for cell in row.cells[1:])
    notes = [p for p in document.paragraphs if p.style.name == "Table Note" and p.text]
    assert "Standardfeil i parentes" in notes[-2].text
    assert notes[0].style.font.size.pt == 8


def test_word_keeps_a_row_heading_over_its_standard_error() -> None:
    (table,) = _read_word(to_word(_laid("table_8_1").page)).tables
    merges = [row._tr.tc_lst[0].tcPr.find(qn("w:vMerge")) for row in table.rows]
    assert [merge is not None for merge in merges[:4]] == [False, True, True, False]


@pytest.mark.parametrize(("language", "tag"), [("nb", "nb-NO"), ("en", "en-GB")])
def test_word_says_its_language(language: str, tag: str) -> None:
    document = _read_word(to_word(_laid("table_8_1", language).page))
    everywhere = {
        node.get(qn("w:val"))
        for root in (document.element, document.styles.element)
        for node in root.iter(qn("w:lang"))
    }
    assert everywhere == {tag}
    assert document.core_properties.language == tag
    assert document.core_properties.title == EXHIBITS["table_8_1"].title[language]


def _wide(columns: int) -> Table:
    row = Row((label("Row"), *(Cell("[−0,0163; 0,0077]") for _ in range(columns))))
    header = Row((label(""), *(label(f"Column {k}", align="right") for k in range(columns))))
    return Table("wide", "nb", "Wide", (Part((header,), (row,)),))


def test_word_turns_the_page_for_a_wide_table_only() -> None:
    narrow, wide = (_read_word(to_word(_wide(count))).sections[0] for count in (3, 9))
    assert (narrow.orientation, wide.orientation) == (WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE)
    assert narrow.page_width == wide.page_height
    for count in (3, 9, 25):
        document = _read_word(to_word(_wide(count)))
        section = document.sections[0]
        room = section.page_width - section.left_margin - section.right_margin
        assert sum(column.width for column in document.tables[0].columns) <= room


def test_every_form_in_every_language_is_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        laid = _laid(name)
        assert to_word(laid.page) == to_word(laid.page)
        first = to_excel(laid.page, laid.numbers)
        with monkeypatch.context() as later:  # openpyxl writes the hour into the file
            later.setattr("openpyxl.writer.excel.datetime", SimpleNamespace(datetime=_Later, timezone=dt.timezone))
            assert to_excel(laid.page, laid.numbers) == first
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert {entry.date_time for entry in package.infolist()} == {packages.FIRST_ZIP_DAY}
        assert b"2000-01-01T00:00:00Z" in package.read("docProps/core.xml")
    with zipfile.ZipFile(io.BytesIO(to_word(laid.page))) as package:
        assert package.namelist()[0] == "[Content_Types].xml"
        assert not [entry for entry in package.namelist() if "thumbnail" in entry]


class _Later:
    @staticmethod
    def now(tz: object = None) -> object:
        return dt.datetime(2031, 5, 5, 5, 5)


@pytest.mark.parametrize("name", NAMES)
def test_excel_has_every_number_in_full_and_shows_it_as_the_page(name: str) -> None:
    laid = _laid(name, "en")
    book = openpyxl.load_workbook(io.BytesIO(to_excel(laid.page, laid.numbers)))
    assert book.sheetnames[1:] == ["numbers"]
    kept = [cell.value for row in book.worksheets[0].iter_rows() for cell in row if isinstance(cell.value, int | float)]
    wanted = [
        cell.number
        for part in laid.page.parts
        for row in part.body
        for cell in row.cells
        if cell.number is not None and math.isfinite(cell.number)
    ]
    assert kept == pytest.approx(wanted, rel=2e-15)  # the sixteen digits that a workbook keeps
    tidy = book["numbers"]
    assert [cell.value for cell in tidy[1]] == list(laid.numbers.columns)
    values = [row[5].value for row in tidy.iter_rows(min_row=2)]
    assert [math.nan if value is None else value for value in values] == pytest.approx(
        laid.numbers["value"].tolist(), rel=2e-15, nan_ok=True
    )


def test_excel_formats_headings_and_panes() -> None:
    laid = _laid("table_8_1")
    sheet = openpyxl.load_workbook(io.BytesIO(to_excel(laid.page, laid.numbers))).worksheets[0]
    rows = {row[0].value: row for row in sheet.iter_rows() if row[0].value}
    estimate = rows["Refino"][1]
    error = sheet.cell(estimate.row + 1, 2)
    assert (estimate.number_format, error.number_format) == ("0.000_)", '"("0.000")"')
    assert rows["N"][1].number_format == "#,##0"
    assert rows["95 % konfidensintervall"][1].data_type == "s"
    assert sheet.freeze_panes == f"B{estimate.row}"
    head = sheet.cell(estimate.row - 1, 2)
    assert head.font.bold
    assert head.border.top.style == "medium"
    assert estimate.border.top.style == "thin"
    assert sheet.cell(sheet.max_row, 1).value.startswith("Syntetisk register")
    assert sheet.column_dimensions["A"].width > 15


@pytest.mark.parametrize(
    ("text", "number", "language", "code"),
    [
        ("−0,0096", -0.00961, "nb", "0.0000"),
        ("3,7 × 10⁻⁸".replace(" ", "\N{NO-BREAK SPACE}"), 3.72e-8, "nb", "0.0E+00"),
        ("(0.016)", 0.0161, "en", '"("0.000")"'),
        ("4\N{NARROW NO-BREAK SPACE}898", 4898.0, "nb", "#,##0"),
        ("12,345.6", 12345.62, "en", "#,##0.0"),
        ("<0,001", 0.00002, "nb", '[<0.001]"<0,001";0.000'),
        ("8,3\N{NO-BREAK SPACE}%", 8.31, "nb", '0.0"\N{NO-BREAK SPACE}%"'),
        ("8.3%", 0.0831, "en", "0.0%"),
        ("[0.1, 0.2]", None, "en", None),
        ("7", 8.0, "en", None),  # a text that shows another number stays a text
    ],
)
def test_a_number_format_shows_the_number_as_its_text(
    text: str, number: float | None, language: str, code: str
) -> None:
    assert number_format(Cell(text, number=number), NumberStyle.of(language)) == code


def test_a_sheet_holds_a_number_in_the_unit_that_the_page_shows() -> None:
    style = NumberStyle.of("en")
    assert in_sheet(Cell("76.4", number=0.7637), style) == (76.37, "0.0")
    assert in_sheet(Cell("26.7", number=26_699.0), style) == (26.699, "0.0")
    assert in_sheet(Cell("0.76", number=0.7637), style) == (0.7637, "0.00")
    assert in_sheet(Cell("7", number=8.0), style) is None
    assert in_sheet(Cell("Oslo"), style) is None


def test_a_label_like_a_formula_stays_a_label() -> None:
    part = Part((Row((label(""), label("=1+1", align="right"))),), (Row((label("=cmd()"), Cell("1", number=1.0))),))
    content = to_excel(Table("t", "en", "=A1", (part,)), FRAMES["table_8_1"].head(1))
    kinds = {
        c.value: c.data_type
        for row in openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows()
        for c in row
    }
    assert {kinds["=A1"], kinds["=1+1"], kinds["=cmd()"]} == {"s"}


def test_stars_are_marks_beside_numbers() -> None:
    frame = FRAMES["table_8_1"].copy()
    frame.loc[(frame["statistic"] == "p_value") & (frame["column"] == "any_wage"), "value"] = 0.03
    frames = {**FRAMES, "table_8_1": frame}

    def laid(levels: tuple[float, ...], **exhibit: object) -> Laid:
        entry = EXHIBITS["table_8_1"].model_copy(update=exhibit)
        facts = {"stars": levels}
        return laid_out("table_8_1", entry, validate(frames["table_8_1"]), labels=BOOK, language="en", facts=facts)

    assert laid(()).page.parts[0].body[0].cells[1].mark == ""
    starred = laid((0.1, 0.05, 0.01))
    assert starred.page.parts[0].body[0].cells[1].mark == "**"
    assert starred.page.notes[-1].startswith("* p < 0.10, ** p < 0.05, *** p < 0.01")
    assert laid((0.1,), stars=()).page.parts[0].body[0].cells[1].mark == ""
    assert laid((), stars=(0.05,)).page.parts[0].body[0].cells[1].mark == "*"
    assert not any("p <" in note for note in laid((0.001,)).page.notes)  # no star, no legend
    sheet = openpyxl.load_workbook(io.BytesIO(to_excel(starred.page, starred.numbers))).worksheets[0]
    cell = next(c for row in sheet.iter_rows() for c in row if isinstance(c.value, float))
    assert cell.number_format == '0.000"**"'
    assert "−0.010**" in [c.text for c in _read_word(to_word(starred.page)).tables[0].rows[1].cells]
    assert "**" not in starred.sheet.parts[0].body[0].cells[1].text


def test_bundles_hold_all_tables_behind_contents(tmp_path: Path) -> None:
    tables = [_laid(name) for name in NAMES]
    document = docx.Document(str(write_bundle(tables, tmp_path / "tables.nb.docx", title="Alle", language="nb")))
    titles = [laid.page.title for laid in tables]
    assert [p.text for p in document.paragraphs if p.style.name == "Caption"] == titles
    assert len(document.tables) == sum(len(laid.page.parts) for laid in tables)
    body = document.element
    anchors = [node.get(qn("w:anchor")) for node in body.iter(qn("w:hyperlink"))]
    assert anchors == [node.get(qn("w:name")) for node in body.iter(qn("w:bookmarkStart"))]
    assert len(anchors) == len(titles)
    assert [node.get(qn("w:fldCharType")) for node in body.iter(qn("w:fldChar"))] == ["begin", "separate", "end"]
    path = tmp_path / "tables.nb.xlsx"
    chapters = ["results"] * len(tables)
    book = openpyxl.load_workbook(write_bundle(tables, path, title="Alle", language="nb", chapters=chapters))
    assert [book.sheetnames[0], book.sheetnames[-1]] == ["innhold", "tall"]
    assert "Tabell 8.1" in book.sheetnames
    assert not any("_" in name for name in book.sheetnames)
    contents = list(book["innhold"].iter_rows(min_row=4))
    assert {row[1].value for row in contents[:-1]} == {"Resultater"}
    assert [row[2].value for row in contents] == book.sheetnames[1:]
    assert contents[0][3].value == f"tables/{NAMES[0]}.nb"
    assert all(book[name]["A2"].hyperlink.location == "'innhold'!A1" for name in book.sheetnames[1:-1])
    assert book["tall"].print_area.endswith("$A$1:$H$1")
    assert [row[0].value for row in contents[:-1]] == titles
    links = [row[0].hyperlink.location or row[0].hyperlink.target for row in contents]
    assert [re.search(r"'(.*)'!A1", link).group(1) for link in links] == book.sheetnames[1:]
    assert book["tall"].max_row == 1 + sum(len(laid.numbers) for laid in tables)


def test_two_long_names_do_not_collide_in_a_book() -> None:
    laid = _laid("table_8_1")
    pair = [dataclasses.replace(laid.page, exhibit="table_of_effects_that_is_called_" + end) for end in ("one", "two")]
    content = to_excel_bundle(pair, laid.numbers, title="x", language="nb")
    names = openpyxl.load_workbook(io.BytesIO(content)).sheetnames
    assert len(set(names)) == 4
    assert max(map(len, names)) <= 31


@pytest.mark.slow
def test_libreoffice_opens_both_without_repair(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed here")
    tables = [_laid(name, "nb", (0.1, 0.05)) for name in NAMES]
    written = [write_bundle(tables, tmp_path / f"{x}.{x}", title="Alle", language="nb") for x in ("docx", "xlsx")]
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    done = subprocess.run(
        [office, "--headless", profile, "--convert-to", "pdf", "--outdir", tmp_path, *written],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for path in written:
        assert path.with_suffix(".pdf").stat().st_size > 20_000, done.stdout + done.stderr


def test_an_empty_bundle_page_is_still_a_document() -> None:
    assert _read_word(to_word_bundle([], title="None", language="en")).paragraphs[0].text == "None"


def test_control_characters_and_long_titles_reach_word_and_excel_without_harm() -> None:
    text = "Wages\x0bbefore tax"
    part = Part(header=(Row((label(text), label("N"))),), body=(Row((label("A\x00"), Cell("1", number=1.0))),))
    table = Table("table_x", "en", f"{text} {'long ' * 80}", (part,), (f"A note\x1f. {text}",))
    document = _read_word(to_word(table))
    assert document.tables[0].cell(0, 0).text == "Wages before tax"
    assert len(document.core_properties.title) == 255
    frame = validate(FRAMES["table_8_1"]).assign(row=text)
    book = openpyxl.load_workbook(io.BytesIO(to_excel(table, frame)))
    shown = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert "Wages before tax" in shown
    assert not any("\x0b" in value for value in shown)
