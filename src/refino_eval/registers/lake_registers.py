"""Clean a register where it lies: a Spark server reads delivered parquet or text files from its address in a data lake.

Types, codes and rules are the SQL of every other register, translated. What compares rows in an order of files and lines
cannot be the same there, since Spark knows neither; `lake_problems` refuses it before anything runs.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.codes.codelists import Codelist
from refino_eval.config.sources import DuplicateRow, Source
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.registers.ingest_report import FileCount, IngestReport, RuleCount
from refino_eval.registers.lake_limits import lake_problems
from refino_eval.registers.readers.value_kinds import BLANKS
from refino_eval.registers.rules import repair_names, rule_problems, verdicts
from refino_eval.registers.types import delivered_text
from refino_eval.registers.validation import typed_rows, value_columns
from refino_eval.sql.isolated_engine import isolated_engine
from refino_eval.sql.quoting import quoted_name, text_literal
from refino_eval.sql.spark_server import spark_session, spark_sql

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.session import SparkSession

_KINDS = {
    "string": "text",
    "tinyint": "integer",
    "smallint": "integer",
    "int": "integer",
    "bigint": "integer",
    "date": "date",
    "decimal": "decimal",
}
"""Spark's types of columns, and the kinds of `delivered_text` that they are."""

_CORRUPT = "_corrupt_record"


def check_lake_columns(source: Source) -> int:
    """Open a register in a lake, check that every listed column is there in a readable type, and count its columns."""
    with spark_session() as session:
        return len(_texts(source, _read(session, source)))


def ingest_from_lake(
    source: Source,
    *,
    codelists: Mapping[str, Codelist],
    clean_path: Path,
    rejects_path: Path,
    origin: dt.date | None = None,
    threads: int = 2,
    memory_limit: str = "1200MB",
) -> IngestReport:
    """Read a register from its address in a lake, and write its clean rows and its rejects.

    Parameters
    ----------
    source
        The register; `lake` is its address, and the server must be able to read it.
    codelists, clean_path, rejects_path, origin, threads, memory_limit
        As for `refino_eval.registers.ingest.ingest`, whose files these are. Two things differ: Spark knows no lines, so
        `source_row` numbers a person's rows in the order of their text; and rejects hold the text without blanks around it.

    Raises
    ------
    UserError
        For what cannot be read from a lake, and for columns that are not there.
    RuntimeError
        When clean and rejected rows do not add up to the delivered ones.
    """
    assert source.lake is not None
    raise_problems([*rule_problems(source, codelists, origin), *lake_problems({source.register_name: source}, "spark")])
    clean_path.parent.mkdir(parents=True, exist_ok=True)
    rejects_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lake_", dir=clean_path.parent) as work:
        folder = Path(work)
        with spark_session() as session:
            delivered = _read(session, source)
            delivered.createOrReplaceTempView("delivered")
            texts = _texts(source, delivered)
            session.sql(_incoming(source, texts)).createOrReplaceTempView("incoming")
            columns = ["file_no", "source_row", "unreadable", *source.columns]
            query = spark_sql(_rows(source, codelists, origin), schema={"incoming": columns})
            session.sql(query).write.parquet(f"file://{(folder / 'rows').resolve()}")
        with isolated_engine([folder], threads=threads, memory_limit=memory_limit) as con:
            report = _split(con, source, codelists, folder)
        os.replace(folder / "clean.parquet", clean_path)
        os.replace(folder / "rejects.parquet", rejects_path)
    return report


def _read(session: SparkSession, source: Source) -> DataFrame:
    """Open the register on the server; columns have their delivered names, and text files an additional one."""
    assert source.lake is not None
    if source.format == "parquet":
        return session.read.parquet(source.lake)
    # A line with too few or too many fields is kept whole in a column of its own, and rejected.
    reader = session.read.option("header", True).option("sep", source.delimiter).option("escape", '"')
    reader = reader.option(
        "encoding", {"latin-1": "ISO-8859-1", "cp1252": "windows-1252"}.get(source.encoding, "UTF-8")
    )
    names = reader.csv(source.lake).columns
    fields = ", ".join(f"`{name}` STRING" for name in [*names, _CORRUPT])
    return reader.schema(fields).option("columnNameOfCorruptRecord", _CORRUPT).csv(source.lake)


def _texts(source: Source, delivered: DataFrame) -> dict[str, str]:
    """Return the SQL that gives each column's delivered text."""
    where = f"The register '{source.register_name}' at {source.lake}"
    # A decimal's type ends with its digits.
    types = {name: kind.split("(")[0] for name, kind in delivered.dtypes}
    problems = []
    for name, column in source.columns.items():
        if column.source not in types:
            problems.append(
                f"{where} has no column '{column.source}', which is read as {name}.{nearest(column.source, types)} Correct "
                f"`from` in config/sources/{source.register_name}.yaml."
            )
        elif types[column.source] not in _KINDS:
            problems.append(
                f"{where} holds the column '{column.source}' as {types[column.source]}, and only text, whole numbers, "
                "decimals and dates can be read from a lake. Write the column as text, or deliver the register as files (`files`)."
            )
    if problems:
        raise UserError(*problems)
    return {
        name: delivered_text(column.source, _KINDS[types[column.source]], column, source.decimal)
        for name, column in source.columns.items()
    }


