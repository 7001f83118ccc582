"""Unprotected results of confidential data carry a watermark on every page and sheet; protected ones name their profile."""

import io

import pytest
from docx import Document
from openpyxl import load_workbook

from refino_eval.exhibits.formats.excel import to_excel, to_excel_bundle
from refino_eval.exhibits.formats.text_formats import to_html, to_markdown
from refino_eval.exhibits.formats.word import to_word, to_word_bundle
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.render import drawing_of, laid_out
from refino_eval.text import say
from support import exhibits as toy

BOOK, FRAMES = toy.label_book(), toy.frames()
EXHIBITS = BOOK.definitions.exhibits
CONFIDENTIAL = {"data_class": "confidential"}
MARK = {language: say("notes.watermark", language) for language in ("nb", "en")}


def laid(name, facts, language="en"):
    return laid_out(name, EXHIBITS[name], FRAMES[name], labels=BOOK, language=language, facts=facts)


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_page_of_a_confidential_table_is_watermarked(language):
    table = laid("table_8_1", CONFIDENTIAL, language)
    assert f'<p class="watermark">{MARK[language]}</p>' in to_html(table.page)
    assert to_markdown(table.page).splitlines()[2] == f"**{MARK[language]}**"
    tables = [table, laid("table_8_2", CONFIDENTIAL, language)] if "table_8_2" in FRAMES else [table, table]
    for content in (
        to_word(table.page),
        to_word_bundle([each.page for each in tables], title="All", language=language),
    ):
        heads = [section.header.paragraphs[0].text for section in Document(io.BytesIO(content)).sections]
        assert heads == [MARK[language]] * len(heads)
    for content in (
        to_excel(table.page, table.numbers),
        to_excel_bundle([each.page for each in tables], table.numbers, title="All", language=language),
    ):
        for sheet in load_workbook(io.BytesIO(content)).worksheets:
            assert MARK[language] in [cell.value for row in sheet.iter_rows() for cell in row], sheet.title
            assert sheet.oddHeader.center.text == MARK[language]


def test_a_confidential_figure_is_watermarked():
    name = next(name for name in FRAMES if EXHIBITS[name].form == "figure")
    for facts, count in ((CONFIDENTIAL, 1), ({"data_class": "public"}, 0), ({**CONFIDENTIAL, "profile": "ssb"}, 0)):
        with house_style(name):
            drawing = drawing_of(name, EXHIBITS[name], FRAMES[name], labels=BOOK, language="en", facts=facts)
        marks = [text for text in drawing.figure.texts if text.get_rotation() > 0]
        assert len(marks) == count


def test_a_protected_table_names_its_profile_and_has_no_watermark():
    table = laid("table_8_1", {**CONFIDENTIAL, "profile": "ssb"})
    assert table.page.watermark == ""
    assert table.page.notes[-1] == say("notes.profile", "en", profile="ssb")
    assert laid("table_8_1", {"data_class": "public"}).page.watermark == ""
