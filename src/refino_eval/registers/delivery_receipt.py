"""The receipt of a delivery: what came, and everything that is wrong with it, before anything runs.

Each register is read and validated by the same code and rules as in a run, so a receipt and a run can never disagree; but
nothing is sorted or written. Only counts come out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers import receipt_problems as f
from refino_eval.registers.delivery_letter import Letter, checksum, letter_faults
from refino_eval.registers.register_files import find_files
from refino_eval.registers.types import identifier
from refino_eval.registers.validation import Validated, validate_rows

if TYPE_CHECKING:
    import duckdb

MANY = 50
"""A year beside one with so many rows is missed when it has none."""


@dataclass(frozen=True)
class FileReceipt:
    """One delivered file.

    Attributes
    ----------
    rows, clean, rejected
        Data rows; clean and rejected by the source's rules add up to rows.
    people
        Distinct people, in all rows whose id can be read.
    first, last
        First and last start date among the clean rows; None for a register without dates.
    duplicates
        Rows that repeat another in every column.
    unknown_codes
        Rows with a code that is in no list.
    size, sha256
        Bytes and checksum of the file.
    letter
        agrees, differs, unlisted, or nothing when there is no letter.
    """

    register: str
    file: str
    rows: int
    clean: int
    rejected: int
    people: int
    first: dt.date | None
    last: dt.date | None
    duplicates: int
    unknown_codes: int
    size: int
    sha256: str
    letter: str = ""


@dataclass(frozen=True)
class ColumnReceipt:
    """One column of one file: how many of its readable rows lack a value."""

    register: str
    file: str
    column: str
    delivered_as: str
    rows: int
    missing: int

    @property
    def share(self) -> float:
        """Missing share, 0 where there is no row."""
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class YearReceipt:
    """Clean rows of one file that begin in one year."""

    register: str
    file: str
    year: int
    rows: int


@dataclass(frozen=True)
class RepairReceipt:
    """Clean rows of one register that a rule of its source changed, and how many people they are of."""

    register: str
    rule: str
    rows: int
    people: int


@dataclass(frozen=True)
class Receipt:
    """A whole delivery.

    Attributes
    ----------
    evaluation, folder
        For which evaluation, and the delivery's folder as the evaluation names it.
    letter
        The letter's sender and day, or nothing.
    registers
        How many registers the evaluation reads.
    faults
        What is wrong, the gravest first.
    """

    evaluation: str
    folder: str
    letter: str
    registers: int
    files: tuple[FileReceipt, ...]
    columns: tuple[ColumnReceipt, ...]
    years: tuple[YearReceipt, ...]
    repairs: tuple[RepairReceipt, ...]
    faults: tuple[f.Problem, ...]

    def of(self, severity: str) -> tuple[f.Problem, ...]:
        """Return the faults of one severity."""
        return tuple(fault for fault in self.faults if fault.severity == severity)


@dataclass
class _Found:
    """What has been found so far."""

    files: list[FileReceipt] = field(default_factory=list)
    columns: list[ColumnReceipt] = field(default_factory=list)
    years: list[YearReceipt] = field(default_factory=list)
    repairs: list[RepairReceipt] = field(default_factory=list)
    faults: list[f.Problem] = field(default_factory=list)


def take_receipt(
    evaluation: str,
    sources: Iterable[Source],
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    work: Path,
    letter: tuple[Path, Letter] | None = None,
    origin: dt.date | None = None,
    threads: int = 2,
    memory_limit: str = "2GB",
) -> Receipt:
    """Read a delivery and count it.

    Parameters
    ----------
    sources
        The registers that the evaluation reads.
    folder
        The delivery.
    codelists
        The lists that the sources name.
    work
        A folder for person-level drafts, which are removed; it must lie where such data may.
    letter
        The delivery letter and its path.
    origin
        The draw date, for registers that count weeks since the draw.
    threads, memory_limit
        What the engine may use.

    Returns
    -------
    Receipt
        Also when nothing can be read: then its faults say why.
    """
    found = _Found()
    read: dict[str, str] = {}
    sums: dict[str, str] = {}
    listed = list(sources)
    work.mkdir(parents=True, exist_ok=True)
    for source in listed:
        paths = _paths(source, folder, found)
        sums |= {path.name: checksum(path) for path in paths}
        read |= {path.name: source.register_name for path in paths}
        draft = Path(tempfile.mkdtemp(prefix=".receipt-", dir=work))
        try:
            options = {"codelists": codelists, "origin": origin, "threads": threads, "memory_limit": memory_limit}
            _register(source, folder, paths, found, sums, {**options, "work": [draft], "keep_blanks": True})
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    told = ""
    if letter is not None:
        rows = {file.file: file.rows for file in found.files}
        found.faults += letter_faults(letter[1], letter[0], folder, read=read, rows=rows, sums=sums)
        found.files = _with_verdicts(found.files, letter[1], found.faults)
        told = ", ".join(part for part in (letter[1].sender, str(letter[1].sent or "")) if part) or letter[0].name
    order = {severity: place for place, severity in enumerate(f.SEVERITIES)}
    faults = sorted(
        found.faults, key=lambda each: (order[each.severity], each.register, each.file, -each.rows, each.rule)
    )
    return Receipt(
        evaluation=evaluation,
        folder=folder.as_posix(),
        letter=told,
        registers=len(listed),
        files=tuple(found.files),
        columns=tuple(found.columns),
        years=tuple(found.years),
        repairs=tuple(found.repairs),
        faults=tuple(faults),
    )


def _paths(source: Source, folder: Path, found: _Found) -> tuple[Path, ...]:
    """Find a register's files; when some are missing, tell it and go on with those that are there."""
    try:
        return find_files(source, folder)
    except UserError as fault:
        found.faults += [f.told_fault(source.register_name, text) for text in fault.problems]
    there: list[Path] = []
    for pattern in source.files if folder.is_dir() else ():
        try:
            there += find_files(source.model_copy(update={"files": (pattern,)}), folder)
        except UserError:
            continue
    return tuple(dict.fromkeys(there))


