"""Find the files of a register in a delivery, check their form, and read them as rows of text.

A text file is read line by line: one line is one row, always. A damaged line (a field too many or too few, a byte that
is not of the declared encoding, a quotation mark that is never closed, a NUL) therefore damages itself alone, and its
row number is its place in the file. This is why the lines are cut here and not by the engine's own CSV reader, which
skips blank lines, gives no row numbers, and lets an open quotation mark swallow the rows that follow.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from refino_eval.config.sources import Source
from refino_eval.errors import nearest, raise_faults

if TYPE_CHECKING:
    import pyarrow.parquet as pq

SEPARATOR = "\x1f"
"""What stands between the fields of a row on its way to the engine: no delivered text may hold it."""

_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 26
_LONGEST_HEADER = 1 << 20
_BATCH = 1 << 16
_CONTROL = re.compile("[\0\r\x1f]")
_PARQUET_KINDS = ("text", "boolean", "integer", "float", "single", "decimal", "date", "timestamp")


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery whose form has been checked.

    Attributes
    ----------
    number
        Place among the register's files in name order, from 0; a later file has a higher number.
    width
        Number of columns in the file.
    positions
        Inside name -> place of the column in the file, from 0.
    kinds
        Inside name -> how the file holds the column (`text` for every column of a text file).
    """

    number: int
    path: Path
    width: int
    positions: dict[str, int]
    kinds: dict[str, str]

    @property
    def name(self) -> str:
        """Base name, the only part of the path that is written anywhere."""
        return self.path.name


