"""A table as Excel: numbers are numbers in full precision, shown with the digits of the page."""

from __future__ import annotations

import io
import math
import re
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from refino_eval.exhibits.formats.excel_cells import LINK, Look, letter, merge, put, set_page, style_number
from refino_eval.exhibits.formats.excel_numbers import head_of_numbers, with_numbers
from refino_eval.exhibits.formats.reproducible_zip import EPOCH, timeless
from refino_eval.exhibits.formats.widths import column_widths, decimal_end, is_prose, measure, placed
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say
from refino_eval.text.escaping import without_control_characters

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

CONTENTS = {"nb": "innhold", "en": "contents"}


FACTORS = 1.0, 100.0, 1e-3, 1e-6
"""By which a page may multiply a number, as its heading says: per cent, thousands, millions."""


LINE = 13.5
"""Height of a line, in points: neither Excel nor LibreOffice fits every row by itself."""


CHARACTER = 5.6
"""Width of a character of the standard type, in points."""


MOST_SHRUNK = 1.35
"""Pages of a sheet that are put on one."""


WIDEST = 46
"""Characters of a column at most."""


LANDSCAPE = 92
"""Characters across, from which a sheet prints sideways."""


LONGEST_NAME = 31
"""Characters of a sheet's name, by Excel's own rule."""


def to_excel(table: Table, numbers: pd.DataFrame) -> bytes:
    """Write a table on one sheet and its tidy numbers on another.

    Parameters
    ----------
    table
        In the style of a page: parentheses and grouping become number formats.
    numbers
        The exhibit's tidy numbers.
    """
    book = _workbook(table.title)
    _table_sheet(book, table)
    head_of_numbers(book, numbers, table.language)
    _head_pages(book, table.watermark)
    return _saved(book, numbers)


def to_excel_bundle(
    tables: Sequence[Table], numbers: pd.DataFrame, *, title: str, language: str, chapters: Sequence[str] = ()
) -> bytes:
    """Write many tables, a sheet each, behind a sheet of contents; all tidy numbers are on the last.

    Parameters
    ----------
    tables
        In the style of a page, in order.
    numbers
        The tidy numbers of all of them.
    title
        Head of the contents.
    language
        Of the tables.
    chapters
        Of the report, one for each table.
    """
    book = _workbook(title)
    contents = book.create_sheet(CONTENTS[language])
    names = [_table_sheet(book, table, back=CONTENTS[language]) for table in tables]
    names.append(head_of_numbers(book, numbers, language))
    files = [f"tables/{table.exhibit}.{language}" for table in tables]
    _contents_sheet(contents, title, tables, names, chapters or ("",) * len(tables), files, language)
    _head_pages(book, next((table.watermark for table in tables), ""))
    return _saved(book, numbers)


def _contents_sheet(
    sheet: Worksheet,
    title: str,
    tables: Sequence[Table],
    names: Sequence[str],
    chapters: Sequence[str],
    files: Sequence[str],
    language: str,
) -> None:
    """Write the list of sheets: title with a link, chapter of the report, sheet, and the table's own files."""
    sheet.sheet_view.showGridLines = False
    put(sheet, 1, 1, title, Look(bold=True, size=14))
    heads = [say(f"labels.contents_{key}", language) for key in ("table", "chapter", "sheet", "file")]
    titles = [*(table.title for table in tables), say("labels.contents_numbers", language, n=len(tables))]
    rows = list(zip(titles, [*chapters, ""], names, [*files, ""], strict=True))
    for place, (head, width) in enumerate(zip(heads, (78, 30, 32, 36), strict=True), start=1):
        put(sheet, 3, place, head, Look(bold=True, top="medium", bottom="thin"))
        sheet.column_dimensions[letter(place)].width = width
    for line, row in enumerate(rows, start=4):
        for place, text in enumerate(row, start=1):
            look = Look(color=LINK, underline="single", wrap_text=True) if place == 1 else Look(wrap_text=False)
            put(sheet, line, place, text or None, replace(look, vertical="top"))
        _link(sheet.cell(line, 1), row[2])
        sheet.row_dimensions[line].height = LINE * _lines(Cell(row[0], align="left"), 74)
    set_page(sheet, [(3, 3)], wide=True)
    sheet.freeze_panes = "A4"


