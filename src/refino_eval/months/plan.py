"""What has to be read, and how it is grouped, to give the states that were asked for.

States of the same register and touch share one pass over its spells. Within such a group, states that count a unit's
spells once (`within`) set the grain; states without `within` ride along on the first key, since a maximum of maxima, a
sum of sums and a count of counts are the same as without units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refino_eval.codes.prices import PriceIndex
from refino_eval.config.base import Unit
from refino_eval.config.definitions import Condition, Definitions, Deflate, DerivedState, SpellState
from refino_eval.config.sources import Column, Source
from refino_eval.errors import UserFault, nearest, raise_faults
from refino_eval.months import expressions
from refino_eval.months.quoting import NUMERIC, value_literal

TAKEN = frozenset(("person_id", "person_no", "event_time", "period_start", "period_stop", "draw_date", "unit_key"))
"""Columns that the program makes itself; no state may have one of these names."""

PriceIndices = Mapping[str, PriceIndex]
"""Price indices by name (`refino_eval.codes.prices`)."""


@dataclass(frozen=True)
class Group:
    """States computed from one pass over one register.

    Attributes
    ----------
    register, touch
        Which spells, and which of them count in a period.
    key
        Column that tells units apart, or None when every spell counts for itself.
    by_month
        Whether rows stand for the clock's own periods, so that they are joined by equality instead of by range.
    states
        Names of the states, in order of definition.
    """

    register: str
    touch: str
    key: str | None
    by_month: bool
    states: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Everything the SQL text is written from.

    Attributes
    ----------
    unit, first, last
        The clock.
    requested
        States that become columns, in order.
    spell_states
        States computed from spells that are needed, in order of definition.
    groups
        How these are taken together.
    levels
        Derived states that are needed, each level needing only levels before it.
    sources
        The registers that are read.
    prices
        The conversions of prices that are needed.
    """

    unit: Unit
    first: int
    last: int
    requested: tuple[str, ...]
    spell_states: dict[str, SpellState]
    groups: tuple[Group, ...]
    levels: tuple[dict[str, expressions.Tree], ...]
    derived: dict[str, DerivedState]
    sources: dict[str, Source]
    prices: tuple[Deflate, ...]

    def columns(self, register: str) -> tuple[str, ...]:
        """Return the columns of a register that are read; no other is."""
        wanted = ["person_id", "start", "stop"]
        for group in self.groups:
            if group.register != register:
                continue
            for name in group.states:
                state = self.spell_states[name]
                wanted += [condition.column for condition in state.where]
                wanted += [part for part in (state.value, group.key) if part is not None]
        return tuple(dict.fromkeys(wanted))

    def value_type(self, state: SpellState) -> Column | None:
        """Return the column whose value a state takes, or None when spells only count."""
        return None if state.value is None else self.sources[state.register_name].columns[state.value]


@dataclass
class _Checks:
    definitions: Definitions
    sources: Mapping[str, Source]
    unit: Unit
    faults: list[str] = field(default_factory=list)

    def spell_state(self, name: str, state: SpellState) -> None:
        source = self.sources.get(state.register_name)
        if source is None:
            self.faults.append(
                f"State '{name}': the register '{state.register_name}' is not among the sources that the evaluation "
                f"reads.{nearest(state.register_name, self.sources)}"
            )
            return
        if source.temporality == "fixed":
            self.faults.append(
                f"State '{name}': the register '{state.register_name}' has no dates, so nothing happens in a period."
            )
        if source.coverage is None:
            self.faults.append(
                f"State '{name}': the source '{state.register_name}' does not say which period it covers, so that nobody could "
                "tell zero from missing; add `coverage` to it."
            )
        for condition in state.where:
            self.condition(name, source, condition)
        key = None if state.within is None else state.within.key
        for part, column in (("value", state.value), ("within.key", key)):
            if column is not None:
                self.column(name, part, source, column)
        kept = None if state.value is None else source.columns.get(state.value)
        if kept is not None and kept.type not in NUMERIC - {"month", "year"}:
            self.faults.append(
                f"State '{name}': the column '{state.value}' of '{source.register_name}' is of type {kept.type}, which cannot "
                "be added or compared; a value is of type integer, number, hundredths or ore."
            )
        self.grain(name, state, source)

    def grain(self, name: str, state: SpellState, source: Source) -> None:
        """Refuse an amount of a longer period than the clock's: a month's wage says nothing about a week of it."""
        period = source.columns.get("period")
        if source.temporality != "accumulated" or period is None or state.value is None:
            return
        if (self.unit, period.type) != ("month", "month"):
            self.faults.append(
                f"State '{name}': '{source.register_name}' gives amounts by calendar {period.type}, which say nothing about a "
                f"single {self.unit}; use the state on a clock of whole {period.type}s, or leave it out of this one."
            )

    def column(self, name: str, part: str, source: Source, column: str) -> Column | None:
        found = source.columns.get(column)
        if found is None:
            self.faults.append(
                f"State '{name}', {part}: the source '{source.register_name}' lists no column '{column}'.{nearest(column, source.columns)}"
            )
        return found

    def condition(self, name: str, source: Source, condition: Condition) -> None:
        column = self.column(name, "where", source, condition.column)
        if column is None:
            return
        if column.type not in NUMERIC and (condition.at_least is not None or condition.at_most is not None):
            self.faults.append(
                f"State '{name}', where: at_least and at_most compare numbers, and '{column.type}' is the type of "
                f"'{condition.column}'; use `in` or `not_in`."
            )
        for value in (*(condition.is_in or ()), *(condition.not_in or ())):
            try:
                value_literal(value, column.type)
            except ValueError as fault:
                self.faults.append(
                    f"State '{name}', where, column '{condition.column}' (type {column.type}): the value {fault}."
                )


