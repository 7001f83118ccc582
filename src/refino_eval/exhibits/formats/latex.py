r"""A table as LaTeX: asks for the package booktabs and no other.

The file is a float to be read in by `\input`; notes stand in a box as wide as the text. Marks beyond ASCII are written
as commands, so that pdfLaTeX, XeLaTeX and LuaLaTeX all read it.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from refino_eval.exhibits.formats.decimals import decimal_pads
from refino_eval.exhibits.formats.widths import LONGEST_HEAD, PROSE, column_widths, is_prose, measure, placed
from refino_eval.exhibits.layout.heads import MARKS as RAISED
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table

WIDEST_PAGE, LYING_PAGE = 94, 165
"""Characters across an A4 page with margins of 25 mm, upright in small type, and on its side in the smallest."""


UPRIGHT_ROOM, LYING_ROOM = 620.0, 380.0
"""Points that such a page has for grids and notes, the caption and the heading of a continued table apart."""


SIZES = ((76, r"\small", 5, 13.6), (WIDEST_PAGE, r"\footnotesize", 3, 11.0), (10**6, r"\scriptsize", 2, 9.5))
"""Up to so many characters: the size of the type, the space beside columns, and the height of a line, in points."""


AROUND, BETWEEN, NOTE_LINE = 30.0, 5.5, 11.0
"""Points that the rules and the name of a grid take, the space between blocks of rows, and a line of the notes."""


TEXT_HOLDS = 20
"""Characters of a column of names or short texts, which break into lines, in a grid that no upright page would hold otherwise."""


FIRST_COLUMN, FIRST_HOLDS = "15em", 29
"""Width of a first column whose headings break, and the characters that it holds."""


LETTERS = {"left": "l", "center": "c", "right": "r"}


MARKS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$",
    '"': "''", "\N{MINUS SIGN}": "$-$", "\N{EN DASH}": "--", "\N{EM DASH}": "---", "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,", "\N{THIN SPACE}": r"\,", "\N{EM SPACE}": r"\quad{}", "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MIDDLE DOT}": r"$\cdot$", "\N{SUPERSCRIPT TWO}": r"\textsuperscript{2}", "\N{INFINITY}": r"$\infty$",
    "\N{UNION}": r"$\cup$", "\N{EMPTY SET}": r"$\emptyset$", "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$", "\N{NOT EQUAL TO}": r"$\neq$", "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}", "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``", "\N{RIGHT DOUBLE QUOTATION MARK}": "''", "\N{RIGHTWARDS ARROW}": r"$\to$",
    # The only text marks that the encoding LaTeX starts with does not have.
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": r"{\fontencoding{T1}\selectfont\guillemotleft}",
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": r"{\fontencoding{T1}\selectfont\guillemotright}",
    "\N{BLACK LEFT-POINTING SMALL TRIANGLE}": r"$\triangleleft$",
    "\N{EURO SIGN}": r"\texteuro{}", "\N{DEGREE SIGN}": r"\textdegree{}", "\N{SECTION SIGN}": r"\S{}",
    **{letter: rf"$\{name}$" for letter, name in zip("αβγδεθλμπρστφχψω", (
        "alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "pi", "rho", "sigma", "tau", "phi", "chi",
        "psi", "omega"), strict=True)},
    **{mark: rf"\textsuperscript{{{digit}}}" for mark, digit in zip("⁰¹³⁴⁵⁶⁷⁸⁹", "013456789", strict=True)},
    "\N{SUPERSCRIPT MINUS}": r"\textsuperscript{$-$}",
    **{letter: rf"$\{name}$" for letter, name in zip("ΓΔΘΛΞΠΣΦΨΩ", (
        "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"), strict=True)},
}  # fmt: skip


def escape(text: str) -> str:
    """Write a text so that LaTeX prints it as it stands."""
    raised = re.sub(f"([{RAISED}])", lambda mark: f"\0{unicodedata.normalize('NFKC', mark[0])}\0", text)
    written = "".join(MARKS.get(mark, mark) for mark in raised)
    return re.sub("\0(.)\0", r"\\textsuperscript{\1}", written)


def to_latex(table: Table) -> str:
    r"""Write a table as one `table` float, or several when it is longer than a page.

    Parameters
    ----------
    table
        In the style of a page.

    Returns
    -------
    str
        To be read in by `\input`; the label is `tab:<exhibit>`. Notes that have no room under the grid, which a float would
        push off the page, follow it as a text.
    """
    lies = any(_width(part) > WIDEST_PAGE for part in table.parts)
    room = LYING_ROOM if lies else UPRIGHT_ROOM
    pages, left = _pages(table.parts, room)
    inside = _height_of_notes(table.notes, LYING_PAGE if lies else WIDEST_PAGE) <= left
    lines = [f"% {table.exhibit}: \\usepackage{{booktabs}}"]
    if lies:
        lines.append("% wide: on an upright page put it inside \\begin{landscape} of the package pdflscape")
    for number, page in enumerate(pages):
        title = escape(table.title)
        going_on = "" if number == 0 else " (forts.)" if table.language == "nb" else " (continued)"
        head = (
            f"\\caption{{{title}}}\\label{{tab:{table.exhibit}}}" if number == 0 else f"\\textit{{{title}{going_on}}}"
        )
        lines += ["\\begin{table}[htbp]", "\\centering", head, ""]
        for part in page:
            lines += _grid(part, table.language, lies=lies)
        if number == len(pages) - 1 and inside:
            lines += _notes(table.notes)
        lines += ["\\end{table}", ""]
    if not inside:
        lines += _notes_behind(table)
    return "\n".join(lines).rstrip() + "\n"


def _width(part: Part) -> int:
    """Return how many characters wide a grid is, the space between its columns included."""
    return sum(_widths(part)) + 2 * part.width


def _widths(part: Part) -> list[int]:
    """Return the width of each column: of its body, and of its heading as it breaks into lines."""
    broken = _broken_columns(part)
    return [min(width, TEXT_HOLDS) if k in broken else width for k, width in enumerate(_natural_widths(part))]


def _natural_widths(part: Part) -> list[int]:
    entries = column_widths(part)
    widths = list(entries)
    for row in part.header:
        for place, cell in placed(row):
            if cell.span == 1 and place:
                widths[place] = max(widths[place], *map(measure, _heading_lines(cell, entries, place)))
    return widths


def _broken_columns(part: Part) -> frozenset[int]:
    """Return the columns of names and short texts that break into lines, so that an upright page holds the grid."""
    widths = _natural_widths(part)
    if sum(widths) + 2 * part.width <= WIDEST_PAGE:
        return frozenset()
    prose = {place for row in part.body for place, cell in placed(row) if is_prose(cell)}
    sides = enumerate(part.sides)
    return frozenset(k for k, side in sides if k and side == "left" and widths[k] > TEXT_HOLDS and k not in prose)


def _size(part: Part) -> tuple[str, int, float]:
    width = _width(part)
    return next((size, gap, line) for most, size, gap, line in SIZES if width <= most)


def _height(row: Row, line: float, broken: frozenset[int]) -> float:
    """Return how many points high a row is."""
    first = -(-measure(row.cells[0].shown) // FIRST_HOLDS) if row.cells[0].span == 1 else 1
    texts = [-(-measure(cell.shown) // PROSE) for cell in row.cells[1:] if is_prose(cell)]
    names = [-(-measure(cell.shown) // TEXT_HOLDS) for place, cell in placed(row) if place in broken]
    return line * max(1, first, *texts, *names)


def _height_of_notes(notes: Sequence[str], across: int) -> float:
    return NOTE_LINE * (1 + sum(-(-measure(note) // across) for note in notes)) if notes else 0.0


def _pages(parts: Sequence[Part], room: float) -> tuple[list[list[Part]], float]:
    """Share parts out over pages, and cut those that are longer than one; return also what is left of the last page."""
    pages: list[list[Part]] = [[]]
    left = room
    for part in parts:
        line = _size(part)[2]
        head = AROUND + line * sum(_heading_height(row, part) for row in part.header)
        broken = _broken_columns(part)
        heights = [
            _height(row, line, broken) + (BETWEEN if list(_space_before(part, place)) else 0.0)
            for place, row in enumerate(part.body)
        ]
        if pages[-1] and head + sum(heights) > left:
            pages.append([])
            left = room
        start, left = 0, left - head
        for place, height in enumerate(heights):
            if height > left and place > start:
                pages[-1].append(Part(part.header, part.body[start:place], part.caption if start == 0 else ""))
                pages.append([])
                start, left = place, room - head
            left -= height
        pages[-1].append(Part(part.header, part.body[start:], part.caption if start == 0 else ""))
    return pages, left


def _heading_height(row: Row, part: Part) -> int:
    """Return how many lines a row of headings takes."""
    entries = column_widths(part)
    return max(len(_heading_lines(cell, entries, place)) for place, cell in placed(row))


def _grid(part: Part, language: str, *, lies: bool) -> Iterator[str]:
    pads = decimal_pads(part, language)
    widths, names = column_widths(part), _broken_columns(part)
    widths = [min(width, TEXT_HOLDS) if k in names else width for k, width in enumerate(widths)]
    size, gap, _ = _size(part)
    broken = max((len(row.cells[0].shown) for row in part.body if row.cells[0].span == 1), default=0) > LONGEST_HEAD
    if part.caption:
        yield f"{{\\small\\textit{{{escape(part.caption)}}}\\par}}\\smallskip"
    yield f"{{{size}\\setlength{{\\tabcolsep}}{{{gap}pt}}%"
    yield f"\\begin{{tabular}}{{@{{}}{_columns(part, broken, LYING_PAGE if lies else WIDEST_PAGE)}@{{}}}}"
    yield "\\toprule"
    for row in part.header:
        yield " & ".join(_header(cell, widths, place) for place, cell in placed(row)) + " \\\\"
        yield from _rules(row)
    yield "\\midrule"
    for place, row in enumerate(part.body):
        yield from _space_before(part, place)
        entries = (
            _entry(cell, row, k, broken, pad=pads.get((place, column), ""), breaks=column in names)
            for k, (column, cell) in enumerate(placed(row))
        )
        # In ragged text two backslashes end a line of the entry, and not the row.
        yield " & ".join(entries) + (" \\tabularnewline" if part.width - 1 in names else " \\\\")
    yield "\\bottomrule"
    yield "\\end{tabular}}\\par\\medskip"


def _space_before(part: Part, place: int) -> Iterator[str]:
    """Return the rule before the foot, or the space before a block and between rows that take two lines."""
    if not place:
        return
    role, before = part.body[place].role, part.body[place - 1].role
    two_lines = any(row.role == "beneath" for row in part.body)
    if role == "foot" and before != "foot":
        yield "\\midrule"
    elif role == "block" or (two_lines and role == "body" and before != "block"):
        yield "\\addlinespace"


def _columns(part: Part, broken: bool, across: int) -> str:
    """Return the letters of the columns, by how most of the body stands; texts share what numbers leave of the line."""
    letters = [LETTERS[side] for side in part.sides]
    texts = set()
    # A row with spanning cells does not say where its prose is, so it decides no column.
    for row in (row for row in part.body if all(cell.span == 1 for cell in row.cells)):
        for place, cell in enumerate(row.cells):
            if place and is_prose(cell):
                texts.add(place)
    others = sum(width + 2 for place, width in enumerate(_widths(part)) if place not in texts)
    for place in _broken_columns(part):
        # In widths of a digit, since a share of the line would not follow the size of the type.
        letters[place] = f"p{{{TEXT_HOLDS * 0.5:g}em}}"
    for place in texts:
        letters[place] = f"p{{{min(0.6, max(0.2, (0.95 - others / across) / len(texts))):.2f}\\linewidth}}"
    return "".join([f"p{{{FIRST_COLUMN}}}", *letters[1:]] if broken else letters)


def _header(cell: Cell, widths: Sequence[int], place: int) -> str:
    # A heading that breaks is a small table in itself.
    lines = _heading_lines(cell, widths, place)
    side = LETTERS[cell.align]
    text = " \\\\ ".join(map(escape, lines))
    if len(lines) > 1:
        text = f"\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{text}\\end{{tabular}}"
    return f"\\multicolumn{{{cell.span}}}{{{side}}}{{{text}}}" if cell.span > 1 else text


def _heading_lines(cell: Cell, widths: Sequence[int], place: int) -> list[str]:
    """Break a heading at the width of the columns that it is over, or a little beyond."""
    covered = widths[place : place + cell.span]
    room = max(sum(covered) + 2 * (cell.span - 1), 12 if len(widths) <= 8 else 9)
    return textwrap.wrap(cell.text, room, break_long_words=False) or [""]


def _rules(row: Row) -> Iterator[str]:
    """Return the thin rules beneath headings over several columns."""
    place, rules = 1, []
    for cell in row.cells:
        if cell.span > 1 and cell.text:
            rules.append(f"\\cmidrule(lr){{{place}-{place + cell.span - 1}}}")
        place += cell.span
    if rules:
        yield "".join(rules)


def _entry(cell: Cell, row: Row, place: int, broken: bool, *, pad: str, breaks: bool) -> str:
    """Write a cell; what its number lacks is there as an empty space of that width. `breaks`: it is one of several texts."""
    text = escape(cell.text)
    if text.startswith(("[", "*")):
        # At the head of a row LaTeX would take it for an option of the line break before.
        text = f"{{{text[0]}}}{text[1:]}"
    if breaks and text:
        text = f"\\raggedright {text}"
    if cell.mark:
        # Stars hang outside, so that the digits of a column stay beneath each other.
        text += f"\\rlap{{\\textsuperscript{{{escape(cell.mark)}}}}}"
    if pad := pad.rstrip("*"):
        text += f"\\phantom{{{escape(pad)}}}"
    if row.role == "block" and text:
        text = f"\\textit{{{text}}}"
    if cell.span > 1:
        return f"\\multicolumn{{{cell.span}}}{{@{{}}{LETTERS[cell.align]}@{{}}}}{{{text}}}"
    if broken and place == 0 and len(cell.text) > LONGEST_HEAD:
        return f"\\raggedright\\hangindent=1em {text}"
    return text


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield "\\begin{minipage}{\\linewidth}\\footnotesize"
        for note in notes:
            yield f"{escape(note)}\\par"
        yield "\\end{minipage}"


def _notes_behind(table: Table) -> Iterator[str]:
    """Return notes as a text that may break over pages, with the number of the table that they belong to."""
    yield "\\begingroup\\footnotesize\\noindent"
    yield f"\\textit{{{'Merknader til tabell' if table.language == 'nb' else 'Notes to Table'}~\\ref{{tab:{table.exhibit}}}}}\\par"
    for note in table.notes:
        yield f"\\noindent {escape(note)}\\par"
    yield "\\endgroup\\medskip"
    yield ""
