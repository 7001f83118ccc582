"""Take the receipt of a delivery: what it holds and everything that is wrong with it, before anything runs.

Each register is read and validated by the same code and rules as in a run, so a receipt and a run can never disagree;
but nothing is sorted or kept. The result holds counts only.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import LinkageExpectation, Source
from refino_eval.errors import UserError
from refino_eval.registers import receipt_problems as p
from refino_eval.registers.delivery_letter import Letter, checksum, letter_problems
from refino_eval.registers.linkage import Linkage, count_linkage
from refino_eval.registers.readers.archives import reading_problem
from refino_eval.registers.readers.file_search import shown_name
from refino_eval.registers.register_files import find_files
from refino_eval.registers.validation import Validated, validate_rows
from refino_eval.sql.quoting import quoted_name, text_literal

if TYPE_CHECKING:
    import duckdb

FEWEST_UNITS = 4
"""With fewer groups of people that have one arm each, a column rather describes the arm than who was assigned."""
MANY = 50
"""A year without rows is suspicious if the year before or after it has so many."""


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
        agrees, differs, unlisted, or empty if there is no letter.
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
    """One column of one file: in how many of its readable rows it is missing."""

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
    """Clean rows of one register that a rule of its source changed, and the number of people they concern."""

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
        The letter's sender and day, or empty.
    registers
        How many registers the evaluation reads.
    linkages
        How the registers link to the draws.
    problems
        What is wrong, the most severe first.
    """

    evaluation: str
    folder: str
    letter: str
    registers: int
    files: tuple[FileReceipt, ...]
    columns: tuple[ColumnReceipt, ...]
    years: tuple[YearReceipt, ...]
    repairs: tuple[RepairReceipt, ...]
    linkages: tuple[Linkage, ...]
    problems: tuple[p.Problem, ...]

    def of(self, severity: str) -> tuple[p.Problem, ...]:
        """Return the problems of one severity."""
        return tuple(problem for problem in self.problems if problem.severity == severity)


@dataclass(frozen=True)
class Draws:
    """The register of draws, and how it states the arm.

    Attributes
    ----------
    register, arm
        The register, and its column with the result of the random assignment.
    treated, control
        The codes of the treated arms and of the control arm, as text.
    units
        Columns that may name what was assigned (a school, an office), where the evaluation names no cluster.
    """

    register: str
    arm: str
    treated: tuple[str, ...]
    control: tuple[str, ...]
    units: tuple[str, ...] = ()


@dataclass
class _Counts:
    """What has been counted so far."""

    files: list[FileReceipt] = field(default_factory=list)
    columns: list[ColumnReceipt] = field(default_factory=list)
    years: list[YearReceipt] = field(default_factory=list)
    repairs: list[RepairReceipt] = field(default_factory=list)
    problems: list[p.Problem] = field(default_factory=list)