def plan_panel(
    definitions: Definitions, sources: Mapping[str, Source], *, unit: Unit, first: int, last: int, states: Sequence[str]
) -> Plan:
    """Work out what the requested states need, and check every definition on the way.

    Parameters
    ----------
    definitions
        All definitions; only the states matter here.
    sources
        The evaluation's registers, by name.
    unit, first, last
        The clock: event time from `first` to `last`, both included.
    states
        The states that become columns; derived states pull in what they need.

    Returns
    -------
    Plan
        What is read and how it is taken together.

    Raises
    ------
    UserFault
        With every fault of the definitions involved.
    """
    faults: list[str] = []
    for name in states:
        if name not in definitions.states:
            faults.append(f"There is no state '{name}'.{nearest(name, definitions.states)}")
        elif name in TAKEN:
            faults.append(f"No state can be called '{name}': the panel has a column of that name already.")
    raise_faults(faults)
    requested = tuple(dict.fromkeys(states))
    levels, needed = _derived_levels(definitions, requested)
    spell_states = {
        name: state for name, state in definitions.states.items() if name in needed and isinstance(state, SpellState)
    }
    checks = _Checks(definitions, sources, unit)
    for name, state in spell_states.items():
        checks.spell_state(name, state)
    raise_faults(checks.faults)
    used = {state.register_name: sources[state.register_name] for state in spell_states.values()}
    deflators = [state.deflate for state in spell_states.values() if state.deflate is not None]
    return Plan(
        unit=unit,
        first=first,
        last=last,
        requested=requested,
        spell_states=spell_states,
        groups=_groups(spell_states, used, unit),
        levels=levels,
        derived={
            name: state
            for name, state in definitions.states.items()
            if name in needed and isinstance(state, DerivedState)
        },
        sources=used,
        prices=_unique(deflators),
    )


def _unique(deflators: Sequence[Deflate]) -> tuple[Deflate, ...]:
    return tuple({(deflate.index, deflate.base_year): deflate for deflate in deflators}.values())


def _groups(states: Mapping[str, SpellState], sources: Mapping[str, Source], unit: Unit) -> tuple[Group, ...]:
    """Put states of the same register and touch together, and under them those of the same key."""
    passes: dict[tuple[str, str], list[str]] = {}
    for name, state in states.items():
        passes.setdefault((state.register_name, state.touch), []).append(name)
    groups: list[Group] = []
    for (register, touch), names in passes.items():
        by_key: dict[str | None, list[str]] = {}
        for name in names:
            within = states[name].within
            by_key.setdefault(None if within is None else within.key, []).append(name)
        keys = [key for key in by_key if key is not None]
        if keys and None in by_key:
            riders = by_key.pop(None)
            by_key[keys[0]] = [name for name in names if name in riders or name in by_key[keys[0]]]
        source = sources[register]
        period = source.columns.get("period")
        by_month = source.temporality == "accumulated" and period is not None and period.type == unit == "month"
        groups += [Group(register, touch, key, by_month, tuple(members)) for key, members in by_key.items()]
    return tuple(groups)


