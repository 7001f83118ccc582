"""A table as Word: a real table in house style, that keeps its look when it is pasted into a report.

Rules, widths and sides are set on the cells themselves and not by a table style, since a style stays behind when a table
is copied. The caption uses Word's own style Caption, so that a report's list of tables finds it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as escape_markup
from typing import TYPE_CHECKING, Any

from refino_eval.exhibits.formats.reproducible_zip import EPOCH, LANGUAGE_TAGS, timeless
from refino_eval.exhibits.formats.widths import column_widths, is_prose, measure
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, leads
from refino_eval.text.escaping import without_control_characters

if TYPE_CHECKING:
    from docx.document import Document

TWIPS = 20
"""Of a point; Word measures in twentieths."""


PORTRAIT, LANDSCAPE = 9070, 14000
"""Width between the margins of an A4 page, upright and on its side, in twips."""


LONG_SIDE, SHORT_SIDE, MARGIN = 16838, 11906, 1418


FONT = "Arial"


CHARACTER = 0.56
"""Width of a character, in parts of the size of the type: that of Arial's digits."""


GAP = 140
"""Twips beside each column, both sides together."""


PAGES = (
    (9.0, PORTRAIT, False), (8.0, PORTRAIT, False), (9.0, LANDSCAPE, False), (8.0, LANDSCAPE, False),
    (8.0, LANDSCAPE, True), (7.0, LANDSCAPE, True), (6.0, LANDSCAPE, True),
)  # fmt: skip
"""Size of type, width of page, and whether an interval may break into two lines, in the order in which they are tried."""


ROOMY = 1500
"""No column of numbers is stretched beyond this, in twips."""


BROKEN_AFTER = 40
"""Rows up to which a table stays on one page."""


TEXT, NOTE, PART = "Table Text", "Table Note", "Table Part"


HEAVY, THIN, HAIR = 12, 6, 4
"""Rules in eighths of a point."""


NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


LONGEST_PROPERTY = 255
"""Characters that a property of a document may have."""


def escape(text: str) -> str:
    """Return a text as XML may hold it."""
    return escape_markup(without_control_characters(text))


@dataclass(frozen=True)
class Fit:
    """How a grid is set.

    Attributes
    ----------
    size
        Of the type, in points.
    widths
        Of the columns, in twips.
    landscape
        Whether the page lies on its side.
    broken
        Whether an entry may break into lines.
    """

    size: float
    widths: tuple[int, ...]
    landscape: bool
    broken: bool


def to_word(table: Table) -> bytes:
    """Write a table as a Word document: caption, grids, notes.

    Parameters
    ----------
    table
        In the style of a page.
    """
    document = _document(table.title, table.language)
    _turn(document.sections[0], landscape=lies_down(table))
    _head_pages(document, table.watermark)
    _table(document, table)
    return _saved(document)


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

    document = _document(title, language)
    _turn(document.sections[0], landscape=False)
    _head_pages(document, next((table.watermark for table in tables), ""))
    _paragraph(document, title, "Title")
    _contents(document, tables)
    lying = False
    for number, table in enumerate(tables):
        turned = lies_down(table)
        if turned != lying or number == 0:
            _turn(document.add_section(WD_SECTION.NEW_PAGE), landscape=turned)
        _table(document, table, bookmark=number + 1, new_page=turned == lying and number > 0)
        lying = turned
    return _saved(document)


def lies_down(table: Table) -> bool:
    """Whether any grid of a table is too wide for an upright page."""
    return any(chosen.landscape for chosen in fit(table))


def fit(table: Table) -> tuple[Fit, ...]:
    """Choose the largest type, and an upright page before one on its side, for which every grid's columns have room."""
    for size, width, broken in PAGES:
        grids = [column_widths(part, broken=broken) for part in table.parts]
        needed = [[round(count * CHARACTER * size * TWIPS) + GAP for count in grid] for grid in grids]
        if all(sum(grid) <= width for grid in needed):
            break
    else:
        needed = [[int(each * min(1.0, width / sum(grid))) for each in grid] for grid in needed]
    return tuple(
        Fit(size, tuple(_stretch(grid, part, size, width)), width == LANDSCAPE, broken)
        for grid, part in zip(needed, table.parts, strict=True)
    )


