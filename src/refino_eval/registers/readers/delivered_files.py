"""Open delivered files of every format in one way: check the header, then stream the rows.

Text files are read by `text_rows`, files of statistics programs by `statistical_files`, parquet by `parquet_files`.
Whatever the format, rows are numbered by their position in the file, and come as Arrow batches, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from refino_eval.errors import nearest
from refino_eval.registers.readers.archives import PACKED, READ_ERRORS, UnreadableFile, reading_problem
from refino_eval.registers.readers.file_form import FileForm
from refino_eval.registers.readers.file_search import shown_name
from refino_eval.registers.readers.parquet_files import parquet_batches, parquet_header
from refino_eval.registers.readers.statistical_files import statistical_batches, statistical_header
from refino_eval.registers.readers.text_rows import (
    Positions,
    TextForm,
    read_first_lines,
    read_line,
    text_batches,
)
from refino_eval.registers.readers.value_kinds import READABLE_KINDS

_SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a parquet file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"$FL2": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Header:
    """The columns of a file: their names in order, and the kind of each that is not text, by name."""

    names: tuple[str, ...]
    kinds: dict[str, str] = field(default_factory=dict)

    def column_problem(self, name: str, others: Iterable[str] = ()) -> str:
        """Return why a column cannot be read by its name, with the nearest name; nothing if it can."""
        times = self.names.count(name)
        if times > 1:
            return f"has the column '{name}' {times} times, so it is ambiguous."
        if not times:
            return f"lacks the column '{name}'.{nearest(name, set(self.names) - set(others))}"
        return ""


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery whose header has been checked.

    Attributes
    ----------
    number
        Position among the register's files in name order, from 0; a later file has a higher number.
    width
        Number of columns in the file.
    names, positions, kinds
        Inside name -> the column's name in the file, its position there, and its kind.
    """

    number: int
    path: Path
    form: FileForm
    width: int
    names: dict[str, str]
    positions: dict[str, int]
    kinds: dict[str, str]

    @property
    def name(self) -> str:
        """Base name, the only part of the path that is written anywhere."""
        return self.path.name

    @property
    def text_form(self) -> TextForm:
        """How the rows of a text file are read."""
        form = self.form
        return TextForm(
            self.path, form.encoding, form.delimiter, self.width, self.positions, not form.columns, form.skip_blank
        )


@dataclass
class RowStream:
    """The rows of one file as Arrow batches, counted as they pass.

    The engine turns an exception in here into one of its own, so a problem is kept and raised by the reader of the
    stream.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    rows: int = 0
    problems: list[str] = field(default_factory=list)

    def reader(self) -> pa.RecordBatchReader:
        """Return the rows as a `pyarrow.RecordBatchReader`, which can be read once."""
        return pa.RecordBatchReader.from_batches(self.schema, self._counted())

    def _counted(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.batches:
                self.rows += batch.num_rows
                yield batch
        except (*READ_ERRORS, pa.ArrowException, UnreadableFile) as error:
            self.problems.append(reading_problem(error))


def read_header(path: Path, form: FileForm) -> Header:
    """Read the names and kinds of a file's columns.

    Raises
    ------
    UnreadableFile
        When the file cannot be opened, or has no header. Nothing of the first line is shown: it may be a person's data.
    """
    if form.format != "text" and path.suffix.lower() in PACKED:
        raise UnreadableFile("only text files are read packed: unpack it.")
    try:
        if form.format == "text":
            return Header(form.columns or _text_header(path, form))
        names, kinds = parquet_header(path) if form.format == "parquet" else statistical_header(path, form)
        return Header(tuple(names), kinds)
    except READ_ERRORS as error:
        raise UnreadableFile(reading_problem(error)) from error


def _text_header(path: Path, form: FileForm) -> tuple[str, ...]:
    lines = read_first_lines(path, form.encoding, 1)
    if not lines:
        raise UnreadableFile("it is empty, without even a header line.")
    names = read_line(lines[0], TextForm(path, form.encoding, form.delimiter, 0, {}).line_encoding, form.delimiter)
    if names is None:
        raise UnreadableFile(
            f"its first line cannot be read as a header in the encoding {form.encoding}.{_guess(lines[0])} Check the "
            "stated `encoding`, and that the file is a text file."
        )
    return tuple(name.strip() for name in names)


def _guess(raw: bytes) -> str:
    """Name what the first bytes of a file look like that is not text in the stated encoding."""
    for mark, meaning in _SIGNATURES.items():
        if raw.startswith(mark):
            return f" It looks like {meaning}."
    if b"\r" in raw.rstrip(b"\r\n"):
        return " Its lines end with a carriage return alone: save it with line feeds."
    return ""


def kind_problem(path: Path, column: str, kind: str, wanted: str) -> str:
    """Return the message about a column whose type cannot be read; nothing if it can."""
    if kind in READABLE_KINDS:
        return ""
    zone = " Convert it to local time without a zone, or deliver the day as a date." if "tz=" in kind else ""
    return (
        f"{shown_name(path.name)}: column '{column}' holds values of type {kind}, which cannot be read as {wanted}. "
        f"Deliver it as text, a number or a date.{zone}"
    )


def rows_of(file: DeliveredFile, *, trimmed: bool, threads: int = 2, wanted: Positions | None = None) -> RowStream:
    """Stream a file: `source_row` (1-based data row), `unreadable`, and the columns under their inside names.

    Parameters
    ----------
    trimmed
        For text files: fields without blanks at their ends, and null for an empty one; otherwise as delivered.
    threads
        Blocks of a text file that are read at the same time.
    wanted
        Only the rows with these numbers (sorted); None for all. Each that the file has comes once.

    Notes
    -----
    The columns of a text file are text, null in a row that could not be read: wrong encoding, an open quotation mark, a
    character that no text holds, or another number of fields than the header has. Those of other files have their type.
    """
    if file.form.format == "text":
        form = file.text_form
        return RowStream(form.schema, text_batches(form, trimmed=trimmed, threads=threads, wanted=wanted))
    schema, batches = (
        parquet_batches(file.path, file.names)
        if file.form.format == "parquet"
        else statistical_batches(file.path, file.form, file.names, file.kinds)
    )
    flagged = pa.schema([("source_row", pa.int64()), ("unreadable", pa.bool_()), *schema])
    return RowStream(flagged, _numbered(batches, flagged, wanted))


def _numbered(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, wanted: Positions | None
) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in batches:
        rows, flags = np.arange(row, row + batch.num_rows), np.zeros(batch.num_rows, dtype=bool)
        row += batch.num_rows
        numbered = pa.RecordBatch.from_arrays([pa.array(rows), pa.array(flags), *batch.columns], schema=schema)
        if wanted is None:
            yield numbered
        elif len(chosen := np.flatnonzero(np.isin(rows, wanted))):
            yield numbered.take(pa.array(chosen))
