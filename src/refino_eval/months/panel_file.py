"""Read the entry `panel`: a file of people and periods made elsewhere.

The file becomes the same cohort and the same panel that registers give, so that everything after this works unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from refino_eval.config import definitions as d
from refino_eval.config.base import Unit
from refino_eval.config.evaluation import Arms, Clock, Panel, Sample
from refino_eval.errors import UserError, raise_problems
from refino_eval.expressions import Tree
from refino_eval.expressions.expression_arrays import to_array
from refino_eval.months.panel_plan import TAKEN, derived_levels
from refino_eval.registers.ingest_report import FileCount, IngestReport, RuleCount
from refino_eval.registers.readers.value_kinds import STATA_PERIODS
from refino_eval.trial.cohort import Cohort
from refino_eval.trial.person_table import people_of, read_columns, used_columns
from refino_eval.trial.table_columns import TableColumn

Positions = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

REGISTER = "panel"
"""What the quality table calls the file."""

_STATA_UNIT: Mapping[Unit, str] = {"month": "months_1960", "week": "weeks_1960"}


@dataclass(frozen=True)
class PanelData:
    """A panel file in the form of the program.

    Attributes
    ----------
    cohort
        As registers give it.
    panel
        `person_id, event_time`, a double per state; a row for each person and period of the clock, sorted.
    report
        Rows delivered, used, and outside the clock.
    """

    cohort: Cohort
    panel: pa.Table
    report: IngestReport


@dataclass(frozen=True)
class _Rows:
    """Whose row each row of a long file is, and of which period.

    Attributes
    ----------
    person
        (n,) number of the person, in order of first appearance.
    first
        (people,) each person's first row.
    time
        (n,) event time.
    """

    person: Positions
    first: Positions
    time: Positions


def read_panel(
    folder: Path,
    *,
    panel: Panel,
    unit: Unit,
    clock: Clock,
    states: Sequence[str],
    definitions: d.Definitions,
    samples: Mapping[str, Sample],
    arms: Arms,
    covariates: Mapping[str, d.Covariate],
    dropping: Mapping[str, Sequence[str]] | None = None,
) -> PanelData:
    """Read a file of people and periods.

    Parameters
    ----------
    folder
        The data folder.
    panel
        Which files, and what their columns mean.
    unit, clock
        The clock's unit and range of event time.
    states
        The states that the panel must have.
    definitions
        The definitions of states.
    samples, arms, covariates, dropping
        As in `read_person_table`.

    Returns
    -------
    PanelData

    Raises
    ------
    UserError
        With all that is wrong: what `read_person_table` refuses; several rows of a person for one period, gaps between
        a person's rows, periods that are none, arms or other facts about the person that change, values outside a range.
    """
    levels, needed, _ = derived_levels(definitions, states)
    given = {name: state for name in needed if isinstance(state := definitions.states[name], d.GivenState)}
    if taken := sorted(TAKEN & {*needed, *states}):
        raise UserError(f"No state can be called '{taken[0]}': the panel has a column of that name already.")
    used = used_columns(panel, covariates)
    used |= {f"states.{key}": column for key, column in _state_columns(given, clock, wide=panel.period is None).items()}
    if panel.period is not None:
        used["period"] = panel.period
    columns, delivered, joinings = read_columns(folder, panel, used)
    if panel.period is None:
        rows, first = None, np.arange(delivered)
    else:
        rows = _rows_of(columns, panel, unit)
        raise_problems([*_period_problems(rows, panel, unit), *_constancy_problems(columns, rows, panel, covariates)])
        first = rows.first
    of_people = {name: column.take(first) for name, column in columns.items()}
    if rows is not None and panel.baseline is not None:
        of_people |= _at_baseline(columns, rows, panel.baseline, covariates)
    joinings = tuple(replace(joining, without_row=joining.without_row[first]) for joining in joinings)
    data = people_of(
        of_people,
        len(first),
        joinings,
        table=panel,
        samples=samples,
        arms=arms,
        covariates=covariates,
        dropping=dropping,
    )
    ids = of_people[panel.person_id].codes(exact=True)
    order = pd.Index(ids).get_indexer(data.cohort.frame["person_id"])
    tables = {name: _given_values(state, columns, rows, clock)[order] for name, state in given.items()}
    _add_derived(tables, levels, shape=(len(order), _length(clock)))
    requested = {name: tables[name] for name in states}
    raise_problems([*_range_problems(requested, definitions, unit, panel)])
    outside = 0 if rows is None else int(((rows.time < clock.first) | (rows.time > clock.last)).sum())
    return PanelData(
        cohort=data.cohort,
        panel=_table(data.cohort.frame["person_id"], requested, clock),
        report=_report(panel, delivered, outside, rows, len(order)),
    )


def _at_baseline(
    columns: Mapping[str, TableColumn], rows: _Rows, baseline: int, covariates: Mapping[str, d.Covariate]
) -> dict[str, TableColumn]:
    """Return covariates as they are in each person's row of the baseline period; missing without such a row."""
    chosen = rows.time == baseline
    at_baseline = np.full(len(rows.first), -1)
    at_baseline[rows.person[chosen]] = np.flatnonzero(chosen)
    return {name: columns[name].take(at_baseline) for name in _covariate_columns(covariates)}