def _register(
    source: Source,
    folder: Path,
    paths: tuple[Path, ...],
    found: _Found,
    sums: Mapping[str, str],
    options: Mapping[str, Any],
) -> None:
    """Count a register whole; when that cannot be done, tell why and count each file that can be read alone."""
    if not paths:
        return
    delivered = {path.name: path for path in paths}
    whole = len(source.files) == 1 or all(any(folder.glob(pattern)) for pattern in source.files)
    if whole:
        try:
            with validate_rows(source, folder, **options) as validated:
                _count(validated, delivered, sums, found)
            return
        except UserError as fault:
            found.faults += [f.told_fault(source.register_name, text) for text in fault.problems]
            if len(paths) == 1:
                return
    for path in paths:
        alone = source.model_copy(update={"files": (_escaped(path.relative_to(folder).as_posix()),)})
        # What cannot be read was told with the whole register.
        with contextlib.suppress(UserError), validate_rows(alone, folder, **options) as validated:
            _count(validated, delivered, sums, found)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _count(validated: Validated, paths: Mapping[str, Path], sums: Mapping[str, str], found: _Found) -> None:
    """Count one validated register, file by file."""
    con, source = validated.con, validated.source
    con.execute(f"CREATE VIEW rejects AS {_rejects_query(validated)}")
    rejected = _rejected(con)
    rows = {file.file: file.rows for file in validated.counts}
    years = _clean_by_year(con, source)
    people = dict(con.execute(_PEOPLE).fetchall())
    repeats = _repeats(con, source, rejected)
    correcting = any(rule.rule == "superseded" for rule in source.rules)
    for place, (name, count) in enumerate(rows.items()):
        taken = {key[1:]: value for key, value in rejected.items() if key[0] == name}
        clean, first, last = _span([each for each in years if each.file == name])
        found.files.append(
            FileReceipt(
                register=source.register_name,
                file=name,
                rows=count,
                clean=clean,
                rejected=sum(number for number, _ in taken.values()),
                people=people.get(name, 0),
                first=first,
                last=last,
                duplicates=repeats.get(name, 0),
                unknown_codes=sum(number for (rule, _), (number, _) in taken.items() if rule == "unknown_code"),
                size=paths[name].stat().st_size if name in paths else 0,
                sha256=sums.get(name, ""),
            )
        )
        found.faults += [
            f.rule_fault(
                source,
                name,
                rule,
                column,
                rows=number,
                of=count,
                first_rows=first_rows,
                corrects=correcting and place > 0,
            )
            for (rule, column), (number, first_rows) in taken.items()
        ]
        if count == 0:
            found.faults.append(f.empty_file(source.register_name, name))
    found.repairs += [
        RepairReceipt(source.register_name, repair.rule, repair.rows, repair.people) for repair in validated.repairs()
    ]
    _columns(con, source, rows, years, found)
    _years(source, years, found)


def _rejects_query(validated: Validated) -> str:
    """Return the rejected rows with their reasons; what a row's cells were is told by `blanks`, or by its values."""
    rule, column = validated.reason("number")
    cells = ", ".join(f"{identifier(name)} IS NULL" for name in validated.source.columns)
    return (
        f"SELECT source_file, source_row, {rule} AS rule, {column} AS rule_column, person_id, "
        f"coalesce(blanks, [{cells}]) AS blanks "
        "FROM rejected JOIN validated USING (file_no, source_row) JOIN files USING (file_no)"
    )


_PEOPLE = """
SELECT source_file, count(DISTINCT person_id) FROM (
    SELECT source_file, person_id FROM clean
    UNION ALL SELECT source_file, person_id FROM rejects
) GROUP BY source_file
"""


