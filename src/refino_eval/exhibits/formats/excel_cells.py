"""Cells and pages of an Excel book: what they look like, each look made once for a book.

A book compares the font, border and alignment of every cell with those it has; made cell by cell, this takes longer than
everything else about a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from refino_eval.text.escaping import without_control_characters

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

FONT, SIZE = "Arial", 10


LINK = "0563C1"
"""Colour of a link."""


@dataclass(frozen=True)
class Look:
    """What a cell looks like.

    Attributes
    ----------
    size, bold, italic, color, underline
        Of its type.
    top, bottom
        Rules: ``"medium"``, ``"thin"``, ``"hair"`` or None.
    horizontal, vertical, wrap_text
        How its text is set.
    number_format
        Excel's code; empty for the general one.
    """

    size: float = SIZE
    bold: bool = False
    italic: bool = False
    color: str | None = None
    underline: str | None = None
    top: str | None = None
    bottom: str | None = None
    horizontal: str | None = None
    vertical: str | None = None
    wrap_text: bool | None = None
    number_format: str = ""


PLAIN = Look()

_styles: WeakKeyDictionary[Any, dict[Look, Any]] = WeakKeyDictionary()
"""The looks that each book has, in the form in which its cells hold them."""


def put(sheet: Worksheet, row: int, column: int, value: str | float | None, look: Look = PLAIN) -> Any:
    """Set a cell, and return it; a text is a text, even where it begins like a formula.

    The look cannot be changed afterwards, since cells of one look share it.
    """
    cell: Any = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = without_control_characters(value)
        cell.data_type = "s"
    elif value is not None:
        cell.value = value
    cell._style = _style(sheet, look)
    return cell


def style_number(sheet: Worksheet, look: Look = PLAIN) -> int:
    """Return the number by which the cells of a book name a look."""
    from openpyxl.cell import Cell

    return int(Cell(sheet, row=1, column=1, style_array=_style(sheet, look)).style_id)


def _style(sheet: Worksheet, look: Look) -> Any:
    from openpyxl.cell import Cell

    book: Workbook | None = sheet.parent
    styles = _styles.setdefault(book, {})
    if look not in styles:
        cell: Any = Cell(sheet, row=1, column=1)
        cell.font = _font(look.size, look.bold, look.italic, look.color, look.underline)
        if look.top or look.bottom:
            cell.border = _border(look.top, look.bottom)
        if (look.horizontal, look.vertical, look.wrap_text) != (None, None, None):
            cell.alignment = _alignment(look.horizontal, look.vertical, look.wrap_text)
        if look.number_format:
            cell.number_format = look.number_format
        styles[look] = cell._style
    return styles[look]


@lru_cache(maxsize=64)
def _font(size: float, bold: bool, italic: bool, color: str | None, underline: Any) -> Any:
    from openpyxl.styles import Font

    return Font(name=FONT, size=size, bold=bold, italic=italic, color=color, underline=underline)


@lru_cache(maxsize=64)
def _border(top: Any, bottom: Any) -> Any:
    from openpyxl.styles import Border, Side

    sides = {"top": top, "bottom": bottom}
    made: dict[str, Any] = {side: Side(style=style) if style else None for side, style in sides.items()}
    return Border(**made)


@lru_cache(maxsize=64)
def _alignment(horizontal: Any, vertical: Any, wrap_text: bool | None) -> Any:
    from openpyxl.styles import Alignment

    return Alignment(horizontal=horizontal, vertical=vertical, wrap_text=wrap_text)


def merge(sheet: Worksheet, row: int, first: int, last: int) -> None:
    """Merge the cells of a row from one column to another; their borders stay as they are."""
    from openpyxl.worksheet.cell_range import CellRange

    # `sheet.merge_cells` would compare the borders of every cell that it covers.
    sheet.merged_cells.add(CellRange(min_col=first, min_row=row, max_col=last, max_row=row))


def letter(column: int) -> str:
    """Return the letters of a column."""
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(column))


def set_page(sheet: Worksheet, heads: Sequence[tuple[int, int]], *, wide: bool) -> None:
    """Freeze the headings, and print on one page's width."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.sheet_view.showGridLines = False
    if heads:
        first, last = heads[0]
        # With several grids beneath each other only the row headings can stay in sight.
        sheet.freeze_panes = f"B{last + 1}" if len(heads) == 1 else "B2"
        if len(heads) == 1:
            sheet.print_title_rows = f"{first}:{last}"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.orientation = "landscape" if wide else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for side in ("left", "right"):
        setattr(sheet.page_margins, side, 0.5)
    if sheet.oddFooter is not None:
        sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"