def _length(clock: Clock) -> int:
    return clock.last - clock.first + 1


def _state_columns(given: Mapping[str, d.GivenState], clock: Clock, *, wide: bool) -> dict[str, str]:
    """Return the columns that states are read from, by the key that names each."""
    if not wide:
        return {name: state.column for name, state in given.items()}
    return {
        f"{name}, period {time}": state.column.format(period=time)
        for name, state in given.items()
        for time in range(clock.first, clock.last + 1)
    }


def _rows_of(columns: Mapping[str, TableColumn], panel: Panel, unit: Unit) -> _Rows:
    ids = columns[panel.person_id].codes(exact=True)
    if missing := int(ids.isna().sum()):
        raise columns[panel.person_id].problem(
            f"must identify people, and {missing:,} rows have no id. Correct the file."
        )
    person, _ = pd.factorize(ids)
    _, first = np.unique(person, return_index=True)
    return _Rows(person, first, _event_times(columns, panel, unit))


def _event_times(columns: Mapping[str, TableColumn], panel: Panel, unit: Unit) -> Positions:
    """Return each row's event time: as it is written, or counted in calendar months or weeks from the date of assignment."""
    assert panel.period is not None
    column = columns[panel.period]
    if column.missing.any():
        raise column.problem(
            f"must say the period, and {int(column.missing.sum()):,} rows have none. Correct the file."
        )
    if not _holds_dates(column):
        numbers = column.numbers().to_numpy()
        if broken := int((numbers != np.floor(numbers)).sum()):
            raise column.problem(f"must hold whole {unit}s since assignment, and {broken:,} rows hold something else.")
        return numbers.astype(np.int64)
    if panel.draw_date is None:
        raise column.problem(
            "holds dates, from which event time is counted since assignment. Name the column of the date (draw_date)."
        )
    drawn = columns[panel.draw_date].days().to_numpy(dtype="datetime64[D]")
    if np.isnat(drawn).any():
        raise columns[panel.draw_date].problem("must hold a date in every row, since event time is counted from it.")
    return _periods_since(drawn, column, unit)


def _holds_dates(column: TableColumn) -> bool:
    """Return whether periods are dates: by the kind of the column, or by the form of the first text in it."""
    if column.kind == "text" and column.values and "-" in str(column.values[0])[1:]:
        return True
    return column.kind not in ("text", "integer", "float", "single", "boolean", "decimal")


