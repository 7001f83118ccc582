"""Worked examples: every definition is run on the spells that stand beside it, by the engine that runs the registers."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.codes.calendars import month_index, month_start
from refino_eval.config.base import Unit
from refino_eval.config.definitions import Definitions, Example, Outcome, SpellState
from refino_eval.config.sources import Column, Source
from refino_eval.errors import nearest, raise_faults
from refino_eval.months.engine import derive_panel
from refino_eval.months.expressions import names_in
from refino_eval.months.plan import PriceIndices, plan_panel
from refino_eval.months.quoting import SCALED
from refino_eval.outcomes.build import derive_outcomes

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-6
"""Relative difference up to which a value is the one expected: enough to write a deflated amount in seven digits."""


@dataclass(frozen=True)
class _Case:
    """One example of one entry."""

    entry: str
    number: int
    example: Example
    state: str
    outcome: str | None

    @property
    def person_id(self) -> str:
        return f"{self.entry}/{self.number:04d}"

    @property
    def told(self) -> str:
        what = "Outcome" if self.outcome is not None else "State"
        return f"{what} '{self.entry}', example {self.number} ({self.example.why.rstrip('.')})"


def check_examples(
    definitions: Definitions,
    sources: Mapping[str, Source],
    prices: PriceIndices,
    *,
    states: Sequence[str] | None = None,
    outcomes: Sequence[str] | None = None,
    state_clock: Unit = "month",
) -> int:
    """Run the worked examples of states and outcomes, and tell every one that does not come out as written.

    Parameters
    ----------
    definitions
        All definitions.
    sources, prices
        The registers and price indices that the definitions refer to.
    states, outcomes
        Entries whose examples are run; by default all whose registers are among `sources`.
    state_clock
        Clock on which the examples of states are run; an outcome's are run on its own.

    Returns
    -------
    int
        Number of examples that came out as written.

    Raises
    ------
    UserFault
        One paragraph per example that did not, with the entry, the example, what was expected and what came out.
    """
    cases = _cases(definitions, sources, states, outcomes)
    faults: list[str] = []
    for unit in ("month", "week"):
        clock: Unit = "week" if unit == "week" else "month"
        chosen = [case for case in cases if _clock(case, definitions, state_clock) == clock]
        if chosen:
            faults += _run(chosen, definitions, sources, prices, clock)
    raise_faults(faults)
    return len(cases)


def _clock(case: _Case, definitions: Definitions, state_clock: Unit) -> Unit:
    return state_clock if case.outcome is None else definitions.outcomes[case.outcome].clock


def _cases(
    definitions: Definitions,
    sources: Mapping[str, Source],
    states: Sequence[str] | None,
    outcomes: Sequence[str] | None,
) -> list[_Case]:
    """List the examples to run, after checking that each can be."""
    able = _computable(definitions, sources)
    chosen = [name for name in definitions.states if name in able] if states is None else list(states)
    wanted = (
        [name for name, outcome in definitions.outcomes.items() if outcome.state in able]
        if outcomes is None
        else list(outcomes)
    )
    faults = [
        f"There is no state '{name}'.{nearest(name, definitions.states)}"
        for name in chosen
        if name not in definitions.states
    ]
    faults += [
        f"There is no outcome '{name}'.{nearest(name, definitions.outcomes)}"
        for name in wanted
        if name not in definitions.outcomes
    ]
    raise_faults(faults)
    cases = [
        _Case(name, number, example, name, None)
        for name in chosen
        for number, example in enumerate(definitions.states[name].examples, start=1)
    ]
    cases += [
        _Case(name, number, example, definitions.outcomes[name].state, name)
        for name in wanted
        for number, example in enumerate(definitions.outcomes[name].examples, start=1)
    ]
    for case in cases:
        if case.outcome is None and case.example.at is None:
            faults.append(f"{case.told} does not say at which event time the value is expected: add `at`.")
        if case.outcome is not None and case.example.at is not None:
            faults.append(f"{case.told} says `at`, which the outcome says itself: leave it out.")
        for register in case.example.spells:
            if register not in sources:
                faults.append(
                    f"{case.told} has spells of '{register}', which is not a source.{nearest(register, sources)}"
                )
    raise_faults(faults)
    return cases


def _computable(definitions: Definitions, sources: Mapping[str, Source]) -> set[str]:
    """Return the states whose registers are all there; the shared definitions may speak of others."""
    able: dict[str, bool] = {}

    def possible(name: str) -> bool:
        if name not in able:
            state = definitions.states.get(name)
            # A state that needs itself, or an unknown one, is told by the plan, not left out here.
            able[name] = True
            if isinstance(state, SpellState):
                able[name] = state.register_name in sources
            elif state is not None:
                able[name] = all([possible(part) for part in names_in(state.expression)])
        return able[name]

    return {name for name in definitions.states if possible(name)}


def _run(
    cases: Sequence[_Case], definitions: Definitions, sources: Mapping[str, Source], prices: PriceIndices, unit: Unit
) -> list[str]:
    """Make every example a person of one small delivery, and run it as any other."""
    import pyarrow.parquet as pq

    outcomes = {case.outcome: definitions.outcomes[case.outcome] for case in cases if case.outcome is not None}
    times = [time for outcome in outcomes.values() for time in outcome.periods]
    times += [case.example.at for case in cases if case.example.at is not None]
    states = list(dict.fromkeys(case.state for case in cases))
    first, last = min(times), max(times)
    plan = plan_panel(definitions, sources, unit=unit, first=first, last=last, states=states)
    unused = [
        f"{case.told} has spells of '{register}', which nothing that is computed here reads."
        for case in cases
        for register in case.example.spells
        if register not in plan.sources
    ]
    raise_faults(unused)
    with tempfile.TemporaryDirectory(prefix="refino_eval_examples_") as folder:
        root = Path(folder)
        clean = {name: root / f"register_{name}.parquet" for name in plan.sources}
        for name, path in clean.items():
            pq.write_table(_register(cases, plan.sources[name], plan.columns(name)), path)
        pq.write_table(_cohort(cases), root / "cohort.parquet")
        panel = root / "panel.parquet"
        derive_panel(
            definitions,
            sources,
            prices,
            clock_unit=unit,
            first=first,
            last=last,
            states=states,
            cohort_path=root / "cohort.parquet",
            clean_paths=clean,
            out_path=panel,
            threads=1,
        )
        values = _values(cases, outcomes, panel)
    return [
        _told(case, value, unit)
        for case, value in zip(cases, values, strict=True)
        if not _equal(case.example.expect, value)
    ]


def _values(cases: Sequence[_Case], outcomes: Mapping[str, Outcome], panel: Path) -> list[float | None]:
    import pyarrow.parquet as pq

    rows = pq.read_table(panel).to_pylist()
    at = {(row["person_id"], row["event_time"]): row for row in rows}
    by_person = {row["person_id"]: row for row in derive_outcomes(panel, outcomes).to_pylist()} if outcomes else {}
    return [
        at[case.person_id, case.example.at][case.state]
        if case.outcome is None
        else by_person[case.person_id][case.outcome]
        for case in cases
    ]


def _equal(expected: float | None, value: float | None) -> bool:
    if expected is None or value is None:
        return expected is value
    return math.isclose(expected, value, rel_tol=TOLERANCE, abs_tol=1e-9)


def _told(case: _Case, value: float | None, unit: Unit) -> str:
    expected, got = (("missing" if number is None else f"{number:.10g}") for number in (case.example.expect, value))
    when = f" at event {unit} {case.example.at}" if case.outcome is None else ""
    return (
        f"{case.told}: expected {expected}{when}, and the definition gives {got}. Either the definition or the example "
        "says something else than what is meant; correct the one that does."
    )


def _cohort(cases: Sequence[_Case]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "person_id": pa.array([case.person_id for case in cases], pa.string()),
            "draw_date": pa.array([case.example.draw for case in cases], pa.date32()),
        }
    )


def _register(cases: Sequence[_Case], source: Source, columns: Sequence[str]) -> pa.Table:
    """Make a register's clean rows from the examples' spells."""
    import pyarrow as pa

    faults: list[str] = []
    rows: list[dict[str, Any]] = []
    for case in cases:
        for given in case.example.spells.get(source.register_name, ()):
            try:
                rows.append({"person_id": case.person_id, **_row(given, source, columns)})
            except ValueError as fault:
                faults.append(f"{case.told}, a spell of '{source.register_name}': {fault}")
    raise_faults(faults)
    arrays = {}
    for name in columns:
        kind = pa.date32() if name in ("start", "stop") else _arrow_type(source.columns.get(name))
        arrays[name] = pa.array([row.get(name) for row in rows], kind)
    return pa.table(arrays)


def _arrow_type(column: Column | None) -> pa.DataType:
    import pyarrow as pa

    if column is None or column.type in ("id", "text", "code"):
        return pa.string()
    if column.type in ("date", "week"):
        return pa.date32()
    return pa.float64() if column.type == "number" else pa.int64()


def _row(given: Mapping[str, Any], source: Source, columns: Sequence[str]) -> dict[str, Any]:
    """Turn one spell, as an analyst writes it, into a clean row: natural units in, kept units out."""
    known = {*source.columns, "start", "stop"} - {"person_id"}
    for name in given:
        if name not in known:
            raise ValueError(f"the source lists no column '{name}'.{nearest(name, known)}")
    row: dict[str, Any] = {}
    for name, value in given.items():
        column = source.columns.get(name)
        row[name] = _kept(name, value, None if name in ("start", "stop") else column)
    if source.temporality == "accumulated" and "start" not in row:
        row["start"], row["stop"] = _bounds(row.get("period"), source)
    if row.get("start") is None:
        raise ValueError("it has no `start` (an accumulated amount may give `period` instead).")
    if source.temporality == "event" and row.get("stop") is None:
        row["stop"] = row["start"] + dt.timedelta(days=1)
    return {name: value for name, value in row.items() if name in columns}


def _bounds(period: int | None, source: Source) -> tuple[dt.date, dt.date]:
    if period is None:
        raise ValueError("it has neither `period` nor `start`.")
    if source.columns["period"].type == "year":
        return dt.date(period, 1, 1), dt.date(period + 1, 1, 1)
    index = month_index(dt.date(period // 100, period % 100, 1))
    return month_start(index), month_start(index + 1)


def _kept(name: str, value: object, column: Column | None) -> str | int | float | dt.date | None:
    """Turn a value as an analyst writes it into the form in which the clean register keeps it."""
    if value is None:
        return None
    if column is None or column.type in ("date", "week"):
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"'{name}' is {value!r}, which is not a day written yyyy-mm-dd.") from None
    if column.type in ("id", "text", "code"):
        if not isinstance(value, str):
            raise ValueError(f"'{name}' holds text: write {value!r} in quotes.")
        return value
    try:
        number = Decimal(str(value)) * (100 if column.type in SCALED else 1)
        if isinstance(value, bool) or (column.type != "number" and number != int(number)):
            raise InvalidOperation
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"'{name}' is {value!r}, which is not of type {column.type}.") from None
    return float(number) if column.type == "number" else int(number)
