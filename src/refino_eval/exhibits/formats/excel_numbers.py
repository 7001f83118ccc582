"""The sheet of tidy numbers of an Excel book, one a line: for filters and formulas."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.formats.excel_cells import Look, letter, put, set_page
from refino_eval.text.escaping import without_control_characters

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

NUMBERS = {"nb": "tall", "en": "numbers"}
"""Name of the sheet."""


def head_of_numbers(book: Workbook, numbers: pd.DataFrame, language: str) -> str:
    """Write the sheet without its numbers, which `with_numbers` adds to the finished file; return its name."""
    sheet = book.create_sheet(NUMBERS[language])
    for place, name in enumerate(numbers.columns, start=1):
        put(sheet, 1, place, str(name), Look(bold=True, bottom="thin"))
        longest = max((len(str(value)) for value in numbers[name].head(400)), default=0)
        sheet.column_dimensions[letter(place)].width = min(max(longest, len(str(name))) + 2, 34)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{letter(len(numbers.columns))}{len(numbers) + 1}"
    # Thousands of rows are for filters and formulas: a book that is sent to a printer has their heading alone.
    set_page(sheet, [], wide=True)
    sheet.sheet_view.showGridLines = True
    sheet.print_area = f"A1:{letter(len(numbers.columns))}1"
    return str(sheet.title)


def with_numbers(sheet: bytes, numbers: pd.DataFrame, style: int) -> bytes:
    """Return the XML of the sheet with its numbers; an object of the library for each of 80,000 cells would take seconds.

    Parameters
    ----------
    sheet
        As `head_of_numbers` has it.
    numbers
        The tidy numbers.
    style
        Number of the look of plain cells.
    """
    letters = [letter(place) for place in range(1, len(numbers.columns) + 1)]
    columns = [_values(numbers[name]) for name in numbers.columns]
    lines = [
        "".join(
            f'<c r="{at}{line}" s="{style}" {value}</c>' for at, value in zip(letters, values, strict=True) if value
        )
        for line, values in enumerate(zip(*columns, strict=True), start=2)
    ]
    rows = "".join(f'<row r="{line}">{cells}</row>' for line, cells in enumerate(lines, start=2))
    head, tail = sheet.split(b"</sheetData>")
    head = re.sub(rb'(<dimension ref="A1:[A-Z]+)1"', rb'\g<1>%d"' % (len(numbers) + 1), head)
    return head + rows.encode("ascii", "xmlcharrefreplace") + b"</sheetData>" + tail


def _values(column: pd.Series) -> list[str]:
    """Return a column as the inside of cells: whole numbers without decimals, and nothing where nothing is."""
    return [
        _text(value) if isinstance(value, str) else "" if pd.isna(value) else _number(float(value))
        for value in column.tolist()
    ]


def _text(value: str) -> str:
    """Return a text, which is a text even where it begins like a formula."""
    text = without_control_characters(value)
    if not text:
        return ""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f't="inlineStr"><is><t{space}>{escaped}</t></is>'


def _number(value: float) -> str:
    return f't="n"><v>{value:.16g}</v>' if math.isfinite(value) else ""
