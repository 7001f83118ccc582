"""Read the files of a person table by the reader of delivered files: strictly, and only the columns that are needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from refino_eval.config.evaluation import TableFile
from refino_eval.errors import UserError
from refino_eval.registers.readers.archives import PACKED, READ_ERRORS, UnreadableFile, reading_problem
from refino_eval.registers.readers.delivered_files import (
    DeliveredFile,
    Header,
    kind_problem,
    read_header,
    rows_of,
)
from refino_eval.registers.readers.file_form import FileForm
from refino_eval.registers.readers.file_search import existing_file, shown_name
from refino_eval.registers.readers.statistical_files import PROGRAMS, value_labels
from refino_eval.registers.readers.text_rows import WHITESPACE, line_problem, read_first_lines
from refino_eval.trial.r_files import R_FILES, read_r_file
from refino_eval.trial.table_columns import TableColumn, column_from_arrow

TEXT = (".csv", ".tab", ".tsv", ".txt", ".dat", ".raw")
FORMATS = (".parquet", *TEXT, ".dta", ".sas7bdat", ".sav", *R_FILES)
NO_VALUE = (
    *("NA", "N/A", "#N/A", "NaN", "nan", "<NA>", "NULL", "null", "."),
    *(f".{chr(code)}" for code in range(97, 123)),
)
"""Texts that are missing values in text files, in addition to `missing_values`: also Stata's ., .a to .z. "None" may be an arm."""

_SURPLUS = "surplus field"


@dataclass(frozen=True)
class OpenTable:
    """A file of a person table whose header has been read.

    Attributes
    ----------
    name
        The file as the evaluation names it, for messages.
    where
        The key of the evaluation that names it.
    saved
        All rows of a file of R, which can only be read as a whole.
    """

    name: str
    path: Path
    where: str
    entry: TableFile
    form: FileForm
    header: Header
    saved: pa.Table | None = None

    def columns(self, names: Iterable[str]) -> dict[str, TableColumn]:
        """Read some columns.

        Raises
        ------
        UserError
            When a column is ambiguous or of a type that cannot be read, the file is damaged, a line has more or fewer
            fields than the header, or the number of rows is not the expected one.
        """
        wanted = list(dict.fromkeys(names))
        problems = [f"{self.name} {problem}" for name in wanted if (problem := self.header.column_problem(name))]
        kinds = {name: self.header.kinds.get(name, "text") for name in wanted}
        problems += [
            problem
            for name, kind in kinds.items()
            if (problem := kind_problem(self.path, name, kind, "a number, a code or a date"))
        ]
        if problems:
            raise UserError(*problems)
        if self.saved is not None:
            rows = self.saved.select(wanted)
        else:
            rows = self._text_rows(wanted) if self.form.format == "text" else self._rows(wanted, len(self.header.names))
        if self.entry.rows is not None and rows.num_rows != self.entry.rows:
            raise UserError(
                f"{self.where}: '{self.name}' has {rows.num_rows:,} rows, and {self.entry.rows:,} are expected (`rows`). "
                "Check that the file is the right one and is complete."
            )
        labels = self._labels()
        return {name: self._column(name, kinds[name], rows.column(name), labels.get(name)) for name in wanted}

    def _column(self, name: str, kind: str, values: pa.ChunkedArray, labels: dict[Any, str] | None) -> TableColumn:
        if kind == "text":
            values = _stripped(values, no_value=NO_VALUE if self.form.format == "text" else ())
        column = column_from_arrow(name, self.name, kind, values, decimal=self.entry.decimal, labels=labels)
        return column.without(self.entry.missing_values)

    def _labels(self) -> dict[str, dict[Any, str]]:
        if self.entry.values == "codes" or self.form.format not in PROGRAMS:
            return {}
        return value_labels(self.path, self.form)

    def _rows(self, names: list[str], width: int, *, shift: int = 0, surplus: int | None = None) -> pa.Table:
        """Read rows with their number and whether they are unreadable.

        Parameters
        ----------
        width
            Fields in a row.
        shift
            Fields before the first that has a name.
        surplus
            Position of a field without a name, to be read as well.
        """
        positions = {name: self.header.names.index(name) + shift for name in names}
        if surplus is not None:
            positions[_SURPLUS] = surplus
        kinds = {name: self.header.kinds.get(name, "text") for name in names}
        file = DeliveredFile(0, self.path, self.form, width, {name: name for name in names}, positions, kinds)
        stream = rows_of(file, trimmed=True)
        try:
            table = stream.reader().read_all()
        except (pa.ArrowException, *READ_ERRORS, UnreadableFile) as error:
            stream.problems.append(reading_problem(error))
            table = None
        if stream.problems or table is None:
            raise UserError(
                f"{self.where}: '{self.name}' could not be read to its end, after {stream.rows:,} rows: "
                f"{stream.problems[0]} Copy the file again, or ask its owner."
            )
        return table.sort_by("source_row")

    def _text_rows(self, names: list[str]) -> pa.Table:
        """Read the rows of a text file; two ways to have one field more than the header are known and harmless."""
        width = len(self.header.names)
        rows = self._rows(names, width)
        bad = rows.filter(rows["unreadable"])
        if not bad.num_rows:
            return rows
        if not self.entry.columns:
            # Every line ends with a delimiter, and the header does not.
            longer = self._rows(names, width + 1, surplus=width)
            if not _any(longer["unreadable"]) and not _any(pc.is_valid(longer[_SURPLUS])):
                return longer
            # R's write.table gives the rows' numbers no name.
            numbered = self._rows(names, width + 1, shift=1, surplus=0)
            if not _any(numbered["unreadable"]) and numbered[_SURPLUS].to_pylist() == [
                str(number) for number in range(1, numbered.num_rows + 1)
            ]:
                return numbered
        form = DeliveredFile(0, self.path, self.form, width, {}, {}, {}).text_form
        first = bad["source_row"][0].as_py()
        why = line_problem(form, first)
        remedy = (
            "State its encoding, for instance `encoding: latin-1`."
            if why.startswith("bytes")
            else "State `delimiter` if it is another, or correct the lines: each must have one field for each column."
        )
        raise UserError(
            f"{self.where}: '{self.name}' has {bad.num_rows:,} lines that cannot be split into its {width} columns; the first "
            f"is line {first + (not self.entry.columns)}: {why}. {remedy}"
        )


