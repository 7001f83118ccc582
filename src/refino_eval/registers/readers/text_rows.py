"""Read the rows of a text file: one line is always one row, at the speed of a column reader.

A damaged line (a field too many or too few, a byte outside the stated encoding, a quotation mark that is never closed,
a NUL) damages only itself, and its row number is its position in the file. A column reader alone cannot guarantee
that: it skips blank lines, gives no row numbers, and lets an open quotation mark swallow the rows that follow. Each
block of whole lines is therefore scanned first. Lines with anything unusual are read one by one, by the rules of
Python's csv module; the rest, nearly always all lines, go to the column reader as one block. Both ways give the same
rows.
"""

from __future__ import annotations

import contextlib
import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from refino_eval.registers.readers.archives import READ_ERRORS, UnreadableFile, bytes_encoding, open_bytes
from refino_eval.registers.readers.value_kinds import BLANKS

BOM = b"\xef\xbb\xbf"
WHITESPACE = "whitespace"
"""The delimiter of files whose fields are separated by any number of blanks and tabs."""

_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 26
_BATCH = 1 << 16
_CONTROL = re.compile("[\0\r\x1f]")
_BLANK_LINE = re.compile(rb"^[ \t\r]+$", re.MULTILINE)
_PARTS = re.compile(r'"((?:[^"]|"")*)"(?=[ \t]|$)|([^ \t"][^ \t]*)|(\S)')
_MANY_UNREADABLE = 1_000_000

# A long field in quotation marks is a field like any other; the module's own limit is for streams of unknown origin.
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TextForm:
    """How the rows of one text file are written, and which of its fields are read.

    Attributes
    ----------
    delimiter
        One character, or `WHITESPACE`.
    width
        Number of fields in a row.
    positions
        Inside name -> position of the field, from 0.
    header
        Whether the first line is a header and not a row.
    skip_blank
        Whether lines of nothing but blanks are skipped; otherwise they are rows that cannot be read.
    """

    path: Path
    encoding: str
    delimiter: str
    width: int
    positions: dict[str, int]
    header: bool = True
    skip_blank: bool = False

    @property
    def line_encoding(self) -> str:
        """The encoding of the bytes that `open_bytes` gives."""
        return bytes_encoding(self.encoding)

    @property
    def schema(self) -> pa.Schema:
        """`source_row` (1-based), `unreadable`, and the fields as text (null where the row is unreadable)."""
        names = [(name, pa.string()) for name in self.positions]
        return pa.schema([("source_row", pa.int64()), ("unreadable", pa.bool_()), *names])


def text_batches(
    form: TextForm, *, trimmed: bool, threads: int, wanted: Positions | None = None
) -> Iterator[pa.RecordBatch]:
    """Read the file's rows in their order.

    Parameters
    ----------
    trimmed
        Strip blanks of every kind from both ends of a field, and give null for an empty one; otherwise fields are as
        delivered.
    threads
        Blocks that are read at the same time.
    wanted
        Only the rows with these numbers (sorted); None for all.

    Raises
    ------
    UnreadableFile
        When a line is longer than any text file's, or most lines cannot be read.
    """
    unreadable = rows = 0
    for batch in _batches(form, trimmed, threads, wanted):
        rows += batch.num_rows
        unreadable += batch["unreadable"].true_count
        if unreadable > _MANY_UNREADABLE and unreadable > rows / 2:
            # A file of a few gigabytes of line feeds would otherwise give billions of rejects.
            raise UnreadableFile(
                f"{unreadable:,} of its first {rows:,} lines cannot be split into the columns of the header."
            )
        yield batch