@dataclass
class RowStream:
    """The rows of one file as Arrow batches, counted as they pass.

    The engine turns an exception in here into one of its own, so a fault is kept and raised by the reader of the stream.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    rows: int = 0
    faults: list[str] = field(default_factory=list)

    def reader(self) -> pa.RecordBatchReader:
        """Return the rows as a `pyarrow.RecordBatchReader`, which can be read once."""
        return pa.RecordBatchReader.from_batches(self.schema, self._counted())

    def _counted(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.batches:
                self.rows += batch.num_rows
                yield batch
        except (OSError, pa.ArrowException, _UnreadableFile) as error:
            self.faults.append(str(error))


class _UnreadableFile(Exception):
    """A file that cannot be read on; its text is a paragraph for the user."""


def find_files(source: Source, folder: Path) -> tuple[Path, ...]:
    """Find a register's files in a delivery folder, in name order with numbers in their order (v2 before v10).

    Raises
    ------
    UserFault
        When the folder is missing, a pattern finds nothing, or two files have the same base name.
    """
    register = source.register_name
    if not folder.is_dir():
        told = f"The delivery folder {folder} does not exist."
        raise_faults([f"{told} Put the delivery there, or correct the evaluation's `data`."])
    faults = []
    found: set[Path] = set()
    for pattern in source.files:
        hits = {path for path in folder.glob(pattern) if path.is_file()}
        if not hits:
            faults.append(
                f"The register '{register}' is missing from the delivery: no file matches '{pattern}' in {folder}."
                f"{_similar(pattern, folder)} Put the file there, or correct `files` in config/sources/{register}.yaml."
            )
        found |= hits
    ordered = tuple(sorted(found, key=lambda path: (_natural(path.name), path.as_posix())))
    names = [path.name for path in ordered]
    faults += [
        f"The register '{register}' has two files called {name} under {folder}. Keep one, or give them different names."
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    raise_faults(faults)
    return ordered


def check_files(source: Source, paths: tuple[Path, ...]) -> tuple[DeliveredFile, ...]:
    """Check the form of each file: its header (text) or schema (parquet) has every listed column, once.

    Raises
    ------
    UserFault
        One paragraph for each fault of each file.
    """
    faults: list[str] = []
    files = []
    for number, path in enumerate(paths):
        names, kinds = _text_header(source, path, faults) if source.format == "csv" else _schema(path, faults)
        if names is None:
            continue
        faults += _header_faults(source, path, names)
        positions = {inside: names.index(col.source) for inside, col in source.columns.items() if col.source in names}
        kinds_of = {inside: kinds.get(source.columns[inside].source, "text") for inside in positions}
        faults += [
            f"{path.name}: the column '{source.columns[inside].source}' holds values of type {kind}, which cannot be read "
            f"as {source.columns[inside].type}. Deliver it as text, a number or a date."
            for inside, kind in kinds_of.items()
            if kind not in _PARQUET_KINDS
        ]
        files.append(DeliveredFile(number, path, len(names), positions, kinds_of))
    raise_faults(faults)
    return tuple(files)


def text_rows(source: Source, file: DeliveredFile) -> RowStream:
    """Stream a text file: `source_row` (1-based data row) and `line`, its fields joined by `SEPARATOR` or null.

    A null line could not be read: wrong encoding, an open quotation mark, or a character that no text holds. Fields are
    counted by whoever splits the line.
    """
    schema = pa.schema([("source_row", pa.int64()), ("line", pa.string())])
    return RowStream(schema, _text_batches(source, file, schema))


def parquet_rows(source: Source, file: DeliveredFile) -> RowStream:
    """Stream a parquet file: `source_row` (1-based) and the listed columns under their inside names, as they are typed."""
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(file.path)
    wanted = [source.columns[inside].source for inside in file.positions]
    types = [opened.schema_arrow.field(name).type for name in wanted]
    schema = pa.schema([("source_row", pa.int64()), *zip(file.positions, types, strict=True)])
    return RowStream(schema, _parquet_batches(opened, wanted, schema))


def _parquet_batches(opened: pq.ParquetFile, wanted: list[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in opened.iter_batches(batch_size=_BATCH, columns=wanted):
        columns = [batch.column(batch.schema.get_field_index(name)) for name in wanted]
        rows = pa.array(np.arange(row, row + batch.num_rows))
        yield pa.RecordBatch.from_arrays([rows, *columns], schema=schema)
        row += batch.num_rows


def _text_batches(source: Source, file: DeliveredFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    row = 1
    for block in _blocks(file.path):
        lines = _readable_lines(block, source.encoding, source.delimiter)
        for first in range(0, len(lines), _BATCH):
            part = lines[first : first + _BATCH]
            rows = pa.array(np.arange(row, row + len(part)))
            yield pa.RecordBatch.from_arrays([rows, pa.array(part, pa.string())], schema=schema)
            row += len(part)


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file after its header in blocks of whole lines; the last may lack its line break."""
    with path.open("rb") as handle:
        handle.readline()
        parts: list[bytes] = []
        held = 0
        while block := handle.read(_BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join([*parts, block[:cut]])
                parts, held = [], 0
            parts.append(block[cut:])
            held += len(block) - cut
            if held > _LONGEST_LINE:
                raise _UnreadableFile(
                    f"{path.name} has a line of more than {_LONGEST_LINE >> 20} MB: it is not a text file with one row a line. "
                    f"Ask the register's owner for the file again."
                )
        if held:
            yield b"".join(parts)


def _readable_lines(block: bytes, encoding: str, delimiter: str) -> list[str | None]:
    """Cut a block into lines whose fields are joined by `SEPARATOR`; None where a line cannot be read."""
    raw = block.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return [_readable_line(_decoded(line, encoding), delimiter) for line in raw.split(b"\n")]
    if '"' not in text and not _CONTROL.search(text):
        lines: list[str | None] = list(text.replace(delimiter, SEPARATOR).split("\n"))
        return lines
    return [_readable_line(line, delimiter) for line in text.split("\n")]


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _readable_line(line: str | None, delimiter: str) -> str | None:
    if line is None or _CONTROL.search(line):
        return None
    if '"' not in line:
        return line.replace(delimiter, SEPARATOR)
    fields = _fields(line, delimiter)
    return None if fields is None else SEPARATOR.join(fields)


def _fields(line: str, delimiter: str) -> list[str] | None:
    """Split a line with quotation marks by the rules of CSV; None where they are broken."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [""])
    except csv.Error:
        return None


def _text_header(source: Source, path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    """Read the names in a text file's first line; the first line's text is never shown, it may be somebody's data."""
    with path.open("rb") as handle:
        raw = handle.readline(_LONGEST_HEADER)
    where = f"{path.name} (register '{source.register_name}')"
    if len(source.delimiter) != 1:
        faults.append(f"config/sources/{source.register_name}.yaml: the delimiter must be one character.")
        return None, {}
    if not raw:
        faults.append(f"{where} is empty: not even a header line. Ask the register's owner for the file again.")
        return None, {}
    line = _decoded(raw.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").removesuffix(b"\r"), source.encoding)
    clean = _readable_line(line, source.delimiter)
    if clean is None or len(raw) == _LONGEST_HEADER:
        faults.append(
            f"{where}: the first line cannot be read as a header in the encoding {source.encoding}. "
            f"Check `encoding` in config/sources/{source.register_name}.yaml, and that the file is a text file."
        )
        return None, {}
    return [name.strip() for name in clean.split(SEPARATOR)], {}


def _schema(path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        told = f"{path.name} is not a parquet file that can be read."
        faults.append(f"{told} Ask the register's owner for the file again.")
        return None, {}
    return list(schema.names), {name: _kind(schema.field(i).type) for i, name in enumerate(schema.names)}


def _kind(arrow: pa.DataType) -> str:
    types = pa.types
    value = arrow.value_type if types.is_dictionary(arrow) else arrow
    if types.is_string(value) or types.is_large_string(value) or types.is_string_view(value):
        return "text"
    tests = {
        "boolean": types.is_boolean,
        "integer": types.is_integer,
        "float": types.is_float64,
        "single": types.is_float32,
        "decimal": types.is_decimal,
        "date": types.is_date,
    }
    if types.is_timestamp(value) and value.tz is None:
        return "timestamp"
    return next((kind for kind, test in tests.items() if test(value)), str(value))


def _header_faults(source: Source, path: Path, names: list[str]) -> list[str]:
    register = source.register_name
    wanted = {column.source: inside for inside, column in source.columns.items()}
    if not set(wanted) & set(names):
        # Then the first line is perhaps no header but a person's row: nothing of it may be shown.
        return [
            f"{path.name} (register '{register}') has none of the {len(wanted)} listed columns in its header "
            f"({', '.join(list(wanted)[:6])}{', ...' if len(wanted) > 6 else ''}). Has the file a header line, and is "
            f"'{source.delimiter}' its delimiter? See config/sources/{register}.yaml."
        ]
    faults = []
    for name, inside in wanted.items():
        if name not in names:
            faults.append(
                f"{path.name} (register '{register}') lacks the column '{name}', which is read as {inside}."
                f"{nearest(name, [other for other in names if other not in wanted])} "
                f"Correct `from` in config/sources/{register}.yaml, or ask for the column."
            )
        elif names.count(name) > 1:
            faults.append(
                f"{path.name} (register '{register}') has the column '{name}' {names.count(name)} times: which one is "
                f"meant cannot be told. Ask the register's owner for the file with each column once."
            )
    return faults


def _similar(pattern: str, folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    if not names:
        return " The folder has no files."
    close = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4)
    if not close:
        return f" No file there has a similar name ({len(names)} files)."
    return f" Similar files there: {', '.join(close)}."


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(part), part) if part.isdigit() and part.isascii() else (1, 0, part) for part in parts)
