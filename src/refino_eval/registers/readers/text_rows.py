"""Rows of a text file: one line is one row, always, at the speed of a column reader.

A damaged line (a field too many or too few, a byte that is not of the declared encoding, a quotation mark that is never
closed, a NUL) damages itself alone, and its row number is its place in the file. A column reader alone cannot promise
that: it skips blank lines, gives no row numbers, and lets an open quotation mark swallow the rows that follow. So each
block of whole lines is looked through first. Lines with anything odd in them are read one by one, by the rules of
Python's csv module; the rest, nearly always all, go to the column reader as one piece. Both ways give the same rows.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from refino_eval.registers.readers.archives import READ_ERRORS, UnreadableFile, open_bytes

BOM = b"\xef\xbb\xbf"

_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 26
_BATCH = 1 << 16
_CONTROL = re.compile("[\0\r\x1f]")
_BLANKS = " \t"

# A long field in quotation marks is a field like any other; the module's own limit is for streams of unknown origin.
csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TextForm:
    """How the rows of one text file are written, and which of its fields are wanted.

    Attributes
    ----------
    width
        Number of fields in a row.
    positions
        Inside name -> place of the field, from 0.
    """

    path: Path
    encoding: str
    delimiter: str
    width: int
    positions: dict[str, int]

    @property
    def schema(self) -> pa.Schema:
        """`source_row` (1-based), `unreadable`, and the wanted fields as text (null where the row is unreadable)."""
        names = [(name, pa.string()) for name in self.positions]
        return pa.schema([("source_row", pa.int64()), ("unreadable", pa.bool_()), *names])


def text_batches(
    form: TextForm, *, trimmed: bool, threads: int, wanted: Places | None = None
) -> Iterator[pa.RecordBatch]:
    """Read the file's rows in their order.

    Parameters
    ----------
    trimmed
        Take blanks and tabs off both ends of a field, and give null for nothing; otherwise fields are as delivered.
    threads
        Blocks that are read at the same time.
    wanted
        Only the rows with these numbers (sorted); None for all.

    Raises
    ------
    UnreadableFile
        When a line is longer than any text file's.
    """
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        waiting: deque[Future[list[pa.RecordBatch]]] = deque()
        first = 1
        blocks = _blocks(form.path)
        fault: Exception | None = None
        while fault is None:
            try:
                block = next(blocks, None)
            except (*READ_ERRORS, UnreadableFile) as error:
                # What was read before the fault is still handed on, so that the rows that could be read are counted.
                fault, block = error, None
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
        if fault is not None:
            raise fault


def _between(rows: Places, first: int, end: int) -> Places:
    low, high = np.searchsorted(rows, [first, end])
    return rows[low:high]


def _rows_of_block(
    form: TextForm, block: bytes, first: int, trimmed: bool, wanted: Places | None
) -> list[pa.RecordBatch]:
    batches = _read_block(form, block, first)
    if wanted is not None:
        batches = [each.filter(pc.is_in(each["source_row"], pa.array(wanted))) for each in batches]
    if trimmed:
        batches = [_trimmed(each, b" " in block or b"\t" in block or b'"' in block) for each in batches]
    return [each for each in batches if each.num_rows]


def _trimmed(batch: pa.RecordBatch, blanks: bool) -> pa.RecordBatch:
    columns = batch.columns
    for place in range(2, len(columns)):
        text = pc.ascii_trim(columns[place], _BLANKS) if blanks else columns[place]
        columns[place] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _read_block(form: TextForm, block: bytes, first: int) -> list[pa.RecordBatch]:
    raw = block.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    if len(form.delimiter) != 1 or not form.delimiter.isascii():
        return list(_one_by_one(form, list(enumerate(raw.split(b"\n"), first))))
    odd = _odd_lines(raw, form)
    if not len(odd):
        found = _at_once(form, raw, np.arange(first, first + raw.count(b"\n") + 1))
        return [found] if found is not None else list(_one_by_one(form, list(enumerate(raw.split(b"\n"), first))))
    lines = raw.split(b"\n")
    careful = set(odd.tolist())
    plain = [place for place in range(len(lines)) if place not in careful]
    by_one = list(_one_by_one(form, [(first + place, lines[place]) for place in odd.tolist()]))
    if not plain:
        return by_one
    found = _at_once(form, b"\n".join([lines[place] for place in plain]), np.array(plain) + first)
    if found is None:
        return list(_one_by_one(form, list(enumerate(lines, first))))
    return [found, *by_one]


def _at_once(form: TextForm, raw: bytes, rows: Places) -> pa.RecordBatch | None:
    """Read lines without anything odd by the column reader; None when it does not find as many rows as lines."""
    broken: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        broken.append(row.number - 1)
        return "skip"

    if not raw.isascii() and form.encoding != "utf-8":
        raw = raw.decode(form.encoding).encode()
    if raw.startswith(BOM):
        # The reader takes one mark away wherever it begins, also in the middle of a file.
        raw = BOM + raw
    fields = [f"f{place}" for place in range(form.width)]
    used = [fields[place] for place in form.positions.values()]
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


def _nothing(form: TextForm, rows: Places) -> pa.RecordBatch:
    empty = [pa.nulls(len(rows), pa.string()) for _ in form.positions]
    return pa.RecordBatch.from_arrays(
        [pa.array(rows), pa.array(np.ones(len(rows), dtype=bool)), *empty], schema=form.schema
    )


def _one_by_one(form: TextForm, lines: list[tuple[int, bytes]]) -> Iterator[pa.RecordBatch]:
    for begin in range(0, len(lines), _BATCH):
        part = lines[begin : begin + _BATCH]
        split = [read_line(line, form.encoding, form.delimiter) for _, line in part]
        kept = [fields if fields is not None and len(fields) == form.width else None for fields in split]
        columns = [
            pa.array([None if fields is None else fields[place] for fields in kept], pa.string())
            for place in form.positions.values()
        ]
        rows = pa.array([row for row, _ in part], pa.int64())
        flags = pa.array([fields is None for fields in kept], pa.bool_())
        yield pa.RecordBatch.from_arrays([rows, flags, *columns], schema=form.schema)


def read_line(raw: bytes, encoding: str, delimiter: str) -> list[str] | None:
    """Split one line into its fields by the rules of CSV; None where it cannot be read."""
    try:
        line = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(line):
        return None
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [""])
    except csv.Error:
        return None


def _odd_lines(raw: bytes, form: TextForm) -> Places:
    """Return the places (from 0) of the lines that the column reader might take for something else."""
    marks = [mark for mark in (0, 0x0D, 0x1F) if bytes([mark]) in raw]
    quoted = b'"' in raw
    wrong = [] if raw.isascii() else _undecodable(raw, form.encoding)
    # The column reader takes a blank line for a row of empty fields.
    blank = not raw or b"\n\n" in raw or raw.startswith(b"\n") or raw.endswith(b"\n")
    if not marks and not quoted and not wrong and not blank:
        return np.empty(0, dtype=np.int64)
    octets = np.frombuffer(raw, dtype=np.uint8)
    breaks = np.flatnonzero(octets == 0x0A)
    places = [np.array(wrong, dtype=np.int64), *(np.flatnonzero(octets == mark) for mark in marks)]
    lines = [np.searchsorted(breaks, each) for each in places]
    if blank:
        edges = np.concatenate([[-1], breaks, [len(raw)]])
        lines.append(np.flatnonzero(np.diff(edges) == 1))
    if quoted:
        lines.append(_oddly_quoted(octets, breaks, ord(form.delimiter)))
    return np.unique(np.concatenate(lines)).astype(np.int64)


def _oddly_quoted(octets: npt.NDArray[np.uint8], breaks: Places, delimiter: int) -> Places:
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
    """Return the places of bytes that the encoding does not know, at least one in each such line."""
    places: list[int] = []
    begin = 0
    while begin < len(raw):
        try:
            raw[begin:].decode(encoding) if begin else raw.decode(encoding)
        except UnicodeDecodeError as error:
            places.append(begin + error.start)
            if len(places) > 100:
                return [*places, *_undecodable_lines(raw, begin, encoding)]
            begin = raw.find(b"\n", begin + error.start) + 1 or len(raw)
        else:
            break
    return places


def _undecodable_lines(raw: bytes, begin: int, encoding: str) -> Iterator[int]:
    while begin < len(raw):
        end = raw.find(b"\n", begin) + 1 or len(raw)
        try:
            raw[begin:end].decode(encoding)
        except UnicodeDecodeError:
            yield begin
        begin = end


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file after its header in blocks of whole lines; the last may lack its line break."""
    with open_bytes(path) as handle:
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
                raise UnreadableFile(
                    f"it has a line of more than {_LONGEST_LINE >> 20} MB, so it is no text with one row a line."
                )
        if held:
            yield b"".join(parts)
