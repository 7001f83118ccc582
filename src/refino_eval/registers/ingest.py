"""Ingest one register: delivered files in, clean rows and rejects out, and the proof that none was lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import Source
from refino_eval.errors import raise_faults
from refino_eval.registers.formats import (
    SEPARATOR,
    DeliveredFile,
    RowStream,
    check_files,
    find_files,
    parquet_rows,
    text_rows,
)
from refino_eval.registers.reports import FileCount, IngestReport, RuleCount
from refino_eval.registers.rules import OPEN_YEAR, rule_faults, rule_statements, type_verdict
from refino_eval.registers.types import INEXACT_ID, SQL_TYPES, delivered_text, identifier, literal, typed_value

if TYPE_CHECKING:
    import duckdb


def ingest(
    source: Source,
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    clean_path: Path,
    rejects_path: Path,
    origin: dt.date | None = None,
    threads: int = 2,
    memory_limit: str = "2GB",
) -> IngestReport:
    """Read a register's delivery, and write its clean rows and its rejects.

    Both files appear whole or not at all. The engine may read and write nothing but its own temporary folders, which
    stand beside the two files and are removed; what does not fit into memory is spilled there.

    Parameters
    ----------
    folder
        The delivery's folder, where the source's patterns are looked for.
    codelists
        The lists that the source's columns name, by name.
    clean_path
        Clean rows: `person_id`; `start` and exclusive `stop` where the register has dates; the other columns under
        their inside names; `source_file`, `source_row`. Sorted by person, dates, file and row.
    rejects_path
        Rejected rows: `source_file`, `source_row`, `rule`, `rule_column` (empty where the rule has none), and the
        delivered columns as text. Sorted by file and row.
    origin
        The draw date, for columns that count weeks since the draw.
    threads, memory_limit
        What the engine may use; the files do not depend on them.

    Raises
    ------
    UserFault
        When the delivery or the source's configuration cannot be read; a paragraph for each fault.
    RuntimeError
        When clean and rejected rows do not add up to the delivered ones.
    """
    raise_faults(rule_faults(source, codelists, origin))
    files = check_files(source, find_files(source, folder))
    with contextlib.ExitStack() as stack:
        clean_part, rejects_part = (stack.enter_context(_part(path)) for path in (clean_path, rejects_path))
        con = stack.enter_context(_engine([clean_part.parent, rejects_part.parent], threads, memory_limit))
        _check_date_formats(con, source)
        counts = _load(con, source, files)
        _judge(con, source, codelists, files, origin)
        _write(con, _clean_query(source), clean_part)
        _write(con, _rejects_query(source), rejects_part)
        report = _report(con, source, counts, clean_part, rejects_part)
        os.replace(clean_part, clean_path)
        os.replace(rejects_part, rejects_path)
    return report


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Give a path in a private folder beside the target, so that moving it there is one step of the file system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        yield Path(folder) / path.name


@contextlib.contextmanager
def _engine(folders: Sequence[Path], threads: int, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine in memory that may touch nothing but the given folders."""
    import duckdb

    settings = {"threads": threads, "memory_limit": memory_limit, "temp_directory": str(folders[0] / "spill")}
    con = duckdb.connect(":memory:", config=settings)
    try:
        allowed = ", ".join(literal(f"{folder}/") for folder in folders)
        con.execute(f"SET allowed_directories = [{allowed}]")
        con.execute("SET enable_external_access = false")
        # Rows carry their own numbers and every output is sorted: the order of insertion needs no memory.
        con.execute("SET preserve_insertion_order = false")
        yield con
    finally:
        con.close()


