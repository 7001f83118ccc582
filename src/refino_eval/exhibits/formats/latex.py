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
from refino_eval.exhibits.formats.widths import LONGEST_HEAD, column_widths, is_prose, placed
from refino_eval.exhibits.layout.heads import MARKS as RAISED
from refino_eval.exhibits.layout.table import Cell, Part, Row, Table

LONGEST_PAGE = 44
"""Rows on a page; a float cannot break, so a longer grid goes on in another."""


WIDEST_PAGE = 96
"""Characters across an upright A4 page in small type."""


SIZES = ((76, r"\small", 5), (WIDEST_PAGE, r"\footnotesize", 3), (10**6, r"\scriptsize", 2))
"""Up to so many characters: the size of the type, and the space beside columns in points."""


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
        To be read in by `\input`; the label is `tab:<exhibit>`.
    """
    pages = _pages(table.parts)
    widest = max((sum(column_widths(part)) + 2 * part.width for part in table.parts), default=0)
    lines = [f"% {table.exhibit}: \\usepackage{{booktabs}}"]
    if widest > WIDEST_PAGE:
        lines.append("% wide: on an upright page put it inside \\begin{landscape} of the package pdflscape")
    for number, page in enumerate(pages):
        title = escape(table.title)
        going_on = "" if number == 0 else " (forts.)" if table.language == "nb" else " (continued)"
        head = (
            f"\\caption{{{title}}}\\label{{tab:{table.exhibit}}}" if number == 0 else f"\\textit{{{title}{going_on}}}"
        )
        lines += ["\\begin{table}[htbp]", "\\centering", head, ""]
        for part in page:
            lines += _grid(part, table.language)
        if number == len(pages) - 1:
            lines += _notes(table.notes)
        lines += ["\\end{table}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _pages(parts: Sequence[Part]) -> list[list[Part]]:
    """Share parts out over pages, and cut those that are longer than one."""
    pages: list[list[Part]] = [[]]
    room = LONGEST_PAGE
    for part in parts:
        rows = list(part.body)
        first = True
        while rows or first:
            if room < min(len(rows), LONGEST_PAGE) and pages[-1]:
                pages.append([])
                room = LONGEST_PAGE
            pages[-1].append(Part(part.header, tuple(rows[:room]), part.caption if first else ""))
            rows, room, first = rows[room:], room - len(rows[:room]) - 3, False
    return pages


def _grid(part: Part, language: str) -> Iterator[str]:
    pads = decimal_pads(part, language)
    widths = column_widths(part)
    size, gap = next((size, gap) for most, size, gap in SIZES if sum(widths) + 2 * len(widths) <= most)
    broken = max((len(row.cells[0].shown) for row in part.body if row.cells[0].span == 1), default=0) > LONGEST_HEAD
    if part.caption:
        yield f"{{\\small\\textit{{{escape(part.caption)}}}\\par}}\\smallskip"
    yield f"{{{size}\\setlength{{\\tabcolsep}}{{{gap}pt}}%"
    yield f"\\begin{{tabular}}{{@{{}}{_columns(part, broken)}@{{}}}}"
    yield "\\toprule"
    for row in part.header:
        yield " & ".join(_header(cell, widths, place) for place, cell in enumerate(row.cells)) + " \\\\"
        yield from _rules(row)
    yield "\\midrule"
    for place, row in enumerate(part.body):
        yield from _space_before(part, place)
        entries = (
            _entry(cell, row, k, broken, pad=pads.get((place, column), ""))
            for k, (column, cell) in enumerate(placed(row))
        )
        yield " & ".join(entries) + " \\\\"
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


def _columns(part: Part, broken: bool) -> str:
    """Return the letters of the columns, by how most of the body stands."""
    letters = [LETTERS[side] for side in part.sides]
    # A row with spanning cells does not say where its prose is, so it decides no column.
    for row in (row for row in part.body if all(cell.span == 1 for cell in row.cells)):
        for place, cell in enumerate(row.cells):
            if place and is_prose(cell):
                letters[place] = "p{0.6\\linewidth}"
    return "".join(["p{15em}", *letters[1:]] if broken else letters)


def _header(cell: Cell, widths: Sequence[int], place: int) -> str:
    if cell.span > 1:
        return f"\\multicolumn{{{cell.span}}}{{{LETTERS[cell.align]}}}{{{escape(cell.text)}}}"
    # The longest entry of a column, or a little more, is where its heading breaks: a small table in itself.
    room = max(widths[place] if place < len(widths) else 12, 12 if len(widths) <= 8 else 9)
    lines = textwrap.wrap(cell.text, room, break_long_words=False)
    if len(lines) < 2:
        return escape(cell.text)
    side = LETTERS[cell.align]
    stacked = " \\\\ ".join(map(escape, lines))
    return f"\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{stacked}\\end{{tabular}}"


def _rules(row: Row) -> Iterator[str]:
    """Return the thin rules beneath headings over several columns."""
    place, rules = 1, []
    for cell in row.cells:
        if cell.span > 1 and cell.text:
            rules.append(f"\\cmidrule(lr){{{place}-{place + cell.span - 1}}}")
        place += cell.span
    if rules:
        yield "".join(rules)


def _entry(cell: Cell, row: Row, place: int, broken: bool, *, pad: str) -> str:
    """Write a cell; what its number lacks is there as an empty space of that width."""
    text = escape(cell.text)
    if text.startswith(("[", "*")):
        # At the head of a row LaTeX would take it for an option of the line break before.
        text = f"{{{text[0]}}}{text[1:]}"
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