def _batches(form: TextForm, trimmed: bool, threads: int, wanted: Positions | None) -> Iterator[pa.RecordBatch]:
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        waiting: deque[Future[list[pa.RecordBatch]]] = deque()
        first = 1
        blocks = _blocks(form)
        problem: Exception | None = None
        while problem is None:
            try:
                block = next(blocks, None)
            except (*READ_ERRORS, UnreadableFile) as error:
                # What was read before the error is still passed on, so that the rows that could be read are counted.
                problem, block = error, None
            if block is None:
                break
            rows = block.count(b"\n") + (not block.endswith(b"\n"))
            chosen = None if wanted is None else _between(wanted, first, first + rows)
            if chosen is None or len(chosen):
                waiting.append(pool.submit(_rows_of_block, form, block, first, trimmed, chosen))
            first += rows
            while len(waiting) > threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
        if problem is not None:
            raise problem


def read_first_lines(path: Path, encoding: str, lines: int, *, longest: int = 1 << 20) -> list[bytes]:
    """Return the first lines of a text file, without a byte order mark and line ends; None for one that is too long."""
    found = []
    with open_bytes(path, encoding) as handle:
        for number in range(lines):
            raw = handle.readline(longest)
            if len(raw) == longest and not raw.endswith(b"\n"):
                raise UnreadableFile("its first line is longer than any header.")
            if not raw:
                break
            found.append((raw.removeprefix(BOM) if number == 0 else raw).removesuffix(b"\n").removesuffix(b"\r"))
    return found


def line_problem(form: TextForm, row: int) -> str:
    """Say why a row that is unreadable is so."""
    for first, block in _numbered_blocks(form):
        lines = block.removesuffix(b"\n").split(b"\n")
        if row < first + len(lines):
            line = lines[row - first].removesuffix(b"\r")
            with contextlib.suppress(UnicodeDecodeError):
                fields = read_line(line, form.line_encoding, form.delimiter)
                if fields is not None:
                    return f"{len(fields)} fields instead of {form.width}"
                if _CONTROL.search(line.decode(form.line_encoding)):
                    return "a control character (NUL, unit separator or lone carriage return)"
                return "a quotation mark that is not closed on the same line, or not followed by the delimiter"
            return f"bytes that are not {form.line_encoding}"
    return "no line"


def _numbered_blocks(form: TextForm) -> Iterator[tuple[int, bytes]]:
    first = 1
    for block in _blocks(form):
        yield first, block
        first += block.count(b"\n") + (not block.endswith(b"\n"))


def _between(rows: Positions, first: int, end: int) -> Positions:
    low, high = np.searchsorted(rows, [first, end])
    return rows[low:high]


def _rows_of_block(
    form: TextForm, block: bytes, first: int, trimmed: bool, wanted: Positions | None
) -> list[pa.RecordBatch]:
    batches = _read_block(form, block, first)
    if wanted is not None:
        batches = [batch.filter(pc.is_in(batch["source_row"], pa.array(wanted))) for batch in batches]
    if trimmed:
        blanks = not block.isascii() or any(mark in block for mark in b' \t\v\f\x1c\x1d\x1e"')
        strip = (pc.ascii_trim if block.isascii() else pc.utf8_trim) if blanks else None
        batches = [_trimmed(batch, strip) for batch in batches]
    return [batch for batch in batches if batch.num_rows]


def _trimmed(batch: pa.RecordBatch, strip: Callable[..., Any] | None) -> pa.RecordBatch:
    columns = batch.columns
    for index in range(2, len(columns)):
        text = columns[index] if strip is None else strip(columns[index], BLANKS)
        columns[index] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _read_block(form: TextForm, block: bytes, first: int) -> list[pa.RecordBatch]:
    raw = block.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    if len(form.delimiter) != 1 or not form.delimiter.isascii() or (form.skip_blank and _BLANK_LINE.search(raw)):
        return list(_one_by_one(form, list(enumerate(raw.split(b"\n"), first))))
    odd = _odd_lines(raw, form)
    if not len(odd):
        batch = _at_once(form, raw, np.arange(first, first + raw.count(b"\n") + 1))
        return [batch] if batch is not None else list(_one_by_one(form, list(enumerate(raw.split(b"\n"), first))))
    lines = raw.split(b"\n")
    careful = set(odd.tolist())
    plain = [index for index in range(len(lines)) if index not in careful]
    by_one = list(_one_by_one(form, [(first + index, lines[index]) for index in odd.tolist()]))
    if not plain:
        return by_one
    batch = _at_once(form, b"\n".join([lines[index] for index in plain]), np.array(plain) + first)
    if batch is None:
        return list(_one_by_one(form, list(enumerate(lines, first))))
    return [batch, *by_one]


