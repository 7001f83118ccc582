"""Run a panel's SQL text over parquet files, with DuckDB inside this process or on Spark (`spark_panel`).

The engine adds nothing to the text: it makes its relations, cuts a large cohort into buckets of people (by ranges of
the id, so that a register sorted by id is read once and the result comes out sorted), and writes one parquet file.
Several jobs can share the work: each makes a part of the people with `derive_panel`, and `merge_panel` puts the parts
together. The bytes of the panel depend neither on the number of buckets nor on the number of parts.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.config.base import Unit
from refino_eval.config.definitions import Definitions
from refino_eval.config.sources import Source
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.months.panel_plan import Plan, PriceIndices, check_prices, plan_panel, price_column, price_factor
from refino_eval.months.panel_sql import panel_sql
from refino_eval.months.periods import periods_around
from refino_eval.sql.isolated_engine import isolated_engine
from refino_eval.sql.quoting import identifier, text_literal

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

BUCKETS_ABOVE = 25_000
"""People above which the cohort is cut into buckets by itself."""

PEOPLE_A_BUCKET = 12_500
ROW_GROUP = 245_760
"""Rows of each row group of a panel but the last, whatever tables the rows come in."""

ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class PanelReport:
    """What was made.

    Attributes
    ----------
    people, rows
        Persons, and persons x periods, in the file.
    states
        The columns of states, in order.
    buckets
        Parts that the people were taken in.
    seconds
        Wall time; not in any file, which would differ between reruns.
    sql
        The text that was run, for ``run/panel_<unit>.sql``.
    """

    people: int
    rows: int
    states: tuple[str, ...]
    buckets: int
    seconds: float
    sql: str


@dataclass
class _Extremes:
    """Smallest and largest value of a state, and how many lie outside its range."""

    outside: int = 0
    low: float = float("inf")
    high: float = float("-inf")


@dataclass(frozen=True)
class _Bucket:
    """A condition on `person_id` that some people meet, and how many people come before them."""

    where: str
    before: int


_EVERYBODY = _Bucket("", 0)


def derive_panel(
    definitions: Definitions,
    sources: Mapping[str, Source],
    prices: PriceIndices,
    *,
    clock_unit: Unit,
    first: int,
    last: int,
    states: Sequence[str],
    cohort_path: Path,
    clean_paths: Mapping[str, Path],
    out_path: Path,
    threads: int = 2,
    memory_limit: str = "2GB",
    buckets: int | None = None,
    part: tuple[int, int] | None = None,
    engine: str = "duckdb",
) -> PanelReport:
    """Compute the states of every person in every period, and write them as one parquet file.

    Parameters
    ----------
    definitions
        All definitions; the states' part is read.
    sources
        The evaluation's registers: column types, coverage.
    prices
        Price indices by name, for states that are deflated.
    clock_unit, first, last
        The clock, both ends included.
    states
        States that become columns, in order; derived states pull in what they need.
    cohort_path
        Parquet file with person_id and draw_date, one row a person.
    clean_paths
        Clean parquet file by register.
    out_path
        Where the panel goes: person_id, event_time, a double per state, sorted by person and event time.
    threads, memory_limit
        What DuckDB may use; beyond the memory it spills to a folder beside the output.
    buckets
        Parts to take the people in; by default one up to `BUCKETS_ABOVE` people, then parts of `PEOPLE_A_BUCKET`. The
        file does not depend on it.
    part
        Number of this part (from 1) and of all parts, when several jobs share the people. The range of states is then
        checked by `merge_panel`, for everybody at once.
    engine
        ``duckdb`` or ``spark``: who runs the text. The file does not depend on it. Spark takes no buckets, and its own
        settings decide on threads and memory.

    Returns
    -------
    PanelReport
        What was made.

    Raises
    ------
    UserError
        For faults of the definitions, and for values outside a state's `range`.
    MachineError
        When the Spark server cannot be reached, or fails.
    """
    began = time.perf_counter()
    if engine not in ENGINES:
        raise UserError(f"There is no engine '{engine}' for the panel.{nearest(engine, ENGINES)}")
    plan = plan_panel(definitions, sources, unit=clock_unit, first=first, last=last, states=states)
    _check_paths(plan, clean_paths)
    text = panel_sql(plan)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".panel_", dir=out_path.parent) as folder:
        # Half a file must never be taken for a panel: it is written beside its place and moved there when whole.
        spill, written = Path(folder) / "spill", Path(folder) / out_path.name
        spill.mkdir()
        paths = [cohort_path, *(clean_paths[register] for register in plan.sources)]
        with isolated_engine(
            [spill],
            files=paths,
            threads=threads,
            memory_limit=memory_limit,
            settable=["threads"],
            # It would add up the amounts of everybody in a register before looking up a cohort of few people.
            without_optimizers=["partial_aggregate_pushdown"],
        ) as connection:
            _load_cohort(connection, cohort_path, plan.unit, part)
            _load_periods(connection, plan, prices)
            people = len(ids := _whole(connection, "SELECT person_id FROM everybody ORDER BY person_id")["person_id"])
            count = _bucket_count(people, 1 if engine == "spark" else buckets)
            if engine == "spark":
                from refino_eval.months.spark_panel import spark_panel

                cohort = _whole(connection, f"{_numbered()} ORDER BY person_no")
                periods = _whole(connection, "FROM periods ORDER BY ALL")
                tables = spark_panel(
                    plan, text, people=cohort, periods=periods, clean_paths=clean_paths, folder=spill / "spark"
                )
            else:
                # A query over everybody reads the registers without limits; a part of the people never does.
                limits = [_EVERYBODY] if count == 1 and part is None else _bucket_limits(connection, count)
                # Either one query on all threads, or a bucket on each: a query in two threads does more work in all.
                connection.execute(f"SET threads = {int(threads) if count == 1 else 1}")
                tables = _run(connection, plan, text, clean_paths, limits, threads)
            rows, extremes = _write(_complete(tables, plan, people), plan, ids, written)
        if part is None:
            _check_ranges(plan, extremes)
        os.replace(written, out_path)
    return PanelReport(people, rows, plan.requested, count, time.perf_counter() - began, text)


def merge_panel(
    definitions: Definitions,
    sources: Mapping[str, Source],
    *,
    clock_unit: Unit,
    first: int,
    last: int,
    states: Sequence[str],
    part_paths: Sequence[Path],
    out_path: Path,
) -> PanelReport:
    """Put the parts of a panel together, in their order; the file is the one that a single job would have written.

    Parameters
    ----------
    definitions, sources, clock_unit, first, last, states
        As given to `derive_panel` for each part.
    part_paths
        The files of all parts, from the first people to the last.
    out_path
        Where the panel goes.

    Returns
    -------
    PanelReport
        What was made; ``buckets`` is the number of parts.

    Raises
    ------
    UserError
        For values outside a state's `range`.
    """
    import pyarrow.parquet as pq

    began = time.perf_counter()
    plan = plan_panel(definitions, sources, unit=clock_unit, first=first, last=last, states=states)

    def tables(columns: Sequence[str]) -> Iterator[pa.Table]:
        for path in part_paths:
            with pq.ParquetFile(path) as file:
                yield from (file.read_row_group(number, columns) for number in range(file.num_row_groups))

    ids = _ids(tables(["person_id"]), plan)
    with tempfile.TemporaryDirectory(prefix=".panel_", dir=out_path.parent) as folder:
        written = Path(folder) / out_path.name
        rows, extremes = _write(tables(["event_time", *plan.requested]), plan, ids, written)
        _check_ranges(plan, extremes)
        os.replace(written, out_path)
    return PanelReport(len(ids), rows, plan.requested, len(part_paths), time.perf_counter() - began, panel_sql(plan))


def _ids(tables: Iterator[pa.Table], plan: Plan) -> pa.ChunkedArray:
    """Return the id of every person, of whom each has a row for every period."""
    import numpy as np
    import pyarrow as pa

    first, firsts = 0, []
    for table in tables:
        # The number in this table of the first row of a person, and so on.
        firsts.append(
            table["person_id"].take(_integers(np.arange(-first % plan.periods, table.num_rows, plan.periods)))
        )
        first += table.num_rows
    return pa.chunked_array([chunk for column in firsts for chunk in column.chunks], pa.string())


def _check_paths(plan: Plan, clean_paths: Mapping[str, Path]) -> None:
    raise_problems(
        [
            f"The states need the register '{register}', which has not been ingested: add it to the evaluation's sources."
            for register in plan.sources
            if register not in clean_paths
        ]
    )


def _load_cohort(connection: duckdb.DuckDBPyConnection, path: Path, unit: Unit, part: tuple[int, int] | None) -> None:
    # There are many days of draw but few months or weeks, and days of one share their periods.
    connection.execute(
        "CREATE TABLE everybody AS SELECT CAST(person_id AS VARCHAR) AS person_id, "
        f"CAST(DATE_TRUNC({text_literal(unit)}, CAST(draw_date AS DATE)) AS DATE) AS draw_period "
        f"FROM read_parquet({text_literal(str(path))}) ORDER BY person_id"
    )
    rows, ids, dates = _fetch(
        connection, "SELECT COUNT(*), COUNT(DISTINCT person_id), COUNT(draw_period) FROM everybody"
    )
    if not rows == ids == dates:
        raise ValueError(f"a cohort has one row and one draw date a person: {rows} rows, {ids} people, {dates} dates")
    if part is not None:
        number, parts = part
        connection.execute(
            f"DELETE FROM everybody WHERE person_id NOT IN (SELECT person_id FROM "
            f"(SELECT person_id, NTILE({int(parts)}) OVER (ORDER BY person_id) AS part FROM everybody) AS numbered "
            f"WHERE part = {int(number)})"
        )


def _load_periods(connection: duckdb.DuckDBPyConnection, plan: Plan, prices: PriceIndices) -> None:
    """Make the table of periods around the months or weeks of draw that occur."""
    origins = [day for (day,) in connection.execute("SELECT DISTINCT draw_period FROM everybody").fetchall()]
    table = list(periods_around(origins, unit=plan.unit, first=plan.first, last=plan.last))
    starts = sorted({period.start for _, period in table})
    check_prices(plan, prices, starts)
    columns: dict[str, tuple[str, list[Any]]] = {
        "draw_period": ("DATE", [origin for origin, _ in table]),
        "event_time": ("INTEGER", [period.event_time for _, period in table]),
        "period_start": ("DATE", [period.start for _, period in table]),
        "period_stop": ("DATE", [period.stop for _, period in table]),
    }
    for deflate in plan.prices:
        factors = {start: price_factor(deflate, start, prices) for start in starts}
        columns[price_column(deflate)] = ("DOUBLE", [factors[period.start] for _, period in table])
    # Lists, not an Arrow table: DuckDB would import pandas for it, which takes longer than a small panel.
    lists = ", ".join(
        f"UNNEST(CAST(${number} AS {kind}[])) AS {identifier(name)}"
        for number, (name, (kind, _)) in enumerate(columns.items(), start=1)
    )
    # In order of time, so that the rows of a person come one after another out of the joins: the rest is faster by a tenth.
    connection.execute(
        f"CREATE TABLE periods AS SELECT {lists} ORDER BY draw_period, event_time",
        [values for _, values in columns.values()],
    )


def _fetch(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    (row,) = connection.execute(query).fetchall()
    return tuple(row)


def _whole(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()


def _bucket_count(people: int, buckets: int | None) -> int:
    if buckets is not None:
        return max(1, min(buckets, people))
    return 1 if people <= BUCKETS_ABOVE else -(-people // PEOPLE_A_BUCKET)


def _numbered(bucket: _Bucket = _EVERYBODY) -> str:
    """Write the query of a bucket's people: a person's number is that among everybody.

    The numbers are counted for each bucket, not once for everybody: with a table of numbers, DuckDB estimates the joins
    differently, and takes a quarter longer.
    """
    number = f"CAST({bucket.before} + ROW_NUMBER() OVER (ORDER BY person_id) AS INTEGER)"
    return f"SELECT {number} AS person_no, person_id, draw_period FROM everybody{bucket.where}"


def _bucket_limits(connection: duckdb.DuckDBPyConnection, buckets: int) -> Sequence[_Bucket]:
    """Return the first and last id of each bucket; buckets are equally large and follow one another."""
    query = (
        "SELECT MIN(person_id), MAX(person_id), MIN(number) - 1 FROM (SELECT person_id, "
        f"ROW_NUMBER() OVER (ORDER BY person_id) AS number, NTILE({int(buckets)}) OVER (ORDER BY person_id) AS bucket "
        "FROM everybody) AS numbered GROUP BY bucket ORDER BY bucket"
    )
    return [
        _Bucket(f" WHERE person_id BETWEEN {text_literal(low)} AND {text_literal(high)}", int(before))
        for low, high, before in connection.execute(query).fetchall()
    ]


def _run(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    text: str,
    clean_paths: Mapping[str, Path],
    buckets: Sequence[_Bucket],
    threads: int,
) -> Iterator[pa.Table]:
    """Run the text bucket by bucket, `threads` of them at a time, and give their rows in order of the buckets.

    The text is the same for every bucket; its relations hold the bucket's people. Buckets are small enough for their
    joins to stay in the processor's cache, and two buckets on two cores take less time than each of them on both.
    """
    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for bucket in buckets:
            waiting.append(pool.submit(_bucket_rows, connection.cursor(), plan, text, clean_paths, bucket))
            # Never far ahead of the writer: finished buckets wait in memory.
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _bucket_rows(
    cursor: duckdb.DuckDBPyConnection, plan: Plan, text: str, clean_paths: Mapping[str, Path], bucket: _Bucket
) -> pa.Table:
    """Run the text over the people of a bucket."""
    with cursor:
        # Temporary views belong to the cursor, so that buckets at work at the same time do not see each other's.
        cursor.execute(f"CREATE TEMP VIEW cohort AS {_numbered(bucket)}")
        for register in plan.sources:
            columns = ", ".join(identifier(column) for column in plan.columns(register))
            cursor.execute(
                f"CREATE TEMP VIEW register_{register} AS SELECT {columns} "
                f"FROM read_parquet({text_literal(str(clean_paths[register]))}){bucket.where}"
            )
        return cursor.sql(text).to_arrow_table()


def _complete(tables: Iterator[pa.Table], plan: Plan, people: int) -> Iterator[pa.Table]:
    """Make sure that an engine lost, doubled and moved no row; the rows of a person are then known from their position."""
    import numpy as np
    import pyarrow as pa

    row = 0
    for table in tables:
        numbers = np.arange(row, row + table.num_rows)
        row += table.num_rows
        person, period = np.divmod(numbers, plan.periods)
        expected = {"person_no": _integers(person + 1), "event_time": _integers(plan.first + period)}
        if not all(table[name].equals(pa.chunked_array([column])) for name, column in expected.items()):
            break
        yield table.drop_columns("person_no")
    else:
        if row == people * plan.periods:
            return
    raise RuntimeError("the engine did not return every person once at every event time, in order")


def _write(
    tables: Iterator[pa.Table], plan: Plan, ids: pa.ChunkedArray, path: Path
) -> tuple[int, dict[str, _Extremes]]:
    """Write the rows of tables one after another, with the ids of people, and watch the states that have a range."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([pa.field("event_time", pa.int32()), *(pa.field(name, pa.float64()) for name in plan.requested)])
    # Amounts of money hardly ever repeat: a dictionary of them costs time and space.
    amounts = {
        name
        for name, state in plan.spell_states.items()
        if (column := plan.value_type(state)) is not None and column.type == "ore"
    }
    rows = 0
    extremes: dict[str, _Extremes] = {}
    with pq.ParquetWriter(
        path,
        schema.insert(0, pa.field("person_id", pa.dictionary(pa.int32(), pa.string()))),
        compression="zstd",
        compression_level=1,
        use_dictionary=["person_id", *(name for name in schema.names if name not in amounts)],
        write_statistics=["person_id", "event_time"],
        # Otherwise readers would take ids for categories: the schema says that they are written as such.
        store_schema=False,
    ) as writer:
        for group in _row_groups(tables, schema):
            _watch(group, plan, extremes)
            coded = _ids_of_rows(ids, rows, group.num_rows, plan.periods)
            writer.write_table(group.add_column(0, "person_id", coded), row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows, extremes


def _ids_of_rows(ids: pa.ChunkedArray, first: int, count: int, periods: int) -> pa.DictionaryArray:
    """Return the ids of some of the panel's rows as numbers of a list: writing them as text takes twice as long."""
    import numpy as np
    import pyarrow as pa

    person = np.arange(first, first + count) // periods
    few = ids.slice(person[0], person[-1] - person[0] + 1).combine_chunks()
    return pa.DictionaryArray.from_arrays(_integers(person - person[0]), few)


def _integers(values: npt.NDArray[np.int64]) -> pa.Array:
    """Return an Arrow array of integers; by `pyarrow.array`, Arrow would import pandas, which takes longer than a small panel."""
    import pyarrow as pa

    values = values.astype("int32")
    return pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(values)])


