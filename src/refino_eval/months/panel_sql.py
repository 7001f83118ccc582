"""The one SQL text that turns spells into a value for every person, period and state.

It is written for an auditor to read and for more than one engine to run: common table expressions, joins, CASE, MAX and
SUM. Of date arithmetic it has only the number of days between two days, since the periods are worked out beforehand
(`refino_eval.months.periods`) and joined. The text reads these relations:

``cohort``
    person_no, person_id, draw_period (first day of the month or week of the draw): one row a person; the number stands
    for the id, and follows its order.
``periods``
    draw_period, event_time, period_start, period_stop (the day after), and a factor per conversion of prices.
``register_<name>``
    The clean spells of a register, half-open: start, stop (the day after the last, empty for a spell that is still
    open), and the columns that states need. A register that only gives days of death or emigration has no spells.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from refino_eval.config.definitions import PersonDate, SpellState
from refino_eval.config.sources import Column, Coverage, Source
from refino_eval.expressions import Tree
from refino_eval.expressions.expression_sql import to_sql
from refino_eval.months.panel_plan import Group, Plan, date_column, price_column
from refino_eval.sql.conditions import conditions_sql
from refino_eval.sql.quoting import SCALES, date_literal, double_literal, identifier

TOUCHES = {
    "any_day": "s.start < periods.period_stop AND (s.stop IS NULL OR s.stop > periods.period_start)",
    "start_of_period": "s.start <= periods.period_start AND (s.stop IS NULL OR s.stop > periods.period_start)",
    "end_of_period": "s.start < periods.period_stop AND (s.stop IS NULL OR s.stop >= periods.period_stop)",
    "all_days": "s.start <= periods.period_start AND (s.stop IS NULL OR s.stop >= periods.period_stop)",
}
_TOUCH_WORDS = {
    "any_day": "with any day in it",
    "start_of_period": "that cover its first day",
    "end_of_period": "that cover its last day",
    "all_days": "that cover all of it",
}


@dataclass(frozen=True)
class _Value:
    """How one state's value is taken from spells: per spell, per unit (an employer), per person."""

    state: str
    spell: str
    per_unit: str
    per_person: str


def panel_sql(plan: Plan) -> str:
    """Write the SQL text of a panel.

    Parameters
    ----------
    plan
        What the requested states need.

    Returns
    -------
    str
        One statement. Its result has the columns person_no, event_time and one double per requested state, in natural
        units, ordered by person and event time; a state is NULL where the register does not cover the whole period. Ids
        are left out: text would take a tenth of the time on its way through joins and the last sorting.
    """
    steps = [*(_last_days(plan, date) for date in plan.dates), _people(plan), _grid(plan)]
    aliases: dict[str, str] = {}
    for number, group in enumerate(plan.groups, start=1):
        steps += _group_steps(plan, group)
        aliases |= dict.fromkeys(group.states, f"g{number}")
    steps.append(_measured(plan, aliases))
    known = list(plan.spell_states)
    previous = "measured"
    for number, level in enumerate(plan.levels, start=1):
        steps.append(_derived(number, level, known, previous))
        known += level
        previous = f"derived_{number}"
    columns = "".join(f",\n    {identifier(name)}" for name in plan.requested)
    return (
        _header(plan) + "WITH\n" + ",\n\n".join(steps) + f"\n\nSELECT\n    person_no,\n    event_time{columns}\n"
        f"FROM {previous}\nORDER BY person_no, event_time\n"
    )


def _header(plan: Plan) -> str:
    registers = ", ".join(plan.sources) or "none"
    return (
        f"-- Person x {plan.unit}: states from event time {plan.first} to {plan.last} ({plan.unit} of the draw = 0).\n"
        f"-- Registers: {registers}. Spells are half-open: `stop` is the day after the last, empty while still open.\n"
        "-- A state is NULL where its register does not cover the whole period; zero means covered, and nothing there.\n"
        "-- `cohort` gives every person_id a number, person_no, in order; the panel has the id in place of the number.\n"
    )


