"""Worked examples: every definition is run on the spells that stand beside it, twice.

Once by the engine that runs the registers, and once by the plain oracle, so that an example holds for both or is reported.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.codes.calendars import month_index, month_start
from refino_eval.config.base import Unit
from refino_eval.config.definitions import Definitions, Example, GivenState, Outcome, SpellState
from refino_eval.config.dependencies import outcome_states
from refino_eval.config.sources import Column, Source
from refino_eval.errors import nearest, raise_problems
from refino_eval.expressions import names_in
from refino_eval.months.engine import derive_panel
from refino_eval.months.panel_plan import Plan, PriceIndices, plan_panel
from refino_eval.months.state_oracle import PlainStates
from refino_eval.outcomes.build import CENSORED, derive_outcomes
from refino_eval.outcomes.kinds import plain_outcome
from refino_eval.sql.quoting import SCALES

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-6
"""Relative difference up to which a value is the one expected: enough to write a deflated amount in seven digits."""

MOST = 10**15
"""Amounts beyond this are no amounts."""


Key = tuple[str, str]
"""Kind and name of a definition."""


@dataclass(frozen=True)
class _Case:
    """One example of one entry."""

    entry: str
    number: int
    example: Example
    states: tuple[str, ...]
    outcome: str | None

    @property
    def key(self) -> Key:
        return ("states" if self.outcome is None else "outcomes", self.entry)

    @property
    def person_id(self) -> str:
        return f"{self.entry}/{self.number:04d}"

    @property
    def title(self) -> str:
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
    engine: str = "duckdb",
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
    engine
        The engine that computes panel and outcomes.

    Returns
    -------
    int
        Number of examples that came out as written.

    Raises
    ------
    UserError
        One paragraph per example that did not, with the entry, the example, what was expected and what came out; by the
        engine, by the plain oracle, or by both.
    """
    results = example_results(
        definitions,
        sources,
        prices,
        states=states,
        outcomes=outcomes,
        state_clock=state_clock,
        engine=engine,
    )
    raise_problems([text for problems in results.values() for text in problems if text])
    return sum(map(len, results.values()))


def example_results(
    definitions: Definitions,
    sources: Mapping[str, Source],
    prices: PriceIndices,
    *,
    states: Sequence[str] | None = None,
    outcomes: Sequence[str] | None = None,
    state_clock: Unit = "month",
    engine: str = "duckdb",
) -> dict[Key, tuple[str, ...]]:
    """Run the worked examples of states and outcomes together, and return the result of each one.

    Parameters
    ----------
    definitions, sources, prices, states, outcomes, state_clock, engine
        As `check_examples`.

    Returns
    -------
    dict
        ``("states", name)`` or ``("outcomes", name)`` -> for each of its examples what is wrong with it, or an empty text.

    Raises
    ------
    UserError
        When something cannot be run at all.
    """
    sources = {name: _of_examples(source) for name, source in sources.items()}
    cases = _cases(definitions, sources, states, outcomes)
    results: dict[Key, list[str]] = {}
    for unit in ("month", "week"):
        clock: Unit = "week" if unit == "week" else "month"
        chosen = [case for case in cases if _clock(case, definitions, state_clock) == clock]
        if chosen:
            problems = _run(chosen, definitions, sources, prices, clock, engine)
            for case, problem in zip(chosen, problems, strict=True):
                results.setdefault(case.key, []).append(problem)
    return {key: tuple(problems) for key, problems in results.items()}


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
        [name for name, outcome in definitions.outcomes.items() if _able(outcome, able, definitions)]
        if outcomes is None
        else list(outcomes)
    )
    raise_problems([*_unknown("state", chosen, definitions.states), *_unknown("outcome", wanted, definitions.outcomes)])
    cases = [
        _Case(name, number, example, (name,), None)
        for name in chosen
        for number, example in enumerate(definitions.states[name].examples, start=1)
    ]
    cases += [
        _Case(name, number, example, tuple(outcome_states(definitions.outcomes[name])), name)
        for name in wanted
        for number, example in enumerate(definitions.outcomes[name].examples, start=1)
    ]
    raise_problems([problem for case in cases for problem in _case_problems(case, definitions, sources)])
    return cases


def _unknown(what: str, names: Sequence[str], known: Mapping[str, object]) -> list[str]:
    return [f"There is no {what} '{name}'.{nearest(name, known)}" for name in names if name not in known]


def _case_problems(case: _Case, definitions: Definitions, sources: Mapping[str, Source]) -> Iterator[str]:
    """Return a message for each thing that an example says and cannot mean."""
    example = case.example
    if case.outcome is None and example.at is None:
        yield f"{case.title} does not give the event time at which the value is expected: add `at`."
    if case.outcome is not None and example.at is not None:
        yield f"{case.title} gives `at`, which the outcome's definition gives already: remove it."
    if example.censored is not None and not (case.outcome and definitions.outcomes[case.outcome].companion):
        yield f"{case.title} gives `censored`, but the outcome has no such flag: remove it."
    for register in example.spells:
        if register not in sources:
            yield f"{case.title} has spells of '{register}', which is not a source.{nearest(register, sources)}"


