"""A paper or report, of any format, as published values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from refino_eval.config.base import Label
from refino_eval.errors import UserError
from refino_eval.published.reading.delimited_text import delimited_grids, text_grids
from refino_eval.published.reading.excel_tables import excel_grids
from refino_eval.published.reading.grids import Grid, Grids, Unread
from refino_eval.published.reading.head_words import key_part
from refino_eval.published.reading.html_tables import html_grids
from refino_eval.published.reading.printed_cells import decimal_sign, is_empty, pieces
from refino_eval.published.reading.printed_tables import PrintedTable, table_of_grid
from refino_eval.published.reading.table_values import TableReader, Value
from refino_eval.published.reading.word_tables import word_grids
from refino_eval.published.relations import Key
from refino_eval.published.values import COLUMNS, KEYS, parse_printed

READERS = {
    ".csv": delimited_grids, ".tsv": delimited_grids, ".tab": delimited_grids, ".txt": text_grids, ".md": text_grids,
    ".markdown": text_grids, ".html": html_grids, ".htm": html_grids, ".xhtml": html_grids, ".docx": word_grids,
    ".xlsx": excel_grids, ".xlsm": excel_grids,
}  # fmt: skip
"""Reader of each kind of file."""

_NUMBERED = re.compile(
    r"(?P<kind>table|tabell|tab\.)\s*(?P<number>[a-z]{0,2}[.\-]?\d+(?:[.\-]\d+)*[a-z]?|[ivx]+)\b", re.IGNORECASE
)
_LONG = {*KEYS} - {"panel"}


@dataclass(frozen=True)
class ReadDocument:
    """A document as the audit reads it.

    Attributes
    ----------
    values
        As `load_published` returns them, with the column `quoted`: each number as it is published.
    names
        Parts of keys -> the names that the document gives them.
    tables
        How many tables were read.
    unread
        What could not be read, with its place.
    printed
        The tables as published, with the keys of their numbers.
    """

    values: pd.DataFrame
    names: dict[str, Label]
    tables: int
    unread: tuple[Unread, ...]
    printed: tuple[PrintedTable, ...] = ()


def read_document(path: Path) -> ReadDocument:
    """Read all tables of a file.

    Parameters
    ----------
    path
        A file with one of the endings of `READERS`.

    Raises
    ------
    UserError
        When the file cannot be read, has another format, or has no table of numbers.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(
            f"{path.name}: files of the kind '{path.suffix or 'no ending'}' are not read. Save the document as Word (.docx), "
            "Excel (.xlsx), HTML, CSV, Markdown or text."
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path.name}: no such file. Name a document to audit.") from None
    except IsADirectoryError:
        raise UserError(f"{path.name} is a folder. Name a document to audit.") from None
    read = reader(data, path.name)
    result = values_of(read)
    if not len(result.values):
        listed = "; ".join(f"{each.place}: {each.reason}" for each in result.unread[:5])
        raise UserError(
            f"{path.name}: no table of numbers could be read.{f' {listed}.' if listed else ''} The audit reads numbers in tables: "
            "save a document whose tables are pictures, or a PDF, as Word or Excel first."
        )
    return result


def values_of(read: Grids) -> ReadDocument:
    """Return the published values of grids, and the names of their tables, rows and columns."""
    texts = [cell.text for grid in read.grids for row in grid.rows for cell in row[1:] if cell.origin]
    decimals = decimal_sign(texts, read.notation)
    unread = list(read.unread)
    rows: list[dict[str, str]] = []
    names: dict[str, Label] = {}
    used: Counter[str] = Counter()
    printed: list[PrintedTable] = []
    tables = 0
    for grid in read.grids:
        if not any(pieces(cell.text, decimals) for row in grid.rows for cell in row if not is_empty(cell.text)):
            unread.append(Unread(grid.place, "no_numbers"))
            continue
        if len(read.grids) > 1 and _is_unrounded(grid):
            unread.append(Unread(grid.place, "unrounded"))
            continue
        exhibit, name = _exhibit(grid, tables + 1, used)
        long = _long_rows(grid, unread)
        if long is not None:
            rows += long
        else:
            table = TableReader(grid, decimals)
            table.read()
            unread += table.unread
            records = _rows(table.values, grid, exhibit, names)
            rows += records
            printed.append(_printed(table, exhibit, records))
        names.setdefault(exhibit, name)
        tables += 1
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "rounded_to", "unit", "quoted"], dtype="object").fillna("")
    return ReadDocument(frame, names, tables, tuple(unread), tuple(printed))


