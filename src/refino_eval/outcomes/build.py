"""Outcomes of every person from a panel, all in one pass.

A panel is read a block of people at a time, each state as a table of people by periods; kinds and expressions work on
whole tables, so that two hundred outcomes cost little more than reading the panel once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.config.definitions import Definitions, Outcome
from refino_eval.config.dependencies import outcome_states
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.expressions import Kind, Name, Tree, kind_of, parse
from refino_eval.expressions.expression_arrays import to_array
from refino_eval.months.panel_plan import state_kinds
from refino_eval.outcomes.kinds import compute

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    import pyarrow.parquet as pq

    Values = npt.NDArray[np.float64]

_KEYS = ("person_id", "event_time")
CENSORED = "_censored"
"""What the column beside a censored outcome is called: the outcome's name, and this."""

PEOPLE_A_BLOCK = 20_000


@dataclass(frozen=True)
class _Extent:
    """The panel's event times."""

    first: int
    last: int

    @property
    def periods(self) -> int:
        return self.last - self.first + 1


def derive_outcomes(
    panel_path: Path,
    outcomes: Mapping[str, Outcome],
    *,
    out_paths: Mapping[str, Path] | None = None,
    threads: int = 1,
    definitions: Definitions | None = None,
    engine: str = "duckdb",
) -> pa.Table:
    """Compute outcomes from a panel, and write a file for each when asked.

    Parameters
    ----------
    panel_path
        Panel of the outcomes' clock: person_id, event_time, a double per state.
    outcomes
        Definitions by name, all on the panel's clock.
    out_paths
        Where each outcome goes (person_id, value, and `censored` for kinds that censor); None writes nothing.
    threads
        What reading the panel may use. The bytes do not depend on it.
    definitions
        The states behind the panel, to tell numbers from what is true or false; without them every state may stand
        where true or false is asked for.
    engine
        ``spark`` computes the outcomes on the Spark server, as one query; otherwise they are computed here. The bytes do
        not depend on it.

    Returns
    -------
    pyarrow.Table
        person_id and a double per outcome (null when missing), sorted by person; beside a censored outcome
        `<name>_censored`.

    Raises
    ------
    UserError
        For a state that the panel lacks, a window outside its clock, outcomes on different clocks, and faults of
        expressions.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(panel_path, read_dictionary=["person_id"], memory_map=True) as panel:
        columns = [name for name in panel.schema_arrow.names if name not in _KEYS]
        extent = _extent(panel)
        _check(outcomes, columns, extent)
        trees = _trees(outcomes, columns, definitions)
        read = [name for name in columns if any(name in outcome_states(each) for each in outcomes.values())]
        if engine == "spark" and extent is not None and outcomes:
            from refino_eval.outcomes.spark_outcomes import outcomes_sql, spark_outcomes

            query = outcomes_sql(outcomes, trees, CENSORED)
            table = spark_outcomes(query, panel_path, read, extent.first, extent.last)
            parts: list[Mapping[str, Any]] = [{name: table[name] for name in table.column_names}]
        else:
            parts = [
                _block(outcomes, trees, people, states, extent)
                for people, states in _blocks(panel, panel_path, read, extent, threads=threads)
            ]
    table = _joined(outcomes, parts)
    for name, out_path in (out_paths or {}).items():
        _write(table, name, out_path)
    return table


def _extent(panel: pq.ParquetFile) -> _Extent | None:
    """Return the first and last event time, or None for a panel without rows."""
    import pyarrow.compute as pc

    if panel.metadata.num_rows == 0:
        return None
    limits = pc.min_max(panel.read(["event_time"])["event_time"]).as_py()
    return _Extent(limits["min"], limits["max"])


def _check(outcomes: Mapping[str, Outcome], states: Sequence[str], extent: _Extent | None) -> None:
    faults: list[str] = []
    for name, outcome in outcomes.items():
        faults += [
            f"Outcome '{name}': the panel has no state '{state}'.{nearest(state, states)}"
            for state in outcome_states(outcome)
            if state not in states
        ]
        if name.removesuffix(CENSORED) in outcomes and name.endswith(CENSORED):
            faults.append(
                f"Outcome '{name}': the outcome '{name.removesuffix(CENSORED)}' has a column of that name beside it; "
                "call it something else."
            )
        first, last = outcome.periods
        if extent is not None and (first < extent.first or last > extent.last):
            faults.append(
                f"Outcome '{name}' reads event times {first} to {last}, and the panel holds {extent.first} to "
                f"{extent.last} only: widen the evaluation's clock ({outcome.clock}) or narrow the outcome's window."
            )
    clocks = sorted({outcome.clock for outcome in outcomes.values()})
    if len(clocks) > 1:
        faults.append(
            f"A panel has one clock, and these outcomes have several ({', '.join(clocks)}): compute them apart."
        )
    raise_problems(faults)


def _trees(outcomes: Mapping[str, Outcome], states: Sequence[str], definitions: Definitions | None) -> dict[str, Tree]:
    """Parse what each outcome reads in a period: a state is the shortest expression there is."""
    kinds: dict[str, Kind] = dict.fromkeys(states, "boolean")
    if definitions is not None:
        used = dict.fromkeys(state for outcome in outcomes.values() for state in outcome_states(outcome))
        kinds = state_kinds(definitions, list(used))
    trees: dict[str, Tree] = {}
    faults: list[str] = []
    for name, outcome in outcomes.items():
        try:
            if outcome.expression is not None:
                trees[name] = parse(outcome.expression, kinds, where=f"Outcome '{name}'")
            else:
                trees[name] = Name(outcome.state or "", kinds[outcome.state or ""])
        except UserError as fault:
            faults += fault.problems
            continue
        if OUTCOME_KINDS[outcome.kind].reads_truth and kind_of(trees[name]) != "boolean":
            what = f"the state '{outcome.state}'" if outcome.state else f"`{outcome.expression}`"
            faults.append(
                f"Outcome '{name}': kind {outcome.kind} asks in which periods something is true, and {what} is a "
                f"number: compare it, as in `expression: {outcome.state or outcome.expression} > 0`."
            )
        elif outcome.spell is not None:
            trees[name] = parse(outcome.reads, kinds, where=f"Outcome '{name}'")
    raise_problems(faults)
    return trees


def _blocks(
    panel: pq.ParquetFile, path: Path, states: Sequence[str], extent: _Extent | None, *, threads: int
) -> Iterator[tuple[pa.Array, dict[str, Values]]]:
    """Yield blocks of people: their ids, and each state as a table of people by periods (NaN when missing)."""
    import pyarrow as pa

    if extent is None:
        return
    rows = PEOPLE_A_BLOCK * extent.periods
    waiting: pa.Table | None = None
    last: str | None = None
    for batch in panel.iter_batches(rows, columns=[*_KEYS, *states], use_threads=threads > 1):
        table = pa.Table.from_batches([batch])
        waiting = table if waiting is None else pa.concat_tables([waiting, table])
        whole = waiting.num_rows // extent.periods * extent.periods
        if not whole:
            continue
        block = _shaped(waiting.slice(0, whole), states, extent)
        if block is None or (last is not None and block[0][0].as_py() <= last):
            break
        last = block[0][-1].as_py()
        yield block
        waiting = waiting.slice(whole)
    else:
        if waiting is None or waiting.num_rows == 0:
            return
    if last is None:
        yield _sorted(path, states, extent)
        return
    raise ValueError(f"a panel has every person once at every event time, in order, and {path.name} has not")


def _sorted(path: Path, states: Sequence[str], extent: _Extent) -> tuple[pa.Array, dict[str, Values]]:
    """Read a panel whose rows stand in another order."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=[*_KEYS, *states]).sort_by([(key, "ascending") for key in _KEYS])
    block = _shaped(table, states, extent) if table.num_rows % extent.periods == 0 else None
    if block is None:
        raise ValueError(f"a panel has every person once at every event time, and {path.name} has not")
    return block