def _row_groups(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Cut rows into groups of equal size in one piece each: the bytes do not show how they arrived."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for table in tables:
        # Without need, a cast would import `pyarrow.compute`.
        rows = pa.concat_tables([*waiting, table if table.schema == schema else table.cast(schema)])
        while rows.num_rows >= ROW_GROUP:
            yield rows.slice(0, ROW_GROUP).combine_chunks()
            rows = rows.slice(ROW_GROUP)
        waiting = [rows]
    if waiting and waiting[0].num_rows:
        yield waiting[0].combine_chunks()


def _watch(table: pa.Table, plan: Plan, extremes: dict[str, _Extremes]) -> None:
    for name in plan.requested:
        limits = (plan.spell_states.get(name) or plan.derived[name]).range
        if limits is None:
            continue
        import pyarrow.compute as pc

        found = pc.min_max(table[name]).as_py()
        if found["min"] is None or (limits[0] <= found["min"] and found["max"] <= limits[1]):
            continue
        seen = extremes.setdefault(name, _Extremes())
        beyond = pc.or_(pc.less(table[name], limits[0]), pc.greater(table[name], limits[1]))
        seen.outside += pc.sum(beyond).as_py()
        seen.low, seen.high = min(seen.low, found["min"]), max(seen.high, found["max"])


def _check_ranges(plan: Plan, extremes: Mapping[str, _Extremes]) -> None:
    faults: list[str] = []
    for name, seen in extremes.items():
        limits = (plan.spell_states.get(name) or plan.derived[name]).range
        assert limits is not None
        faults.append(
            f"State '{name}': {seen.outside} person-{plan.unit}s lie outside its range {limits[0]:g} to {limits[1]:g} "
            f"(smallest {seen.low:g}, largest {seen.high:g}). Reject the rows behind them with a rule of the source, or "
            "correct the state's range."
        )
    raise_problems(faults)