def _rejected(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], tuple[int, tuple[int, ...]]]:
    """Return rejected rows by file, rule and column: how many, and the first."""
    query = (
        f"SELECT source_file, rule, rule_column, count(*), min(source_row, {f.FIRST_ROWS}) FROM rejects "
        "GROUP BY ALL ORDER BY ALL"
    )
    return {
        (file, rule, column or ""): (rows, tuple(first))
        for file, rule, column, rows, first in con.execute(query).fetchall()
    }


def _repeats(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    rejected: Mapping[tuple[str, str, str], tuple[int, tuple[int, ...]]],
) -> dict[str, int]:
    """Count exact repetitions: by the source's own rule, or among its clean rows where it has none."""
    found: dict[str, int] = defaultdict(int)
    if any(rule.rule == "duplicate_row" for rule in source.rules):
        for (file, rule, _), (rows, _) in rejected.items():
            found[file] += rows if rule == "duplicate_row" else 0
        return found
    names = ", ".join(identifier(name) for name in source.columns)
    shared = f"SELECT hash({names}) FROM clean GROUP BY ALL HAVING count(*) > 1"
    window = f"row_number() OVER (PARTITION BY {names} ORDER BY source_file, source_row) > 1"
    repeated = f"SELECT source_file FROM clean WHERE hash({names}) IN ({shared}) QUALIFY {window}"
    found |= dict(con.execute(f"SELECT source_file, count(*) FROM ({repeated}) GROUP BY source_file").fetchall())
    return found


@dataclass(frozen=True)
class _Year:
    """Clean rows of one file that begin in one year (None for fixed facts): dates, and empty cells by column."""

    file: str
    year: int | None
    rows: int
    first: dt.date | None
    last: dt.date | None
    empty: tuple[int, ...]


def _clean_by_year(con: duckdb.DuckDBPyConnection, source: Source) -> list[_Year]:
    """Count everything about clean rows that one reading of them can give: there may be tens of millions."""
    dated = source.temporality != "fixed"
    when = "year(start), min(start), max(start)" if dated else "NULL, NULL, NULL"
    empty = ", ".join(f"count(*) FILTER ({identifier(name)} IS NULL)" for name in source.columns)
    query = (
        f"SELECT source_file, count(*), {when}, {empty} FROM clean "
        f"GROUP BY source_file{', year(start)' if dated else ''} ORDER BY ALL"
    )
    return [
        _Year(file, year, rows, first, last, tuple(nulls))
        for file, rows, year, first, last, *nulls in con.execute(query).fetchall()
    ]


def _span(years: list[_Year]) -> tuple[int, dt.date | None, dt.date | None]:
    firsts = [each.first for each in years if each.first is not None]
    lasts = [each.last for each in years if each.last is not None]
    return sum(each.rows for each in years), min(firsts, default=None), max(lasts, default=None)


def _columns(
    con: duckdb.DuckDBPyConnection, source: Source, rows: Mapping[str, int], years: list[_Year], found: _Found
) -> None:
    names = list(source.columns)
    blank = ", ".join(f"count(*) FILTER (blanks[{place}])" for place, _ in enumerate(names, start=1))
    query = f"SELECT source_file, count(*), {blank} FROM rejects WHERE rule <> 'unreadable_line' GROUP BY source_file"
    counted: dict[str, list[int]] = {file: [0] * (len(names) + 1) for file in rows}
    for file, *numbers in [*((each.file, each.rows, *each.empty) for each in years), *con.execute(query).fetchall()]:
        counted[file] = [old + new for old, new in zip(counted[file], numbers, strict=True)]
    for file, (total, *missing) in counted.items():
        for name, number in zip(names, missing, strict=True):
            delivered = source.columns[name].source
            found.columns.append(ColumnReceipt(source.register_name, file, name, delivered, total, number))
            if total and number == total:
                found.faults.append(f.empty_column(source.register_name, file, delivered, total))


def _years(source: Source, years: list[_Year], found: _Found) -> None:
    totals: dict[int, int] = defaultdict(int)
    for each in sorted((each for each in years if each.year is not None), key=lambda each: (each.file, each.year)):
        assert each.year is not None
        found.years.append(YearReceipt(source.register_name, each.file, each.year, each.rows))
        totals[each.year] += each.rows
    if source.coverage is None or source.temporality == "fixed":
        return
    for year in range(source.coverage.first.year, source.coverage.last.year + 1):
        if not totals[year] and max(totals[year - 1], totals[year + 1]) >= MANY:
            found.faults.append(f.empty_year(source.register_name, year))


def _with_verdicts(files: list[FileReceipt], letter: Letter, faults: Iterable[f.Problem]) -> list[FileReceipt]:
    from dataclasses import replace

    listed = {entry.file for entry in letter.files}
    differing = {fault.file for fault in faults if fault.rule in ("letter_checksum_differs", "letter_rows_differ")}

    def verdict(name: str) -> str:
        if name not in listed:
            return "unlisted"
        return "differs" if name in differing else "agrees"

    return [replace(file, letter=verdict(file.file)) for file in files]
