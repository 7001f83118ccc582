"""Validate the rows of one register: read the delivered files, and decide for every row whether it is clean.

Both a run, which writes clean rows and rejects, and a receipt, which counts them, use this module and nothing else.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import Overlap, PersonNotListed, Source
from refino_eval.errors import raise_problems
from refino_eval.registers.ingest_report import FileCount, RuleCount
from refino_eval.registers.readers.delivered_files import DeliveredFile, RowStream, rows_of
from refino_eval.registers.readers.file_search import shown_name
from refino_eval.registers.readers.value_kinds import BLANKS
from refino_eval.registers.register_files import check_files, find_files, listed_ids
from refino_eval.registers.rules import (
    OPEN_YEAR,
    Verdicts,
    checked_rows,
    comparisons,
    listed_table,
    repair_names,
    rule_problems,
    ruled_rows,
    verdicts,
)
from refino_eval.registers.types import INEXACT_ID, ORIGINS, SQL_TYPES, delivered_text, typed_value
from refino_eval.sql.isolated_engine import isolated_engine
from refino_eval.sql.quoting import quoted_name, text_literal

if TYPE_CHECKING:
    import duckdb

_LARGE = 200_000_000
"""Bytes of delivered files from which the rows of a register are kept on disk while they are validated."""


@dataclass(frozen=True, eq=False)
class Validated:
    """A register's rows, validated, for as long as the engine is open.

    Attributes
    ----------
    con
        The engine. Tables: `files` (file_no, source_file), `validated` (typed values of every row; `broken`, the number
        of the first reason that concerns the row alone), `rejected` (file_no, source_row, number of the reason). View:
        `clean`, the clean register in no order.
    source
        The register's source.
    reasons
        What the numbers mean.
    files
        The delivered files.
    counts
        Their rows.
    threads
        The engine's number of threads.
    """

    con: duckdb.DuckDBPyConnection
    source: Source
    reasons: Verdicts
    files: tuple[DeliveredFile, ...]
    counts: tuple[FileCount, ...]
    threads: int

    def reason(self, number: str) -> tuple[str, str]:
        """Return the SQL of the rule and of the column that a reason's number stands for."""
        rule, column = (
            "[" + ", ".join(text_literal(text.split(":", 1)[part]) for text in self.reasons.texts) + "]"
            for part in (0, 1)
        )
        return f"{rule}[{number} + 1]", f"{column}[{number} + 1]"

    def repairs(self) -> tuple[RuleCount, ...]:
        """Count the clean rows that each repair changed, and the spells that absorbed others."""
        clean = "FROM validated ANTI JOIN hits USING (file_no, source_row)"
        counts = "SELECT count(*), count(DISTINCT person_id)"
        repaired = []
        for bit, name in enumerate(repair_names(self.source)):
            query = f"{counts} {clean} WHERE broken IS NULL AND (repairs & {1 << bit}) > 0"
            repaired.append((name, self.con.execute(query).fetchall()[0]))
        joined = f"{counts} FROM validated SEMI JOIN extended USING (file_no, source_row)"
        if any(isinstance(rule, Overlap) for rule in self.source.rules):
            repaired.append(("overlap", self.con.execute(joined).fetchall()[0]))
        return tuple(RuleCount(name, *count) for name, count in repaired if count[0])


@contextlib.contextmanager
def validate_rows(
    source: Source,
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    work: Sequence[Path],
    origin: dt.date | None = None,
    threads: int = 2,
    memory_limit: str = "1200MB",
    keep_blanks: bool = False,
) -> Iterator[Validated]:
    """Read a register's delivery and validate every row by the source's rules.

    Parameters
    ----------
    folder
        The delivery's folder, in which the source's patterns are searched for.
    codelists
        The code lists that the source's columns name, by name.
    work
        Folders that the engine may write to; it spills to the first. It has access to no other.
    origin
        The draw date, for columns that count weeks since the draw.
    threads, memory_limit
        Limits of the engine; the result does not depend on them.
    keep_blanks
        Keep for each row that is rejected by itself which columns were empty, as the list `blanks`.

    Raises
    ------
    UserError
        When the delivery or the source's configuration cannot be read; a paragraph for each problem.
    """
    raise_problems(rule_problems(source, codelists, origin))
    files = check_files(source, find_files(source, folder))
    large = sum(file.path.stat().st_size for file in files) > _LARGE
    with isolated_engine(work, threads=threads, memory_limit=memory_limit, on_disk=large) as con:
        _check_date_formats(con, source)
        reasons = verdicts(source, codelists)
        _load_lists(con, source, folder)
        counts = _load(con, source, files, reasons, origin, threads, keep_blanks)
        _compare(con, source, reasons, len(files))
        con.execute(f"CREATE VIEW clean AS {_clean_rows(source)}")
        yield Validated(con, source, reasons, tuple(files), counts, threads)


_TRIED_DAYS = (dt.date(2001, 12, 31), dt.date(1931, 3, 4), dt.date(2071, 3, 4))


