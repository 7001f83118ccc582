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
    """Run the text of a panel on Spark, and yield its rows sorted by person and event time.

    Parameters
    ----------
    plan, text
        What is read, and the query in DuckDB's dialect.
    people
        person_no, person_id and draw_period of everybody whose rows are wanted, sorted by person.
    periods
        The clock's periods by period of the draw.
    clean_paths
        Clean parquet file by register; the server reads the columns that the plan names.
    folder
        Folder for the server's files, which does not exist.
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
        yield from result_tables(session, query, folder, keys=("person_no", "event_time"), bucket=bucket[0])
