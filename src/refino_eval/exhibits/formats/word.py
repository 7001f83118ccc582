"""A table as Word: a real table in house style, that keeps its look when it is pasted into a report.

The caption uses Word's own style Caption, so that a report's list of tables finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from refino_eval.exhibits.formats.reproducible_zip import LANGUAGE_TAGS
from refino_eval.exhibits.formats.word_document import (
    NOTE,
    PART,
    append,
    empty_paragraph,
    head_pages,
    new_document,
    paragraph,
    saved,
    turn,
)
from refino_eval.exhibits.formats.word_grid import NAMESPACE, Fit, escape, fit, grid, lies_down
from refino_eval.exhibits.layout.table import Table

if TYPE_CHECKING:
    from docx.document import Document


def to_word(table: Table) -> bytes:
    """Write a table as a Word document: caption, grids, notes.

    Parameters
    ----------
    table
        In the style of a page.
    """
    document = new_document(table.title, table.language)
    chosen = fit(table)
    turn(document.sections[0], landscape=lies_down(chosen))
    head_pages(document, table.watermark)
    _table(document, table, chosen)
    return saved(document)


def to_word_bundle(tables: Sequence[Table], *, title: str, language: str) -> bytes:
    """Write many tables in one document, a page each, behind a table of contents.

    Parameters
    ----------
    tables
        In the style of a page, in order.
    title
        Head of the document.
    language
        Of the tables.
    """
    from docx.enum.section import WD_SECTION

    document = new_document(title, language)
    turn(document.sections[0], landscape=False)
    head_pages(document, next((table.watermark for table in tables), ""))
    paragraph(document, title, "Title")
    _contents(document, tables)
    lying = False
    for number, table in enumerate(tables):
        chosen = fit(table)
        turned = lies_down(chosen)
        if turned != lying or number == 0:
            turn(document.add_section(WD_SECTION.NEW_PAGE), landscape=turned)
        _table(document, table, chosen, bookmark=number + 1, new_page=turned == lying and number > 0)
        lying = turned
    return saved(document)


def _table(document: Document, table: Table, fits: Sequence[Fit], *, bookmark: int = 0, new_page: bool = False) -> None:
    tag = LANGUAGE_TAGS[table.language]
    append(document, _caption(table, tag, bookmark, new_page))
    for part, chosen in zip(table.parts, fits, strict=True):
        if part.caption:
            paragraph(document, part.caption, PART).paragraph_format.keep_with_next = True
        append(document, "".join(grid(part, chosen, part.caption or table.title, tag)))
        # Word joins tables that touch; the gap also keeps the notes off the rule.
        gap = empty_paragraph(document, NOTE)
        gap.paragraph_format.keep_with_next = bool(table.notes)
    for note in table.notes:
        paragraph(document, note, NOTE)


def _caption(table: Table, tag: str, bookmark: int, new_page: bool) -> str:
    text = f'<w:r><w:rPr><w:lang w:val="{tag}"/></w:rPr><w:t xml:space="preserve">{escape(table.title)}</w:t></w:r>'
    own = "<w:pageBreakBefore/>" if new_page else ""
    if bookmark:
        # The outline level puts the table into Word's navigation pane and into the contents.
        own += '<w:outlineLvl w:val="0"/>'
        name = f"_Toc{bookmark:06d}"
        text = f'<w:bookmarkStart w:id="{bookmark}" w:name="{name}"/>{text}<w:bookmarkEnd w:id="{bookmark}"/>'
    return f'<w:p {NAMESPACE}><w:pPr><w:pStyle w:val="Caption"/>{own}</w:pPr>{text}</w:p>'


def _contents(document: Document, tables: Sequence[Table]) -> None:
    """Write a contents field with its lines in place: links work at once, page numbers come when the field is updated."""
    for number, table in enumerate(tables, start=1):
        before, after = "", ""
        if number == 1:
            code = r" TOC \h \z \u "
            before = (
                '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
                f'<w:r><w:instrText xml:space="preserve">{code}</w:instrText></w:r>'
                '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            )
        if number == len(tables):
            after = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        link = (
            f'<w:hyperlink w:anchor="_Toc{number:06d}" w:history="1"><w:r><w:t xml:space="preserve">'
            f"{escape(table.title)}</w:t></w:r></w:hyperlink>"
        )
        append(document, f'<w:p {NAMESPACE}><w:pPr><w:spacing w:after="60"/></w:pPr>{before}{link}{after}</w:p>')
