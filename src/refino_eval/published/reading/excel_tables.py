"""Every table of an Excel workbook: each number with the digits that the sheet shows."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from refino_eval.errors import UserError
from refino_eval.published.reading.grids import Grid, GridCell, Grids, Unread, blocks, squared
from refino_eval.published.reading.printed_cells import pieces

_SECTION = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?[\d.]+)\]")
_PART = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|([0#?][0#?,. ]*(?:E\+?-?[0#?]+)?)|(%)|(.)', re.IGNORECASE)
MOST_CELLS = 2_000_000


def excel_grids(data: bytes, name: str) -> Grids:
    """Return the tables of a workbook; blank rows, and blank columns before labels, separate tables of a sheet.

    Parameters
    ----------
    data
        The file.
    name
        Its name, for messages.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validations, which the audit does not read
            book = load_workbook(io.BytesIO(data), data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise UserError(
            f"{name}: this is not an Excel workbook (.xlsx). Open it in Excel and save it as .xlsx."
        ) from None
    result = Grids()
    formulas = _without_values(data, book)
    for sheet in book.worksheets:
        place = f"sheet “{sheet.title}”"
        if sheet.max_row * sheet.max_column > MOST_CELLS:
            result.unread.append(Unread(place, "too_large"))
            continue
        if formulas.get(sheet.title):
            result.unread.append(Unread(f"{place}, {formulas[sheet.title]}", "formula_without_value"))
        for rows in _apart(_sheet_rows(sheet, result)):
            for title, block in blocks(rows):
                first = next((cell.place for row in block for cell in row if cell.text), "")
                result.grids.append(Grid(squared(block), f"{place}, {first}" if first else place, title))
    for chart in book.chartsheets:
        result.unread.append(Unread(f"sheet “{chart.title}”", "picture"))
    return result


def _without_values(data: bytes, book: Any) -> dict[str, str]:
    """Return, by sheet, the first cell with a formula whose value is not stored."""
    if b"<f" not in data and not any("<f>" in part for part in _formulas(data)):
        return {}
    result: dict[str, str] = {}
    for sheet in load_workbook(io.BytesIO(data)).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and book[sheet.title][cell.coordinate].value is None:
                    result.setdefault(sheet.title, cell.coordinate)
    return result


def _formulas(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [
            "<f>"
            for part in archive.namelist()
            if part.startswith("xl/worksheets/") and re.search(rb"<f[ >]", archive.read(part))
        ]


def _sheet_rows(sheet: Any, result: Grids) -> list[list[GridCell]]:
    rows: list[list[GridCell]] = []
    for row in sheet.iter_rows():
        cells = []
        for cell in row:
            text = shown(cell.value, cell.number_format)
            if cell.data_type == "e":
                result.unread.append(Unread(f"sheet “{sheet.title}”, {cell.coordinate}", f"“{cell.value}”"))
                text = ""
            indent = int(cell.alignment.indent or 0) if cell.has_style else 0
            indent = indent or len(text) - len(text.lstrip(" \u2003\u00a0"))
            cells.append(GridCell(text.strip(), f"{get_column_letter(cell.column)}{cell.row}", indent=indent))
        rows.append(cells)
    for area in sheet.merged_cells.ranges:
        first = rows[area.min_row - 1][area.min_col - 1]
        for i in range(area.min_row - 1, area.max_row):
            for j in range(area.min_col - 1, area.max_col):
                if (i, j) != (area.min_row - 1, area.min_col - 1):
                    rows[i][j] = GridCell(first.text, first.place, origin=False)
    return rows


def _apart(rows: list[list[GridCell]]) -> list[list[list[GridCell]]]:
    """Divide a sheet at blank columns to whose right another table has labels of its own."""
    width = max(map(len, rows), default=0)
    blank = [all(not row[j].text or not row[j].origin for row in rows) for j in range(width)]
    cuts = [0]
    for j in range(1, width):
        after_blank = blank[j - 1] and not blank[j] and not all(blank[: j - 1])
        if after_blank and _holds_labels([row[j].text for row in rows if row[j].text]):
            cuts.append(j)
    return [[row[start:stop] for row in rows] for start, stop in zip(cuts, [*cuts[1:], width], strict=True)]


def _holds_labels(texts: Sequence[str]) -> bool:
    """Return whether most texts of a column, and more than two, are words."""
    words = [text for text in texts if pieces(text, ".") is None]
    return len(words) > max(len(texts) / 2, 2)


def shown(value: object, number_format: str) -> str:
    """Return a value as the sheet shows it.

    Examples
    --------
    >>> shown(0.05, "0.0%"), shown(0.0128, '"("0.000")"'), shown(1234.5, "#,##0.00")
    ('5.0%', '(0.013)', '1,234.50')
    """
    if value is None:
        return ""
    if isinstance(value, bool | str | datetime | date | time) or not isinstance(value, int | float):
        return str(value)
    sections = _SECTION.split(number_format)
    section, value = _section(sections, value)
    bare = re.sub(r'"[^"]*"', "", section)
    if section.strip().lower() in ("general", "@", ""):
        return f"{value:.10g}"
    if not re.search(r"[0#?]", bare):
        return "".join(re.findall(r'"([^"]*)"', section)) or f"{value:.10g}"
    percent = "%" in bare
    number = Decimal(repr(value)) * (100 if percent else 1)
    parts = []
    for literal, escaped, digits, sign, other in _PART.findall(section):
        parts.append(literal or escaped or (_digits(number, digits) if digits else "") or sign or other)
    return "".join(parts).strip()


def _section(sections: Sequence[str], value: float) -> tuple[str, float]:
    """Return the section of a format that applies to a value, and the value without the sign that the section writes."""
    for section in sections:
        condition = _CONDITION.search(section)
        if condition is None:
            continue
        limit = float(condition[2])
        met = {
            "<": value < limit,
            "<=": value <= limit,
            ">": value > limit,
            ">=": value >= limit,
            "=": value == limit,
            "<>": value != limit,
        }
        if met[condition[1]]:
            return section, value
    if any(_CONDITION.search(section) for section in sections):
        return sections[-1], value
    if len(sections) > 1 and value < 0:
        return sections[1], -value
    if len(sections) > 2 and value == 0:
        return sections[2], value
    return sections[0], value


def _digits(number: Decimal, digits: str) -> str:
    """Write a number with the digits of a format: `#,##0.00`, `0.00E+00`, `0,` (thousands)."""
    digits = digits.strip()
    if "E" in digits.upper():
        decimals = len(digits.upper().partition("E")[0].partition(".")[2])
        return f"{number:.{decimals}e}"
    whole, _, fraction = digits.partition(".")
    scaled = number.scaleb(-3 * (len(digits) - len(digits.rstrip(","))))
    fraction = fraction.rstrip(",")
    fixed = len(re.findall("0", fraction))
    rounded = scaled.quantize(Decimal(1).scaleb(-len(re.findall("[0#?]", fraction))), ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole.rstrip(",") else f"{rounded:f}"
    before, point, after = text.partition(".")
    while len(after) > fixed and after.endswith("0"):
        after = after[:-1]
    return before + (point + after if after else "")