def _last_days(plan: Plan, date: PersonDate) -> str:
    """One row a person whose death or emigration is known."""
    source = plan.sources[date.register_name]
    where = conditions_sql(date.where, source.columns)
    column = identifier(date.column)
    return (
        f"-- The first day of {date.column} in {date.register_name}; periods that begin after it have rules of their own.\n"
        f"{date_column(plan, date)}s AS (\n"
        "    SELECT\n"
        "        s.person_id,\n"
        f"        MIN(s.{column}) AS last_day\n"
        f"    FROM register_{date.register_name} AS s{_where_text(where)}\n"
        "    GROUP BY s.person_id\n"
        ")"
    )


def _where_text(condition: str) -> str:
    return f"\n    WHERE {condition}" if condition else ""


def _people(plan: Plan) -> str:
    names = [date_column(plan, date) for date in plan.dates]
    days = "".join(f",\n        {name}s.last_day AS {name}" for name in names)
    joins = "".join(f"\n    LEFT JOIN {name}s ON {name}s.person_id = cohort.person_id" for name in names)
    return (
        "-- One row a person.\n"
        "people AS (\n"
        "    SELECT\n"
        "        cohort.person_no,\n"
        "        cohort.person_id,\n"
        f"        cohort.draw_period{days}\n"
        f"    FROM cohort{joins}\n"
        ")"
    )


def _grid(plan: Plan) -> str:
    carried = "".join(f",\n        periods.{identifier(price_column(deflate))}" for deflate in plan.prices)
    carried += "".join(f",\n        people.{date_column(plan, date)}" for date in plan.dates)
    return (
        f"-- Every person x every {plan.unit} of the clock.\n"
        "grid AS (\n"
        "    SELECT\n"
        "        people.person_no,\n"
        "        periods.event_time,\n"
        "        periods.period_start,\n"
        f"        periods.period_stop{carried}\n"
        "    FROM people\n"
        "    JOIN periods ON periods.draw_period = people.draw_period\n"
        ")"
    )


def _suffix(group: Group) -> str:
    """Return the end of the names of a group's steps, by which they differ from another group's."""
    if group.form != "spells":
        return f"{group.register}__{group.form}__{group.states[0]}"
    return "__".join(part for part in (group.register, group.touch, group.key) if part is not None)


def _group_steps(plan: Plan, group: Group) -> list[str]:
    """Write the steps of one pass over a register: touched periods, units, people."""
    if group.form == "days":
        return _day_steps(plan, group)
    if group.form == "main":
        return _main_steps(plan, group)
    source = plan.sources[group.register]
    states = {name: plan.spell_states[name] for name in group.states}
    wheres = {name: _where(state, source) for name, state in states.items()}
    common = len(set(wheres.values())) == 1
    values: list[_Value] = []
    for name, state in states.items():
        values.append(_value(plan, name, state, wheres[name], common))
        if state.value is not None and not common:
            # Distinguishes a covered period without a spell from one whose spells lack the value.
            values.append(_Value(f"{name}__spells", _when(wheres[name], "1"), "MAX", "MAX"))
    touched_columns = {spell: f"v{n}" for n, spell in enumerate(dict.fromkeys(v.spell for v in values), start=1)}
    condition = " OR ".join(dict.fromkeys(f"({where})" for where in wheres.values() if where))
    if any(not where for where in wheres.values()):
        condition = ""
    steps = [_touched(plan, group, touched_columns, condition)]
    if group.key is not None:
        steps.append(_units(plan, group, values, touched_columns))
    steps.append(_states(plan, group, values, touched_columns))
    return steps


