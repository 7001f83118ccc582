"""The report in Word: the page's chapters and exhibits, with captions and references that Word counts."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from refino_eval.exhibits.formats.word_grid import CHARACTER, PORTRAIT, decimal_tail, fit, grid
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, label
from refino_eval.report.page import report_contents as page_contents
from refino_eval.report.page.report_contents import ReportContents, report_contents
from refino_eval.report.word.word_fields import Caption, with_references
from refino_eval.report.word.word_report import write_word_report
from support import finished_run as run


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> ReportContents:
    return report_contents(run.make_run(tmp_path_factory.mktemp("run"), languages=("nb",)), "nb")


@pytest.fixture(scope="module")
def written(contents: ReportContents, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_word_report(contents, tmp_path_factory.mktemp("word") / "report.nb.docx").read_bytes()


@pytest.fixture(scope="module")
def document(written: bytes) -> Document:
    return docx.Document(io.BytesIO(written))


def _texts(document: Document, style: str) -> list[str]:
    return [each.text for each in document.paragraphs if each.style is not None and each.style.name == style]


def test_chapters_are_headings_in_the_order_of_the_page(document: Document, contents: ReportContents) -> None:
    names = [name for name in contents.order if name != "explorer"]
    assert _texts(document, "Heading 1") == [page_contents.say(f"report.chapter_{name}", "nb") for name in names]
    assert _texts(document, "toc 1") == _texts(document, "Heading 1")


def test_every_exhibit_has_a_caption_that_word_counts(document: Document, contents: ReportContents) -> None:
    captions = [each for each in document.paragraphs if each.style is not None and each.style.name == "Caption"]
    assert len(captions) == len(list(contents.exhibits))
    counted = {"Tabell": 0, "Figur": 0}
    for caption, exhibit in zip(captions, contents.exhibits, strict=True):
        word = "Tabell" if exhibit.definition.form == "table" else "Figur"
        counted[word] += 1
        assert f"SEQ {word}" in "".join(node.text or "" for node in caption._p.iter(qn("w:instrText")))
        assert caption.text.startswith(f"{word} {counted[word]}. ")
    # A title that begins with its number in a publication ends with it here.
    assert any(re.fullmatch(r"Tabell \d+\. .+ \(Tabell 8\.1\)", caption.text) for caption in captions)


def test_every_number_of_a_table_and_every_note_is_there(document: Document, contents: ReportContents) -> None:
    shown = {cell.text for table in document.tables for row in table.rows for cell in row.cells}
    shown = {text.replace("\N{NO-BREAK SPACE}", " ") for text in shown}
    notes = set(_texts(document, "Table Note"))
    for exhibit in contents.exhibits:
        assert set(exhibit.notes) <= notes
        if exhibit.table is not None:
            cells = [cell for part in exhibit.table.parts for row in part.body for cell in row.cells]
            assert {cell.shown.replace("\N{NO-BREAK SPACE}", " ") for cell in cells} <= shown


def test_links_lead_somewhere_and_bookmarks_differ(document: Document) -> None:
    marks = [node.get(qn("w:name")) for node in document.element.iter(qn("w:bookmarkStart"))]
    numbers = [node.get(qn("w:id")) for node in document.element.iter(qn("w:bookmarkStart"))]
    assert len(set(marks)) == len(marks)
    assert len(set(numbers)) == len(numbers)
    targets = [node.get(qn("w:anchor")) for node in document.element.iter(qn("w:hyperlink"))]
    codes = "".join(node.text or "" for node in document.element.iter(qn("w:instrText")))
    targets += re.findall(r"REF (\S+)", codes)
    assert targets
    assert set(targets) <= set(marks)


def test_figures_have_alternative_texts(document: Document, contents: ReportContents) -> None:
    figures = [exhibit.name for exhibit in contents.exhibits if exhibit.definition.form == "figure"]
    described = {shape._inline.docPr.get("name"): shape._inline.docPr.get("descr") for shape in document.inline_shapes}
    assert sorted(described) == sorted(figures)
    assert all(len(text) > 20 for text in described.values())
    room = document.sections[0].page_width - document.sections[0].left_margin - document.sections[0].right_margin
    assert all(shape.width <= room for shape in document.inline_shapes)


def test_every_page_names_the_evaluation_and_synthetic_data(document: Document, contents: ReportContents) -> None:
    assert document.sections[0].header.paragraphs[0].text == "Refino & <Oppfølging> · Syntetiske data"
    assert all(section.header.is_linked_to_previous for section in list(document.sections)[1:])
    assert "PAGE" in "".join(node.text or "" for node in document.sections[0].footer._element.iter(qn("w:instrText")))


def test_unprotected_numbers_about_people_are_marked_on_every_page(contents: ReportContents, tmp_path: Path) -> None:
    inputs = dataclasses.replace(contents.inputs, evaluation=run.evaluation("confidential"))
    marked = dataclasses.replace(contents, inputs=inputs, watermark="INTERN")
    made = docx.Document(str(write_word_report(marked, tmp_path / "report.docx")))
    assert made.sections[0].header.paragraphs[0].text.endswith("· INTERN")


def test_the_same_run_gives_the_same_bytes(contents: ReportContents, written: bytes, tmp_path: Path) -> None:
    assert write_word_report(contents, tmp_path / "again.docx").read_bytes() == written


def test_a_grid_of_hundreds_of_rows_is_named_and_left_out(
    contents: ReportContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("refino_eval.report.word.word_report.LONGEST_ON_PAPER", 3)
    document = docx.Document(str(write_word_report(contents, tmp_path / "report.docx")))
    long = [
        (part.caption or re.sub(r"^(Tabell|Figur) [\w.]+\. ", "", exhibit.title), len(part.body))
        for exhibit in contents.exhibits
        for part in (exhibit.table.parts if exhibit.table is not None else ())
        if len(part.body) > 3
    ]
    wanted = {page_contents.say("report.not_on_paper", "nb", part=name, n=rows) for name, rows in long}
    assert wanted
    assert wanted <= set(_texts(document, "Table Note"))


def test_a_text_that_names_a_published_exhibit_refers_to_its_caption() -> None:
    captions = {"Table 8.1": Caption("Table", 12, "Effects", "Table 8.1", "_Ref_table_12")}
    runs = with_references("As in Table 8.1, not Table 8.11.", captions)
    assert runs.count("REF _Ref_table_12") == 1
    assert re.sub(r"<w:instrText.*?</w:instrText>|<[^>]*>", "", runs) == "As in Table 12, not Table 8.11."


def test_decimals_of_a_column_are_under_each_other_and_whole_numbers_at_its_edge() -> None:
    texts = ["−0,0096*", "(0,017)", "12,5 %", "0,3", "4 897"]
    rows = tuple(Row((label("x"), Cell(text, number=1.0))) for text in texts)
    table = Table("t", "nb", "T", (Part((Row((label(""), label("y", align="right"))),), rows),))
    (chosen,) = fit(table)
    made = "".join(grid(table.parts[0], chosen, "T", "nb-NO"))
    entries = re.findall(r"<w:tc>.*?</w:tc>", made)[3::2]
    indents = [int(match[1]) if (match := re.search(r'<w:ind w:right="(\d+)"', entry)) else 0 for entry in entries]
    tails = [decimal_tail(row.cells[1]) for row in rows]
    ends = [indent / (20 * chosen.size) + float(tail or 0.0) for indent, tail in zip(indents, tails, strict=True)]
    assert ends[:-1] == pytest.approx([ends[0]] * (len(ends) - 1), abs=0.01)
    assert (indents[-1], tails[-1]) == (0, None)
    assert tails[0] == pytest.approx(0.278 + 4 * CHARACTER + 0.389)
    assert decimal_tail(Cell("[−0,02; 0,03]")) is None
    assert decimal_tail(Cell("4,897", number=4897.0)) is None

    # Row headings break into lines before an interval does.
    heading, entries = label("Fixed effects, county by month of assignment"), [Cell("[−0.0128, 0.0127]")] * 5
    part = Part((Row((label(""), *[label("y")] * 5)),), (Row((heading, *entries)),))
    (chosen,) = fit(Table("t", "en", "T", (part,)))
    assert (chosen.landscape, chosen.broken, sum(chosen.widths)) == (False, False, PORTRAIT)
    assert "[−0.0128,\N{NO-BREAK SPACE}0.0127]" in "".join(grid(part, chosen, "T", "en-GB"))


def test_nothing_asks_a_reader_of_paper_to_press_a_number(document: Document, contents: ReportContents) -> None:
    text = "\n".join(each.text for each in document.paragraphs)
    assert page_contents.say("report.lead_results", "nb") in text
    assert page_contents.say("report.press", "nb") not in text
    assert _texts(document, "Summary Text")[0] == " ".join(contents.summary.lead)
    assert _texts(document, "Summary List") == list(contents.summary.findings)
