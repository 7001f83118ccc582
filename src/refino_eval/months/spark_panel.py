"""Run a panel's SQL text on Spark: the same text as everywhere, translated; parquet in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.months.panel_plan import Plan
from refino_eval.sql.spark_server import parquet_view, result_tables, spark_session, spark_sql

if TYPE_CHECKING:
    import pyarrow as pa

BROADCAST_UP_TO = 2_000_000
"""People up to which the cohort is sent to every worker; a larger one is distributed like the registers."""

PEOPLE_A_BUCKET = 12_500
"""People whose rows a worker writes to one file, and this process sorts in memory."""


def spark_panel(
    plan: Plan,
    text: str,
    *,
    people: pa.Table,
    periods: pa.Table,
    clean_paths: Mapping[str, Path],
    folder: Path,
) -> Iterator[pa.Table]:
    """Run the text of a panel on Spark, and yield its rows in order.

    Parameters
    ----------
    plan, text
        What is read, and the query in DuckDB's dialect.
    people
        person_id and draw_date of everybody whose rows are wanted, sorted by person.
    periods
        The clock's periods by day of draw.
    clean_paths
        Clean parquet file by register; the server reads the columns that the plan names.
    folder
        Folder for the server's files, which does not exist.

    Raises
    ------
    RuntimeError
        When the server's rows are not those of every person and period, in order.
    """
    if people.num_rows == 0:
        return
    small = ["periods", *(["people"] if people.num_rows <= BROADCAST_UP_TO else [])]
    with spark_session() as session:
        session.createDataFrame(people).createOrReplaceTempView("cohort")
        session.createDataFrame(periods).createOrReplaceTempView("periods")
        ids = people["person_id"]
        limits = (ids[0].as_py(), ids[-1].as_py())
        for name in plan.sources:
            parquet_view(session, f"register_{name}", clean_paths[name], plan.columns(name), limits)
        bucket = ("bucket", f"CAST(FLOOR((person_no - 1) / {PEOPLE_A_BUCKET}E0) AS INTEGER)")
        query = spark_sql(text, broadcast=small, bucket=bucket)
        tables = result_tables(session, query, folder, keys=("person_id", "event_time"), bucket=bucket[0])
        yield from _complete(tables, plan, people)


def _complete(tables: Iterator[pa.Table], plan: Plan, people: pa.Table) -> Iterator[pa.Table]:
    """Make sure that a distributed engine lost, doubled and moved no row."""
    import numpy as np
    import pyarrow.compute as pc

    periods = plan.last - plan.first + 1
    row = 0
    for table in tables:
        numbers = np.arange(row, row + table.num_rows)
        row += table.num_rows
        if row > people.num_rows * periods:
            break
        same_time = (table["event_time"].to_numpy() == plan.first + numbers % periods).all()
        expected = people["person_id"].take(numbers // periods)
        if not (same_time and pc.all(pc.equal(table["person_id"], expected)).as_py()):
            break
        yield table
    else:
        if row == people.num_rows * periods:
            return
    raise RuntimeError("Spark did not return every person once at every event time, in order")
