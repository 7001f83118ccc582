"""Find the files of a register in a delivery, check their form, and stream their rows.

Text files are read by `text`, files of statistics programs by `packages`, parquet here. Whatever the format, rows are
numbered by their place in the file, and reach the engine as Arrow batches, one at a time.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from refino_eval.config.sources import Source
from refino_eval.errors import nearest, raise_problems
from refino_eval.registers.readers.archives import PACKED, READ_ERRORS, UnreadableFile, open_bytes, told
from refino_eval.registers.readers.statistical_files import KINDS, packed_columns, packed_kinds
from refino_eval.registers.readers.text_rows import BOM, Places, TextForm, read_line, text_batches

_LONGEST_HEADER = 1 << 20
_BATCH = 1 << 16
_READABLE_KINDS = ("text", "boolean", "integer", "float", "single", "decimal", "date", "timestamp", *KINDS)
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
        except (*READ_ERRORS, pa.ArrowException, UnreadableFile) as error:
            self.faults.append(told(error))


def find_files(source: Source, folder: Path) -> tuple[Path, ...]:
    """Find a register's files in a delivery folder, in name order with numbers in their order (v2 before v10).

    Raises
    ------
    UserError
        When the folder is missing, a pattern finds nothing, or two files have the same base name.
    """
    register = source.register_name
    if not folder.is_dir():
        absent = f"The delivery folder {folder} does not exist."
        raise_problems([f"{absent} Put the delivery there, or correct the evaluation's `data`."])
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
    raise_problems(faults)
    return ordered


def check_files(source: Source, paths: tuple[Path, ...]) -> tuple[DeliveredFile, ...]:
    """Check the form of each file: its header (text) or schema (parquet) has every listed column, once.

    Raises
    ------
    UserError
        One paragraph for each fault of each file.
    """
    faults: list[str] = []
    files = []
    for number, path in enumerate(paths):
        names, kinds = _form(source, path, faults)
        if names is None:
            continue
        faults += _header_faults(source, path, names)
        positions = {inside: names.index(col.source) for inside, col in source.columns.items() if col.source in names}
        kinds_of = {inside: kinds.get(source.columns[inside].source, "text") for inside in positions}
        faults += [
            f"{path.name}: the column '{source.columns[inside].source}' holds values of type {kind}, which cannot be read "
            f"as {source.columns[inside].type}. Deliver it as text, a number or a date."
            for inside, kind in kinds_of.items()
            if kind not in _READABLE_KINDS
        ]
        files.append(DeliveredFile(number, path, len(names), positions, kinds_of))
    raise_problems(faults)
    return tuple(files)


def rows_of(
    source: Source, file: DeliveredFile, *, trimmed: bool, threads: int = 2, wanted: Places | None = None
) -> RowStream:
    """Stream a file: `source_row` (1-based data row), `unreadable`, and the listed columns under their inside names.

    Parameters
    ----------
    trimmed
        For text files: fields without blanks at their ends, and null for nothing; otherwise as delivered.
    threads
        Blocks of a text file that are read at the same time.
    wanted
        Only the rows with these numbers (sorted); None for all. Each that the file has comes once.

    Notes
    -----
    The columns of a text file are text, null in a row that could not be read: wrong encoding, an open quotation mark, a
    character that no text holds, or another number of fields than the header has. Those of other files are as they are
    typed there.
    """
    if source.format == "csv":
        form = TextForm(file.path, source.encoding, source.delimiter, file.width, file.positions)
        return RowStream(form.schema, text_batches(form, trimmed=trimmed, threads=threads, wanted=wanted))
    names = {inside: source.columns[inside].source for inside in file.positions}
    schema, batches = (
        parquet_columns(file.path, names) if source.format == "parquet" else packed_columns(source, file.path, names)
    )
    flagged = pa.schema([("source_row", pa.int64()), ("unreadable", pa.bool_()), *schema])
    return RowStream(flagged, _numbered(batches, flagged, wanted))


def parquet_columns(path: Path, names: dict[str, str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema under inside names, and the batches, of a parquet file's columns."""
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(path)
    delivered = opened.schema_arrow
    schema = pa.schema([(inside, delivered.field(name).type) for inside, name in names.items()])
    wanted = list(dict.fromkeys(names.values()))
    return schema, (
        pa.RecordBatch.from_arrays(
            [batch.column(batch.schema.get_field_index(name)) for name in names.values()], schema=schema
        )
        for batch in opened.iter_batches(batch_size=_BATCH, columns=wanted)
    )


