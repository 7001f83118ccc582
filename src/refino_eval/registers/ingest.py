"""Ingest one register: read the delivered files, write clean rows and rejects, and check that no row was lost."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import Source
from refino_eval.errors import raise_problems
from refino_eval.registers.ingest_report import FileCount, IngestReport, RuleCount
from refino_eval.registers.readers.delivered_files import rows_of
from refino_eval.registers.readers.file_search import shown_name
from refino_eval.registers.readers.value_kinds import BLANKS
from refino_eval.registers.register_files import find_files
from refino_eval.registers.validation import Validated, delivered_texts, stream_problems, validate_rows, value_columns
from refino_eval.sql.quoting import quoted_name, text_literal

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
    memory_limit: str = "1200MB",
) -> IngestReport:
    """Read a register's delivery, and write its clean rows and its rejects.

    Both files appear whole or not at all. The engine has access to its temporary folders alone, which are next to the
    two files and are removed; what does not fit into memory is spilled there.

    Parameters
    ----------
    folder
        The delivery's folder, in which the source's patterns are searched for.
    codelists
        The code lists that the source's columns name, by name.
    clean_path
        Clean rows: `person_id`; `start` and exclusive `stop` where the register has dates; the other columns under
        their inside names; `source_file`, `source_row`. Sorted by person, dates, file and row.
    rejects_path
        Rejected rows: `source_file`, `source_row`, `rule`, `rule_column` (empty where the rule has none), and the
        delivered columns as text. Sorted by file and row.
    origin
        The draw date, for columns that count weeks since the draw.
    threads, memory_limit
        Limits of the engine; the files do not depend on them. The process needs some hundred megabytes more.

    Raises
    ------
    UserError
        When the delivery or the source's configuration cannot be read; a paragraph for each problem.
    RuntimeError
        When clean and rejected rows do not add up to the delivered ones.
    """
    find_files(source, folder)  # no folder is made for a delivery that is not there
    with contextlib.ExitStack() as stack:
        clean_part, rejects_part = (stack.enter_context(_part(path)) for path in (clean_path, rejects_path))
        validated = stack.enter_context(
            validate_rows(
                source,
                folder,
                codelists=codelists,
                work=[clean_part.parent, rejects_part.parent],
                origin=origin,
                threads=threads,
                memory_limit=memory_limit,
            )
        )
        _fetch_rejected(validated)
        _write(validated.con, _rejects_query(validated), rejects_part)
        _write(validated.con, _clean_query(validated), clean_part)
        report = _report(validated, clean_part, rejects_part)
        os.replace(clean_part, clean_path)
        os.replace(rejects_part, rejects_path)
    return report


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Yield a path in a private folder next to the target, so that moving it there is one step of the file system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        yield Path(folder) / path.name


def _fetch_rejected(validated: Validated) -> None:
    """Read the rejected rows again, as they were delivered, into the table `delivered`.

    Delivered text is not kept while rows are validated, since only the rejected, which are few, need it.
    """
    con, source = validated.con, validated.source
    columns = ", ".join(f"{quoted_name(name)} VARCHAR" for name in source.columns)
    con.execute(f"CREATE TABLE delivered (file_no INTEGER, source_row BIGINT, {columns})")
    problems: list[str] = []
    for file in validated.files:
        query = "SELECT source_row FROM rejected WHERE file_no = ? ORDER BY source_row"
        wanted = con.execute(query, [file.number]).fetchnumpy()["source_row"]
        if not len(wanted):
            continue
        rows = rows_of(file, trimmed=False, threads=validated.threads, wanted=wanted)
        con.register("incoming", rows.reader())
        texts = ", ".join(delivered_texts(source, file).values())
        con.execute(f"INSERT INTO delivered SELECT {file.number}, source_row, {texts} FROM incoming")
        con.unregister("incoming")
        problems += stream_problems(file, rows)
    raise_problems(problems)


def _clean_query(validated: Validated) -> str:
    sorted_by = [name for name in value_columns(validated.source) if name in ("person_id", "start", "stop")]
    order = [f"{quoted_name(name)} NULLS LAST" for name in sorted_by]
    return f"SELECT * FROM clean ORDER BY {', '.join([*order, 'source_file', 'source_row'])}"


def _rejects_query(validated: Validated) -> str:
    columns = ", ".join(f"delivered.{quoted_name(name)} AS {quoted_name(name)}" for name in validated.source.columns)
    rule, column = validated.reason("number")
    return (
        f"SELECT source_file, source_row, {rule} AS rule, {column} AS rule_column, {columns} "
        f"FROM rejected JOIN delivered USING (file_no, source_row) JOIN files USING (file_no) "
        f"ORDER BY source_file, source_row"
    )


def _write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    # Row groups follow the order of the sorted rows only if the engine keeps it.
    con.execute(f"COPY ({query}) TO {text_literal(str(path))} (FORMAT parquet, COMPRESSION zstd, PRESERVE_ORDER true)")


def _report(validated: Validated, clean_path: Path, rejects_path: Path) -> IngestReport:
    """Count what was written, from the written files themselves, against what was read."""
    import pyarrow.parquet as pq

    delivered = sum(file.rows for file in validated.counts)
    clean, rejected = (pq.read_metadata(path).num_rows for path in (clean_path, rejects_path))
    rules = validated.con.execute(
        f"SELECT rule, count(*), count(DISTINCT nullif(trim(person_id, {text_literal(BLANKS)}), '')) "
        f"FROM read_parquet({text_literal(str(rejects_path))}) GROUP BY rule ORDER BY rule"
    ).fetchall()
    if delivered != clean + rejected or rejected != sum(rows for _, rows, _ in rules):
        raise RuntimeError(
            f"register {validated.source.register_name}: {delivered} rows were delivered, but {clean} clean and {rejected} rejected "
            f"were written: rows were lost or doubled"
        )
    return IngestReport(
        register=validated.source.register_name,
        delivered=delivered,
        clean=clean,
        rejected=rejected,
        people=_people(clean_path),
        rules=tuple(RuleCount(*row) for row in rules),
        files=tuple(FileCount(shown_name(file.file), file.rows) for file in validated.counts),
        repairs=validated.repairs(),
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
