"""The written forms of a table that are plain text: CSV, Markdown and HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from types import MappingProxyType

from refino_eval.csv_output import csv_text
from refino_eval.exhibits.formats.decimals import decimal_pads
from refino_eval.exhibits.formats.widths import has_whole_entries, is_prose, lies_on_paper, placed
from refino_eval.exhibits.layout.heads import MARKS
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, leads
from refino_eval.text.escaping import without_tags

NO_PADS: Mapping[int, str] = MappingProxyType({})

DENSE = 8
"""More columns than this are set in smaller type, and intervals may break, so that a page holds them."""


def to_csv(table: Table) -> str:
    """Write a table for a spreadsheet: semicolons with decimal commas (nb), commas with decimal points (en)."""
    rows: list[list[str]] = []
    for part in table.parts:
        rows += [[part.caption]] if part.caption else []
        rows += [[cell.text for cell in row.spread()] for row in (*part.header, *part.body)]
    return csv_text(rows, delimiter=";" if table.language == "nb" else ",")


def to_markdown(table: Table) -> str:
    """Write a table as Markdown (pipe table; several header rows are joined into one)."""
    lines = [f"**{table.title}**", "", *([f"**{table.watermark}**", ""] if table.watermark else [])]
    for part in table.parts:
        if part.caption:
            lines += [f"*{part.caption}*", ""]
        lines += [*_pipes(part), ""]
    for note in table.notes:
        lines += [note, ""]
    return without_tags("\n".join(lines).rstrip() + "\n")


def _pipes(part: Part) -> list[str]:
    headers = [_repeat(row) for row in part.header]
    # A pipe table has one header row: a spanning heading is said before each heading it covers.
    header = [" ".join(dict.fromkeys(text for text in texts if text)) for texts in zip(*headers, strict=True)]
    sides = part.sides if part.body else ["left"] * len(header)
    marks = [{"left": ":--", "center": ":-:", "right": "--:"}[side] for side in sides]
    return [_pipe_row(header), "| " + " | ".join(marks) + " |", *map(_pipe_body, part.body)]


def _pipe_body(row: Row) -> str:
    texts = [cell.text + cell.mark.replace("*", "\\*") for cell in row.spread()]
    if row.role == "block" and texts[0]:
        texts[0] = f"**{texts[0]}**"
    return _pipe_row(texts)


def _repeat(row: Row) -> list[str]:
    return [cell.text for cell in row.cells for _ in range(cell.span)]


def _pipe_row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def _unmarked(cell: Cell) -> str:
    return ""


def to_html(
    table: Table, *, titled: bool = True, fold: int | None = None, marks: Callable[[Cell], str] = _unmarked
) -> str:
    """Write a table as an HTML fragment: a `figure` with a grid for each part, and the notes.

    Parameters
    ----------
    table
        The table.
    titled
        Whether to give it an id and its title; a page that heads it by itself says False.
    fold
        Parts of more rows than this are folded behind their caption; default: none.
    marks
        Attributes of the element of a cell that shows a number, with a space before each; a page may act on them.
    """
    title = f"<figcaption>{escape(table.title)}</figcaption>" if titled else ""
    return _figure(table, title, fold, marks)


def _figure(table: Table, title: str, fold: int | None, marks: Callable[[Cell], str]) -> str:
    lines = [
        f'<figure class="exhibit table" id="{escape(table.exhibit)}">' if title else '<figure class="exhibit table">'
    ]
    if table.watermark:
        lines.append(f'<p class="watermark">{escape(table.watermark)}</p>')
    if title:
        lines.append(title)
    for part in table.parts:
        folded = fold is not None and len(part.body) > fold
        if folded:
            lines.append(f"<details><summary>{escape(part.caption or table.title)} ({len(part.body)})</summary>")
        lines += _html_part(part, part.caption or table.title, marks, captioned=not folded, language=table.language)
        if folded:
            lines.append("</details>")
    if table.notes:
        lines.append('<div class="notes">')
        lines += [f"<p>{raised(escape(note))}</p>" for note in table.notes]
        lines.append("</div>")
    return "\n".join([*lines, "</figure>", ""])


def to_html_page(table: Table) -> str:
    """Write a table as a page that needs no other file: its title as the heading, and the style of the report's tables.

    Parameters
    ----------
    table
        In the style of a page.

    Returns
    -------
    str
        The page. Wide tables are printed in landscape.
    """
    title, paper = escape(table.title), "A4 landscape" if lies_on_paper(table) else "A4"
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(table.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{table_style()}@page {{ size: {paper}; margin: 15mm; }}\n</style>\n</head>\n"
        f'<body class="alone">\n<main>\n{_figure(table, f"<figcaption><h1>{title}</h1></figcaption>", None, _unmarked)}</main>\n'
        "</body>\n</html>\n"
    )


@cache
def table_style() -> str:
    """Return the style sheet of tables, which all pages share."""
    return files("refino_eval.exhibits.formats").joinpath("table.css").read_text(encoding="utf-8")


def _html_part(part: Part, name: str, marks: Callable[[Cell], str], *, captioned: bool, language: str) -> list[str]:
    pads = decimal_pads(part, language)
    wide = len(part.header[-1].cells) > DENSE if part.header else False
    caption = [f"<caption>{escape(part.caption)}</caption>"] if part.caption and captioned else []
    names = " ".join([*(["dense"] if wide else []), *(["whole"] if has_whole_entries(part, dense=wide) else [])])
    looks = f' class="{names}"' if names else ""
    # A table without a visible caption has the name of its part for screen readers.
    named = "" if caption else f' aria-label="{escape(name)}"'
    return [
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name)}">',
        f"<table{looks}{named}>",
        *caption,
        "<thead>",
        *(_html_row(row, marks, head=True) for row in part.header),
        "</thead>",
        "<tbody>",
        *(
            _html_row(row, marks, head=False, lead=lead, pads={at: pad for (k, at), pad in pads.items() if k == place})
            for place, (row, lead) in enumerate(zip(part.body, leads(part.body), strict=True))
        ),
        "</tbody>",
        "</table>",
        "</div>",
    ]


def _html_row(
    row: Row, marks: Callable[[Cell], str], *, head: bool, lead: int = 1, pads: Mapping[int, str] = NO_PADS
) -> str:
    """Write a row.

    Parameters
    ----------
    lead
        Over how many rows its first cell stands; 0 where that of a row above does.
    pads
        Column -> what its number lacks: the style sheet writes it invisibly behind the number.
    """
    cells = []
    for place, (column, cell) in enumerate(placed(row)):
        if place == 0 and lead == 0:
            continue
        span = f' colspan="{cell.span}"' if cell.span > 1 else ""
        if place == 0 and lead > 1:
            span += f' rowspan="{lead}"'
        pad = f' data-pad="{pads[column]}"' if column in pads else ""
        cells.append(_html_cell(cell, f"{_side(cell)}{span}", f"{marks(cell)}{pad}", head=head))
    role = "" if row.role == "body" else f' class="{row.role}"'
    return f"<tr{role}>{''.join(cells)}</tr>"


def _html_cell(cell: Cell, looks: str, of_number: str, *, head: bool) -> str:
    """Write a cell; `of_number` are the attributes that only a cell of the body has, not a heading."""
    text = _unbroken(escape(cell.shown))
    if cell.heading and cell.text:
        scope = ("colgroup" if cell.span > 1 else "col") if head else "row"
        return f'<th scope="{scope}"{looks}>{text}</th>'
    return f"<td{looks}{of_number}>{text}</td>"


def _side(cell: Cell) -> str:
    """Return the class that says where the text of a cell stands; numbers are on the right, as the style sheet has it."""
    looks = [*([] if cell.align == "right" else [cell.align]), *(["prose"] if is_prose(cell) else [])]
    return f' class="{" ".join(looks)}"' if looks else ""


def _unbroken(text: str) -> str:
    """Keep the parts of a number, and a number with its unit, on one line; write marks of footnotes as raised letters."""
    return raised(re.sub(r"(?<=\d) (?=\d{3}|%|kr\b)|(?<=[^\W\d]) (?=\N{MINUS SIGN}\d)", "\N{NO-BREAK SPACE}", text))


def raised(text: str) -> str:
    """Write the marks of footnotes as raised letters of the page's own typeface."""
    return re.sub(f"[{MARKS}]", lambda mark: f"<sup>{unicodedata.normalize('NFKC', mark[0])}</sup>", text)
