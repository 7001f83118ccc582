"""Ingest one register: delivered files in, clean rows and rejects out, and the proof that none was lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import Overlap, PersonNotListed, Source
from refino_eval.errors import raise_faults
from refino_eval.registers.formats import DeliveredFile, RowStream, check_files, find_files, listed_ids, rows_of
from refino_eval.registers.reports import FileCount, IngestReport, RuleCount
from refino_eval.registers.rules import (
    OPEN_YEAR,
    Verdicts,
    checked_rows,
    comparisons,
    listed_table,
    repair_names,
    rule_faults,
    ruled_rows,
    verdicts,
)
from refino_eval.registers.types import (
    INEXACT_ID,
    ORIGINS,
    SQL_TYPES,
    delivered_text,
    identifier,
    literal,
    typed_value,
)

if TYPE_CHECKING:
    import duckdb

_LARGE = 200_000_000
"""Bytes of delivered files from which the rows of a register are kept in a file while they are worked on."""


def ingest(
    source: Source,
    folder: Path,
    *,
    codelists: Mapping[str, Codelist],
    clean_path: Path,
    rejects_path: Path,
    origin: dt.date | None = None,
    threads: int = 2,
    memory_limit: str = "1200MB",
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
        What the engine may use; the files do not depend on them. The process needs some hundred megabytes beside it.

    Raises
    ------
    UserFault
        When the delivery or the source's configuration cannot be read; a paragraph for each fault.
    RuntimeError
        When clean and rejected rows do not add up to the delivered ones.
    """
    raise_faults(rule_faults(source, codelists, origin))
    files = check_files(source, find_files(source, folder))
    large = sum(file.path.stat().st_size for file in files) > _LARGE
    with contextlib.ExitStack() as stack:
        clean_part, rejects_part = (stack.enter_context(_part(path)) for path in (clean_path, rejects_path))
        con = stack.enter_context(
            _engine([clean_part.parent, rejects_part.parent], threads, memory_limit, on_disk=large)
        )
        _check_date_formats(con, source)
        reasons = verdicts(source, codelists)
        _load_lists(con, source, folder)
        counts = _load(con, source, files, reasons, origin, threads)
        _compare(con, source, reasons, len(files))
        _fetch_rejected(con, source, files, threads)
        _write(con, _rejects_query(source, reasons), rejects_part)
        _write(con, _clean_query(source), clean_part)
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
def _engine(
    folders: Sequence[Path], threads: int, memory_limit: str, *, on_disk: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine that may touch nothing but the given folders; a large register's rows stand on disk."""
    import duckdb

    settings = {"threads": threads, "memory_limit": memory_limit, "temp_directory": str(folders[0] / "spill")}
    con = duckdb.connect(str(folders[0] / "rows.duckdb") if on_disk else ":memory:", config=settings)
    try:
        allowed = ", ".join(literal(f"{folder}/") for folder in folders)
        con.execute(f"SET allowed_directories = [{allowed}]")
        con.execute("SET enable_external_access = false")
        if on_disk:
            # The file lives for a minute: to pack it well takes longer than to write it.
            con.execute("SET force_compression = 'uncompressed'")
        # Rows carry their own numbers and every output is sorted: the order of insertion needs no memory.
        con.execute("SET preserve_insertion_order = false")
        yield con
    finally:
        con.close()


def _check_date_formats(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    import duckdb

    faults = []
    for name, column in source.columns.items():
        if column.type == "date" and column.date_format not in ORIGINS:
            form = literal(column.date_format)
            try:
                day = con.execute(f"SELECT strptime(strftime(DATE '2001-12-31', {form}), {form})::DATE").fetchall()[0][
                    0
                ]
            except duckdb.Error:
                day = None
            if day != dt.date(2001, 12, 31):
                faults.append(
                    f"config/sources/{source.register_name}.yaml: column {name} has the date_format '{column.date_format}', "
                    f"which does not tell year, month and day. Write it like %Y-%m-%d or %d.%m.%Y, or as one of "
                    f"{', '.join(ORIGINS)}."
                )
    raise_faults(faults)


def _load(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    files: Sequence[DeliveredFile],
    reasons: Verdicts,
    origin: dt.date | None,
    threads: int,
) -> tuple[FileCount, ...]:
    """Read all files into the table `judged`: typed values, and for each row the first reason it gives by itself.

    Delivered text is not kept: rows that are rejected are read a second time, and they are few.
    """
    con.execute("CREATE TABLE files (file_no INTEGER, source_file VARCHAR)")
    counts = []
    faults: list[str] = []
    made = False
    for file in files:
        rows = rows_of(source, file, trimmed=True, threads=threads)
        con.execute("INSERT INTO files VALUES (?, ?)", [file.number, file.name])
        con.register("incoming", rows.reader())
        into = "INSERT INTO judged" if made else "CREATE TABLE judged AS"
        told = _insert(con, f"{into} {_judged_rows(source, file, reasons, origin)}", file)
        made = made or not told
        con.unregister("incoming")
        faults += told or _stream_faults(file, rows)
        counts.append(FileCount(file.name, rows.rows))
    raise_faults(faults)
    return tuple(counts)


def _load_lists(con: duckdb.DuckDBPyConnection, source: Source, folder: Path) -> None:
    """Make a table of ids for each rule that names a list of people."""
    column = source.columns["person_id"]
    ids = typed_value("person_id", column, source.decimal, None)
    for rule in source.rules:
        if isinstance(rule, PersonNotListed):
            con.register("listed", pa.table({"id": pa.array(listed_ids(source, folder / rule.file), pa.string())}))
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
        return [f"{file.name}: {INEXACT_ID}. Ask the register's owner for ids written as text."]
    return []


def _stream_faults(file: DeliveredFile, rows: RowStream) -> list[str]:
    return [
        f"{file.name} could not be read to its end, after {rows.rows} rows: {fault} Copy the delivery again, or ask its owner."
        for fault in rows.faults
    ]


def _texts(source: Source, file: DeliveredFile) -> dict[str, str]:
    """Return the SQL that gives each column's delivered text from the stream `incoming`."""
    if source.format == "csv":
        return {name: identifier(name) for name in source.columns}
    return {
        name: delivered_text(name, file.kinds[name], column, source.decimal) for name, column in source.columns.items()
    }


def _judged_rows(source: Source, file: DeliveredFile, reasons: Verdicts, origin: dt.date | None) -> str:
    """Return the query from the stream `incoming` to rows of `judged`."""
    delivered = _texts(source, file)
    trimmed = {
        name: text if source.format == "csv" else f"nullif(trim({text}, ' \t'), '')" for name, text in delivered.items()
    }
    texts = [f"{text} AS {identifier(name)}" for name, text in trimmed.items()]
    values = [
        f"{typed_value(name, column, source.decimal, origin)} AS {identifier(name)}"
        for name, column in source.columns.items()
    ]
    kept = [f"{identifier(name)} AS {identifier('text_' + name)}" for name in source.columns]
    rows = f"SELECT CAST({file.number} AS INTEGER) AS file_no, source_row, unreadable, {', '.join(texts)} FROM incoming"
    rows = f"SELECT file_no, source_row, unreadable, {', '.join(kept + values)}\nFROM (\n{rows}\n)"
    rows = f"SELECT *{_period_bounds(source)}\nFROM (\n{rows}\n)"
    rows = _half_open(source, checked_rows(reasons, rows))
    types = _value_types(source)
    names = ", ".join(
        f"CAST({identifier(name)} AS {types[name]}) AS {identifier(name)}" for name in _value_columns(source)
    )
    return f"SELECT file_no, source_row, broken, repairs, {names}\nFROM (\n{ruled_rows(source, reasons, rows)}\n)"


def _compare(con: duckdb.DuckDBPyConnection, source: Source, reasons: Verdicts, n_files: int) -> None:
    """Carry out the rules that compare rows, and gather what is rejected in the table `rejected`."""
    con.execute("CREATE TABLE hits (file_no INTEGER, source_row BIGINT, number SMALLINT)")
    con.execute("CREATE TABLE extended (file_no INTEGER, source_row BIGINT, new_stop DATE)")
    for statement in comparisons(source, reasons, n_files):
        con.execute(statement)
    con.execute(
        "CREATE TABLE rejected AS SELECT file_no, source_row, coalesce(number, broken) AS number "
        "FROM judged LEFT JOIN hits USING (file_no, source_row) WHERE broken IS NOT NULL OR number IS NOT NULL"
    )


def _fetch_rejected(
    con: duckdb.DuckDBPyConnection, source: Source, files: Sequence[DeliveredFile], threads: int
) -> None:
    """Read the rejected rows again, as they were delivered, into the table `delivered`."""
    columns = ", ".join(f"{identifier(name)} VARCHAR" for name in source.columns)
    con.execute(f"CREATE TABLE delivered (file_no INTEGER, source_row BIGINT, {columns})")
    faults: list[str] = []
    for file in files:
        query = "SELECT source_row FROM rejected WHERE file_no = ? ORDER BY source_row"
        wanted = con.execute(query, [file.number]).fetchnumpy()["source_row"]
        if not len(wanted):
            continue
        rows = rows_of(source, file, trimmed=False, threads=threads, wanted=wanted)
        con.register("incoming", rows.reader())
        texts = ", ".join(_texts(source, file).values())
        con.execute(f"INSERT INTO delivered SELECT {file.number}, source_row, {texts} FROM incoming")
        con.unregister("incoming")
        faults += _stream_faults(file, rows)
    raise_faults(faults)


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


def _value_types(source: Source) -> dict[str, str]:
    return {"start": "DATE", "stop": "DATE"} | {name: SQL_TYPES[column.type] for name, column in source.columns.items()}


def _clean_query(source: Source) -> str:
    names = _value_columns(source)
    columns = [identifier(name) for name in names]
    joins = ""
    if any(isinstance(rule, Overlap) and rule.keep == "merge" for rule in source.rules):
        place = names.index("stop")
        columns[place] = "CASE WHEN extended.file_no IS NULL THEN stop ELSE new_stop END AS stop"
        joins = " LEFT JOIN extended USING (file_no, source_row)"
    order = [f"{identifier(name)} NULLS LAST" for name in names if name in ("person_id", "start", "stop")]
    return (
        f"SELECT {', '.join(columns)}, source_file, source_row FROM judged JOIN files USING (file_no) "
        f"ANTI JOIN hits USING (file_no, source_row){joins} WHERE broken IS NULL "
        f"ORDER BY {', '.join([*order, 'source_file', 'source_row'])}"
    )


def _rejects_query(source: Source, reasons: Verdicts) -> str:
    columns = ", ".join(f"delivered.{identifier(name)} AS {identifier(name)}" for name in source.columns)
    rules, named = (
        "[" + ", ".join(literal(text.split(":", 1)[place]) for text in reasons.texts) + "]" for place in (0, 1)
    )
    return (
        f"SELECT source_file, source_row, {rules}[number + 1] AS rule, {named}[number + 1] AS rule_column, {columns} "
        f"FROM rejected JOIN delivered USING (file_no, source_row) JOIN files USING (file_no) "
        f"ORDER BY source_file, source_row"
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
        "SELECT rule, count(*), count(DISTINCT nullif(trim(person_id, ' \t'), '')) "
        f"FROM read_parquet({literal(str(rejects_path))}) GROUP BY rule ORDER BY rule"
    ).fetchall()
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
        people=_people(clean_path),
        rules=tuple(RuleCount(*row) for row in rules),
        files=files,
        repairs=_repairs(con, source),
    )


def _people(clean_path: Path) -> int:
    """Count the people of a clean register, which is sorted by person: those that differ from the row before."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    people = 0
    before: str | None = None
    for batch in pq.ParquetFile(clean_path).iter_batches(columns=["person_id"]):
        ids = batch.column(0)
        if not len(ids):
            continue
        changes = pc.sum(pc.not_equal(ids[1:], ids[:-1])).as_py() or 0
        people += changes + (ids[0].as_py() != before)
        before = ids[-1].as_py()
    return people


def _repairs(con: duckdb.DuckDBPyConnection, source: Source) -> tuple[RuleCount, ...]:
    """Count the clean rows that each repair changed, and the spells that absorbed others."""
    clean = "FROM judged ANTI JOIN hits USING (file_no, source_row)"
    counts = "SELECT count(*), count(DISTINCT person_id)"
    found = []
    for place, name in enumerate(repair_names(source)):
        query = f"{counts} {clean} WHERE broken IS NULL AND (repairs & {1 << place}) > 0"
        found.append((name, con.execute(query).fetchall()[0]))
    joined = f"{counts} FROM judged SEMI JOIN extended USING (file_no, source_row)"
    if any(isinstance(rule, Overlap) for rule in source.rules):
        found.append(("overlap", con.execute(joined).fetchall()[0]))
    return tuple(RuleCount(name, *count) for name, count in found if count[0])