def take_receipt(
    evaluation: str,
    sources: Iterable[Source],
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    work: Path,
    letter: tuple[Path, Letter] | None = None,
    draws: Draws | None = None,
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
        The code lists that the sources name.
    work
        A folder for person-level drafts, which are removed; it must be where such data may be.
    letter
        The delivery letter and its path.
    draws
        The register of draws, to which the others are linked.
    origin
        The draw date, for registers that count weeks since the draw.
    threads, memory_limit
        Limits of the engine.

    Returns
    -------
    Receipt
        Also if nothing can be read: then its problems say why.
    """
    counts = _Counts()
    read: dict[str, str] = {}
    sums: dict[str, str] = {}
    listed = list(sources)
    linkages: tuple[Linkage, ...] = ()
    work.mkdir(parents=True, exist_ok=True)
    options = {"codelists": codelists, "origin": origin, "threads": threads, "memory_limit": memory_limit}
    with tempfile.TemporaryDirectory(prefix=".receipt-", dir=work) as drafts:
        ids = _Ids(Path(drafts), draws)
        for source in listed:
            paths = _summed(source, _paths(source, folder, counts), sums, counts)
            read |= dict.fromkeys((path.name for path in paths), source.register_name)
            with tempfile.TemporaryDirectory(dir=drafts) as draft:
                engine = {**options, "work": [Path(draft), Path(drafts)], "keep_blanks": True}
                _register(source, folder, paths, counts, sums, ids, engine)
        counts.problems += ids.problems
        if draws is not None and draws.register in ids.paths:
            linkages = ids.linkages({source.register_name: source.linkage for source in listed})
            counts.problems += p.linkage_problems(linkages)
    sent = "" if letter is None else _compare_with_letter(*letter, folder, counts, read, sums)
    order = {severity: index for index, severity in enumerate(p.SEVERITIES)}
    problems = sorted(
        counts.problems, key=lambda found: (order[found.severity], found.register, found.file, -found.rows, found.rule)
    )
    return Receipt(
        evaluation=evaluation,
        folder=folder.as_posix(),
        letter=sent,
        registers=len(listed),
        files=tuple(replace(file, file=shown_name(file.file)) for file in counts.files),
        columns=tuple(replace(column, file=shown_name(column.file)) for column in counts.columns),
        years=tuple(replace(year, file=shown_name(year.file)) for year in counts.years),
        repairs=tuple(counts.repairs),
        linkages=linkages,
        problems=tuple(replace(problem, file=shown_name(problem.file)) for problem in problems),
    )


def _compare_with_letter(
    path: Path, letter: Letter, folder: Path, counts: _Counts, read: Mapping[str, str], sums: Mapping[str, str]
) -> str:
    """Add what differs from the letter, and return who sent it and when."""
    rows = {file.file: file.rows for file in counts.files}
    counts.problems += letter_problems(letter, path, folder, read=read, rows=rows, sums=sums)
    counts.files = _with_verdicts(counts.files, letter, counts.problems)
    return ", ".join(part for part in (letter.sender, str(letter.sent or "")) if part) or path.name


def _summed(source: Source, paths: Iterable[Path], sums: dict[str, str], counts: _Counts) -> tuple[Path, ...]:
    """Compute the files' checksums, and return the files that can be read."""
    for path in paths:
        try:
            sums[path.name] = checksum(path)
        except OSError as error:
            text = f"{shown_name(path.name)} cannot be read: {reading_problem(error)} Ask for read access to it."
            counts.problems.append(p.unreadable(source.register_name, text))
    return tuple(path for path in paths if path.name in sums)


@dataclass
class _Ids:
    """The ids of each register in a file, kept while the receipt is taken."""

    folder: Path
    draws: Draws | None
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[p.Problem] = field(default_factory=list)

    def keep(self, validated: Validated) -> None:
        """Write the different ids among the clean rows; with the arm, for the register of draws."""
        if self.draws is None:
            return
        register = validated.source.register_name
        path = self.folder / f"{register}.parquet"
        arm = "0"
        if register == self.draws.register:
            cell = f"CAST({quoted_name(self.draws.arm)} AS VARCHAR)"
            treated, control = (
                ", ".join(map(text_literal, codes)) for codes in (self.draws.treated, self.draws.control)
            )
            treated_or_not = f"CASE WHEN {cell} IN ({treated}) THEN 1 WHEN {cell} IN ({control}) THEN 0 END"
            arm = f"max({treated_or_not})"
            self.problems += self._undivided_units(validated, treated_or_not)
        validated.con.execute(
            f"COPY (SELECT person_id, CAST({arm} AS INTEGER) AS treated FROM clean GROUP BY person_id) "
            f"TO {text_literal(str(path))} (FORMAT parquet)"
        )
        self.paths[register] = path

    def _undivided_units(self, validated: Validated, treated: str) -> Iterator[p.Problem]:
        """Report columns of the draws that divide people into many groups, none of which has people in both arms."""
        assert self.draws is not None
        for name in self.draws.units:
            # Groups of one cannot have both arms: only where most people share a group is anything learned.
            groups = f"SELECT count(*) AS n, min({treated}) AS low, max({treated}) AS high FROM clean WHERE {quoted_name(name)} IS NOT NULL GROUP BY {quoted_name(name)}"
            query = (
                f"SELECT count(*) FILTER (WHERE n > 1), sum(n) FILTER (WHERE n > 1), sum(n), count(*) FILTER (WHERE low < high), "
                f"count(DISTINCT high) FROM ({groups})"
            )
            shared, people_sharing, people, divided, arms = validated.con.execute(query).fetchall()[0]
            if shared and shared >= FEWEST_UNITS and 2 * people_sharing > people and not divided and arms == 2:
                yield p.undivided_units(validated.source.register_name, name, shared)

    def linkages(self, stated: Mapping[str, LinkageExpectation | None]) -> tuple[Linkage, ...]:
        """Count how the registers link to everybody in the register of draws."""
        import pandas as pd

        assert self.draws is not None
        drawn = self.paths[self.draws.register]
        others = {name: path for name, path in self.paths.items() if name != self.draws.register}
        return count_linkage(pd.read_parquet(drawn), drawn, others, stated)


def _paths(source: Source, folder: Path, counts: _Counts) -> tuple[Path, ...]:
    """Find a register's files; if some are missing, note it and go on with those that are there."""
    try:
        return find_files(source, folder)
    except UserError as error:
        counts.problems += [p.unreadable(source.register_name, text) for text in error.problems]
    there: list[Path] = []
    for pattern in source.files if folder.is_dir() else ():
        with contextlib.suppress(UserError):
            there += find_files(source.model_copy(update={"files": (pattern,)}), folder)
    return tuple(dict.fromkeys(there))


def _register(
    source: Source,
    folder: Path,
    paths: tuple[Path, ...],
    counts: _Counts,
    sums: Mapping[str, str],
    ids: _Ids,
    options: Mapping[str, Any],
) -> None:
    """Count a whole register; if that is not possible, note why and count each file that can be read alone."""
    if not paths:
        return
    delivered = {path.name: path for path in paths}
    try:
        is_whole = find_files(source, folder) == paths
    except UserError:
        is_whole = False
    if is_whole:
        try:
            with validate_rows(source, folder, **options) as validated:
                _count(validated, delivered, sums, counts)
                ids.keep(validated)
            return
        except UserError as error:
            counts.problems += [p.unreadable(source.register_name, text) for text in error.problems]
            if len(paths) == 1:
                return
    for path in paths:
        alone = source.model_copy(update={"files": (_escaped(path.relative_to(folder).as_posix()),)})
        # What cannot be read was noted with the whole register.
        with contextlib.suppress(UserError), validate_rows(alone, folder, **options) as validated:
            _count(validated, delivered, sums, counts)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _count(validated: Validated, paths: Mapping[str, Path], sums: Mapping[str, str], counts: _Counts) -> None:
    """Count one validated register, file by file."""
    con, source = validated.con, validated.source
    con.execute(f"CREATE VIEW rejects AS {_rejects_query(validated)}")
    rejected = _rejected(con)
    rows = {file.file: file.rows for file in validated.counts}
    years = _clean_by_year(con, source)
    people = dict(con.execute(_PEOPLE).fetchall())
    repeats = _repeats(con, source, rejected)
    correcting = any(rule.rule == "superseded" for rule in source.rules)
    for order, (name, count) in enumerate(rows.items()):
        taken = {key[1:]: value for key, value in rejected.items() if key[0] == name}
        clean, first, last = _span([year for year in years if year.file == name])
        counts.files.append(
            FileReceipt(
                register=source.register_name,
                file=name,
                rows=count,
                clean=clean,
                rejected=_rows_of(taken),
                people=people.get(name, 0),
                first=first,
                last=last,
                duplicates=repeats.get(name, 0),
                unknown_codes=_rows_of(taken, rule="unknown_code"),
                size=paths[name].stat().st_size if name in paths else 0,
                sha256=sums.get(name, ""),
            )
        )
        counts.problems += _rule_problems(source, name, taken, count, corrects=correcting and order > 0)
        if count == 0:
            counts.problems.append(p.empty_file(source.register_name, name))
        if repeats.get(name) and not any(rule.rule == "duplicate_row" for rule in source.rules):
            counts.problems.append(p.repeated_rows(source.register_name, name, repeats[name]))
    counts.repairs += [
        RepairReceipt(source.register_name, repair.rule, repair.rows, repair.people) for repair in validated.repairs()
    ]
    _columns(con, source, rows, years, counts)
    counts.problems += _without_decimals(con, source)
    _years(source, years, counts)


def _rows_of(taken: Mapping[tuple[str, str], tuple[int, tuple[int, ...]]], rule: str | None = None) -> int:
    """Return the rejected rows of a file, or those that one rule rejected."""
    return sum(rows for (name, _), (rows, _) in taken.items() if rule in (None, name))


def _rule_problems(
    source: Source,
    file: str,
    taken: Mapping[tuple[str, str], tuple[int, tuple[int, ...]]],
    count: int,
    *,
    corrects: bool,
) -> list[p.Problem]:
    return [
        p.rule_problem(source, file, rule, column, rows=rows, of=count, first_rows=first, corrects=corrects)
        for (rule, column), (rows, first) in taken.items()
    ]


def _rejects_query(validated: Validated) -> str:
    """Return the rejected rows with their reasons; which cells were empty is in `blanks`, or seen from the values."""
    rule, column = validated.reason("number")
    cells = ", ".join(f"{quoted_name(name)} IS NULL" for name in validated.source.columns)
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
    """Return rejected rows by file, rule and column: the number, and the first of them."""
    query = (
        f"SELECT source_file, rule, rule_column, count(*), min(source_row, {p.FIRST_ROWS}) FROM rejects "
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
    """Count exact repetitions: by the source's rule, or among its clean rows if it has none."""
    counts: dict[str, int] = defaultdict(int)
    if any(rule.rule == "duplicate_row" for rule in source.rules):
        for (file, rule, _), (rows, _) in rejected.items():
            counts[file] += rows if rule == "duplicate_row" else 0
        return counts
    names = ", ".join(quoted_name(name) for name in source.columns)
    shared = f"SELECT hash({names}) FROM clean GROUP BY ALL HAVING count(*) > 1"
    window = f"row_number() OVER (PARTITION BY {names} ORDER BY source_file, source_row) > 1"
    repeated = f"SELECT source_file FROM clean WHERE hash({names}) IN ({shared}) QUALIFY {window}"
    counts |= dict(con.execute(f"SELECT source_file, count(*) FROM ({repeated}) GROUP BY source_file").fetchall())
    return counts


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
    """Count everything about clean rows in one pass: there may be tens of millions."""
    dated = source.temporality != "fixed"
    when = "year(start), min(start), max(start)" if dated else "NULL, NULL, NULL"
    empty = ", ".join(f"count(*) FILTER ({quoted_name(name)} IS NULL)" for name in source.columns)
    query = (
        f"SELECT source_file, count(*), {when}, {empty} FROM clean "
        f"GROUP BY source_file{', year(start)' if dated else ''} ORDER BY ALL"
    )
    return [
        _Year(file, year, rows, first, last, tuple(nulls))
        for file, rows, year, first, last, *nulls in con.execute(query).fetchall()
    ]


def _span(years: list[_Year]) -> tuple[int, dt.date | None, dt.date | None]:
    firsts = [year.first for year in years if year.first is not None]
    lasts = [year.last for year in years if year.last is not None]
    return sum(year.rows for year in years), min(firsts, default=None), max(lasts, default=None)


def _columns(
    con: duckdb.DuckDBPyConnection, source: Source, rows: Mapping[str, int], years: list[_Year], counts: _Counts
) -> None:
    names = list(source.columns)
    blank = ", ".join(f"count(*) FILTER (blanks[{number}])" for number, _ in enumerate(names, start=1))
    query = f"SELECT source_file, count(*), {blank} FROM rejects WHERE rule <> 'unreadable_line' GROUP BY source_file"
    counted: dict[str, list[int]] = {file: [0] * (len(names) + 1) for file in rows}
    for file, *numbers in [*((year.file, year.rows, *year.empty) for year in years), *con.execute(query).fetchall()]:
        counted[file] = [old + new for old, new in zip(counted[file], numbers, strict=True)]
    for file, (total, *missing) in counted.items():
        for name, number in zip(names, missing, strict=True):
            delivered = source.columns[name].source
            counts.columns.append(ColumnReceipt(source.register_name, file, name, delivered, total, number))
            if total and number == total:
                counts.problems.append(p.empty_column(source.register_name, file, delivered, total))


def _without_decimals(con: duckdb.DuckDBPyConnection, source: Source) -> Iterator[p.Problem]:
    """Report columns of decimal numbers that hold whole numbers alone: all amounts may be a hundred times too large."""
    units = {"number": 1, "hundredths": 100, "ore": 100}
    named = {name: units[column.type] for name, column in source.columns.items() if column.type in units}
    if not named:
        return
    counted = ", ".join(
        f"count({quoted_name(name)}), count(*) FILTER ({quoted_name(name)} % {unit} <> 0)"
        for name, unit in named.items()
    )
    row = con.execute(f"SELECT {counted} FROM clean").fetchall()[0]
    for name, values, parts in zip(named, row[::2], row[1::2], strict=True):
        if values >= p.SOME and not parts:
            yield p.without_decimals(source.register_name, source.columns[name].source, values)


def _years(source: Source, years: list[_Year], counts: _Counts) -> None:
    totals: dict[int, int] = defaultdict(int)
    for file, year, rows in sorted((part.file, part.year, part.rows) for part in years if part.year is not None):
        counts.years.append(YearReceipt(source.register_name, file, year, rows))
        totals[year] += rows
    if source.coverage is None or source.temporality == "fixed":
        return
    earliest = source.coverage.first.year - p.LONGEST_LIFE
    if early := {year: rows for year, rows in totals.items() if year < earliest and rows}:
        counts.problems.append(p.early_years(source.register_name, sum(early.values()), min(early), earliest))
    for year in range(source.coverage.first.year, source.coverage.last.year + 1):
        if not totals[year] and max(totals[year - 1], totals[year + 1]) >= MANY:
            counts.problems.append(p.empty_year(source.register_name, year))


def _with_verdicts(files: list[FileReceipt], letter: Letter, problems: Iterable[p.Problem]) -> list[FileReceipt]:
    listed = {entry.file for entry in letter.files}
    differing = {
        problem.file for problem in problems if problem.rule in ("letter_checksum_differs", "letter_rows_differ")
    }

    def verdict(name: str) -> str:
        if name not in listed:
            return "unlisted"
        return "differs" if name in differing else "agrees"

    return [replace(file, letter=verdict(file.file)) for file in files]