def _stretch(needed: list[int], part: Part, size: float, width: int) -> list[int]:
    """Share the room that is left: row headings first, up to their length, then columns, up to a reader's comfort."""
    longest = max((measure(row.cells[0].shown) for row in part.body if row.cells[0].span == 1), default=0)
    wanted = round(longest * CHARACTER * size * TWIPS) + GAP
    out = list(needed)
    out[0] += max(0, min(wanted - out[0], (width - sum(out)) // 2 if len(out) > 4 else width - sum(out)))
    left = width - sum(out)
    texts = {place for row in part.body for place, cell in enumerate(row.cells) if is_prose(cell)}
    for place in range(1, len(out)):
        share = left // (len(out) - place)
        grown = max(0, share if place in texts else min(share, ROOMY - out[place]))
        out[place] += grown
        left -= grown
    return out


def _document(title: str, language: str) -> Document:
    import docx
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    document = docx.Document()
    for relation in [key for key, each in document.part.package.rels.items() if "thumbnail" in each.reltype]:
        del document.part.package.rels[relation]
    core = document.core_properties
    # Word's own limit for a property; the caption shows the whole title.
    core.title = without_control_characters(title)[:LONGEST_PROPERTY]
    core.language, core.author, core.comments = LANGUAGE_TAGS[language], "", ""
    core.created = core.modified = EPOCH
    styles = document.styles
    for name, size, before, after in ((TEXT, 9, 1.5, 1.5), (NOTE, 8, 0, 2), (PART, 9, 6, 3)):
        style: Any = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        _set(style, size, before, after)
    styles[PART].font.italic = True
    _set(styles["Caption"], 10, 6, 4)
    styles["Caption"].paragraph_format.keep_with_next = True
    for name in ("Normal", "Caption", "Title"):
        font = styles[name].font
        font.name, font.color.rgb = FONT, RGBColor(0x22, 0x22, 0x22)
        fonts = font.element.rPr.rFonts
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{kind}"), None)
        fonts.set(qn("w:cs"), FONT)
    rule = styles["Title"].element.pPr.find(qn("w:pBdr"))
    if rule is not None:
        styles["Title"].element.pPr.remove(rule)
    styles["Normal"].font.size = Pt(11)
    styles["Title"].font.size = Pt(20)
    for tag in styles.element.iter(qn("w:lang")):
        tag.set(qn("w:val"), LANGUAGE_TAGS[language])
    return document


def _set(style: Any, size: float, before: float, after: float) -> None:
    from docx.shared import Pt

    style.font.size = Pt(size)
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.0


def _turn(section: Any, *, landscape: bool) -> None:
    """Make a section's pages A4, upright or on their side."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Twips

    long, short = Twips(LONG_SIDE), Twips(SHORT_SIDE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Twips(MARGIN))


def _head_pages(document: Document, text: str) -> None:
    """Write a text at the head of every page; later sections take over the head of the first."""
    if text:
        paragraph = document.sections[0].header.paragraphs[0]
        paragraph.style = document.styles[NOTE]
        paragraph.add_run(text).bold = True


def _saved(document: Document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return timeless(buffer.getvalue())


def _paragraph(document: Document, text: str, style: str) -> Any:
    paragraph = _empty_paragraph(document, style)
    paragraph.add_run(without_control_characters(text))
    return paragraph


def _empty_paragraph(document: Document, style: str) -> Any:
    """Add a paragraph; given a style by its name, the library would look for the default style each time."""
    paragraph = document.add_paragraph()
    paragraph._p.style = document.styles[style].style_id
    return paragraph


def _append(document: Document, xml: str) -> None:
    """Put a piece of a document at its end, before the page's own settings."""
    from docx.oxml import parse_xml

    document.element.body.insert_element_before(parse_xml(xml), "w:sectPr")


def _table(document: Document, table: Table, *, bookmark: int = 0, new_page: bool = False) -> None:
    tag = LANGUAGE_TAGS[table.language]
    _append(document, _caption(table, tag, bookmark, new_page))
    for part, chosen in zip(table.parts, fit(table), strict=True):
        if part.caption:
            _paragraph(document, part.caption, PART).paragraph_format.keep_with_next = True
        _append(document, "".join(_grid(part, chosen, part.caption or table.title, tag)))
        # Word joins tables that touch; the gap also keeps the notes off the rule.
        gap = _empty_paragraph(document, NOTE)
        gap.paragraph_format.keep_with_next = bool(table.notes)
    for note in table.notes:
        _paragraph(document, note, NOTE)


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
        _append(document, f'<w:p {NAMESPACE}><w:pPr><w:spacing w:after="60"/></w:pPr>{before}{link}{after}</w:p>')


def _grid(part: Part, chosen: Fit, name: str, tag: str) -> Iterator[str]:
    """Return the pieces of a Word table."""
    rows = [*part.header, *part.body]
    stand = ["alone"] * len(part.header) + leads(part.body)
    yield (
        f"<w:tbl {NAMESPACE}><w:tblPr>"
        f'<w:tblW w:w="{sum(chosen.widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:left w:w="{GAP // 2}" w:type="dxa"/><w:right w:w="{GAP // 2}" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="1" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f'<w:tblCaption w:val="{escape(name)}"/></w:tblPr><w:tblGrid>'
    )
    yield "".join(f'<w:gridCol w:w="{width}"/>' for width in chosen.widths)
    yield "</w:tblGrid>"
    short = len(rows) <= BROKEN_AFTER
    for place, row in enumerate(rows):
        head = place < len(part.header)
        last = place == len(rows) - 1
        follows = not last and rows[place + 1].role == "beneath"
        yield _row(
            row, chosen, tag, head=head, lead=stand[place], rules=_rules(rows, place, len(part.header)),
            keep=not last and (short or head or follows or row.role == "block"),
        )  # fmt: skip
    yield "</w:tbl>"


def _rules(rows: Sequence[Row], place: int, heads: int) -> tuple[int, int]:
    """Return the rules above and below a row: around the table, beneath its heading, above its foot."""
    top = HEAVY if place == 0 else 0
    if place == heads or (place > heads and rows[place].role == "foot" and rows[place - 1].role != "foot"):
        top = THIN
    return top, HEAVY if place == len(rows) - 1 else 0


def _row(row: Row, chosen: Fit, tag: str, *, head: bool, lead: str, rules: tuple[int, int], keep: bool) -> str:
    cells, place = [], 0
    for number, cell in enumerate(row.cells):
        width = sum(chosen.widths[place : place + cell.span])
        under = HAIR if head and cell.span > 1 and cell.text else 0
        edges = "".join(
            f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="222222"/>'
            for side, size in (("top", rules[0]), ("bottom", rules[1] or under))
            if size
        )
        merge = {"tall": '<w:vMerge w:val="restart"/>', "taken": "<w:vMerge/>"}.get(lead, "") if number == 0 else ""
        span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
        borders = f"<w:tcBorders>{edges}</w:tcBorders>" if edges else ""
        stand = '<w:vAlign w:val="bottom"/>' if head else ""
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}{merge}{borders}{stand}</w:tcPr>'
            f"{_entry(cell, row, chosen, tag, head=head, keep=keep)}</w:tc>"
        )
        place += cell.span
    own = "<w:cantSplit/>" + ("<w:tblHeader/>" if head else "")
    return f"<w:tr><w:trPr>{own}</w:trPr>{''.join(cells)}</w:tr>"


def _entry(cell: Cell, row: Row, chosen: Fit, tag: str, *, head: bool, keep: bool) -> str:
    side = {"left": "left", "center": "center", "right": "right"}[cell.align]
    tight = '<w:spacing w:before="0"/>' if row.role == "beneath" else ""
    form = f'<w:pPr><w:pStyle w:val="TableText"/>{"<w:keepNext/>" if keep else ""}{tight}<w:jc w:val="{side}"/></w:pPr>'
    if not cell.shown:
        return f"<w:p>{form}</w:p>"
    text = cell.shown if chosen.broken else _unbroken(cell)
    look = ("<w:b/>" if head else "") + ("<w:i/>" if row.role == "block" else "")
    look += f'<w:sz w:val="{round(2 * chosen.size)}"/><w:lang w:val="{tag}"/>'
    return f'<w:p>{form}<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _unbroken(cell: Cell) -> str:
    """Keep a number, or an interval, on one line."""
    if cell.heading or is_prose(cell) or not any(mark.isdigit() for mark in cell.text):
        return cell.shown
    return cell.shown.replace(" ", "\N{NO-BREAK SPACE}")
