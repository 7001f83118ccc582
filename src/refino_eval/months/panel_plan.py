"""What has to be read, and how it is grouped, to give the states that were asked for.

States of the same register and touch share one pass over its spells. Within such a group, states that count a unit's
spells once (`within`) set the grain; states without `within` ride along on the first key, since a maximum of maxima, a
sum of sums and a count of counts are the same as without units. A share of days and a main job have a pass of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from refino_eval.codes.prices import PriceIndex
from refino_eval.config.base import Unit
from refino_eval.config.definitions import (
    Condition,
    Definitions,
    Deflate,
    DerivedState,
    GivenState,
    PersonDate,
    SpellState,
)
from refino_eval.config.sources import Column, Source
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.expressions import RESERVED, Kind, Tree, kind_of, names_in, parse
from refino_eval.sql.conditions import condition_problems
from refino_eval.sql.quoting import NUMERIC

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
        Column that identifies units, or None when every spell counts for itself.
    by_month
        Whether rows stand for the clock's own periods, so that they are joined by equality instead of by range.
    states
        Names of the states, in order of definition.
    form
        How spells are taken together: by adding up and comparing, as a share of days, or as one main spell.
    """

    register: str
    touch: str
    key: str | None
    by_month: bool
    states: tuple[str, ...]
    form: Literal["spells", "days", "main"] = "spells"


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
    dates
        The days of people's lives after which states are not measured.
    """

    unit: Unit
    first: int
    last: int
    requested: tuple[str, ...]
    spell_states: dict[str, SpellState]
    groups: tuple[Group, ...]
    levels: tuple[dict[str, Tree], ...]
    derived: dict[str, DerivedState]
    sources: dict[str, Source]
    prices: tuple[Deflate, ...]
    dates: tuple[PersonDate, ...] = ()

    @property
    def periods(self) -> int:
        """Number of periods of the clock."""
        return self.last - self.first + 1

    def columns(self, register: str) -> tuple[str, ...]:
        """Return the columns of a register that are read; no other is."""
        wanted = ["person_id"]
        for group in self.groups:
            if group.register != register:
                continue
            wanted += ["start", "stop"]
            for name in group.states:
                state = self.spell_states[name]
                asked = (*state.where, *(state.main.where if state.main else ()))
                wanted += [condition.column for condition in asked]
                by = state.main.by if state.main else None
                wanted += [part for part in (state.value, group.key, by) if part is not None]
        for date in self.dates:
            if date.register_name == register:
                wanted += [date.column, *(condition.column for condition in date.where)]
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
        if source.temporality in ("fixed", "series"):
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
        by = None if state.main is None else state.main.by
        for part, column in (("value", state.value), ("within.key", key), ("main.by", by)):
            if column is not None:
                self.column(name, part, source, column)
        for condition in state.main.where if state.main else ():
            self.condition(name, source, condition, "main.where")
        for date in state.missing.dates:
            self.date(name, date)
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

    def date(self, name: str, date: PersonDate) -> None:
        """Check where a day of a person's life is read."""
        source = self.sources.get(date.register_name)
        if source is None:
            self.faults.append(
                f"State '{name}', missing: the register '{date.register_name}' is not among the sources that the "
                f"evaluation reads.{nearest(date.register_name, self.sources)}"
            )
            return
        column = self.column(name, "missing", source, date.column)
        if column is not None and column.type not in ("date", "week"):
            self.faults.append(
                f"State '{name}', missing: the column '{date.column}' of '{date.register_name}' is of type "
                f"{column.type}; the day after which nothing is measured is of type date."
            )
        for condition in date.where:
            self.condition(name, source, condition, "missing")

    def condition(self, name: str, source: Source, condition: Condition, part: str = "where") -> None:
        column = self.column(name, part, source, condition.column)
        if column is None:
            return
        self.faults += [f"State '{name}', {part}, {problem}." for problem in condition_problems(condition, column.type)]


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
    UserError
        With every fault of the definitions involved.
    """
    raise_problems(list(_name_problems(definitions, states)))
    requested = tuple(dict.fromkeys(states))
    levels, needed, _ = derived_levels(definitions, requested)
    involved = {name: state for name, state in definitions.states.items() if name in needed}
    spell_states = {name: state for name, state in involved.items() if isinstance(state, SpellState)}
    checks = _Checks(definitions, sources, unit)
    for name, state in spell_states.items():
        checks.spell_state(name, state)
    raise_problems(checks.faults)
    dates = tuple(dict.fromkeys(_day(date) for state in spell_states.values() for date in state.missing.dates))
    registers = [state.register_name for state in spell_states.values()] + [date.register_name for date in dates]
    used = {register: sources[register] for register in registers}
    deflators = [state.deflate for state in spell_states.values() if state.deflate is not None]
    return Plan(
        unit=unit,
        first=first,
        last=last,
        requested=requested,
        spell_states=spell_states,
        groups=_groups(spell_states, used, unit),
        levels=levels,
        derived={name: state for name, state in involved.items() if isinstance(state, DerivedState)},
        sources=used,
        prices=_unique(deflators),
        dates=dates,
    )


def _name_problems(definitions: Definitions, states: Sequence[str]) -> Iterator[str]:
    """Return a message for each name that no state has, or that no state can have."""
    for name in states:
        if name not in definitions.states:
            yield f"There is no state '{name}'.{nearest(name, definitions.states)}"
        elif name in TAKEN:
            yield f"No state can be called '{name}': the panel has a column of that name already."
        elif name in RESERVED:
            yield f"No state can be called '{name}': it is a word of the expression language."


def _day(date: PersonDate) -> PersonDate:
    """Return where a day is read, whatever the value after it."""
    return date.model_copy(update={"value": "missing"})


def date_column(plan: Plan, date: PersonDate) -> str:
    """Return the name of the column that holds a day of a person's life."""
    return f"last_day_{plan.dates.index(_day(date)) + 1}"