def _link(cell: Any, sheet: str) -> None:
    """Link a cell to a sheet of the book, as a place in it and not as an address outside."""
    from openpyxl.worksheet.hyperlink import Hyperlink

    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{sheet}'!A1")


def in_sheet(cell: Cell, style: NumberStyle, room: str = "") -> tuple[float, str] | None:
    """Return the number that a sheet holds for a cell, in the unit that the page shows it in, and its format.

    None where only the text will do. The sheet `numbers` has all numbers in the unit that they were computed in.
    """
    if cell.number is None:
        return None
    for factor in FACTORS:
        number = cell.number if factor == 1.0 else float(f"{factor * cell.number:.15g}")
        code = number_format(cell if factor == 1.0 else replace(cell, number=number), style, room)
        if code is not None:
            return number, code
    return None


def number_format(cell: Cell, style: NumberStyle, room: str = "") -> str | None:
    """Return the Excel format that shows a cell's number as its text does; None when only the text will do.

    Parameters
    ----------
    cell
        A cell, with or without a number behind it.
    style
        What its text is written in.
    room
        What follows it in the format, to align its decimals with those of its column (`_rooms`).
    """
    if cell.number is None or not math.isfinite(cell.number):
        return None
    text = cell.text.replace(style.minus, "-").replace(style.thousands, "")
    match = re.fullmatch(rf"([^\d\-]*)(-?\d+)(?:{re.escape(style.decimal)}(\d+))?([^\d]*)", text)
    if match is None:
        power = re.fullmatch(rf"-?\d(?:{re.escape(style.decimal)}(\d+))?\s\N{{MULTIPLICATION SIGN}}\s10\D+", text)
        return (
            None
            if power is None
            else "0" + ("." + "0" * len(power[1]) if power[1] else "") + "E+00" + _literal(cell.mark)
        )
    before, whole, fraction, after = match.groups(default="")
    number = float(f"{whole}.{fraction or 0}")
    code = ("#,##0" if abs(number) >= 1000 else "0") + ("." + "0" * len(fraction) if fraction else "")
    mark = _literal(cell.mark)
    near = 0.5001 * 10.0 ** -len(fraction)
    if before.strip() == "<" and cell.number < number:
        return f"[<{number:g}]{_literal(cell.text)}{mark}{room};{code}{mark}{room}"
    if abs(number - cell.number) <= near:
        return _literal(before) + code + _literal(after) + mark + room
    if "%" in after and abs(number - 100.0 * cell.number) <= near:
        return _literal(before) + code + after.replace("\N{NO-BREAK SPACE}", "\\ ") + mark + room
    return None


def _rooms(part: Part) -> list[list[str]]:
    """Return, for each cell of each row of a grid's body, the blanks in its format that put its decimals under those of its column.

    ``_0`` in a format is a blank as wide as a zero, so that a number keeps its digits and its place.
    """
    ends = [[_aligned_end(cell) for cell in row.cells] for row in part.body]
    columns: dict[int, list[str]] = {}
    for row, found in zip(part.body, ends, strict=True):
        for (place, cell), end in zip(placed(row), found, strict=True):
            if end is not None and cell.number is not None:
                columns.setdefault(place, []).append(end)
    longest = {
        place: (max(len(_decimals(end)) for end in held), max((_behind(end) for end in held), key=len))
        for place, held in columns.items()
    }
    return [
        [
            _room(end, *longest[place]) if end is not None and place in longest else ""
            for (place, _), end in zip(placed(row), found, strict=True)
        ]
        for row, found in zip(part.body, ends, strict=True)
    ]


def _aligned_end(cell: Cell) -> str | None:
    """Return what follows the whole part of a cell's number; None for a cell over several columns, which is not aligned."""
    return decimal_end(cell) if cell.span == 1 else None


