"""Outcomes of every person from a panel, all in one pass."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.config.definitions import Outcome
from refino_eval.errors import nearest, raise_faults
from refino_eval.months.quoting import identifier, text_literal
from refino_eval.outcomes.kinds import outcome_sql

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS = ("person_id", "event_time")


def outcomes_sql(outcomes: Mapping[str, Outcome]) -> str:
    """Write the statement that computes outcomes from the relation ``panel``.

    Parameters
    ----------
    outcomes
        Definitions by name.

    Returns
    -------
    str
        A statement whose result has person_id and a double per outcome, ordered by person.
    """
    columns = "".join(f",\n    {outcome_sql(outcome)} AS {identifier(name)}" for name, outcome in outcomes.items())
    return f"SELECT\n    person_id{columns}\nFROM panel\nGROUP BY person_id\nORDER BY person_id\n"


def derive_outcomes(
    panel_path: Path, outcomes: Mapping[str, Outcome], *, out_paths: Mapping[str, Path] | None = None, threads: int = 1
) -> pa.Table:
    """Compute outcomes from a panel, and write a file for each when asked.

    Parameters
    ----------
    panel_path
        Panel of the outcomes' clock: person_id, event_time, a double per state.
    outcomes
        Definitions by name, all on the panel's clock.
    out_paths
        Where each outcome goes (person_id, value); None writes nothing.
    threads
        What DuckDB may use. The bytes do not depend on it.

    Returns
    -------
    pyarrow.Table
        person_id and a double per outcome (null when missing), sorted by person.

    Raises
    ------
    UserFault
        For a state that the panel lacks, a window outside its clock, or outcomes on different clocks.
    """
    import duckdb
    import pyarrow.parquet as pq

    with duckdb.connect(":memory:") as connection:
        path = text_literal(str(panel_path))
        connection.execute(f"SET threads = {int(threads)}")
        connection.execute(f"SET allowed_paths = [{path}]")
        connection.execute("SET enable_external_access = false")
        connection.execute(f"CREATE TEMP VIEW panel AS SELECT * FROM read_parquet({path})")
        (extent,) = connection.execute("SELECT MIN(event_time), MAX(event_time) FROM panel").fetchall()
        _check(outcomes, pq.read_schema(panel_path).names, extent)
        table = connection.sql(outcomes_sql(outcomes)).to_arrow_table()
    for name, out_path in (out_paths or {}).items():
        _write(table, name, out_path)
    return table


def _check(outcomes: Mapping[str, Outcome], columns: list[str], extent: tuple[int | None, int | None]) -> None:
    states = [column for column in columns if column not in _KEYS]
    low, high = extent
    faults: list[str] = []
    for name, outcome in outcomes.items():
        if outcome.state not in states:
            faults.append(
                f"Outcome '{name}': the panel has no state '{outcome.state}'.{nearest(outcome.state, states)}"
            )
        first, last = outcome.periods
        if low is not None and high is not None and (first < low or last > high):
            faults.append(
                f"Outcome '{name}' reads event times {first} to {last}, and the panel holds {low} to {high} only: widen "
                f"the evaluation's clock ({outcome.clock}) or narrow the outcome's window."
            )
    clocks = sorted({outcome.clock for outcome in outcomes.values()})
    if len(clocks) > 1:
        faults.append(
            f"A panel has one clock, and these outcomes have several ({', '.join(clocks)}): compute them apart."
        )
    raise_faults(faults)


def _write(table: pa.Table, name: str, path: Path) -> None:
    """Write one outcome's file, whole or not at all."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(
            table.select(["person_id", name]).rename_columns(["person_id", "value"]), beside, compression="zstd"
        )
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