def _printed(table: TableReader, exhibit: str, records: Sequence[Mapping[str, str]]) -> PrintedTable:
    """Return a table as published, with the keys of its numbers."""
    numbers: dict[tuple[int, int], dict[Key, str]] = {}
    for value, record in zip(table.values, records, strict=True):
        key = (record["exhibit"], record["panel"], record["row"], record["column"], record["statistic"])
        numbers.setdefault(value.at, {})[key] = record["quoted"]
    return table_of_grid(table.grid, exhibit, table.heads, table.labels, numbers)


def _label(text: str) -> Label:
    """Return a name of the document, without characters that no page can show, in both languages."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return Label(nb=shown, en=shown)


def _exhibit(grid: Grid, number: int, used: Counter[str]) -> tuple[str, Label]:
    """Return the key of a table and its name in both languages: its published number, else its place."""
    match = _NUMBERED.search(grid.caption[:60])
    if match:
        key = "table_" + re.sub(r"[.\-]", "_", match["number"].lower())
        name = Label(nb=f"Tabell {match['number']}", en=f"Table {match['number']}")
    else:
        key = (
            f"table_{number}_of_file"
            if not grid.caption
            else re.sub(r"\W+", "_", grid.caption.lower())[:40].strip("_") or f"table_{number}_of_file"
        )
        shown = grid.caption if len(grid.caption) <= 60 else grid.caption[:57].rsplit(" ", 1)[0] + "…"
        name = _label(shown or grid.place)
    used[key] += 1
    if used[key] > 1:
        key = f"{key}_{used[key]}"
        name = Label(nb=f"{name.nb} ({grid.place})", en=f"{name.en} ({grid.place})")
    return key, name


def _rows(values: Sequence[Value], grid: Grid, exhibit: str, names: dict[str, Label]) -> list[dict[str, str]]:
    """Return the rows of the file of published values; every number gets a key of its own."""
    taken: Counter[tuple[str, ...]] = Counter()
    result = []
    for value in values:
        parts = []
        for name in value.names:
            part = key_part(name)[:80]
            if part and part not in ("all", "difference", "change"):
                names.setdefault(part, _label(name))
            parts.append(part)
        key = (exhibit, *parts, value.statistic)
        taken[key] += 1
        if taken[key] > 1:
            parts[1] = f"{parts[1]}_{taken[key]}".strip("_")
            names.setdefault(parts[1], _label(f"{value.names[1]} ({taken[key]})"))
        result.append(
            dict(zip(KEYS, (exhibit, *parts, value.statistic), strict=True))
            | {
                "printed": value.piece.printed, "quoted": value.piece.text, "qualifier": value.piece.qualifier,
                "unit": value.unit, "source_line": _place(grid, value),
                "rounded_to": "",
            }
        )  # fmt: skip
    return result


def _place(grid: Grid, value: Value) -> str:
    """Return where a number is: the place of its table and its own, where that does not say it all."""
    return (
        value.place if grid.place in value.place or grid.place.startswith("lines ") else f"{grid.place}, {value.place}"
    )


def _is_unrounded(grid: Grid) -> bool:
    """Return whether a grid holds the numbers behind the other tables of its file, in the long form and not rounded."""
    heads = {cell.text.strip().lower() for cell in grid.rows[0]}
    return heads >= {*_LONG, "value"} and "printed" not in heads


def _long_rows(grid: Grid, unread: list[Unread]) -> list[dict[str, str]] | None:
    """Return the numbers of a grid in the long form of published values, or None if it has another form.

    Parameters
    ----------
    grid
        The grid.
    unread
        Cells that are no numbers are added to it.
    """
    heads = [cell.text.strip().lower() for cell in grid.rows[0]]
    number = next((name for name in ("printed", "value") if name in heads), "")
    if not number or not {*heads} >= _LONG:
        return None
    result = []
    for row in grid.rows[1:]:
        record = {name: cell.text.strip() for name, cell in zip(heads, row, strict=True)}
        try:
            parse_printed(record[number])
        except ValueError:
            if not is_empty(record[number]):
                unread.append(Unread(f"{grid.place}, {row[0].place}", f"“{record[number][:60]}”"))
            continue
        result.append(
            {key: record.get(key, "") for key in (*KEYS, "unit", "qualifier", "rounded_to")}
            | {"printed": record[number], "quoted": record[number], "source_line": f"{grid.place}, {row[0].place}"}
        )
    return result
