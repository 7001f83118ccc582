"""Fields, bookmarks and links of a Word document, as pieces of WordprocessingML: numbers that Word counts, and references to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from refino_eval.exhibits.formats.word_grid import NAMESPACE, escape


@dataclass(frozen=True)
class Caption:
    """What stands above an exhibit.

    Attributes
    ----------
    word
        What the exhibit is, as in the name of its sequence: Table or Figure, in the document's language.
    number
        Its place among those of its form, which Word counts.
    title
        Without the number that it has in a publication.
    published
        That number, with its word; empty where the title has none.
    mark
        Name of the bookmark around the word and the number.
    """

    word: str
    number: int
    title: str
    published: str
    mark: str

    @property
    def name(self) -> str:
        """What a text calls the exhibit."""
        return f"{self.word} {self.number}"


def run(text: str, look: str = "") -> str:
    """Return a run of text; `look` are properties, such as ``<w:b/>``."""
    own = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{own}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def field(code: str, result: str, look: str = "") -> str:
    """Return a field with its result in place, so that it is complete before Word updates it."""
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    code = f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
    return marks[0] + code + marks[1] + run(result, look) + marks[2]


def bookmark(number: int, name: str, inside: str) -> str:
    """Return a piece of a paragraph with a bookmark around it; `number` is the bookmark's own in the document."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{inside}<w:bookmarkEnd w:id="{number}"/>'


def link(mark: str, inside: str) -> str:
    """Return a link to a bookmark of the document."""
    return f'<w:hyperlink w:anchor="{mark}" w:history="1">{inside}</w:hyperlink>'


def made_paragraph(style: str, inside: str, form: str = "") -> str:
    """Return a paragraph in a style, named by its id; `form` are more of its properties."""
    return f'<w:p {NAMESPACE}><w:pPr><w:pStyle w:val="{style}"/>{form}</w:pPr>{inside}</w:p>'


def caption_paragraph(caption: Caption, identity: int) -> str:
    """Return the paragraph of a caption, whose number is a sequence that Word counts."""
    counted = run(f"{caption.word} ") + field(f"SEQ {caption.word} \\* ARABIC", str(caption.number))
    text = f". {caption.title}" + (f" ({caption.published})" if caption.published else "")
    return made_paragraph("Caption", bookmark(identity, caption.mark, counted) + run(text))


def contents_paragraphs(code: str, lines: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return a field of contents: a line for each (style, bookmark, text), with a link.

    It is complete as it is: only Word knows the numbers of pages, and adds them when the reader updates the field.
    """
    made = [(style, link(mark, run(text))) for style, mark, text in lines]
    if made:
        marks = (
            '<w:fldChar w:fldCharType="begin"/>',
            f'<w:instrText xml:space="preserve"> {escape(code)} </w:instrText>',
        )
        begin = "".join(f"<w:r>{mark}</w:r>" for mark in (*marks, '<w:fldChar w:fldCharType="separate"/>'))
        made[0] = (made[0][0], begin + made[0][1])
        made[-1] = (made[-1][0], made[-1][1] + '<w:r><w:fldChar w:fldCharType="end"/></w:r>')
    return [made_paragraph(style, inside) for style, inside in made]


def with_references(text: str, captions: Mapping[str, Caption]) -> str:
    """Return the runs of a text in which each mention of a published exhibit's number is a reference to its caption.

    Parameters
    ----------
    text
        For instance ``"as in Table 8.1"``.
    captions
        Of the document, by the number in the publication.
    """
    if not captions:
        return run(text)
    named = re.compile("|".join(rf"{re.escape(name)}(?![\w.]*\w)" for name in sorted(captions, key=len, reverse=True)))
    made, begun = [], 0
    for match in named.finditer(text):
        caption = captions[match.group()]
        made += [run(text[begun : match.start()])] if match.start() > begun else []
        made.append(field(f"REF {caption.mark} \\h", caption.name))
        begun = match.end()
    return "".join([*made, *([run(text[begun:])] if begun < len(text) else [])])
