"""Code lists: labels, groups and periods of validity of the codes in a register.

A list is a file `<name>.csv` with the columns code, label_nb, label_en, group, valid_from, valid_to and source. A code
may have several rows (a county that is abolished and restored) as long as their periods of validity do not overlap.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from refino_eval.config.base import Language
from refino_eval.errors import nearest, raise_problems

COLUMNS = ("code", "label_nb", "label_en", "group", "valid_from", "valid_to", "source")


@dataclass(frozen=True)
class Code:
    """One code in one period of validity.

    Attributes
    ----------
    valid_from, valid_to
        First and last day of validity (both included); None means no limit.
    """

    code: str
    label_nb: str
    label_en: str
    group: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    source: str

    def overlaps(self, other: Code) -> bool:
        """Return whether two periods of validity have a day in common."""
        first, second = (self.valid_from or dt.date.min), (other.valid_from or dt.date.min)
        return first <= (other.valid_to or dt.date.max) and second <= (self.valid_to or dt.date.max)


@dataclass(frozen=True)
class Codelist:
    """A list of codes, in the order of its file."""

    name: str
    rows: tuple[Code, ...]

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[Code, ...]]:
        rows: dict[str, tuple[Code, ...]] = {}
        for row in self.rows:
            rows[row.code] = (*rows.get(row.code, ()), row)
        return MappingProxyType(rows)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code once, in the order of the file."""
        return tuple(self._by_code)

    def label(self, code: str, language: Language) -> str:
        """Return the label of a listed code in a language: that of its latest row."""
        row = max(self._by_code[code], key=lambda row: row.valid_from or dt.date.min)
        return row.label_nb if language == "nb" else row.label_en


def load_codelist(name: str, folder: Path) -> Codelist:
    """Read `<folder>/<name>.csv`.

    Raises
    ------
    UserError
        When the file or a column is missing, a row is incomplete, a date is invalid, or two rows of a code overlap;
        all problems of the file at once.
    """
    records = read_table(name, folder, COLUMNS)
    problems: list[str] = []
    rows: list[Code] = []
    for number, record in records:
        row = _row(name, number, record, problems)
        if row is not None:
            rows.append(row)
    problems += _overlaps(name, rows)
    raise_problems(problems)
    return Codelist(name, tuple(rows))


def load_codelists(names: Iterable[str], folder: Path) -> dict[str, Codelist]:
    """Read several lists by name."""
    return {name: load_codelist(name, folder) for name in sorted(set(names))}


def read_table(name: str, folder: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Read the rows of a small CSV file with their line numbers, after checking file and header."""
    path = folder / f"{name}.csv"
    if not path.is_file():
        others = [other.stem for other in folder.glob("*.csv")]
        raise_problems([f"Code list '{name}': no file {name}.csv in the folder of code lists.{nearest(name, others)}"])
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    header = reader.fieldnames or ()
    raise_problems(
        [
            f"Code list {name}.csv: column '{column}' is missing.{nearest(column, header)}"
            for column in columns
            if column not in header
        ]
    )
    return [(reader.line_num, {key: (record[key] or "").strip() for key in columns}) for record in reader]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise_problems([f"Code list {path.name} is not UTF-8 text. Save it in that encoding."])
        raise


def _row(name: str, number: int, record: dict[str, str], problems: list[str]) -> Code | None:
    where = f"Code list {name}.csv, line {number}"
    empty = [key for key in ("code", "label_nb", "label_en", "source") if not record[key]]
    if empty:
        problems.append(
            f"{where}: {' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty; every code needs them."
        )
        return None
    days: list[dt.date | None] = []
    for key in ("valid_from", "valid_to"):
        try:
            days.append(dt.date.fromisoformat(record[key]) if record[key] else None)
        except ValueError:
            problems.append(
                f"{where}: {key} is '{record[key]}', not a date. Write it as yyyy-mm-dd, or leave it empty."
            )
            return None
    if days[0] and days[1] and days[1] < days[0]:
        problems.append(f"{where}: code '{record['code']}': valid_to is before valid_from.")
        return None
    return Code(
        code=record["code"],
        label_nb=record["label_nb"],
        label_en=record["label_en"],
        group=record["group"],
        valid_from=days[0],
        valid_to=days[1],
        source=record["source"],
    )


def _overlaps(name: str, rows: list[Code]) -> list[str]:
    by_code: dict[str, list[Code]] = {}
    problems = []
    for row in rows:
        if any(row.overlaps(earlier) for earlier in by_code.get(row.code, ())):
            problems.append(
                f"Code list {name}.csv: code '{row.code}' has two rows that are valid at the same time. "
                f"End one before the other begins, or remove one."
            )
        by_code.setdefault(row.code, []).append(row)
    return problems