def _check_date_formats(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    import duckdb

    faults = []
    for name, column in source.columns.items():
        if column.type == "date":
            form = literal(column.date_format)
            try:
                day = con.execute(f"SELECT strptime(strftime(DATE '2001-12-31', {form}), {form})::DATE").fetchone()[0]
            except duckdb.Error:
                day = None
            if day != dt.date(2001, 12, 31):
                faults.append(
                    f"config/sources/{source.register_name}.yaml: column {name} has the date_format '{column.date_format}', "
                    f"which does not tell year, month and day. Write it like %Y-%m-%d or %d.%m.%Y."
                )
    raise_faults(faults)


def _load(con: duckdb.DuckDBPyConnection, source: Source, files: Sequence[DeliveredFile]) -> tuple[FileCount, ...]:
    """Load the listed columns of all files as text into the table `delivered`; count rows as they are read."""
    columns = ", ".join(f"{identifier(name)} VARCHAR" for name in source.columns)
    con.execute(f"CREATE TABLE delivered (file_no INTEGER, source_row BIGINT, unreadable BOOLEAN, {columns})")
    con.execute("CREATE TABLE files (file_no INTEGER, source_file VARCHAR)")
    counts = []
    faults: list[str] = []
    for file in files:
        rows = text_rows(source, file) if source.format == "csv" else parquet_rows(source, file)
        con.execute("INSERT INTO files VALUES (?, ?)", [file.number, file.name])
        con.register("incoming", rows.reader())
        faults += _insert(con, f"INSERT INTO delivered {_as_text(source, file)}", file)
        con.unregister("incoming")
        faults += _stream_faults(file, rows)
        counts.append(FileCount(file.name, rows.rows))
    raise_faults(faults)
    return tuple(counts)


def _insert(con: duckdb.DuckDBPyConnection, statement: str, file: DeliveredFile) -> list[str]:
    import duckdb

    try:
        con.execute(statement)
    except duckdb.Error as error:
        if INEXACT_ID not in str(error):
            raise
        return [f"{file.name}: {INEXACT_ID}. Ask the register's owner for ids written as text."]
    return []


def _stream_faults(file: DeliveredFile, rows: RowStream) -> list[str]:
    return [
        f"{file.name} could not be read to its end, after {rows.rows} rows: {fault} Copy the delivery again, or ask its owner."
        for fault in rows.faults
    ]


def _as_text(source: Source, file: DeliveredFile) -> str:
    if source.format == "parquet":
        texts = [
            delivered_text(name, file.kinds[name], column, source.decimal) for name, column in source.columns.items()
        ]
        return f"SELECT {file.number}, source_row, FALSE, {', '.join(texts)} FROM incoming"
    parts = [f"CASE WHEN len(cut) = {file.width} THEN cut[{file.positions[name] + 1}] END" for name in source.columns]
    split = f"SELECT source_row, string_split(line, {literal(SEPARATOR)}) AS cut FROM incoming"
    return (
        f"SELECT {file.number}, source_row, len(cut) IS DISTINCT FROM {file.width}, {', '.join(parts)} FROM ({split})"
    )


def _judge(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    codelists: Mapping[str, Codelist],
    files: Sequence[DeliveredFile],
    origin: dt.date | None,
) -> None:
    """Make the table `judged`: every delivered row with its values and its verdict, NULL for clean rows."""
    values = [
        f"{typed_value(name, column, source.decimal, origin)} AS {identifier(name)}"
        for name, column in source.columns.items()
    ]
    texts = [f"nullif(trim({identifier(name)}, ' \t'), '') AS {identifier(name)}" for name in source.columns]
    kept = [f"{identifier(name)} AS {identifier('text_' + name)}" for name in source.columns]
    rows = f"SELECT file_no, source_row, unreadable, {', '.join(texts)} FROM delivered"
    rows = f"SELECT file_no, source_row, unreadable, {', '.join(kept + values)}\nFROM (\n{rows}\n)"
    rows = f"SELECT *{_period_bounds(source)}\nFROM (\n{rows}\n)"
    rows = f"SELECT *, {type_verdict(source, codelists)} AS verdict\nFROM (\n{rows}\n)"
    names = ", ".join(identifier(name) for name in _value_columns(source))
    rows = f"SELECT file_no, source_row, verdict, {names}\nFROM (\n{rows}\n)"
    con.execute(f"CREATE TABLE judged AS {_half_open(source, rows)}")
    for statement in rule_statements(source, len(files)):
        con.execute(statement)


def _period_bounds(source: Source) -> str:
    """Add the days that an event or an accumulated amount covers; spells and fixed rows have none to add."""
    if source.temporality == "event":
        return ", CAST(start + 1 AS DATE) AS stop"
    if source.temporality == "accumulated":
        monthly = source.columns["period"].type == "month"
        first = "make_date(period // 100, period % 100, 1)" if monthly else "make_date(period, 1, 1)"
        length = "INTERVAL 1 MONTH" if monthly else "INTERVAL 1 YEAR"
        return f", {first} AS start, CAST({first} + {length} AS DATE) AS stop"
    return ""


def _half_open(source: Source, rows: str) -> str:
    """Turn the delivered last day of a spell into the first day after it; the year 9999 means that it is open."""
    column = source.columns.get("stop")
    if source.temporality != "spell" or column is None or column.type != "date":
        return rows
    ahead = 1 if column.inclusive else 0
    stop = f"CASE WHEN year(stop) < {OPEN_YEAR} THEN CAST(stop + {ahead} AS DATE) END"
    return f"SELECT * REPLACE ({stop} AS stop)\nFROM (\n{rows}\n)"


def _value_columns(source: Source) -> list[str]:
    """List the clean register's columns but for the row's origin: person, dates, then the rest in the source's order."""
    first = ["person_id"] if source.temporality == "fixed" else ["person_id", "start", "stop"]
    return first + [name for name in source.columns if name not in first]


def _clean_query(source: Source) -> str:
    types = {"start": "DATE", "stop": "DATE"} | {
        name: SQL_TYPES[column.type] for name, column in source.columns.items()
    }
    names = _value_columns(source)
    columns = ", ".join(f"CAST({identifier(name)} AS {types[name]}) AS {identifier(name)}" for name in names)
    order = [f"{identifier(name)} NULLS LAST" for name in names if name in ("person_id", "start", "stop")]
    return (
        f"SELECT {columns}, source_file, source_row FROM judged JOIN files USING (file_no) WHERE verdict IS NULL "
        f"ORDER BY {', '.join([*order, 'source_file', 'source_row'])}"
    )


def _rejects_query(source: Source) -> str:
    columns = ", ".join(f"delivered.{identifier(name)} AS {identifier(name)}" for name in source.columns)
    return (
        f"SELECT source_file, source_row, split_part(verdict, ':', 1) AS rule, split_part(verdict, ':', 2) AS rule_column, "
        f"{columns} FROM (SELECT file_no, source_row, verdict FROM judged WHERE verdict IS NOT NULL) AS rejected "
        f"JOIN delivered USING (file_no, source_row) JOIN files USING (file_no) ORDER BY source_file, source_row"
    )


def _write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    # Row groups are cut in the order of the sorted rows only when the engine is told to keep an order.
    con.execute("SET preserve_insertion_order = true")
    con.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    con.execute("SET preserve_insertion_order = false")


def _report(
    con: duckdb.DuckDBPyConnection, source: Source, files: tuple[FileCount, ...], clean_path: Path, rejects_path: Path
) -> IngestReport:
    """Count what was written, from the written files themselves, against what was read."""
    import pyarrow.parquet as pq

    delivered = sum(file.rows for file in files)
    clean, rejected = (pq.read_metadata(path).num_rows for path in (clean_path, rejects_path))
    rules = con.execute(
        "SELECT split_part(verdict, ':', 1) AS rule, count(*), count(DISTINCT nullif(trim(delivered.person_id, ' \t'), '')) "
        "FROM judged JOIN delivered USING (file_no, source_row) WHERE verdict IS NOT NULL GROUP BY ALL ORDER BY rule"
    ).fetchall()
    people = con.execute("SELECT count(DISTINCT person_id) FROM judged WHERE verdict IS NULL").fetchone()[0]
    if delivered != clean + rejected or rejected != sum(rows for _, rows, _ in rules):
        raise RuntimeError(
            f"register {source.register_name}: {delivered} rows were delivered, but {clean} clean and {rejected} rejected "
            f"were written: rows were lost or doubled"
        )
    return IngestReport(
        register=source.register_name,
        delivered=delivered,
        clean=clean,
        rejected=rejected,
        people=people,
        rules=tuple(RuleCount(*row) for row in rules),
        files=files,
    )
