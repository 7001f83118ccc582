"""Return typed values of delivered text as SQL; each expression is NULL where the text is not a value of the type.

Every file, whatever its format, first becomes text; one set of rules then says what the text means. Text that is not
wholly a value is not a value: nothing is rounded, completed or skipped. `1 234` contains a blank, `37,505` has more
than hundredths, `1.2.2018` does not have the form `%d.%m.%Y`; they are rejected and counted, and somebody decides.
"""

from __future__ import annotations

import datetime as dt
import re

from refino_eval.codes.calendars import monday
from refino_eval.config.sources import Column
from refino_eval.registers.readers.value_kinds import COUNTED_DAYS, EXACT_BELOW
from refino_eval.sql.quoting import quoted_name, text_literal

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

INEXACT_ID = "an id is held as a number that is not whole, or too large to be exact"
"""The engine's error on such an id; a register with one cannot be linked, so nothing of it is read."""

ORIGINS = {"sas": "1960-01-01", "stata": "1960-01-01", "excel": "1899-12-30"}
"""Values of `date_format` that are not a pattern: a whole number of days since the program's origin."""

OPEN_DAY = "9999-12-31"
"""Registers write an end that has not come as this day."""

_EXCEL_LEAP = 60
"""Excel counts a 29 February 1900 that never was: earlier days have numbers one lower."""

_FURTHEST = 3_000_000
_PERIOD_FORMATS = {"date": None, "month": "%Y%m", "year": "%Y"}


def delivered_text(name: str, kind: str, column: Column, decimal: str) -> str:
    """Return the SQL that writes a typed column as the text that a text file would hold.

    Parameters
    ----------
    kind
        How the file holds the column: one of `READABLE_KINDS`.
    decimal
        The source's decimal mark.

    Notes
    -----
    A whole number held as a float (an id column that once had gaps) is written without decimals, 100312 and not
    100312.0, as long as the float holds it exactly. An id that it does not hold exactly stops the reading: another
    person's id may be nearest.
    """
    value = quoted_name(name)
    shown = f"CAST({value} AS VARCHAR)"
    if kind in COUNTED_DAYS:
        return _counted_day(value, kind, column)
    if kind == "months_1960" and column.type == "month":
        months = f"TRY_CAST({value} AS INTEGER)"
        month = f"strftime(DATE '1960-01-01' + to_months({months}), '%Y%m')"
        return f"CASE WHEN {value} = trunc({value}) AND abs({value}) < 20000 THEN {month} ELSE {shown} END"
    if kind == "boolean":
        return f"CAST(CAST({value} AS INTEGER) AS VARCHAR)"
    if kind in ("float", "single", "decimal"):
        shown = f"replace({shown}, '.', {text_literal(decimal)})"
    if kind in EXACT_BELOW:
        nothing = f"{value} IS NULL OR isnan({value})"
        whole = f"{value} = trunc({value}) AND abs({value}) < {EXACT_BELOW[kind]}"
        plain = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
        other = f"error({text_literal(INEXACT_ID)})" if column.type == "id" else shown
        return f"CASE WHEN {nothing} THEN NULL WHEN {whole} THEN {plain} ELSE {other} END"
    if kind in ("date", "timestamp") and column.type == "date":
        day = _written(f"CAST({value} AS DATE)", column)
        # A date would lose the time of day: such a value stays as it is written, and is then rejected.
        return day if kind == "date" else f"CASE WHEN {value} = date_trunc('day', {value}) THEN {day} ELSE {shown} END"
    return shown


