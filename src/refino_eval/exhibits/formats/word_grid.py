"""The grid of a table in Word: its columns, rules and entries as pieces of WordprocessingML.

Rules, widths and sides are set on the cells themselves and not by a table style, since a style stays behind when a table
is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape as escape_markup

from refino_eval.exhibits.formats.widths import column_widths, decimal_end, is_prose, measure, placed
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table, leads
from refino_eval.text.escaping import without_control_characters

TWIPS = 20
"""Of a point; Word measures in twentieths."""


PORTRAIT, LANDSCAPE = 9070, 14000
"""Width between the margins of an A4 page, upright and on its side, in twips."""


CHARACTER = 0.56
"""Width of a character, in parts of the size of the type: that of Arial's digits."""


MARKS = {
    ".": 0.278,
    ",": 0.278,
    " ": 0.278,
    "\N{NO-BREAK SPACE}": 0.278,
    "(": 0.333,
    ")": 0.333,
    "]": 0.333,
    "*": 0.389,
    "%": 0.889,
}
"""Widths of Arial's marks, likewise; those of other letters are taken for digits'."""


GAP = 140
"""Twips beside each column, both sides together."""


PAGES = (
    (9.0, PORTRAIT, False), (8.0, PORTRAIT, False), (9.0, LANDSCAPE, False), (8.0, LANDSCAPE, False),
    (8.0, LANDSCAPE, True), (7.0, LANDSCAPE, True), (6.0, LANDSCAPE, True),
)  # fmt: skip
"""Size of type, width of page, and whether an interval may break into two lines, in the order in which they are tried."""


NARROWEST_HEAD = 18
"""Characters of the column of row headings at least."""


ROOMY = 1500
"""No column of numbers is stretched beyond this, in twips."""


BROKEN_AFTER = 40
"""Rows up to which a table stays on one page."""


HEAVY, THIN, HAIR = 12, 6, 4
"""Rules in eighths of a point."""


NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


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
    tails
        Of each column, the widest entry from its decimal sign on, in parts of the size of the type.
    """

    size: float
    widths: tuple[int, ...]
    landscape: bool
    broken: bool
    tails: tuple[float, ...]


def lies_down(fits: Sequence[Fit]) -> bool:
    """Whether any grid of a table is too wide for an upright page."""
    return any(chosen.landscape for chosen in fits)


def fit(table: Table, pages: Sequence[tuple[float, int, bool]] = PAGES) -> tuple[Fit, ...]:
    """Choose the largest type, and an upright page before one on its side, for which every grid's columns have room.

    Parameters
    ----------
    table
        The table.
    pages
        Size of type, width of page, and whether entries may break, in the order in which they are tried.
    """
    tails = [decimal_tails(part) for part in table.parts]
    aligned = [_aligned_widths(part, tail) for part, tail in zip(table.parts, tails, strict=True)]
    counted = cache(lambda broken: [column_widths(part, broken=broken) for part in table.parts])
    for size, width, broken in pages:
        needed = [
            _narrowed(_needed(counts, numbers, size), part, size, width)
            for counts, numbers, part in zip(counted(broken), aligned, table.parts, strict=True)
        ]
        if all(sum(grid) <= width for grid in needed):
            break
    else:
        needed = [[int(each * min(1.0, width / sum(grid))) for each in grid] for grid in needed]
    return tuple(
        Fit(size, tuple(_stretch(grid, part, size, width)), width == LANDSCAPE, broken, tail)
        for grid, part, tail in zip(needed, table.parts, tails, strict=True)
    )


def _narrowed(needed: list[int], part: Part, size: float, width: int) -> list[int]:
    """Narrow the column of row headings, which break into lines, where that gives the numbers room for whole entries."""
    lacking = sum(needed) - width
    words = [measure(word) for row in part.body if row.cells[0].span == 1 for word in row.cells[0].shown.split()]
    least = round(max([*words, NARROWEST_HEAD]) * CHARACTER * size * TWIPS) + GAP
    return [needed[0] - lacking, *needed[1:]] if 0 < lacking <= needed[0] - least else needed


def _needed(counts: Sequence[int], aligned: Sequence[float], size: float) -> list[int]:
    """Return the width that each column needs, in twips: its longest entry, its heading, and room to align decimals."""
    return [
        max(round(count * CHARACTER * size * TWIPS), round(width * size * TWIPS)) + GAP
        for count, width in zip(counts, aligned, strict=True)
    ]


def _aligned_widths(part: Part, tails: Sequence[float]) -> list[float]:
    """Return how wide each column's aligned numbers are together, in parts of the size of the type; 0 where there are none."""
    wholes: dict[int, list[float]] = {}
    for row in part.body:
        for column, cell in placed(row):
            if (end := decimal_tail(cell)) is not None:
                wholes.setdefault(column, []).append(CHARACTER * measure(cell.shown) - end)
    return [max(wholes[place]) + tail if place in wholes else 0.0 for place, tail in enumerate(tails)]