def _at_once(form: TextForm, raw: bytes, rows: Positions) -> pa.RecordBatch | None:
    """Read lines without anything unusual by the column reader; None if it does not find as many rows as lines."""
    broken: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        broken.append(row.number - 1)
        return "skip"

    if not raw.isascii() and form.line_encoding != "utf-8":
        raw = raw.decode(form.line_encoding).encode()
    if raw.startswith(BOM):
        # The reader removes one mark from the start of what it is given, also in the middle of a file.
        raw = BOM + raw
    fields = [f"f{index}" for index in range(form.width)]
    used = [fields[index] for index in form.positions.values()]
    distinct = list(dict.fromkeys(used))
    try:
        # A line break at the end keeps an empty last line a line.
        table = pa_csv.read_csv(
            pa.BufferReader(raw + b"\n"),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(raw) + 2, column_names=fields),
            parse_options=pa_csv.ParseOptions(
                delimiter=form.delimiter, ignore_empty_lines=False, invalid_row_handler=skip
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.string()), include_columns=distinct, strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None
    if table.num_rows + len(broken) != len(rows):
        return None
    good = np.delete(rows, broken) if broken else rows
    columns = [table.column(name).combine_chunks() for name in used]
    numbers, flags = pa.array(good), pa.array(np.zeros(len(good), dtype=bool))
    batch = pa.RecordBatch.from_arrays([numbers, flags, *columns], schema=form.schema)
    return pa.concat_batches([batch, _nothing(form, rows[broken])]) if broken else batch


def _nothing(form: TextForm, rows: Positions) -> pa.RecordBatch:
    empty = [pa.nulls(len(rows), pa.string()) for _ in form.positions]
    return pa.RecordBatch.from_arrays(
        [pa.array(rows), pa.array(np.ones(len(rows), dtype=bool)), *empty], schema=form.schema
    )


def _one_by_one(form: TextForm, lines: list[tuple[int, bytes]]) -> Iterator[pa.RecordBatch]:
    if form.skip_blank:
        lines = [(row, line) for row, line in lines if line.strip()]
    for begin in range(0, len(lines), _BATCH):
        part = lines[begin : begin + _BATCH]
        split = [read_line(line, form.line_encoding, form.delimiter) for _, line in part]
        kept = [fields if fields is not None and len(fields) == form.width else None for fields in split]
        columns = [
            pa.array([None if fields is None else fields[index] for fields in kept], pa.string())
            for index in form.positions.values()
        ]
        rows = pa.array([row for row, _ in part], pa.int64())
        flags = pa.array([fields is None for fields in kept], pa.bool_())
        yield pa.RecordBatch.from_arrays([rows, flags, *columns], schema=form.schema)


def read_line(raw: bytes, encoding: str, delimiter: str) -> list[str] | None:
    """Split one line into its fields by the rules of CSV; None if it cannot be read."""
    try:
        line = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(line):
        return None
    if delimiter == WHITESPACE:
        return _split_at_blanks(line)
    if '"' not in line:
        return line.split(delimiter)
    # `a, "b, c"`: the blank before the mark does not make the mark a part of the text.
    spaced = re.search(f'{re.escape(delimiter)} +"', line) is not None
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=spaced), [""])
    except csv.Error:
        return None


def _split_at_blanks(line: str) -> list[str] | None:
    parts = list(_PARTS.finditer(line))
    if any(part.group(3) for part in parts):
        return None
    return [part.group(2) if part.group(1) is None else part.group(1).replace('""', '"') for part in parts]