def _able(outcome: Outcome, able: set[str], definitions: Definitions) -> bool:
    """Whether an outcome can be computed; one that names an unknown state is reported by the plan, not left out."""
    return all(name in able or name not in definitions.states for name in outcome_states(outcome))


def _of_examples(source: Source) -> Source:
    """Return a source with the coverage that worked examples assume, which no delivery changes."""
    assumed = source.example_coverage
    return source if assumed is None else source.model_copy(update={"coverage": assumed})


def _computable(definitions: Definitions, sources: Mapping[str, Source]) -> set[str]:
    """Return the states whose registers are all there; the shared definitions may speak of others."""
    able: dict[str, bool] = {}

    def possible(name: str) -> bool:
        if name not in able:
            state = definitions.states.get(name)
            # A state that needs itself, or an unknown one, is reported by the plan, not left out here.
            able[name] = True
            if isinstance(state, SpellState):
                registers = (state.register_name, *(date.register_name for date in state.missing.dates))
                able[name] = all(register in sources for register in registers)
            elif isinstance(state, GivenState):
                able[name] = False  # it is a column of a panel, and examples are of spells
            elif state is not None:
                able[name] = all([possible(part) for part in names_in(state.expression)])
        return able[name]

    return {name for name in definitions.states if possible(name)}


def _run(
    cases: Sequence[_Case],
    definitions: Definitions,
    sources: Mapping[str, Source],
    prices: PriceIndices,
    unit: Unit,
    engine: str,
) -> list[str]:
    """Make every example a person of one small delivery, run it as any other, and return what is wrong with each."""
    import pyarrow.parquet as pq

    outcomes = {case.outcome: definitions.outcomes[case.outcome] for case in cases if case.outcome is not None}
    states = list(dict.fromkeys(state for case in cases for state in case.states))
    first, last = _times_of(cases, outcomes)
    plan = plan_panel(definitions, sources, unit=unit, first=first, last=last, states=states)
    raise_problems(_unused_spells(cases, plan))
    rows = {name: _rows(cases, plan.sources[name]) for name in plan.sources}
    with tempfile.TemporaryDirectory(prefix="refino_eval_examples_") as folder:
        root = Path(folder)
        clean = {name: root / f"register_{name}.parquet" for name in plan.sources}
        for name, path in clean.items():
            pq.write_table(_register(rows[name], plan, name), path)
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
            engine=engine,
        )
        values = _values(cases, outcomes, panel, definitions, engine)
    plain = PlainStates(definitions, sources, prices, unit)
    again = [_plain(case, outcomes, plain, _life_of(case, rows)) for case in cases]
    return [
        "" if _agrees(case.example, engine) and _agrees(case.example, oracle) else _told(case, engine, oracle, unit)
        for case, engine, oracle in zip(cases, values, again, strict=True)
    ]


def _times_of(cases: Sequence[_Case], outcomes: Mapping[str, Outcome]) -> tuple[int, int]:
    """Return the first and the last event time that the cases need."""
    times = [time for outcome in outcomes.values() for time in outcome.periods]
    times += [case.example.at for case in cases if case.example.at is not None]
    return min(times), max(times)


