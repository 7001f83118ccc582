"""Every table of a Word document, with merged cells, captions and the page on which Word last laid it out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn

from refino_eval.errors import UserError
from refino_eval.published.reading.grids import CAPTION, Grid, GridCell, Grids, Unread, squared

_TABLE, _PARAGRAPH, _ROW, _CELL = qn("w:tbl"), qn("w:p"), qn("w:tr"), qn("w:tc")
_TEXT, _TAB, _BREAK, _RUN = qn("w:t"), qn("w:tab"), qn("w:br"), qn("w:r")
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_PICTURE = qn("w:drawing")


def word_grids(data: bytes, name: str) -> Grids:
    """Return the tables of a .docx file.

    Parameters
    ----------
    data
        The file.
    name
        Its name, for messages.
    """
    try:
        body = Document(io.BytesIO(data)).element.body
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError):
        raise UserError(f"{name}: this is not a Word document (.docx). Open it in Word and save it as .docx.") from None
    result = Grids()
    page, number, before, waiting = 1, 0, "", ""
    paged = next(body.iter(qn("w:lastRenderedPageBreak")), None) is not None
    for block in _blocks(body):
        if block.tag == _PARAGRAPH:
            page += _page_breaks(block)
            text = _text(block).strip()
            style = block.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
            captioned = style is not None and "caption" in str(style.get(qn("w:val"))).lower()
            if text and (captioned or CAPTION.match(text)):
                waiting = text
            elif not text and waiting and next(block.iter(_PICTURE), None) is not None:
                result.unread.append(Unread(waiting[:80], "picture"))
                waiting = ""
            before = text or before
            continue
        number += 1
        place = f"page {page}, table {number}" if paged else f"table {number}"
        caption = waiting or (before if len(before) <= 120 else "")
        result.grids.append(Grid(squared(_rows(block)), place, caption, _marked_heads(block)))
        waiting = before = ""
        page += _page_breaks(block)
    return result


def _blocks(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in order, also those inside content controls; tables inside tables after them."""
    for child in parent.iterchildren():
        if child.tag == _PARAGRAPH:
            yield child
            # Tables in text boxes.
            yield from child.iter(_TABLE)
        elif child.tag == _TABLE:
            inner = [table for cell in child.iter(_CELL) for table in cell.iterchildren(_TABLE)]
            yield from inner if inner and _only_places(child) else [child, *inner]
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins")):
            yield from _blocks(child)


def _only_places(table: Any) -> bool:
    """Return whether a table only places others on the page: no cell has a text outside them."""
    return not any(
        _text(part).strip()
        for cell in table.iter(_CELL)
        for part in cell.iterchildren(_PARAGRAPH)
        if cell.getparent().getparent() is table
    )


def _page_breaks(block: Any) -> int:
    explicit = sum(each.get(qn("w:type")) == "page" for each in block.iter(_BREAK))
    return len(list(block.iter(qn("w:lastRenderedPageBreak")))) or explicit


def _marked_heads(table: Any) -> int | None:
    """Return how many rows are marked to repeat as headings."""
    number = 0
    for row in table.iterchildren(_ROW):
        if row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is None:
            break
        number += 1
    return number or None


def _rows(table: Any) -> list[list[GridCell]]:
    rows: list[list[GridCell]] = []
    for number, row in enumerate(table.iterchildren(_ROW), start=1):
        cells: list[GridCell] = []
        skipped = row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}")
        cells += [GridCell()] * (int(skipped.get(qn("w:val"))) if skipped is not None else 0)
        for cell in _cells(row):
            properties = cell.find(qn("w:tcPr"))
            span = properties.find(qn("w:gridSpan")) if properties is not None else None
            merged = properties.find(qn("w:vMerge")) if properties is not None else None
            wide = int(span.get(qn("w:val"))) if span is not None else 1
            above = rows[-1][len(cells)] if rows and len(cells) < len(rows[-1]) else GridCell()
            if merged is not None and merged.get(qn("w:val")) != "restart":
                first = GridCell(above.text, above.place, above.head, origin=False)
            else:
                text = _text(cell)
                first = GridCell(text.strip(), f"row {number}", indent=_indent(cell, text))
            again = GridCell(first.text, first.place, origin=False)
            cells += [first, *([again] * (wide - 1))]
        rows.append(cells)
    return rows


def _cells(row: Any) -> Iterator[Any]:
    for child in row.iterchildren():
        if child.tag == _CELL:
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent")):
            yield from _cells(child)


def _indent(cell: Any, text: str) -> int:
    indent = cell.find(f"{_PARAGRAPH}/{qn('w:pPr')}/{qn('w:ind')}")
    left = indent.get(qn("w:left")) or indent.get(qn("w:start")) if indent is not None else None
    return int(left) if left and left.isdigit() else len(text) - len(text.lstrip(" \u2003\u00a0"))


def _text(element: Any) -> str:
    """Return the text as it is read: without deleted text, and without marks set high that are not stars."""
    parts: list[str] = []
    for node in element.iter(_TEXT, _MATH, _TAB, _BREAK, _PARAGRAPH):
        if node.tag == _PARAGRAPH:
            parts.append("\n" if parts else "")
        elif node.tag in (_TAB, _BREAK):
            parts.append(
                "\t" if node.tag == _TAB and node.getparent().tag == _RUN else "\n" if node.tag == _BREAK else ""
            )
        elif node.text and not _mark(node):
            parts.append(node.text)
    return "".join(parts)


def _mark(node: Any) -> bool:
    """Return whether a text is a footnote mark: set high, and neither stars nor a square."""
    run = node.getparent()
    raised = run.find(f"{qn('w:rPr')}/{qn('w:vertAlign')}") if run is not None else None
    return (
        raised is not None
        and raised.get(qn("w:val")) == "superscript"
        and not set(node.text.strip()) <= {"*", "∗", "2"}
    )
