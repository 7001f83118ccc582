"""Look at delivered files: how they are written, and what each column looks like.

Values of people are looked at and not passed on. What a proposal may show of a column is its name, its type, and its codes
where they are few and frequent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from refino_eval.config.evaluation import TableFile
from refino_eval.errors import UserError
from refino_eval.registers.readers.archives import PACKED
from refino_eval.trial.table_columns import TableColumn
from refino_eval.trial.table_files import TEXT, open_table

Kind = Literal["empty", "date", "month", "integer", "number", "text"]

MOST_CODES = 12
"""A column with more different values is not one of codes, and none of its values is shown."""
FEWEST_ROWS_PER_CODE = 3
"""Rows per different value, on average, from which values are codes and not people's own."""

DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")
_MONTH = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])")
_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+")
_CODED_AS_TEXT = re.compile(r"0\d+")
_SAMPLE = 500
_BYTES_LOOKED_AT = 4 << 20


@dataclass(frozen=True)
class ColumnProfile:
    """What a column looks like.

    Attributes
    ----------
    name
        In the file.
    kind
        What its values are.
    column
        The values.
    date_formats
        The ways in which its dates can be read; several where days and months look alike.
    decimals
        Digits after the decimal mark, at most.
    """

    name: str
    kind: Kind
    column: TableColumn
    date_formats: tuple[str, ...] = ()
    decimals: int = 0

    @property
    def inside(self) -> str:
        """A name that the program accepts."""
        return inside_name(self.name)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each different value."""
        index = self.column.index
        return np.bincount(index[index >= 0], minlength=len(self.column.values))

    @property
    def rows(self) -> int:
        """Number of rows with a value."""
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        """Number of different values."""
        return int((self.counts > 0).sum())

    @property
    def is_complete(self) -> bool:
        """Whether every row has a value."""
        return not self.column.missing.any()

    @property
    def is_unique(self) -> bool:
        """Whether every row has its own value."""
        return self.is_complete and self.distinct == self.rows > 0

    @property
    def has_codes(self) -> bool:
        """Whether the values are few and frequent, as codes are."""
        few = 1 < self.distinct <= MOST_CODES and self.rows >= FEWEST_ROWS_PER_CODE * self.distinct
        return (
            few and self.kind in ("integer", "text") and not any(len(str(value)) > 30 for value in self.column.values)
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in order, where they are few and frequent; nothing otherwise."""
        return tuple(sorted({str(code) for code in self.column.codes().dropna()})) if self.has_codes else ()

    @property
    def is_binary(self) -> bool:
        """Whether the values are 0 and 1."""
        return self.kind == "integer" and self.codes == ("0", "1")


@dataclass(frozen=True)
class FileProfile:
    """What a file looks like.

    Attributes
    ----------
    file
        Its path inside the data folder.
    form
        How it is written, as keys of the configuration: only what differs from the usual.
    rows
        Number of rows.
    columns
        Its columns, in order.
    """

    file: str
    form: dict[str, str]
    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile | None:
        """Return a column by its name."""
        return next((column for column in self.columns if column.name == name), None)


