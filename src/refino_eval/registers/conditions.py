"""Conditions on spell columns as SQL text: the one place where a definition's words become part of a query.

Identifiers are checked against a pattern and literals are quoted here, so nothing that an analyst writes can become
anything but a comparison with a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from refino_eval.config.definitions import Condition
from refino_eval.config.sources import Column

SCALES = {"hundredths": 100, "ore": 100}
"""Integer units per natural unit of the column types that are kept as integers."""


def identifier(name: str) -> str:
    """Return a column or relation name, quoted; anything but a plain name is a fault of the program."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
        raise ValueError(f"not a plain name: {name!r}")
    return f'"{name}"'


def literal(value: str | float | bool) -> str:
    """Return a constant as SQL text."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError("a constant must be a finite number")
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def condition_sql(condition: Condition, columns: Mapping[str, Column], *, table: str = "") -> str:
    """Return one condition as SQL text.

    Parameters
    ----------
    condition
        The condition, in the column's natural unit (hours, kroner).
    columns
        The register's columns, from its source: types decide the unit.
    table
        Alias put before the column, when the query needs one.

    Returns
    -------
    str
        A boolean expression in parentheses; a missing value never meets a condition.
    """
    prefix = f"{identifier(table)}." if table else ""
    column = prefix + identifier(condition.column)
    kind = columns[condition.column].type if condition.column in columns else "text"
    scale = SCALES.get(kind, 1)
    number = kind in ("integer", "number", "hundredths", "ore", "month", "year", "week")
    parts = []
    if condition.is_in is not None:
        parts.append(f"{column} IN ({_list(condition.is_in, number, scale)})")
    if condition.not_in is not None:
        parts.append(f"{column} NOT IN ({_list(condition.not_in, number, scale)})")
    if condition.at_least is not None:
        parts.append(f"{column} >= {literal(_scaled(condition.at_least, scale))}")
    if condition.at_most is not None:
        parts.append(f"{column} <= {literal(_scaled(condition.at_most, scale))}")
    return "(" + " AND ".join(parts) + ")"


def conditions_sql(conditions: Iterable[Condition], columns: Mapping[str, Column], *, table: str = "") -> str:
    """Return conditions that hold together; no condition holds always."""
    return " AND ".join(condition_sql(each, columns, table=table) for each in conditions) or "TRUE"


def _list(values: Iterable[str | float | bool], number: bool, scale: int) -> str:
    if number:
        return ", ".join(literal(_scaled(float(value), scale)) for value in values)
    return ", ".join(literal(str(value)) for value in values)


def _scaled(value: float, scale: int) -> float:
    scaled = value * scale
    nearest_whole = round(scaled)
    return nearest_whole if abs(scaled - nearest_whole) < 1e-6 else scaled