def _shaped(table: pa.Table, states: Sequence[str], extent: _Extent) -> tuple[pa.Array, dict[str, Values]] | None:
    """Return a block as tables of people by periods, or None when its rows are not in order."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    times = table["event_time"].to_numpy().reshape(-1, extent.periods)
    if not (times == np.arange(extent.first, extent.last + 1)).all():
        return None
    column = table["person_id"].combine_chunks()
    codes = pc.dictionary_encode(column) if not pa.types.is_dictionary(column.type) else column
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.unify_dictionaries().combine_chunks()
    numbers = codes.indices.to_numpy().reshape(-1, extent.periods)
    people = codes.dictionary.take(pa.array(numbers[:, 0])).cast(pa.string())
    rising = pc.all(pc.less(people[:-1], people[1:])).as_py() if len(people) > 1 else True
    if not ((numbers == numbers[:, :1]).all() and rising):
        return None
    shaped = {name: table[name].to_numpy().astype(float).reshape(-1, extent.periods) for name in states}
    return people, shaped


def _block(
    outcomes: Mapping[str, Outcome],
    trees: Mapping[str, Tree],
    people: pa.Array,
    states: Mapping[str, Values],
    extent: _Extent | None,
) -> dict[str, pa.Array]:
    """Compute every outcome of a block of people."""
    import numpy as np
    import pyarrow as pa

    assert extent is not None
    made: dict[Tree, Values] = {}
    columns: dict[str, pa.Array] = {"person_id": people}
    for name, outcome in outcomes.items():
        tree = trees[name]
        if tree not in made:
            made[tree] = states[tree.name] if isinstance(tree, Name) else to_array(tree, states)
        first, last = (time - extent.first for time in outcome.periods)
        places: slice | list[int] = slice(first, last + 1)
        if outcome.count < last - first + 1:
            places = [time - extent.first for time in outcome.read]
        value, flag = compute(outcome, made[tree][:, places])
        columns[name] = pa.array(np.ascontiguousarray(value), pa.float64(), from_pandas=True)
        if flag is not None:
            columns[name + CENSORED] = pa.array(flag, pa.float64(), from_pandas=True)
    return columns


def _joined(outcomes: Mapping[str, Outcome], parts: Sequence[Mapping[str, pa.Array]]) -> pa.Table:
    import pyarrow as pa

    fields = [pa.field("person_id", pa.string())]
    for name, outcome in outcomes.items():
        fields.append(pa.field(name, pa.float64()))
        fields += [pa.field(name + CENSORED, pa.float64())] if outcome.companion else []
    schema = pa.schema(fields)
    tables = [pa.table(dict(part), schema=schema) for part in parts]
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()


def _write(table: pa.Table, name: str, path: Path) -> None:
    """Write one outcome's file, whole or not at all."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    columns = {"person_id": "person_id", name: "value"}
    if name + CENSORED in table.column_names:
        columns[name + CENSORED] = "censored"
    try:
        chosen = table.select(list(columns)).rename_columns(list(columns.values()))
        pq.write_table(chosen, beside, compression="zstd")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