def inside_name(name: str) -> str:
    """Return a name as the program has them: lower case ASCII, digits and underscores."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower().replace("æ", "ae").replace("ø", "o").replace("å", "a")).strip("_")[
        :36
    ]
    return plain if plain[:1].isalpha() else f"c_{plain}"


def profile_file(folder: Path, file: str) -> FileProfile:
    """Read a file and describe it.

    Raises
    ------
    UserError
        When it cannot be read.
    """
    is_text = _suffix(file) in TEXT
    encoding = _encoding(folder / file) if is_text and Path(file).suffix.lower() not in PACKED else "utf-8"
    opened = open_table(folder, TableFile(file=file, encoding=encoding), where=file)
    names = list(dict.fromkeys(opened.header.names))
    if len(names) < len(opened.header.names):
        raise UserError(f"{file}: the header has a column twice. Ask the owner for a file with each column once.")
    columns = opened.columns(names)
    decimal = _decimal(list(columns.values())) if is_text else "."
    form = {"encoding": encoding} if encoding != "utf-8" else {}
    if is_text:
        form["delimiter"] = opened.form.delimiter
        form |= {"decimal": ","} if decimal == "," else {}
    rows = len(next(iter(columns.values())).index)
    return FileProfile(file, form, rows, tuple(_profile(column, decimal) for column in columns.values()))


def _suffix(file: str) -> str:
    path = Path(file)
    return (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        data = stream.read(_BYTES_LOOKED_AT)
    try:
        data[: data.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        # These bytes are letters and quotation marks in Windows' encoding, and control characters in Latin-1.
        return "cp1252" if any(0x80 <= byte <= 0x9F for byte in data) else "latin-1"
    return "utf-8"


def _texts(column: TableColumn) -> list[str]:
    return [str(value) for value in column.values if isinstance(value, str)]


def _decimal(columns: Sequence[TableColumn]) -> str:
    """Return the decimal mark: a comma where some column has numbers with commas and none has numbers with points."""
    with_mark = {mark: 0 for mark in ".,"}
    for column in columns:
        texts = _texts(column)[:_SAMPLE]
        for mark in with_mark:
            if texts and all(_NUMBER.fullmatch(text) for text in texts) and any(mark in text for text in texts):
                with_mark[mark] += 1
    return "," if with_mark[","] and not with_mark["."] else "."


def _profile(column: TableColumn, decimal: str) -> ColumnProfile:
    if not len(column.values):
        return ColumnProfile(column.name, "empty", column)
    return _profile_of_text(column, decimal) if column.kind == "text" else _profile_of_typed(column)


def _profile_of_typed(column: TableColumn) -> ColumnProfile:
    """Return what a column is whose file states a type."""
    if column.kind in ("integer", "boolean"):
        return ColumnProfile(column.name, "integer", column)
    if column.kind in ("float", "single"):
        whole = all(float(value).is_integer() for value in column.values)
        return ColumnProfile(column.name, "integer" if whole else "number", column, decimals=0 if whole else 2)
    return ColumnProfile(column.name, "date", column, ("%Y-%m-%d",))


def _profile_of_text(column: TableColumn, decimal: str) -> ColumnProfile:
    """Return what a column of texts is, by what all of its values can be read as."""
    texts = _texts(column)
    formats = tuple(form for form in DATE_FORMATS if all(_is_date(text, form) for text in texts))
    if formats:
        return ColumnProfile(column.name, "date", column, formats)
    if all(_MONTH.fullmatch(text) for text in texts):
        return ColumnProfile(column.name, "month", column)
    # 0301 is a code: as a number it would lose its zero.
    if any(_CODED_AS_TEXT.fullmatch(text) for text in texts):
        return ColumnProfile(column.name, "text", column)
    if all(_INTEGER.fullmatch(text) for text in texts):
        return ColumnProfile(column.name, "integer", column)
    if all(_NUMBER.fullmatch(text.replace(decimal, ".")) for text in texts):
        return _profile_of_numbers(column, texts, decimal)
    return ColumnProfile(column.name, "text", column)


def _profile_of_numbers(column: TableColumn, texts: Sequence[str], decimal: str) -> ColumnProfile:
    """Return what a column is all of whose texts are numbers, some with decimals."""
    read, decimals = _with_decimal(column, decimal), [text.partition(decimal)[2] for text in texts]
    # Many programs write whole numbers as 1.0 where the column has gaps.
    if all(set(digits) <= {"0"} for digits in decimals):
        return ColumnProfile(column.name, "integer", read)
    return ColumnProfile(column.name, "number", read, decimals=max(map(len, decimals)))


def _with_decimal(column: TableColumn, decimal: str) -> TableColumn:
    return TableColumn(column.name, column.file, column.kind, column.values, column.index, decimal)


def _is_date(text: str, form: str) -> bool:
    try:
        day = dt.datetime.strptime(text, form)
    except ValueError:
        return False
    return 1900 <= day.year <= 2100 and (form != "%Y%m%d" or len(text) == 8)


def days_of(profile: ColumnProfile, form: str) -> np.ndarray:
    """Return the days of a column of dates, NaT where missing."""
    if profile.column.kind != "text":
        return profile.column.days().to_numpy(dtype="datetime64[D]")
    days = [np.datetime64(dt.datetime.strptime(str(value), form).date(), "D") for value in profile.column.values]
    return np.asarray([*days, np.datetime64("NaT", "D")], dtype="datetime64[D]")[profile.column.index]
