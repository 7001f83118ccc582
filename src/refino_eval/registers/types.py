"""Typed values from delivered text, as SQL: each expression gives NULL where the text does not say a value.

Every file, text or parquet, first becomes text; one set of rules then says what the text means. Text that is not
wholly a value is no value: nothing is rounded, completed or skipped. `1 234` has a blank in it, `37,505` has more than
hundredths, `1.2.2018` does not have the form `%d.%m.%Y`; they are rejected and counted, and somebody decides.
"""

from __future__ import annotations

import datetime as dt
import re

from refino_eval.codes.calendars import monday
from refino_eval.config.sources import Column

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "code": "VARCHAR",
    "date": "DATE",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "hundredths": "BIGINT",
    "ore": "BIGINT",
    "month": "INTEGER",
    "year": "INTEGER",
    "week": "DATE",
}
"""Column type -> type in the clean register."""

INEXACT_ID = "an id is held as a number that is not whole or too large to be exact"
"""What the engine says when it meets such an id; a register with one cannot be linked, so nothing of it is read."""

_EXACT_BELOW = {"float": 2**53, "single": 2**24}


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def delivered_text(name: str, kind: str, column: Column, decimal: str) -> str:
    """Return the SQL that writes a parquet column as the text that a text file would hold.

    Parameters
    ----------
    kind
        How the file holds the column: text, boolean, integer, float, single (a float of 32 bits), decimal, date or
        timestamp.
    decimal
        The source's decimal mark.

    Notes
    -----
    A whole number held as a float (an id column that once had gaps) is written without decimals, 100312 and not
    100312.0, as long as the float holds it exactly. An id that it does not hold exactly stops the reading: another
    person's id may be nearest.
    """
    value = identifier(name)
    shown = f"CAST({value} AS VARCHAR)"
    if kind == "boolean":
        return f"CAST(CAST({value} AS INTEGER) AS VARCHAR)"
    if kind in ("float", "single", "decimal"):
        shown = f"replace({shown}, '.', {literal(decimal)})"
    if kind in _EXACT_BELOW:
        nothing = f"{value} IS NULL OR isnan({value})"
        whole = f"{value} = trunc({value}) AND abs({value}) < {_EXACT_BELOW[kind]}"
        plain = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
        other = f"error({literal(INEXACT_ID)})" if column.type == "id" else shown
        return f"CASE WHEN {nothing} THEN NULL WHEN {whole} THEN {plain} ELSE {other} END"
    if kind in ("date", "timestamp") and column.type == "date":
        day = f"strftime({value}, {literal(column.date_format)})"
        # A time of day would be lost in a date: such a value stays as it is written, and is then rejected.
        return day if kind == "date" else f"CASE WHEN {value} = date_trunc('day', {value}) THEN {day} ELSE {shown} END"
    return shown


def typed_value(name: str, column: Column, decimal: str, origin: dt.date | None) -> str:
    """Return the SQL that gives a column's value from its text, or NULL where the text is no such value.

    Parameters
    ----------
    name
        Inside name; the SQL reads the (trimmed, never empty) text under this name.
    origin
        The draw date from which weeks are counted.
    """
    text = identifier(name)
    if column.type in ("id", "text", "code"):
        return text
    if column.type == "date":
        form = literal(column.date_format)
        parsed = f"try_strptime({text}, {form})"
        # Written back and compared: the parser takes 01.02.18 for the year 18.
        return f"CASE WHEN lower(strftime({parsed}, {form})) = lower({text}) THEN CAST({parsed} AS DATE) END"
    mark = re.escape(decimal)
    dotted = f"replace({text}, {literal(decimal)}, '.')"
    if column.type in ("hundredths", "ore"):
        # 14 digits before the mark: times a hundred, the decimal still fits into 18.
        exact = f"CAST(TRY_CAST({dotted} AS DECIMAL(18, 2)) * 100 AS BIGINT)"
        return _when(text, f"[+-]?[0-9]{{1,14}}({mark}[0-9]{{1,2}}0*)?", exact)
    if column.type == "number":
        return _when(
            text, f"[+-]?[0-9]+({mark}[0-9]+)?([eE][+-]?[0-9]{{1,3}})?", _finite(f"TRY_CAST({dotted} AS DOUBLE)")
        )
    if column.type == "integer":
        return _when(text, "[+-]?[0-9]{1,18}", f"TRY_CAST({text} AS BIGINT)")
    if column.type == "month":
        return _when(text, "[12][0-9]{3}(0[1-9]|1[0-2])", f"TRY_CAST({text} AS INTEGER)")
    if column.type == "year":
        return _when(text, "[12][0-9]{3}", f"TRY_CAST({text} AS INTEGER)")
    return _week(name, column, origin)


def _week(name: str, column: Column, origin: dt.date | None) -> str:
    """Count a week from the draw's week; the end of an inclusive last week is the Monday after it."""
    if origin is None:
        raise ValueError("a week needs the draw date")
    text = identifier(name)
    ahead = 1 if name == "stop" and column.inclusive else 0
    day = f"DATE {literal(monday(origin).isoformat())} + CAST(7 * (TRY_CAST({text} AS INTEGER) + {ahead}) AS INTEGER)"
    return _when(text, "[+-]?[0-9]{1,5}", day)


def _when(text: str, pattern: str, value: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN {value} END"


def _finite(value: str) -> str:
    return f"CASE WHEN isfinite({value}) THEN {value} END"
