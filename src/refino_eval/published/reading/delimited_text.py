"""Tables in text files: CSV with any delimiter and encoding, Markdown pipe tables, and tables set with tabs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from refino_eval.errors import UserError
from refino_eval.published.reading.grids import CAPTION, Grid, GridCell, Grids, Unread, blocks, squared

_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*")
_MARKUP = re.compile(r"`|</?(b|i|em|strong|br|su[bp]|u)\s*/?>|&nbsp;|\\(?=[|*_`])")
# Two pairs of stars set bold; a number is followed by one pair, its stars.
_BOLD = re.compile(r"(\*\*|__)(?=[^\s*_])(.+?)(?<=[^\s*_])\1")
_ITALIC = re.compile(r"^\*(?!\*)(.*[^*])\*$")


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Windows-1252."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if b"\x00" in data:
        raise UserError(f"{name}: this is not a text file. Save the document as CSV, Word or Excel.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def delimited_grids(data: bytes, name: str) -> Grids:
    """Return the tables of a CSV file; blank lines separate tables.

    Parameters
    ----------
    data
        The file.
    name
        Its name, for messages.
    """
    text = decoded(data, name)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=False)
    try:
        for record in reader:
            line = f"line {reader.line_num}"
            rows.append([_cell(value, line) for value in record])
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num}: {error}. Save it as comma-separated text.") from None
    result = Grids()
    for number, (title, block) in enumerate(blocks(rows), start=1):
        result.grids.append(Grid(squared(block), f"table {number}", title))
    if len(result.grids) == 1:
        (only,) = result.grids
        result.grids = [Grid(only.rows, name, only.caption)]
    return result


def _cell(text: str, line: str) -> GridCell:
    return GridCell(text.strip("\ufeff \t\u2003\u00a0"), line, indent=len(text) - len(text.lstrip(" \t\u2003\u00a0")))


def _delimiter(text: str) -> str:
    """Return the delimiter that divides most lines into the same number of cells, at least two."""

    def score(delimiter: str) -> tuple[float, int]:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        widths = [len(row) for row in rows]
        if not widths or max(widths) < 2:
            return 0, 0
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual) / len(widths) if usual > 1 else 0), usual

    # Commas between digits are decimal signs where another delimiter divides the lines evenly.
    lines = [line for line in text.splitlines() if line.strip()]
    for delimiter in ";\t|":
        counts = [line.count(delimiter) for line in lines if delimiter in line]
        if len(counts) * 2 >= len(lines) > 0 and counts.count(max(set(counts), key=counts.count)) * 2 > len(counts):
            return delimiter
    try:
        return max(";\t|,", key=lambda delimiter: (round(score(delimiter)[0], 1), score(delimiter)[1]))
    except csv.Error:
        return ","


def text_grids(data: bytes, name: str) -> Grids:
    """Return the tables of a text or Markdown file: lines with pipes, and lines with tabs, that follow each other.

    Parameters
    ----------
    data
        The file.
    name
        Its name, for messages.
    """
    lines = decoded(data, name).splitlines()
    result = Grids()
    caption, since = "", 0
    for first, block in _runs(lines):
        if len(block) == 1:
            text = _unmarked(block[0])
            since += 1
            if CAPTION.match(text):
                caption, since = text, 0
            elif since > 2 or not CAPTION.match(caption):
                caption = text
            else:
                caption = f"{caption} {text}"  # `Number of people` below `Table 3.1`
            continue
        rows = [
            [_cell(_unmarked(part), f"line {number}") for part in _split(line)]
            for number, line in enumerate(block, start=first)
            if not _RULE.fullmatch(line)
        ]
        place = f"lines {first}–{first + len(block) - 1}"
        named = " ".join(cell.text for cell in rows[0] if cell.text) if rows else ""
        if CAPTION.match(named):
            caption, rows = named, rows[1:]
        if len(rows) > 1:
            result.grids.append(Grid(squared(_dropped(rows)), place, caption if len(caption) < 300 else caption[:300]))
        else:
            result.unread.append(Unread(place, "no_numbers"))
        caption = ""
    return result


def _runs(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each run of lines of a table with the number of its first line, and each other line alone."""
    run: list[str] = []
    start = 0
    for number, line in enumerate([*lines, ""], start=1):
        if line.count("|") >= 2 or (line.count("\t") >= 1 and line.strip()):
            if not run:
                start = number
            run.append(line)
            continue
        if run:
            yield start, run if len(run) > 1 else [run[0]]
            run = []
        if line.strip():
            yield number, [line]


def _split(line: str) -> list[str]:
    if line.count("|") >= 2:
        # One blank after a pipe is no indentation.
        return [part.removeprefix(" ") for part in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    return line.rstrip("\n").split("\t")


def _dropped(rows: list[list[GridCell]]) -> list[list[GridCell]]:
    """Return rows without the empty cells that a tab at the end of each line makes."""
    width = max(len(row) for row in rows)
    while width > 1 and all(len(row) < width or not row[width - 1].text for row in rows):
        width -= 1
    return [row[:width] for row in rows]


def _unmarked(text: str) -> str:
    """Return a text without the marks of Markdown: bold, code, italics, headings."""
    text = _ITALIC.sub(r"\1", text.strip("\n").strip() if text.strip().startswith("*") else text)
    text = _MARKUP.sub("", _BOLD.sub(r"\2", text))
    return text.lstrip("#").strip() if text.startswith("#") else text
