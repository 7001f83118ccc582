"""The states once more, slowly: one person, one period, one day at a time, without SQL.

It shares nothing with the engine but the definitions, so that a worked example that both give as written was not
written to fit a fault of either. Numbers are fractions until the end; nothing here is meant to be fast.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from refino_eval.config.base import Unit
from refino_eval.config.definitions import Condition, Definitions, DerivedState, PersonDate, SpellState
from refino_eval.config.sources import Source
from refino_eval.expressions import Tree, names_in, parse
from refino_eval.expressions.plain import evaluate
from refino_eval.months.panel_plan import PriceIndices, price_factor, state_kinds
from refino_eval.months.periods import period_at
from refino_eval.sql.quoting import SCALES

Row = Mapping[str, Any]
Life = Mapping[str, Sequence[Row]]
"""A person's clean rows by register."""


@dataclass
class PlainStates:
    """Works out states of one person in one period from their definitions.

    Attributes
    ----------
    definitions, sources, prices
        As for the engine.
    unit
        The clock's period.
    """

    definitions: Definitions
    sources: Mapping[str, Source]
    prices: PriceIndices
    unit: Unit
    _trees: dict[str, Tree] = field(default_factory=dict)

    def value(self, name: str, life: Life, *, draw: dt.date, event_time: int) -> float | None:
        """Work out one state.

        Parameters
        ----------
        name
            The state.
        life
            The person's rows by register, in the form of clean registers (half-open spells; hundredths and oere).
        draw
            Day of the draw.
        event_time
            Which period.

        Returns
        -------
        float or None
            The value in the state's reported unit; None when missing.
        """
        state = self.definitions.states[name]
        if isinstance(state, DerivedState):
            return self.expression(state.expression, life, draw=draw, event_time=event_time)
        assert isinstance(state, SpellState)  # what a panel holds ready-made has no rows to be worked out from
        period = period_at(draw, event_time, self.unit)
        days = [period.start + dt.timedelta(days=number) for number in range((period.stop - period.start).days)]
        unmeasured, value = _unmeasured(state, self.sources, life, days)
        if unmeasured:
            return value
        return _measured(state, self.sources[state.register_name], self.prices, life, days)

    def expression(self, text: str, life: Life, *, draw: dt.date, event_time: int) -> float | None:
        """Work out an expression over states of one period; see `value`."""
        names = names_in(text)
        if text not in self._trees:
            self._trees[text] = parse(text, state_kinds(self.definitions, names), where="Expression")
        parts = {name: self.value(name, life, draw=draw, event_time=event_time) for name in names}
        return evaluate(self._trees[text], parts)


def _unmeasured(
    state: SpellState, sources: Mapping[str, Source], life: Life, days: Sequence[dt.date]
) -> tuple[bool, float | None]:
    """Say whether a rule for missing values speaks, and what it says."""
    coverage = sources[state.register_name].coverage
    assert coverage is not None
    rules = state.missing
    for date in rules.dates:
        day = _first_day(date, sources[date.register_name], life)
        if day is not None and all(each > day for each in days):
            return True, _number_or_none(date.value)
    if any(day < coverage.first for day in days):
        return True, _number_or_none(rules.before_coverage)
    if any(day > coverage.last for day in days):
        return True, _number_or_none(rules.after_coverage)
    return False, None


def _number_or_none(value: str | float) -> float | None:
    return None if isinstance(value, str) else float(value)


def _first_day(date: PersonDate, source: Source, life: Life) -> dt.date | None:
    rows = [row for row in life.get(date.register_name, ()) if _meets(row, date.where, source)]
    found = [row[date.column] for row in rows if row.get(date.column) is not None]
    return min(found) if found else None


def _measured(
    state: SpellState, source: Source, prices: PriceIndices, life: Life, days: Sequence[dt.date]
) -> float | None:
    rows = [row for row in life.get(state.register_name, ()) if _meets(row, state.where, source)]
    here = [(row, [_covers(row, day) for day in days]) for row in rows]
    if state.touch == "share_of_days":
        covered = sum(map(any, zip(*(there for _, there in here), strict=True)))
        return covered / len(days) if covered else state.absent
    if _is_monthly(source, days):
        touched = [row for row, _ in here if row["start"] == days[0]]
    else:
        touched = [row for row, there in here if _touches(there, state.touch)]
    if not touched:
        return state.absent
    value = _combined(state, source, touched)
    return None if value is None else _in_prices(float(value), state, prices, days[0])