def open_table(folder: Path, entry: TableFile, *, where: str) -> OpenTable:
    """Find a file of a person table in the data folder and read its header.

    Raises
    ------
    UserError
        When the file is outside the folder, missing, of an unknown format, or cannot be opened.
    """
    path = Path(entry.file)
    suffix = (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()
    if suffix not in FORMATS:
        raise UserError(
            f"{where}: '{shown_name(entry.file)}' is in none of the formats that can be read ({', '.join(FORMATS)})."
        )
    path = existing_file(folder, entry.file, where=where, similar=(*FORMATS, *PACKED))
    name = shown_name(entry.file)
    try:
        if suffix in R_FILES:
            saved, kinds = read_r_file(path, name=entry.object, where=where)
            # Its values are those of a parquet file.
            return OpenTable(
                name, path, where, entry, FileForm("parquet"), Header(tuple(saved.column_names), kinds), saved
            )
        if suffix in TEXT:
            form = FileForm("text", entry.encoding, _delimiter(path, suffix, entry), entry.columns, skip_blank=True)
        else:
            form = FileForm(suffix[1:], entry.encoding)  # type: ignore[arg-type]
        return OpenTable(name, path, where, entry, form, read_header(path, form))
    except (*READ_ERRORS, UnreadableFile) as error:
        raise UserError(f"{where}: '{name}' cannot be read: {reading_problem(error)}") from None


def _delimiter(path: Path, suffix: str, entry: TableFile) -> str:
    """Return the delimiter that is stated, or the one that the first line has: tab, semicolon, comma or |, else whitespace."""
    if entry.delimiter is not None:
        return entry.delimiter
    lines = read_first_lines(path, entry.encoding, 1)
    first = lines[0].decode("utf-8", "replace") if lines else ""
    signs = (",", "\t", ";", "|") if suffix == ".csv" else ("\t", ";", ",", "|")
    return next((sign for sign in signs if sign in first), "," if suffix == ".csv" else WHITESPACE)


def _stripped(values: pa.ChunkedArray, *, no_value: tuple[str, ...]) -> pa.ChunkedArray:
    from refino_eval.registers.readers.value_kinds import BLANKS

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    text = pc.utf8_trim(values.cast(pa.string()), BLANKS)
    return pc.if_else(pc.is_in(text, pa.array(["", *no_value])), pa.scalar(None, pa.string()), text)


def _any(values: pa.ChunkedArray) -> bool:
    return bool(np.asarray(values.to_numpy(), dtype=bool).any())