def _value(plan: Plan, name: str, state: SpellState, where: str, common: bool) -> _Value:
    """Say how a state's value is taken from spells, to units, to the person."""
    column = plan.value_type(state)
    within = None if state.within is None else state.within.combine.upper()
    per_unit, per_person = {
        "any": ("MAX", "MAX"),
        "count": ("SUM" if within is None else "MAX", "SUM"),
        "sum": (within or "SUM", "SUM"),
        "max": (within or "MAX", "MAX"),
    }[state.combine]
    spell = "1" if state.value is None else f"s.{identifier(state.value)}"
    if column is not None and column.type == "number" and "SUM" in (per_unit, per_person):
        # A sum of doubles depends on the order of the rows; a sum of decimals does not.
        spell = f"CAST({spell} AS DECIMAL(28, 6))"
    return _Value(name, spell if common else _when(where, spell), per_unit, per_person)


def _when(where: str, spell: str) -> str:
    return f"CASE WHEN {where} THEN {spell} END" if where else spell


def _touched(plan: Plan, group: Group, columns: dict[str, str], condition: str) -> str:
    """One row a person, period and spell that counts in it."""
    touch = "s.start = periods.period_start" if group.by_month else TOUCHES[group.touch]
    conditions = [f"({condition})" if " OR " in condition else condition] if condition else []
    if group.touch == "any_day" and not group.by_month:
        # The other touches cannot be met by a spell that ends before its first day is over.
        conditions.append("(s.stop IS NULL OR s.stop > s.start)")
    where = "\n    WHERE " + "\n        AND ".join(conditions) if conditions else ""
    key = "" if group.key is None else f",\n        s.{identifier(group.key)} AS unit_key"
    taken = "".join(f",\n        {spell} AS {name}" for spell, name in columns.items())
    what = f"Amounts of {group.register} for the {plan.unit}" if group.by_month else f"Spells of {group.register}"
    how = "" if group.by_month else f" {_TOUCH_WORDS[group.touch]}"
    return (
        f"-- {what}, a row for every {plan.unit} and spell{how}: {', '.join(group.states)}.\n"
        f"touched__{_suffix(group)} AS (\n"
        "    SELECT\n"
        "        people.person_no,\n"
        f"        periods.event_time{key}{taken}\n"
        f"    FROM register_{group.register} AS s\n"
        "    JOIN people ON people.person_id = s.person_id\n"
        "    JOIN periods\n"
        "        ON periods.draw_period = people.draw_period\n"
        f"        AND {touch}{where}\n"
        ")"
    )


def _unit_columns(values: Sequence[_Value], columns: dict[str, str]) -> dict[tuple[str, str], str]:
    """Return the columns of the step that takes a unit's spells together, each computed once."""
    return {(v.per_unit, v.spell): f"{v.per_unit.lower()}_{columns[v.spell]}" for v in values}


def _units(plan: Plan, group: Group, values: Sequence[_Value], columns: dict[str, str]) -> str:
    assert group.key is not None
    taken = "".join(
        f",\n        {per_unit}({columns[spell]}) AS {name}"
        for (per_unit, spell), name in _unit_columns(values, columns).items()
    )
    return (
        f"-- Spells with the same {group.key} in a {plan.unit} count once.\n"
        f"units__{_suffix(group)} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        "        event_time,\n"
        f"        unit_key{taken}\n"
        f"    FROM touched__{_suffix(group)}\n"
        "    GROUP BY person_no, event_time, unit_key\n"
        ")"
    )


def _states(plan: Plan, group: Group, values: Sequence[_Value], columns: dict[str, str]) -> str:
    """One row a person and period with anything in it; values still in hundredths and oere."""
    if group.key is None:
        table, inner = "touched", {(v.per_unit, v.spell): columns[v.spell] for v in values}
    else:
        table, inner = "units", _unit_columns(values, columns)
    taken = "".join(f",\n        {v.per_person}({inner[v.per_unit, v.spell]}) AS {identifier(v.state)}" for v in values)
    return (
        f"-- A person's spells of a {plan.unit} taken together.\n"
        f"states__{_suffix(group)} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        f"        event_time{taken}\n"
        f"    FROM {table}__{_suffix(group)}\n"
        "    GROUP BY person_no, event_time\n"
        ")"
    )