def _room(end: str, decimals: int, behind: str) -> str:
    own = len(_decimals(end))
    lacking = ("_." if decimals and not own else "") + "_0" * (max(decimals - 1, 0) - max(own - 1, 0))
    return lacking + "".join(f"_{mark}" for mark in behind[len(_behind(end)) :])


def _decimals(end: str) -> str:
    """Return the decimal sign of a number with its decimals."""
    return end[: len(end) - len(end.lstrip(".,0123456789"))]


def _behind(end: str) -> str:
    return end.lstrip(".,0123456789")


def _literal(text: str) -> str:
    """Return a text as a format prints it as it stands."""
    return '"' + text.replace('"', '""') + '"' if text else ""


def _workbook(title: str) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = without_control_characters(title)
    book.properties.creator = ""
    book.properties.created = EPOCH
    return book


def _head_pages(book: Workbook, text: str) -> None:
    """Write a text on each sheet, under its title or beside its columns, and at the head of every printed page."""
    if not text:
        return
    for sheet in book.worksheets:
        sheet.sheet_properties.tabColor = "B34700"
        if sheet.oddHeader is not None:
            sheet.oddHeader.center.text = text.replace("&", "&&")
        # The second line of a table is empty, or links back; one of the numbers (the sheet with a filter) holds a number.
        line, column = (1, sheet.max_column + 2) if sheet.auto_filter.ref else (2, 2 if sheet["A2"].value else 1)
        put(sheet, line, column, text, Look(bold=True, color="B34700"))


def _saved(book: Workbook, numbers: pd.DataFrame) -> bytes:
    """Return the bytes of a book, whose last sheet has the numbers."""
    from openpyxl.writer.excel import ExcelWriter

    buffer = io.BytesIO()
    sheet = book.worksheets[-1]
    style = style_number(sheet)
    # Stored, not compressed as by `book.save`: `timeless` compresses it anew.
    ExcelWriter(book, zipfile.ZipFile(buffer, "w")).save()
    path = str(sheet.path).removeprefix("/")
    return timeless(buffer.getvalue(), {path: lambda content: with_numbers(content, numbers, style)})


def _table_sheet(book: Workbook, table: Table, *, back: str = "") -> str:
    """Write the sheet of a table; returns its name."""
    sheet = book.create_sheet(_name(book, table))
    style = NumberStyle.of(table.language)
    across = max((part.width for part in table.parts), default=1)
    put(sheet, 1, 1, table.title, Look(bold=True, size=12))
    if back:
        _link(put(sheet, 2, 1, f"← {back}", Look(color=LINK, size=9)), back)
    line, heads = 3, []
    widths = [max(each) for each in zip(*(_widths(part, across) for part in table.parts), strict=True)] or [8.0]
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[letter(place)].width = width
    for part in table.parts:
        if part.caption:
            put(sheet, line, 1, part.caption, Look(bold=True, italic=True))
            line += 1
        heads.append((line, line + len(part.header) - 1))
        line = _part(sheet, part, line, style, widths) + 1
    total = sum(widths)
    for note in table.notes:
        put(sheet, line, 1, note, Look(size=9, wrap_text=True, vertical="top"))
        if across > 1:
            merge(sheet, line, 1, across)
        sheet.row_dimensions[line].height = 12.5 * max(1, math.ceil(measure(note) / (1.25 * total)))
        line += 1
    set_page(sheet, heads, wide=total > LANDSCAPE)
    sheet.page_setup.fitToHeight = int(_nearly_one_page(sheet, total, line))
    return str(sheet.title)


def _nearly_one_page(sheet: Worksheet, across: float, down: int) -> bool:
    """Whether a sheet is on one page, or would be if it were a little smaller: a few lines of notes get no page of their own."""
    wide = sheet.page_setup.orientation == "landscape"
    room = (770.0, 490.0) if wide else (520.0, 740.0)  # points of an A4 page between its margins
    scale = min(1.0, room[0] / (CHARACTER * across))
    heights = [sheet.row_dimensions[line].height or LINE for line in range(1, down)]
    return scale * sum(heights) < MOST_SHRUNK * room[1]