def _check_date_formats(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Refuse date formats that do not give back the day that they wrote; %y would guess the century."""
    import duckdb

    problems = []
    for name, column in source.columns.items():
        if column.type == "date" and column.date_format not in ORIGINS:
            form = text_literal(column.date_format)
            try:
                days = [
                    con.execute(f"SELECT strptime(strftime(DATE '{day}', {form}), {form})::DATE").fetchall()[0][0]
                    for day in _TRIED_DAYS
                ]
            except duckdb.Error:
                days = []
            if days != list(_TRIED_DAYS):
                why = "has a year of two digits" if "%y" in column.date_format else "does not state year, month and day"
                problems.append(
                    f"config/sources/{source.register_name}.yaml: column {name} has the date_format '{column.date_format}', "
                    f"which {why}. Write it like %Y-%m-%d or %d.%m.%Y, or as one of {', '.join(ORIGINS)}; ask the "
                    "register's owner for years of four digits."
                )
    raise_problems(problems)


def _load(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    files: Sequence[DeliveredFile],
    reasons: Verdicts,
    origin: dt.date | None,
    threads: int,
    keep_blanks: bool,
) -> tuple[FileCount, ...]:
    """Read all files into the table `validated`: typed values, and for each row the first reason to reject it.

    Delivered text is not kept: rejected rows are few and are read a second time.
    """
    con.execute("CREATE TABLE files (file_no INTEGER, source_file VARCHAR)")
    counts = []
    problems: list[str] = []
    made = False
    for file in files:
        rows = rows_of(file, trimmed=True, threads=threads)
        con.execute("INSERT INTO files VALUES (?, ?)", [file.number, file.name])
        con.register("incoming", rows.reader())
        into = "INSERT INTO validated" if made else "CREATE TABLE validated AS"
        inexact = _insert(con, f"{into} {_validated_rows(source, file, reasons, origin, keep_blanks)}", file)
        made = made or not inexact
        con.unregister("incoming")
        problems += inexact or stream_problems(file, rows)
        counts.append(FileCount(file.name, rows.rows))
    raise_problems(problems)
    return tuple(counts)


def _load_lists(con: duckdb.DuckDBPyConnection, source: Source, folder: Path) -> None:
    """Make a table of ids for each rule that names a list of people."""
    column = source.columns["person_id"]
    ids = typed_value("person_id", column, source.decimal, None)
    for rule in source.rules:
        if isinstance(rule, PersonNotListed):
            con.register("listed", pa.table({"id": pa.array(listed_ids(source, folder, rule.file), pa.string())}))
            con.execute(
                f"CREATE OR REPLACE TABLE {listed_table(rule)} AS "
                f"SELECT DISTINCT {ids} AS id FROM (SELECT id AS person_id FROM listed)"
            )
            con.unregister("listed")


def _insert(con: duckdb.DuckDBPyConnection, statement: str, file: DeliveredFile) -> list[str]:
    import duckdb

    try:
        con.execute(statement)
    except duckdb.Error as error:
        if INEXACT_ID not in str(error):
            raise
        return [f"{shown_name(file.name)}: {INEXACT_ID}. Ask the register's owner for ids written as text."]
    return []


def stream_problems(file: DeliveredFile, rows: RowStream) -> list[str]:
    """Return a message for each reason why a file could not be read to its end."""
    return [
        f"{shown_name(file.name)} could not be read to its end, after {rows.rows:,} rows: {problem} Copy the delivery "
        "again, or ask the register's owner."
        for problem in rows.problems
    ]


def delivered_texts(source: Source, file: DeliveredFile) -> dict[str, str]:
    """Return the SQL that gives each column's delivered text from the stream `incoming`."""
    if source.format == "csv":
        return {name: quoted_name(name) for name in source.columns}
    return {
        name: delivered_text(name, file.kinds[name], column, source.decimal) for name, column in source.columns.items()
    }


def _validated_rows(
    source: Source, file: DeliveredFile, reasons: Verdicts, origin: dt.date | None, keep_blanks: bool
) -> str:
    """Return the query from the stream `incoming` to rows of `validated`."""
    delivered = delivered_texts(source, file)
    trimmed = {
        name: text if source.format == "csv" or file.kinds[name] in _NUMBERS else _without_blanks(text)
        for name, text in delivered.items()
    }
    more = ""
    if keep_blanks:
        # The text itself is not kept: this alone distinguishes an empty cell from one that could not be read.
        empty = ", ".join(f"{quoted_name(f'text of {name}')} IS NULL" for name in source.columns)
        more = f", CASE WHEN broken IS NOT NULL THEN [{empty}] END AS blanks"
    return typed_rows(source, file.number, trimmed, reasons, origin, more=more)


_NUMBERS = ("boolean", "integer", "float", "single", "decimal")
"""Kinds whose text is neither empty nor has blanks around it."""

_BLANK = "[" + "".join(rf"\x{{{ord(blank):x}}}" for blank in BLANKS) + "]"


def _without_blanks(text: str) -> str:
    """Return the SQL of a text without blanks around it, NULL when nothing is left; few have any, and `trim` takes long."""
    trimmed = f"nullif(trim({text}, {text_literal(BLANKS)}), '')"
    return f"CASE WHEN {text} = '' OR regexp_matches({text}, '^{_BLANK}|{_BLANK}$') THEN {trimmed} ELSE {text} END"


def typed_rows(
    source: Source,
    number: int,
    trimmed: Mapping[str, str],
    reasons: Verdicts,
    origin: dt.date | None,
    *,
    more: str = "",
) -> str:
    """Return the query from delivered text to typed values, with the first reason for which a row alone is rejected.

    Parameters
    ----------
    number
        The file's number.
    trimmed
        SQL of each column's text from the relation `incoming`, without blanks around it and never empty.
    more
        SQL of further columns; the text of each column is called `text of <name>`.
    """
    texts = [f"{text} AS {quoted_name(name)}" for name, text in trimmed.items()]
    values = [
        f"{typed_value(name, column, source.decimal, origin)} AS {quoted_name(name)}"
        for name, column in source.columns.items()
    ]
    kept = [f"{quoted_name(name)} AS {quoted_name(f'text of {name}')}" for name in source.columns]
    rows = f"SELECT CAST({number} AS INTEGER) AS file_no, source_row, unreadable, {', '.join(texts)} FROM incoming"
    rows = f"SELECT file_no, source_row, unreadable, {', '.join(kept + values)}\nFROM (\n{rows}\n)"
    rows = f"SELECT *{_period_bounds(source)}\nFROM (\n{rows}\n)"
    rows = _half_open(source, checked_rows(reasons, rows))
    types = _value_types(source)
    names = ", ".join(
        f"CAST({quoted_name(name)} AS {types[name]}) AS {quoted_name(name)}" for name in value_columns(source)
    )
    return f"SELECT file_no, source_row, broken, repairs, {names}{more}\nFROM (\n{ruled_rows(source, reasons, rows)}\n)"


def _compare(con: duckdb.DuckDBPyConnection, source: Source, reasons: Verdicts, n_files: int) -> None:
    """Apply the rules that compare rows, and collect what is rejected in the table `rejected`."""
    con.execute("CREATE TABLE hits (file_no INTEGER, source_row BIGINT, number SMALLINT)")
    con.execute("CREATE TABLE extended (file_no INTEGER, source_row BIGINT, new_stop DATE)")
    for statement in comparisons(source, reasons, n_files):
        con.execute(statement)
    con.execute(
        "CREATE TABLE rejected AS SELECT file_no, source_row, coalesce(number, broken) AS number "
        "FROM validated LEFT JOIN hits USING (file_no, source_row) WHERE broken IS NOT NULL OR number IS NOT NULL"
    )


def _period_bounds(source: Source) -> str:
    """Add the days that an event or an accumulated amount covers; spells and fixed rows have no need of it."""
    if source.temporality == "event":
        return ", CAST(start + 1 AS DATE) AS stop"
    if source.is_by_period:
        monthly = source.columns["period"].type == "month"
        first = "make_date(period // 100, period % 100, 1)" if monthly else "make_date(period, 1, 1)"
        length = "INTERVAL 1 MONTH" if monthly else "INTERVAL 1 YEAR"
        return f", {first} AS start, CAST({first} + {length} AS DATE) AS stop"
    return ""


def _half_open(source: Source, rows: str) -> str:
    """Convert the delivered last day of a spell into the first day after it; the year 9999 means that it is open."""
    column = source.columns.get("stop")
    if source.temporality != "spell" or column is None or column.type != "date":
        return rows
    ahead = 1 if column.inclusive else 0
    stop = f"CASE WHEN year(stop) < {OPEN_YEAR} THEN CAST(stop + {ahead} AS DATE) END"
    return f"SELECT * REPLACE ({stop} AS stop)\nFROM (\n{rows}\n)"


def value_columns(source: Source) -> list[str]:
    """List the clean register's columns except the row's origin: person, dates, then the rest in the source's order."""
    first = ["person_id"] if source.temporality == "fixed" else ["person_id", "start", "stop"]
    return first + [name for name in source.columns if name not in first]


def _value_types(source: Source) -> dict[str, str]:
    return {"start": "DATE", "stop": "DATE"} | {name: SQL_TYPES[column.type] for name, column in source.columns.items()}


def _clean_rows(source: Source) -> str:
    names = value_columns(source)
    columns = [quoted_name(name) for name in names]
    joins = ""
    if any(isinstance(rule, Overlap) and rule.keep == "merge" for rule in source.rules):
        index = names.index("stop")
        columns[index] = "CASE WHEN extended.file_no IS NULL THEN stop ELSE new_stop END AS stop"
        joins = " LEFT JOIN extended USING (file_no, source_row)"
    return (
        f"SELECT {', '.join(columns)}, source_file, source_row FROM validated JOIN files USING (file_no) "
        f"ANTI JOIN hits USING (file_no, source_row){joins} WHERE broken IS NULL"
    )