def _odd_lines(raw: bytes, form: TextForm) -> Positions:
    """Return the positions (from 0) of the lines that the column reader might misread."""
    marks = [mark for mark in (0, 0x0D, 0x1F) if bytes([mark]) in raw]
    quoted = b'"' in raw
    wrong = [] if raw.isascii() else _undecodable(raw, form.line_encoding)
    # The column reader takes a blank line for a row of empty fields.
    blank = not raw or b"\n\n" in raw or raw.startswith(b"\n") or raw.endswith(b"\n")
    if not marks and not quoted and not wrong and not blank:
        return np.empty(0, dtype=np.int64)
    octets = np.frombuffer(raw, dtype=np.uint8)
    breaks = np.flatnonzero(octets == 0x0A)
    offsets = [np.array(wrong, dtype=np.int64), *(np.flatnonzero(octets == mark) for mark in marks)]
    lines = [np.searchsorted(breaks, offset) for offset in offsets]
    if blank:
        edges = np.concatenate([[-1], breaks, [len(raw)]])
        lines.append(np.flatnonzero(np.diff(edges) == 1))
    if quoted:
        lines.append(_oddly_quoted(octets, breaks, ord(form.delimiter)))
    return np.unique(np.concatenate(lines)).astype(np.int64)


def _oddly_quoted(octets: npt.NDArray[np.uint8], breaks: Positions, delimiter: int) -> Positions:
    """Return the lines whose quotation marks do not each open or close a whole field.

    In a well-formed line every odd mark (first, third, ...) follows a delimiter, the line's beginning or, doubled,
    another mark; every even one is followed by a delimiter, the line's end or another mark; and they come in pairs.
    """
    marks = np.flatnonzero(octets == 0x22)
    line = np.searchsorted(breaks, marks)
    first = np.searchsorted(line, line)
    opens = (np.arange(len(marks)) - first) % 2 == 0
    padded = np.concatenate([[0x0A], octets, [0x0A]])
    before, after = padded[marks], padded[marks + 2]
    ends = np.array([delimiter, 0x0A, 0x22])
    bad = np.where(opens, ~np.isin(before, ends), ~np.isin(after, ends))
    lone = np.flatnonzero(np.bincount(line) % 2)
    return np.concatenate([line[bad], lone])


def _undecodable(raw: bytes, encoding: str) -> list[int]:
    """Return the offsets of bytes that the encoding does not know, at least one in each such line."""
    offsets: list[int] = []
    begin = 0
    while begin < len(raw):
        try:
            raw[begin:].decode(encoding) if begin else raw.decode(encoding)
        except UnicodeDecodeError as error:
            offsets.append(begin + error.start)
            if len(offsets) > 100:
                return [*offsets, *_undecodable_lines(raw, begin, encoding)]
            begin = raw.find(b"\n", begin + error.start) + 1 or len(raw)
        else:
            break
    return offsets


def _undecodable_lines(raw: bytes, begin: int, encoding: str) -> Iterator[int]:
    while begin < len(raw):
        end = raw.find(b"\n", begin) + 1 or len(raw)
        try:
            raw[begin:end].decode(encoding)
        except UnicodeDecodeError:
            yield begin
        begin = end


def _blocks(form: TextForm) -> Iterator[bytes]:
    """Yield the file's rows in blocks of whole lines; the last may lack its line break."""
    with open_bytes(form.path, form.encoding) as handle:
        if form.header:
            handle.readline()
        parts: list[bytes] = []
        held, begins = 0, not form.header
        while block := handle.read(_BLOCK):
            if begins:
                block, begins = block.removeprefix(BOM), False
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join([*parts, block[:cut]])
                parts, held = [], 0
            parts.append(block[cut:])
            held += len(block) - cut
            if held > _LONGEST_LINE:
                raise UnreadableFile(
                    f"it has a line of more than {_LONGEST_LINE >> 20} MB, so it is not text with one row a line."
                )
        if held:
            yield b"".join(parts)