def _counted_day(value: str, kind: str, column: Column) -> str:
    """Write a count of days, seconds or milliseconds as a day; one with a part of a day stays a number, to be rejected."""
    origin, units = COUNTED_DAYS[kind]
    days = f"({value} / {units})"
    whole = f"{days} = trunc({days}) AND abs({days}) < {_FURTHEST}"
    # Inside CASE the cast is tried for every row: a count too large for a day must not stop the query.
    day = f"(DATE {text_literal(origin)} + TRY_CAST(CASE WHEN {whole} THEN {days} END AS INTEGER))"
    period = _PERIOD_FORMATS.get(column.type)
    written = f"strftime({day}, '{period}')" if period else f"CAST({day} AS VARCHAR)"
    written = _written(day, column) if column.type == "date" else written
    nothing = f"{value} IS NULL OR isnan({value})"
    return f"CASE WHEN {nothing} THEN NULL WHEN {whole} THEN {written} ELSE CAST({value} AS VARCHAR) END"


def _written(day: str, column: Column) -> str:
    """Write a day as the column's text says days: by its pattern, or as a count from its origin."""
    if column.date_format not in ORIGINS:
        return f"strftime({day}, {text_literal(column.date_format)})"
    count = f"({day} - DATE {text_literal(ORIGINS[column.date_format])})"
    if column.date_format == "excel":
        count = f"({count} - CASE WHEN {count} <= {_EXCEL_LEAP} THEN 1 ELSE 0 END)"
    return f"CAST({count} AS VARCHAR)"


def _day_since(text: str, column: Column) -> str:
    """Return the day that a whole number of days since the format's origin means."""
    number = f"TRY_CAST({text} AS INTEGER)"
    day = f"DATE {text_literal(ORIGINS[column.date_format])} + {number}"
    if column.date_format == "excel":
        shifted = f"{day} + CASE WHEN {number} < {_EXCEL_LEAP} THEN 1 ELSE 0 END"
        day = f"CASE WHEN {number} > 0 AND {number} <> {_EXCEL_LEAP} THEN {shifted} END"
    day = f"CAST({day} AS DATE)"
    valid = f"CASE WHEN {day} BETWEEN DATE '0001-01-01' AND DATE '{OPEN_DAY}' THEN {day} END"
    return _when(text, "-?[0-9]{1,6}|[12][0-9]{6}", valid)


def typed_value(name: str, column: Column, decimal: str, origin: dt.date | None) -> str:
    """Return the SQL that gives a column's value from its text, or NULL where the text is no such value.

    Parameters
    ----------
    name
        Inside name; the SQL reads the (trimmed, never empty) text under this name.
    origin
        The draw date from which weeks are counted.
    """
    text = quoted_name(name)
    if column.type == "id" and column.digits:
        if column.width is None:
            return _when(text, "[0-9]+", text)
        return _when(text, f"[0-9]{{1,{column.width}}}", f"lpad({text}, {column.width}, '0')")
    if column.type in ("id", "text", "code"):
        if column.width is None:
            return text
        # lpad would cut a longer text: only numbers with too few digits are filled up.
        short = f"regexp_full_match({text}, '[0-9]{{1,{column.width}}}')"
        return f"CASE WHEN {short} THEN lpad({text}, {column.width}, '0') ELSE {text} END"
    if column.type == "date" and column.date_format in ORIGINS:
        return _day_since(text, column)
    if column.type == "date":
        form = text_literal(column.date_format)
        parsed = f"try_strptime({text}, {form})"
        # Written back and compared: the parser would accept 01.02.18 as the year 18.
        return f"CASE WHEN lower(strftime({parsed}, {form})) = lower({text}) THEN CAST({parsed} AS DATE) END"
    mark = re.escape(decimal)
    dotted = f"replace({text}, {text_literal(decimal)}, '.')"
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
    text = quoted_name(name)
    ahead = 1 if name == "stop" and column.inclusive else 0
    day = f"DATE {text_literal(monday(origin).isoformat())} + CAST(7 * (TRY_CAST({text} AS INTEGER) + {ahead}) AS INTEGER)"
    return _when(text, "[+-]?[0-9]{1,5}", day)


def _when(text: str, pattern: str, value: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {text_literal(pattern)}) THEN {value} END"


def _finite(value: str) -> str:
    return f"CASE WHEN isfinite({value}) THEN {value} END"