def decimal_tail(cell: Cell) -> float | None:
    """Return how wide an entry is from its decimal sign on, in parts of the size of the type; None where it has none."""
    end = decimal_end(cell)
    return None if end is None else sum(MARKS.get(mark, CHARACTER) for mark in end)


def decimal_tails(part: Part) -> tuple[float, ...]:
    """Return, for each column of a grid, the widest of its entries from the decimal sign on."""
    tails = [0.0] * part.width
    for row in part.body:
        for place, cell in placed(row):
            if cell.span == 1:
                tails[place] = max(tails[place], decimal_tail(cell) or 0.0)
    return tuple(tails)


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


def grid(part: Part, chosen: Fit, name: str, tag: str) -> Iterator[str]:
    """Return the pieces of a Word table."""
    rows = [*part.header, *part.body]
    stand = [1] * len(part.header) + leads(part.body)
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


def _row(row: Row, chosen: Fit, tag: str, *, head: bool, lead: int, rules: tuple[int, int], keep: bool) -> str:
    cells, place = [], 0
    for number, cell in enumerate(row.cells):
        width = sum(chosen.widths[place : place + cell.span])
        under = HAIR if head and cell.span > 1 and cell.text else 0
        edges = "".join(
            f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="222222"/>'
            for side, size in (("top", rules[0]), ("bottom", rules[1] or under))
            if size
        )
        merge = "" if number or lead == 1 else "<w:vMerge/>" if lead == 0 else '<w:vMerge w:val="restart"/>'
        span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
        borders = f"<w:tcBorders>{edges}</w:tcBorders>" if edges else ""
        stand = '<w:vAlign w:val="bottom"/>' if head else ""
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}{merge}{borders}{stand}</w:tcPr>'
            f"{_entry(cell, row, chosen, tag, head=head, keep=keep, place=place)}</w:tc>"
        )
        place += cell.span
    own = "<w:cantSplit/>" + ("<w:tblHeader/>" if head else "")
    return f"<w:tr><w:trPr>{own}</w:trPr>{''.join(cells)}</w:tr>"


def _entry(cell: Cell, row: Row, chosen: Fit, tag: str, *, head: bool, keep: bool, place: int) -> str:
    side = {"left": "left", "center": "center", "right": "right"}[cell.align]
    tight = '<w:spacing w:before="0"/>' if row.role == "beneath" else ""
    form = f'<w:pPr><w:pStyle w:val="TableText"/>{"<w:keepNext/>" if keep else ""}{tight}{_aligned(cell, chosen, place, head=head)}<w:jc w:val="{side}"/></w:pPr>'
    if not cell.shown:
        return f"<w:p>{form}</w:p>"
    text = cell.shown if chosen.broken else _unbroken(cell)
    look = ("<w:b/>" if head else "") + ("<w:i/>" if row.role == "block" else "")
    look += f'<w:sz w:val="{round(2 * chosen.size)}"/><w:lang w:val="{tag}"/>'
    return f'<w:p>{form}<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _aligned(cell: Cell, chosen: Fit, place: int, *, head: bool) -> str:
    """Return the indent at the right that puts an entry's decimal sign under those of its column.

    A decimal tab would go by the decimal sign of the reader's machine, and not by that of the document's language.
    """
    tail = decimal_tail(cell) if not head and cell.span == 1 else None
    lacking = round((chosen.tails[place] - tail) * chosen.size * TWIPS) if tail is not None else 0
    return f'<w:ind w:right="{lacking}"/>' if lacking > 0 else ""


def _unbroken(cell: Cell) -> str:
    """Keep a number, or an interval, on one line."""
    if cell.heading or is_prose(cell) or not any(mark.isdigit() for mark in cell.text):
        return cell.shown
    return cell.shown.replace(" ", "\N{NO-BREAK SPACE}")