def _periods_since(drawn: npt.NDArray[np.datetime64], column: TableColumn, unit: Unit) -> Positions:
    """Count calendar months or weeks from the date of assignment to each row's period."""
    stata = column.kind in STATA_PERIODS
    if stata and column.kind != _STATA_UNIT[unit]:
        raise column.problem(
            f"holds periods of Stata that are not {unit}s. Deliver a date in the period, or event time."
        )
    if stata and unit == "week":
        raise column.problem(
            "holds weeks of Stata, which do not begin on Mondays. Deliver a date in the period, or event time."
        )
    if stata:
        months = np.asarray(column.values, dtype=np.int64)[column.index] - 120  # since 1970 instead of 1960
        return np.asarray(months - drawn.astype("datetime64[M]").astype(np.int64), dtype=np.int64)
    days = column.days().to_numpy(dtype="datetime64[D]")
    if unit == "month":
        return np.asarray(
            days.astype("datetime64[M]").astype(np.int64) - drawn.astype("datetime64[M]").astype(np.int64),
            dtype=np.int64,
        )
    # 1970-01-01 was a Thursday: three days later, a week begins on Monday.
    return np.asarray((days.astype(np.int64) + 3) // 7 - (drawn.astype(np.int64) + 3) // 7, dtype=np.int64)


def _period_problems(rows: _Rows, panel: Panel, unit: Unit) -> Iterator[str]:
    """Report several rows of a person for one period, and gaps between a person's rows."""
    frame = pd.DataFrame({"person": rows.person, "time": rows.time})
    repeated = frame.duplicated(["person", "time"])
    if repeated.any():
        yield (
            f"{panel.file}: {int(repeated.sum()):,} rows repeat a person and {unit}, of {frame.loc[repeated, 'person'].nunique():,} "
            "people. A panel has one row for each person and period: take the rows together, or remove those that are repeated."
        )
        return
    spans = frame.groupby("person")["time"].agg(["min", "max", "size"])
    missing = spans["max"] - spans["min"] + 1 - spans["size"]
    if panel.whole and missing.any():
        yield (
            f"{panel.file}: {int((missing > 0).sum()):,} people lack {int(missing.sum()):,} {unit}s between their first and last "
            "row. Add the rows (with 0 where the person had nothing), or say that such periods are missing (`whole: false`)."
        )


def _covariate_columns(covariates: Mapping[str, d.Covariate]) -> list[str]:
    return list(dict.fromkeys(entry.column for entry in covariates.values() if isinstance(entry, d.ColumnCovariate)))


def _constancy_problems(
    columns: Mapping[str, TableColumn], rows: _Rows, panel: Panel, covariates: Mapping[str, d.Covariate]
) -> Iterator[str]:
    """Report facts about people that are not the same in all of a person's rows."""
    fixed = {"treated": panel.treated} if isinstance(panel.treated, str) else dict(panel.arm_columns)
    named = [*fixed.items(), *(("strata", column) for column in panel.strata)]
    named += [(key, column) for key in ("take_up", "weights", "draw_date") if (column := getattr(panel, key))]
    named += [("cluster", column) for column in panel.clusters]
    named += [("keep", condition.column) for condition in panel.keep]
    if panel.baseline is None:
        named += [("a covariate", column) for column in _covariate_columns(covariates)]
    for column, key in {column: key for key, column in reversed(named)}.items():
        index = columns[column].index
        changing = np.unique(rows.person[index != index[rows.first][rows.person]])
        if len(changing):
            remedy = (
                "Take its value from one period (`baseline: -1`), or name another column."
                if key == "a covariate"
                else "What was decided at assignment does not change: correct the file."
            )
            yield f"{panel.file}: the column '{column}' ({key}) changes between the rows of {len(changing):,} people. {remedy}"


def _given_values(state: d.GivenState, columns: Mapping[str, TableColumn], rows: _Rows | None, clock: Clock) -> Values:
    """Return the values of a state by person and period, from a long file or, without rows of periods, a wide one."""
    return _wide(state, columns, clock) if rows is None else _long(columns[state.column], rows, clock)


def _add_derived(tables: dict[str, Values], levels: Sequence[Mapping[str, Tree]], *, shape: tuple[int, int]) -> None:
    """Add derived states to the tables, each after those that it needs."""
    for level in levels:
        for name, tree in level.items():
            tables[name] = np.asarray(to_array(tree, tables, shape=shape), dtype=float)


def _long(column: TableColumn, rows: _Rows, clock: Clock) -> Values:
    """Return the values of a state by person and period; a period without a row is missing."""
    table = np.full((len(rows.first), _length(clock)), np.nan)
    inside = (rows.time >= clock.first) & (rows.time <= clock.last)
    table[rows.person[inside], rows.time[inside] - clock.first] = column.numbers().to_numpy()[inside]
    return table


def _wide(state: d.GivenState, columns: Mapping[str, TableColumn], clock: Clock) -> Values:
    names = [state.column.format(period=time) for time in range(clock.first, clock.last + 1)]
    return np.column_stack([columns[name].numbers().to_numpy() for name in names])


def _range_problems(
    tables: Mapping[str, Values], definitions: d.Definitions, unit: Unit, panel: Panel
) -> Iterator[str]:
    for name, values in tables.items():
        limits = definitions.states[name].range
        if limits is None:
            continue
        outside = int(((values < limits[0]) | (values > limits[1])).sum())
        if outside:
            yield (
                f"{panel.file}: the state '{name}' has {outside:,} person-{unit}s outside its range {limits[0]:g} to {limits[1]:g}. "
                "Correct the file, or the state's range."
            )


def _table(people: pd.Series, tables: Mapping[str, Values], clock: Clock) -> pa.Table:
    times = np.arange(clock.first, clock.last + 1, dtype=np.int32)
    columns: dict[str, pa.Array] = {
        "person_id": pa.array(np.repeat(people.to_numpy(dtype=object), len(times)), pa.string()),
        "event_time": pa.array(np.tile(times, len(people)), pa.int32()),
    }
    columns |= {name: pa.array(values.ravel(), pa.float64(), from_pandas=True) for name, values in tables.items()}
    return pa.table(columns)


def write_panel(panel: pa.Table, path: Path) -> None:
    """Write a panel: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(panel, part, compression="zstd")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _report(panel: Panel, delivered: int, outside: int, rows: _Rows | None, people: int) -> IngestReport:
    rules = (RuleCount("outside_clock", outside, 0),) if outside else ()
    return IngestReport(
        register=REGISTER,
        delivered=delivered,
        clean=delivered - outside,
        rejected=outside,
        people=people if rows is None else len(rows.first),
        rules=rules,
        files=(FileCount(Path(panel.file).name, delivered),),
    )