def _life_of(case: _Case, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a case's rows by register."""
    return {register: by_person.get(case.person_id, ()) for register, by_person in rows.items()}


def _unused_spells(cases: Sequence[_Case], plan: Plan) -> list[str]:
    return [
        f"{case.title} has spells of '{register}', which nothing that is computed here reads."
        for case in cases
        for register in case.example.spells
        if register not in plan.sources
    ]


Value = tuple[float | None, float | None]
"""A value and the censoring flag beside it (None when there is none)."""


def _values(
    cases: Sequence[_Case], outcomes: Mapping[str, Outcome], panel: Path, definitions: Definitions, engine: str
) -> list[Value]:
    """Return what the engine gives for each case."""
    import pyarrow.parquet as pq

    rows = pq.read_table(panel).to_pylist()
    at = {(row["person_id"], row["event_time"]): row for row in rows}
    table = derive_outcomes(panel, outcomes, definitions=definitions, engine=engine).to_pylist() if outcomes else []
    by_person = {row["person_id"]: row for row in table}
    return [
        (at[case.person_id, case.example.at][case.states[0]], None)
        if case.outcome is None
        else (by_person[case.person_id][case.outcome], by_person[case.person_id].get(case.outcome + CENSORED))
        for case in cases
    ]


def _plain(case: _Case, outcomes: Mapping[str, Outcome], plain: PlainStates, life: Mapping[str, Any]) -> Value:
    """Return what the plain oracle gives for a case."""
    draw = case.example.draw
    if case.outcome is None:
        assert case.example.at is not None
        return plain.value(case.states[0], life, draw=draw, event_time=case.example.at), None
    outcome = outcomes[case.outcome]
    seen = [plain.expression(outcome.reads, life, draw=draw, event_time=time) for time in outcome.read]
    return plain_outcome(outcome, seen)


def _agrees(example: Example, value: Value) -> bool:
    return _equal(example.expect, value[0]) and (example.censored is None or _equal(example.censored, value[1]))


def _equal(expected: float | None, value: float | None) -> bool:
    if expected is None or value is None:
        return expected is value
    return math.isclose(expected, value, rel_tol=TOLERANCE, abs_tol=1e-9)


def _told(case: _Case, engine: Value, oracle: Value, unit: Unit) -> str:
    when = f" at event {unit} {case.example.at}" if case.outcome is None else ""
    flagged = case.example.censored is not None
    expected, got, slow = (_said(v, flagged) for v in ((case.example.expect, case.example.censored), engine, oracle))
    if not (_equal(engine[0], oracle[0]) and _equal(engine[1], oracle[1])):
        return (
            f"{case.title}: expected {expected}{when}; the engine gives {got} and the plain oracle {slow}. The two ought "
            "to agree whatever is defined: this is a fault of the program, to be reported with the example."
        )
    return (
        f"{case.title}: expected {expected}{when}, and the definition gives {got}. Either the definition or the example "
        "says something else than what is meant; correct the one that does."
    )


def _said(value: Value, flagged: bool) -> str:
    number, flag = ("missing" if each is None else f"{each:.10g}" for each in value)
    return f"{number} (censored {flag})" if flagged else number


def _cohort(cases: Sequence[_Case]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "person_id": pa.array([case.person_id for case in cases], pa.string()),
            "draw_date": pa.array([case.example.draw for case in cases], pa.date32()),
        }
    )


def _rows(cases: Sequence[_Case], source: Source) -> dict[str, list[dict[str, Any]]]:
    """Make a register's clean rows from the examples' spells, by person."""
    faults: list[str] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        for given in case.example.spells.get(source.register_name, ()):
            try:
                rows.setdefault(case.person_id, []).append(_row(given, source))
            except ValueError as fault:
                faults.append(f"{case.title}, a spell of '{source.register_name}': {fault}")
    raise_problems(faults)
    return rows


def _register(rows: Mapping[str, Sequence[Mapping[str, Any]]], plan: Plan, register: str) -> pa.Table:
    """Write a register's rows as a table of the columns that are read."""
    import pyarrow as pa

    listed = [{"person_id": person, **row} for person, own in rows.items() for row in own]
    arrays = {}
    for name in plan.columns(register):
        kind = pa.date32() if name in ("start", "stop") else _arrow_type(plan.sources[register].columns.get(name))
        arrays[name] = pa.array([row.get(name) for row in listed], kind)
    return pa.table(arrays)


def _arrow_type(column: Column | None) -> pa.DataType:
    import pyarrow as pa

    if column is None or column.type in ("id", "text", "code"):
        return pa.string()
    if column.type in ("date", "week"):
        return pa.date32()
    return pa.float64() if column.type == "number" else pa.int64()


def _row(given: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Turn one spell, as an analyst writes it, into a clean row: natural units in, kept units out."""
    columns = {*source.columns, "start", "stop"} - {"person_id"}
    for name in given:
        if name not in columns:
            raise ValueError(f"the source lists no column '{name}'.{nearest(name, columns)}")
    row: dict[str, Any] = {}
    for name, value in given.items():
        column = source.columns.get(name)
        row[name] = _kept(name, value, None if name in ("start", "stop") else column)
    if source.temporality == "accumulated" and "start" not in row:
        row["start"], row["stop"] = _bounds(row.get("period"), source)
    if row.get("start") is None and source.temporality != "fixed":
        raise ValueError("it has no `start` (an accumulated amount may give `period` instead).")
    if source.temporality == "event" and row.get("stop") is None:
        row["stop"] = row["start"] + dt.timedelta(days=1)
    return row


def _bounds(period: int | None, source: Source) -> tuple[dt.date, dt.date]:
    if period is None:
        raise ValueError("it has neither `period` nor `start`.")
    if not 1 <= (period if source.columns["period"].type == "year" else period // 100) <= 9998:
        raise ValueError(f"'period' is {period}, which is not a period of the calendar.")
    if source.columns["period"].type == "year":
        return dt.date(period, 1, 1), dt.date(period + 1, 1, 1)
    if not 1 <= period % 100 <= 12:
        raise ValueError(f"'period' is {period}, which is not a month written yyyymm.")
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
        number = Decimal(str(value)) * SCALES.get(column.type, 1)
        if isinstance(value, bool) or not abs(number) < MOST or (column.type != "number" and number != int(number)):
            raise InvalidOperation
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"'{name}' is {value!r}, which is not of type {column.type}.") from None
    return float(number) if column.type == "number" else int(number)