def state_kinds(definitions: Definitions, states: Sequence[str]) -> dict[str, Kind]:
    """Return whether each of some states is a number or true/false, as expressions see them.

    Parameters
    ----------
    definitions
        All definitions; states that the names need are looked up in it.
    states
        Names of states.

    Raises
    ------
    UserError
        For an unknown state, and for faults of the expressions involved.
    """
    raise_problems(
        [
            f"There is no state '{name}'.{nearest(name, definitions.states)}"
            for name in states
            if name not in definitions.states
        ]
    )
    _, _, kinds = derived_levels(definitions, states)
    return {name: kinds[name] for name in states}


def _unique(deflators: Sequence[Deflate]) -> tuple[Deflate, ...]:
    return tuple({(deflate.index, deflate.base_year): deflate for deflate in deflators}.values())


def _groups(states: Mapping[str, SpellState], sources: Mapping[str, Source], unit: Unit) -> tuple[Group, ...]:
    """Put states of the same register and touch together, and under them those of the same key."""
    passes: dict[tuple[str, str], list[str]] = {}
    groups: list[Group] = []
    for name, state in states.items():
        if state.touch == "share_of_days":
            groups.append(Group(state.register_name, "any_day", None, False, (name,), "days"))
        elif state.combine == "main_job":
            by_month = _by_month(sources[state.register_name], unit)
            groups.append(Group(state.register_name, state.touch, None, by_month, (name,), "main"))
        else:
            passes.setdefault((state.register_name, state.touch), []).append(name)
    for (register, touch), names in passes.items():
        by_key: dict[str | None, list[str]] = {}
        for name in names:
            within = states[name].within
            by_key.setdefault(None if within is None else within.key, []).append(name)
        keys = [key for key in by_key if key is not None]
        if keys and None in by_key:
            riders = by_key.pop(None)
            by_key[keys[0]] = [name for name in names if name in riders or name in by_key[keys[0]]]
        by_month = _by_month(sources[register], unit)
        groups += [Group(register, touch, key, by_month, tuple(members)) for key, members in by_key.items()]
    return tuple(groups)


def _by_month(source: Source, unit: Unit) -> bool:
    period = source.columns.get("period")
    return source.temporality == "accumulated" and period is not None and period.type == unit == "month"


def derived_levels(
    definitions: Definitions, requested: Sequence[str]
) -> tuple[tuple[dict[str, Tree], ...], set[str], dict[str, Kind]]:
    """Order the derived states so that each follows what it needs; every fault of theirs at once."""
    needed = _needed_states(definitions, requested)
    waiting = {
        name: state for name, state in definitions.states.items() if name in needed and isinstance(state, DerivedState)
    }
    kinds = _kinds_of_sources(definitions)
    faults: list[str] = []
    levels: list[dict[str, Tree]] = []
    while waiting:
        ready = [name for name, state in waiting.items() if not set(names_in(state.expression)) & set(waiting)]
        if not ready:
            faults.append(_cycle(waiting))
            break
        # What the expressions name is in `kinds` by now, since `ready` waits for it; the rest helps the message.
        every_kind: dict[str, Kind] = {**dict.fromkeys(definitions.states, "number"), **kinds}
        level: dict[str, Tree] = {}
        for name in ready:
            try:
                level[name] = parse(waiting.pop(name).expression, every_kind, where=f"State '{name}'")
            except UserError as error:
                faults.extend(error.problems)
        kinds |= {name: kind_of(tree) for name, tree in level.items()}
        levels.append(level)
    raise_problems(faults)
    return tuple(levels), needed, kinds


def _kinds_of_sources(definitions: Definitions) -> dict[str, Kind]:
    """Return whether states that are derived from no others are numbers or true/false."""
    kinds: dict[str, Kind] = {
        name: "boolean" if _is_truth(state) else "number"
        for name, state in definitions.states.items()
        if isinstance(state, SpellState)
    }
    # Whether a column of a panel is a number or true/false is known from its values alone.
    kinds |= {name: "any" for name, state in definitions.states.items() if isinstance(state, GivenState)}
    return kinds


def _needed_states(definitions: Definitions, requested: Sequence[str]) -> set[str]:
    """Return the states that some states need, themselves among them."""
    needed: set[str] = set()
    queue = list(requested)
    while queue:
        name = queue.pop()
        state = definitions.states.get(name)
        if state is None or name in needed:
            continue
        needed.add(name)
        if isinstance(state, DerivedState):
            queue += names_in(state.expression)
    return needed


def _is_truth(state: SpellState) -> bool:
    """Whether a state is 0 or 1 wherever it is measured."""
    answers = state.combine == "any" or (state.main is not None and bool(state.main.where))
    rules = state.missing
    values = (state.absent, rules.before_coverage, rules.after_coverage, *(date.value for date in rules.dates))
    whole = state.touch != "share_of_days" and state.divide_by == 1
    return answers and whole and all(value in (0, 1, "missing") for value in values)


def _cycle(waiting: Mapping[str, DerivedState]) -> str:
    """Name one circle among derived states that all wait for one another."""
    name = next(iter(waiting))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(other for other in names_in(waiting[name].expression) if other in waiting)
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
    UserError
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
    raise_problems(faults)