def _name(book: Workbook, table: Table) -> str:
    """Return a name that a sheet may have and no other has: the table's number, or the beginning of its title."""
    numbered = re.match(r"(Table|Tabell) [\w.]+(?=\. )", table.title)
    plain = re.sub(r"[\[\]:*?/\\']", " ", numbered.group() if numbered else table.title)
    words = " ".join(without_control_characters(plain).split())
    name, number = textwrap.shorten(words, LONGEST_NAME, placeholder="") or words[:LONGEST_NAME] or table.exhibit, 1
    first = name[: LONGEST_NAME - 3]
    while name.lower() in [other.lower() for other in book.sheetnames]:
        number += 1
        name = f"{first} {number}"
    return name.rstrip(" ,.")


def _widths(part: Part, across: int) -> list[float]:
    """Return column widths in Excel's measure, characters of the standard type."""
    widths: list[float] = [min(width + 2.5, WIDEST) for width in column_widths(part)]
    if part.width < across and any(is_prose(row.cells[-1]) for row in part.body):
        # A text at the end of a narrow grid runs on over the columns of the wider ones.
        widths[-1] = 8.0
    return [*widths, *[8.0] * (across - len(widths))]


def _part(sheet: Worksheet, part: Part, line: int, style: NumberStyle, widths: Sequence[float]) -> int:
    """Write a grid from a line on, with rules above, beneath its heading and below; returns the first line after it."""
    heavy, thin = "medium", "thin"
    rows = [*part.header, *part.body]
    rooms = [[""] * len(row.cells) for row in part.header] + _rooms(part)
    across = part.width
    for place, row in enumerate(rows):
        head = place < len(part.header)
        opens_foot = row.role == "foot" and place > 0 and rows[place - 1].role != "foot" and not head
        rules = Look(
            top=heavy if place == 0 else thin if opens_foot or place == len(part.header) else None,
            bottom=heavy if place == len(rows) - 1 else None,
        )
        written = _row(sheet, row, line + place, style, widths, rooms[place], head=head, rules=rules)
        for column in range(written, across + 1):
            put(sheet, line + place, column, None, rules)
    return line + len(rows)


def _row(
    sheet: Worksheet,
    row: Row,
    line: int,
    style: NumberStyle,
    widths: Sequence[float],
    rooms: Sequence[str],
    *,
    head: bool,
    rules: Look,
) -> int:
    """Write the cells of a row between rules; returns the first column after them."""
    place, lines = 1, 1
    for cell, room in zip(row.cells, rooms, strict=True):
        prose, last = is_prose(cell), place + cell.span - 1
        # A heading over several columns has a rule beneath it.
        own = replace(rules, bottom="hair") if head and cell.span > 1 and cell.text else rules
        held = in_sheet(cell, style, room)
        wraps = head or prose or place == 1
        look = replace(
            own,
            bold=head or row.role == "block",
            italic=row.role == "block",
            horizontal=cell.align,
            vertical="bottom" if head else "top",
            wrap_text=wraps,
            number_format=held[1] if held is not None else "",
        )
        put(sheet, line, place, held[0] if held is not None else cell.shown or None, look)
        for column in range(place + 1, last + 1):
            put(sheet, line, column, None, own)
        if prose and cell is row.cells[-1]:
            last = max(last, len(widths))
        if wraps:
            lines = max(lines, _lines(cell, sum(widths[place - 1 : last])))
        if last > place:
            merge(sheet, line, place, last)
        place += cell.span
    sheet.row_dimensions[line].height = LINE * lines
    return place


def _lines(cell: Cell, width: float) -> int:
    """Return how many lines a heading takes in so many characters."""
    room = (
        width * len(cell.text) / max(measure(cell.text), 1) / (1.12 if cell.heading and cell.align != "left" else 1.0)
    )
    return max(1, len(textwrap.wrap(cell.text, max(int(room), 4), break_long_words=False)))
