"""A Word document in house style, before anything is in it: pages, styles, language, and its bytes without a date."""

from __future__ import annotations

import io
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

from refino_eval.exhibits.formats.reproducible_zip import EPOCH, LANGUAGE_TAGS, timeless
from refino_eval.text.escaping import without_control_characters

if TYPE_CHECKING:
    from docx.document import Document

LONG_SIDE, SHORT_SIDE, MARGIN, LOW_MARGIN = 16838, 11906, 1418, 1060
"""Of a page, in twips."""


FONT = "Arial"


TEXT, NOTE, PART = "Table Text", "Table Note", "Table Part"


UNUSED = ("/thumbnail", "/stylesWithEffects", "/customXml")
"""Endings of relations of the library's template that are left out: a picture of it, a copy of the styles for Word 2007, and an empty list of
sources."""


LONGEST_PROPERTY = 255
"""Characters that a property of a document may have."""


def new_document(title: str, language: str) -> Document:
    """Return an empty document with the styles of tables, and with headings in the type of the text."""
    document = deepcopy(_styled(language))
    # Word's own limit for a property; the caption shows the whole title.
    document.core_properties.title = without_control_characters(title)[:LONGEST_PROPERTY]
    return document


@cache
def _styled(language: str) -> Document:
    """Return a document without a title; made once, since changing styles takes longer than writing most tables."""
    import docx
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    document = docx.Document()
    for relations in (document.part.package.rels, document.part.rels):
        for relation in [key for key, each in relations.items() if each.reltype.endswith(UNUSED)]:
            del relations[relation]
    for element in list(document.styles.element.iterchildren(qn("w:style"))):
        # A hundred styles of tables, nine tenths of the file, none of which is used here.
        if element.get(qn("w:type")) == "table" and element.get(qn("w:default")) is None:
            document.styles.element.remove(element)
    core = document.core_properties
    core.title = ""  # gives the property its place among the others
    core.language, core.author, core.comments = LANGUAGE_TAGS[language], "", ""
    core.created = core.modified = EPOCH
    styles = document.styles
    for name, size, before, after in ((TEXT, 9, 1.5, 1.5), (NOTE, 8, 0, 2), (PART, 9, 6, 3)):
        style: Any = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        set_type(style, size, before, after)
    styles[PART].font.italic = True
    set_type(styles["Caption"], 10, 6, 4)
    styles["Caption"].paragraph_format.keep_with_next = True
    for level, type_size, before_heading in ((1, 15.0, 18.0), (2, 12.0, 12.0), (3, 10.5, 8.0)):
        set_type(styles[f"Heading {level}"], type_size, before_heading, 4)
    for name in ("Normal", "Caption", "Title", "Heading 1", "Heading 2", "Heading 3"):
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


def set_type(style: Any, size: float, before: float, after: float) -> None:
    """Set the size of a style's type and the room before and after its paragraphs, in points."""
    from docx.shared import Pt

    style.font.size = Pt(size)
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.0


def turn(section: Any, *, landscape: bool) -> None:
    """Make a section's pages A4, upright or on their side."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Twips

    long, short = Twips(LONG_SIDE), Twips(SHORT_SIDE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        # A turned page is low: its notes should not begin another one.
        setattr(section, side, Twips(LOW_MARGIN if landscape and side[0] in "tb" else MARGIN))


def head_pages(document: Document, text: str) -> None:
    """Write a text at the head of every page; later sections take over the head of the first."""
    if text:
        paragraph = document.sections[0].header.paragraphs[0]
        paragraph.style = document.styles[NOTE]
        paragraph.add_run(text).bold = True


def saved(document: Document) -> bytes:
    """Return a document's bytes, the same whenever it is made."""
    buffer = io.BytesIO()
    document.save(buffer)
    return timeless(buffer.getvalue())


def paragraph(document: Document, text: str, style: str) -> Any:
    """Add a paragraph of one text in a style."""
    made = empty_paragraph(document, style)
    made.add_run(without_control_characters(text))
    return made


def empty_paragraph(document: Document, style: str) -> Any:
    """Add a paragraph; given a style by its name, the library would look for the default style each time."""
    paragraph = document.add_paragraph()
    if style not in _identifiers:
        _identifiers[style] = str(document.styles[style].style_id)
    paragraph._p.style = _identifiers[style]
    return paragraph


_identifiers: dict[str, str] = {}
"""Of styles, by their names; the same in all documents."""


def append(document: Document, xml: str) -> None:
    """Put a piece of a document at its end, before the page's own settings."""
    from docx.oxml import parse_xml

    document.element.body.insert_element_before(parse_xml(xml), "w:sectPr")