def _in_prices(number: float, state: SpellState, prices: PriceIndices, day: dt.date) -> float:
    """Return an amount in the state's prices and unit."""
    if state.deflate is not None:
        factor = price_factor(state.deflate, day, prices)
        assert factor is not None
        number *= factor
    return number / state.divide_by


def _is_monthly(source: Source, days: Sequence[dt.date]) -> bool:
    """Whether rows are amounts of a calendar month: such a row belongs to the panel's month, whatever days of it count."""
    return source.temporality == "accumulated" and source.columns["period"].type == "month" and len(days) > 7


def _touches(there: Sequence[bool], touch: str) -> bool:
    """Say whether a spell counts in a period, given on which of its days it is there."""
    if touch == "any_day":
        return any(there)
    return all(there) if touch == "all_days" else there[0] if touch == "start_of_period" else there[-1]


def _combined(state: SpellState, source: Source, rows: Sequence[Row]) -> Fraction | None:
    """Take a person's spells of a period together, in natural units."""
    if state.main is not None:
        main = _main(state, source, rows)
        if state.main.where:
            return Fraction(_meets(main, state.main.where, source))
        return _natural(main, state.value or "", source)
    units: dict[object, list[Row]] = {}
    for number, row in enumerate(rows):
        units.setdefault(number if state.within is None else ("unit", row.get(state.within.key)), []).append(row)
    if state.combine == "any":
        return Fraction(1)
    if state.combine == "count":
        return Fraction(len(units))
    how = "sum" if state.within is None else state.within.combine
    column = state.value or ""
    per_unit = [_together([_natural(row, column, source) for row in unit], how) for unit in units.values()]
    return _together(per_unit, state.combine)


def _together(values: Sequence[Fraction | None], how: str) -> Fraction | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if how == "max" else sum(known, Fraction(0))


def _main(state: SpellState, source: Source, rows: Sequence[Row]) -> Row:
    """Return the spell with the largest `by`; then the earliest, the longest, and the one of largest value."""
    assert state.main is not None
    by, asked = state.main.by, state.main.where

    def rank(row: Row) -> tuple[Any, ...]:
        size, stop = row.get(by), row.get("stop")
        value = Fraction(_meets(row, asked, source)) if asked else _natural(row, state.value or "", source)
        return (
            (size is None, -(size or 0)),
            row["start"],
            (stop is not None, -(stop.toordinal() if stop else 0)),
            (value is None, -(value or 0)),
        )

    return min(rows, key=rank)


def _natural(row: Row, column: str, source: Source) -> Fraction | None:
    value = row.get(column)
    if value is None:
        return None
    return Fraction(value) / (100 if source.columns[column].type in SCALES else 1)


def _covers(row: Row, day: dt.date) -> bool:
    stop = row.get("stop")
    return bool(row["start"] <= day and (stop is None or day < stop))


def _meets(row: Row, conditions: Sequence[Condition], source: Source) -> bool:
    return all(_meets_one(row, condition, source) for condition in conditions)


def _meets_one(row: Row, condition: Condition, source: Source) -> bool:
    value = row.get(condition.column)
    if value is None:
        return False
    if source.columns[condition.column].type in SCALES:
        value = Fraction(value) / 100
    if isinstance(value, dt.date):
        value = value.isoformat()

    def among(listed: Sequence[Any]) -> bool:
        return any(value == (Fraction(str(each)) if isinstance(value, Fraction) else each) for each in listed)

    def bound(number: float) -> Any:
        return Fraction(str(number)) if not isinstance(value, str) else number

    return (
        (condition.is_in is None or among(condition.is_in))
        and (condition.not_in is None or not among(condition.not_in))
        and (condition.at_least is None or value >= bound(condition.at_least))
        and (condition.at_most is None or value <= bound(condition.at_most))
    )