def _incoming(source: Source, texts: Mapping[str, str]) -> str:
    """Write the query for the trimmed texts of all rows, a person's numbered in their order."""
    unreadable = f"{_CORRUPT} IS NOT NULL" if source.format == "csv" else "FALSE"
    # Fields of a line with too few or too many of them may be anybody's: nothing of it is taken for a value.
    trimmed = [
        f"CASE WHEN NOT ({unreadable}) THEN nullif(trim({text}, {text_literal(BLANKS)}), '') END AS {quoted_name(name)}"
        for name, text in texts.items()
    ]
    names = ", ".join(map(quoted_name, source.columns))
    return spark_sql(
        f"SELECT 0 AS file_no, row_number() OVER (PARTITION BY person_id ORDER BY {names}) AS source_row, unreadable, {names} "
        f"FROM (SELECT {unreadable} AS unreadable, {', '.join(trimmed)} FROM delivered) AS texts"
    )


def _rows(source: Source, codelists: Mapping[str, Codelist], origin: dt.date | None) -> str:
    """Write the query for typed values and texts of all rows, and the number of the first reason to reject each."""
    reasons = verdicts(source, codelists)
    kept = "".join(f", {quoted_name(f'text of {name}')}" for name in source.columns)
    texts = {name: quoted_name(name) for name in source.columns}
    rows = typed_rows(source, 0, texts, reasons, origin, more=kept)
    repeated = ", ".join(map(quoted_name, source.columns))
    for number, rule in reasons.rules.items():
        if isinstance(rule, DuplicateRow):
            seen = f"(broken IS NULL OR broken > {number})"
            place = f"row_number() OVER (PARTITION BY {seen}, {repeated} ORDER BY source_row)"
            rows = (
                f"SELECT * REPLACE (CASE WHEN {seen} AND {place} > 1 THEN CAST({number} AS SMALLINT) ELSE broken END AS broken) "
                f"FROM ({rows})"
            )
    return rows


def _split(
    con: duckdb.DuckDBPyConnection, source: Source, codelists: Mapping[str, Codelist], folder: Path
) -> IngestReport:
    """Write clean rows and rejects from the server's rows, sorted, and count them."""
    assert source.lake is not None
    reasons = verdicts(source, codelists)
    name = source.lake.rstrip("/").rsplit("/", 1)[-1]
    con.execute(
        f"CREATE VIEW rows AS SELECT *, {text_literal(name)} AS source_file FROM "
        f"read_parquet({text_literal(f'{folder}/rows/*.parquet')})"
    )
    rule, column = (
        f"[{', '.join(text_literal(text.split(':', 1)[part]) for text in reasons.texts)}][broken + 1]"
        for part in (0, 1)
    )
    values = value_columns(source)
    order = [f"{quoted_name(key)} NULLS LAST" for key in values if key in ("person_id", "start", "stop")]
    clean = f"SELECT {', '.join(map(quoted_name, values))}, source_file, CAST(source_row AS BIGINT) AS source_row FROM rows "
    clean += f"WHERE broken IS NULL ORDER BY {', '.join([*order, 'source_row'])}"
    texts = ", ".join(f"{quoted_name(f'text of {key}')} AS {quoted_name(key)}" for key in source.columns)
    rejects = f"SELECT source_file, CAST(source_row AS BIGINT) AS source_row, {rule} AS rule, {column} AS rule_column, {texts} "
    rejects += f"FROM rows WHERE broken IS NOT NULL ORDER BY {quoted_name('text of person_id')}, source_row"
    for query, target in ((clean, "clean"), (rejects, "rejects")):
        path = text_literal(f"{folder}/{target}.parquet")
        con.execute(f"COPY ({query}) TO {path} (FORMAT parquet, COMPRESSION zstd, PRESERVE_ORDER true)")

    ((delivered, kept, people),) = con.execute(
        "SELECT count(*), count(*) FILTER (broken IS NULL), count(DISTINCT person_id) FILTER (broken IS NULL) FROM rows"
    ).fetchall()
    rules = con.execute(
        f"SELECT {rule} AS rule, count(*), count(DISTINCT {quoted_name('text of person_id')}) FROM rows "
        "WHERE broken IS NOT NULL GROUP BY rule ORDER BY rule"
    ).fetchall()
    if delivered != kept + sum(rows for _, rows, _ in rules):
        raise RuntimeError(
            f"register {source.register_name}: clean and rejected rows do not add up to the delivered ones"
        )
    return IngestReport(
        register=source.register_name,
        delivered=delivered,
        clean=kept,
        rejected=delivered - kept,
        people=people,
        rules=tuple(RuleCount(*row) for row in rules),
        files=(FileCount(name, delivered),),
        repairs=tuple(_repairs(con, source)),
    )


def _repairs(con: duckdb.DuckDBPyConnection, source: Source) -> Iterator[RuleCount]:
    for bit, name in enumerate(repair_names(source)):
        query = (
            f"SELECT count(*), count(DISTINCT person_id) FROM rows WHERE broken IS NULL AND (repairs & {1 << bit}) > 0"
        )
        ((rows, people),) = con.execute(query).fetchall()
        if rows:
            yield RuleCount(name, rows, people)