def _numbered(batches: Iterator[pa.RecordBatch], schema: pa.Schema, wanted: Places | None) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in batches:
        rows, flags = np.arange(row, row + batch.num_rows), np.zeros(batch.num_rows, dtype=bool)
        row += batch.num_rows
        numbered = pa.RecordBatch.from_arrays([pa.array(rows), pa.array(flags), *batch.columns], schema=schema)
        if wanted is None:
            yield numbered
        elif len(chosen := np.flatnonzero(np.isin(rows, wanted))):
            yield numbered.take(pa.array(chosen))


def listed_ids(source: Source, path: Path) -> list[str]:
    """Read a list of people's ids: a header line, then an id a line, the first field of each.

    Raises
    ------
    UserError
        When the file is missing, is not UTF-8, or has no ids.
    """
    where = f"config/sources/{source.register_name}.yaml: rule person_not_listed names the file {path.name}"
    if not path.is_file():
        raise_problems([f"{where}, which is not in the delivery's folder.{_similar(path.name, path.parent)}"])
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise_problems([f"{where}, which is not written in UTF-8. Save it anew in that encoding."])
        raise
    fields = [read_line(line.encode(), "utf-8", source.delimiter) or [""] for line in lines[1:]]
    ids = [first[0].strip(" \t") for first in fields]
    found = [each for each in ids if each]
    if not found:
        raise_problems([f"{where}, which has no ids below its first line: every row would be rejected."])
    return found


def _form(source: Source, path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    """Return the names of a file's columns, and how it holds each one that is no text."""
    if source.format == "csv":
        return _text_header(source, path, faults)
    if path.suffix.lower() in PACKED:
        faults.append(
            f"{path.name} (register '{source.register_name}') is packed: only text files are read packed. Unpack it."
        )
        return None, {}
    return _schema(path, faults) if source.format == "parquet" else packed_kinds(source, path, faults)


def _text_header(source: Source, path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    """Read the names in a text file's first line; the first line's text is never shown, it may be somebody's data."""
    where = f"{path.name} (register '{source.register_name}')"
    if len(source.delimiter) != 1:
        faults.append(f"config/sources/{source.register_name}.yaml: the delimiter must be one character.")
        return None, {}
    try:
        with open_bytes(path) as handle:
            raw = handle.readline(_LONGEST_HEADER)
    except (*READ_ERRORS, UnreadableFile) as error:
        why = str(error) if isinstance(error, UnreadableFile) else "it is damaged or cut off."
        faults.append(f"{where} cannot be opened: {why} Ask the register's owner for the file again.")
        return None, {}
    if not raw:
        faults.append(f"{where} is empty: not even a header line. Ask the register's owner for the file again.")
        return None, {}
    line = raw.removeprefix(BOM).removesuffix(b"\n").removesuffix(b"\r")
    names = read_line(line, source.encoding, source.delimiter)
    if names is None or len(raw) == _LONGEST_HEADER:
        faults.append(
            f"{where}: the first line cannot be read as a header in the encoding {source.encoding}.{_guess(raw)} "
            f"Check `encoding` in config/sources/{source.register_name}.yaml, and that the file is a text file."
        )
        return None, {}
    return [name.strip() for name in names], {}


def _guess(raw: bytes) -> str:
    """Name what the first bytes of a file that is no text in the declared encoding look like."""
    for mark, meaning in _SIGNATURES.items():
        if raw.startswith(mark):
            return f" It looks like {meaning}."
    if b"\r" in raw.rstrip(b"\r\n"):
        return " Its lines end with a carriage return alone: save it with line feeds."
    return ""


def _schema(path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        unlike = f"{path.name} is not a parquet file that can be read."
        faults.append(f"{unlike} Ask the register's owner for the file again.")
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