def _derived_levels(
    definitions: Definitions, requested: Sequence[str]
) -> tuple[tuple[dict[str, expressions.Tree], ...], set[str]]:
    """Order the derived states so that each follows what it needs; every fault of theirs at once."""
    needed: set[str] = set()
    queue = list(requested)
    while queue:
        name = queue.pop()
        state = definitions.states.get(name)
        if state is None or name in needed:
            continue
        needed.add(name)
        if isinstance(state, DerivedState):
            queue += expressions.names_in(state.expression)
    waiting = {
        name: state for name, state in definitions.states.items() if name in needed and isinstance(state, DerivedState)
    }
    kinds: dict[str, expressions.Kind] = {
        name: "boolean" if state.combine == "any" and state.absent in (0, 1) and state.divide_by == 1 else "number"
        for name, state in definitions.states.items()
        if isinstance(state, SpellState)
    }
    faults: list[str] = []
    levels: list[dict[str, expressions.Tree]] = []
    while waiting:
        ready = [
            name for name, state in waiting.items() if not set(expressions.names_in(state.expression)) & set(waiting)
        ]
        if not ready:
            faults.append(_cycle(waiting))
            break
        level: dict[str, expressions.Tree] = {}
        for name in ready:
            # What the expression names is in `kinds` by now, since `ready` waits for it; the rest helps the message.
            known: dict[str, expressions.Kind] = {**{other: "number" for other in definitions.states}, **kinds}
            try:
                level[name] = expressions.parse(waiting.pop(name).expression, known, state=name)
            except UserFault as fault:
                faults.extend(fault.faults)
        kinds |= {name: expressions.kind_of(tree) for name, tree in level.items()}
        levels.append(level)
    raise_faults(faults)
    return tuple(levels), needed


def _cycle(waiting: Mapping[str, DerivedState]) -> str:
    """Name one circle among derived states that all wait for one another."""
    name = next(iter(waiting))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(other for other in expressions.names_in(waiting[name].expression) if other in waiting)
    circle = [*path[path.index(name) :], name]
    return (
        f"State '{name}' needs itself: {' -> '.join(circle)}. A derived state can only be computed from states that do "
        "not need it; take one of these out of the other's expression."
    )


def price_column(deflate: Deflate) -> str:
    """Return the name of the column of `periods` that holds a factor of prices."""
    return f"{deflate.index}_to_{deflate.base_year}"


def price_factor(deflate: Deflate, day: dt.date, prices: PriceIndices) -> float | None:
    """Return what an amount of a period is multiplied with, by the calendar year of the period's first day.

    Parameters
    ----------
    deflate
        Which index, and the year whose prices are wanted.
    day
        First day of the period.
    prices
        Price indices by name.

    Returns
    -------
    float or None
        Index of the base year over index of the period's year; None when the index does not know that year.
    """
    index = prices[deflate.index]
    return index.factor(day.year, deflate.base_year) if day.year in index.values else None


def check_prices(plan: Plan, prices: PriceIndices, days: Sequence[dt.date]) -> None:
    """Make sure that every covered period has a price.

    Parameters
    ----------
    plan
        The plan.
    prices
        Price indices by name.
    days
        First days of the periods of the clock.

    Raises
    ------
    UserFault
        For an unknown index, and for years that it lacks though the register covers them.
    """
    faults: list[str] = []
    for name, state in plan.spell_states.items():
        if state.deflate is None:
            continue
        index = prices.get(state.deflate.index)
        if index is None:
            faults.append(
                f"State '{name}': there is no price index '{state.deflate.index}'.{nearest(state.deflate.index, prices)}"
            )
            continue
        coverage = plan.sources[state.register_name].coverage
        assert coverage is not None
        years = {day.year for day in days if coverage.first <= day <= coverage.last} | {state.deflate.base_year}
        lacking = sorted(year for year in years if year not in index.values)
        if lacking:
            faults.append(
                f"State '{name}': the price index '{state.deflate.index}' lacks the year(s) {', '.join(map(str, lacking))}, "
                f"which the amounts are in; add them to the codelist."
            )
    raise_faults(faults)