def _day_steps(plan: Plan, group: Group) -> list[str]:
    """Count the days of a period that any spell covers: spells in order, each adding what lies beyond those before."""
    (name,), suffix = group.states, _suffix(group)
    where = _where(plan.spell_states[name], plan.sources[group.register])
    condition = "(s.stop IS NULL OR s.stop > s.start)" + (f"\n        AND {where}" if where else "")
    return [
        f"-- Spells of {group.register}, cut to every {plan.unit} that they touch: {name}.\n"
        f"touched__{suffix} AS (\n"
        "    SELECT\n"
        "        people.person_no,\n"
        "        periods.event_time,\n"
        "        CASE WHEN s.start > periods.period_start THEN s.start ELSE periods.period_start END AS first_day,\n"
        "        CASE WHEN s.stop < periods.period_stop THEN s.stop ELSE periods.period_stop END AS beyond\n"
        f"    FROM register_{group.register} AS s\n"
        "    JOIN people ON people.person_id = s.person_id\n"
        "    JOIN periods\n"
        "        ON periods.draw_period = people.draw_period\n"
        f"        AND {TOUCHES['any_day']}\n"
        f"    WHERE {condition}\n"
        ")",
        "-- How far the spells before it reach.\n"
        f"reached__{suffix} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        "        event_time,\n"
        "        first_day,\n"
        "        beyond,\n"
        "        MAX(beyond) OVER (\n"
        "            PARTITION BY person_no, event_time\n"
        "            ORDER BY first_day, beyond\n"
        "            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING\n"
        "        ) AS reached\n"
        f"    FROM touched__{suffix}\n"
        ")",
        "-- Days covered, each counted once.\n"
        f"states__{suffix} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        "        event_time,\n"
        "        SUM(CASE\n"
        "            WHEN reached IS NULL OR reached <= first_day THEN beyond - first_day\n"
        "            WHEN reached < beyond THEN beyond - reached\n"
        f"            ELSE 0 END) AS {identifier(name)}\n"
        f"    FROM reached__{suffix}\n"
        "    GROUP BY person_no, event_time\n"
        ")",
    ]


def _main_steps(plan: Plan, group: Group) -> list[str]:
    """Take one spell a person and period: the largest, and among equals the earliest, longest, of largest value."""
    (name,), suffix = group.states, _suffix(group)
    state, source = plan.spell_states[name], plan.sources[group.register]
    assert state.main is not None
    asked = conditions_sql(state.main.where, source.columns)
    value = f"CASE WHEN {asked} THEN 1 ELSE 0 END" if asked else f"s.{identifier(state.value or '')}"
    by = f"s.{identifier(state.main.by)}"
    touched = _touched(plan, group, {value: "v1", by: "by_value", "s.start": "spell_start", "s.stop": "spell_stop"},
                       _where(state, source))  # fmt: skip
    return [
        touched,
        f"-- The main spell of a {plan.unit} by {state.main.by}.\n"
        f"ranked__{suffix} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        "        event_time,\n"
        "        v1,\n"
        # Where NULL sorts differs between DuckDB and Spark, so that it is written out.
        "        ROW_NUMBER() OVER (\n"
        "            PARTITION BY person_no, event_time\n"
        "            ORDER BY\n"
        "                CASE WHEN by_value IS NULL THEN 1 ELSE 0 END, by_value DESC,\n"
        "                spell_start,\n"
        "                CASE WHEN spell_stop IS NULL THEN 0 ELSE 1 END, spell_stop DESC,\n"
        "                CASE WHEN v1 IS NULL THEN 1 ELSE 0 END, v1 DESC\n"
        "        ) AS place\n"
        f"    FROM touched__{suffix}\n"
        "),\n\n"
        f"states__{suffix} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        "        event_time,\n"
        f"        v1 AS {identifier(name)}\n"
        f"    FROM ranked__{suffix}\n"
        "    WHERE place = 1\n"
        ")",
    ]


def _measured(plan: Plan, aliases: dict[str, str]) -> str:
    """Every person and period: NULL outside coverage, the state's `absent` without a spell, natural units."""
    columns = "".join(
        f",\n        {_covered(plan, name, state, aliases[name])} AS {identifier(name)}"
        for name, state in plan.spell_states.items()
    )
    joins = "".join(
        f"\n    LEFT JOIN states__{_suffix(group)} AS g{number}\n"
        f"        ON g{number}.person_no = grid.person_no AND g{number}.event_time = grid.event_time"
        for number, group in enumerate(plan.groups, start=1)
    )
    return (
        "-- In natural units; NULL where the register does not cover the whole period.\n"
        "measured AS (\n"
        "    SELECT\n"
        "        grid.person_no,\n"
        f"        grid.event_time{columns}\n"
        f"    FROM grid{joins}\n"
        ")"
    )


def _covered(plan: Plan, name: str, state: SpellState, alias: str) -> str:
    coverage = plan.sources[state.register_name].coverage
    assert coverage is not None
    group = next(group for group in plan.groups if name in group.states)
    common = len({plan.spell_states[other].where for other in group.states}) == 1
    column = f"{alias}.{identifier(name)}"
    value = _share(column) if group.form == "days" else _natural(state, plan.value_type(state), column)
    absent = double_literal(state.absent)
    if state.value is None:
        value = f"CASE WHEN {column} IS NULL THEN {absent} ELSE {value} END"
    else:
        nothing = f"{alias}.person_no" if common else f"{alias}.{name}__spells"
        value = f"CASE WHEN {nothing} IS NULL THEN {absent} ELSE {value} END"
    rules = state.missing
    missing_rules = [(f"grid.{date_column(plan, date)} < grid.period_start", date.value) for date in rules.dates]
    if not missing_rules and rules.before_coverage == rules.after_coverage == "missing":
        return f"CASE WHEN {_inside(coverage)}\n            THEN {value} END"
    first, beyond = date_literal(coverage.first), date_literal(coverage.last + dt.timedelta(days=1))
    missing_rules += [(f"grid.period_start < {first}", rules.before_coverage)]
    missing_rules += [(f"grid.period_stop > {beyond}", rules.after_coverage)]
    cases = "".join(
        f"\n            WHEN {condition} THEN {_literal_or_null(given)}" for condition, given in missing_rules
    )
    return f"CASE{cases}\n            ELSE {value} END"


def _literal_or_null(value: str | float) -> str:
    return "NULL" if isinstance(value, str) else double_literal(value)


def _share(days: str) -> str:
    return f"CAST({days} AS DOUBLE) / CAST(grid.period_stop - grid.period_start AS DOUBLE)"


def _inside(coverage: Coverage) -> str:
    first, beyond = date_literal(coverage.first), date_literal(coverage.last + dt.timedelta(days=1))
    return f"grid.period_start >= {first} AND grid.period_stop <= {beyond}"


def _natural(state: SpellState, column: Column | None, value: str) -> str:
    """Divide out hundredths and oere, then convert prices, then the reported unit."""
    text = f"CAST({value} AS DOUBLE)"
    if column is not None and column.type in SCALES:
        # With an exponent the number is a double in every dialect; 100.0 would be a decimal.
        text += " / 100E0"
    if state.deflate is not None:
        text += f" * grid.{identifier(price_column(state.deflate))}"
    if state.divide_by != 1:
        text += f" / {double_literal(state.divide_by)}"
    return text


def _derived(number: int, level: dict[str, Tree], known: Sequence[str], previous: str) -> str:
    carried = "".join(f",\n        {identifier(name)}" for name in known)
    made = "".join(f",\n        {to_sql(tree)} AS {identifier(name)}" for name, tree in level.items())
    return (
        f"-- States computed from other states: {', '.join(level)}.\n"
        f"derived_{number} AS (\n"
        "    SELECT\n"
        "        person_no,\n"
        f"        event_time{carried}{made}\n"
        f"    FROM {previous}\n"
        ")"
    )


def _where(state: SpellState, source: Source) -> str:
    """Write a state's conditions on a spell; they hold together."""
    return conditions_sql(state.where, source.columns)
