"""The only place where names and values of definitions become SQL text."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from refino_eval.config.definitions import Scalar
from refino_eval.config.sources import ColumnType

NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")

_WORDS = """all analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by case cast
    check collate collation column columns concurrently constraint create cross current current_date current_time
    current_timestamp current_user date default deferrable delete desc describe distinct do drop else end escape except
    exists false fetch filter for foreign freeze from full function generated glob grant group having ilike in initially
    inner insert interval intersect into is isnull join lambda lateral leading left like limit map minus natural not
    notnull null of offset on only or order outer overlaps partition pivot pivot_longer pivot_wider placing positional
    primary qualify range references returning right row rows select semi session_user set show similar some struct
    summarize symmetric table tablesample then time timestamp to trailing true try_cast tuple union unique unknown
    unpack unpivot update user using values variadic verbose when where window with"""

KEYWORDS = frozenset(_WORDS.split())
"""Words that an engine may take for its own; a column or state of that name is written in double quotes."""

NUMERIC: frozenset[ColumnType] = frozenset(("integer", "number", "hundredths", "ore", "month", "year"))
SCALED: frozenset[ColumnType] = frozenset(("hundredths", "ore"))


def identifier(name: str) -> str:
    """Write the name of a column, state or register into SQL.

    Raises
    ------
    ValueError
        For anything but lower-case ASCII letters, digits and underscores: nothing else can come out of the models.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name that may stand in SQL: {name!r}")
    return f'"{name}"' if name in KEYWORDS else name


def text_literal(value: str) -> str:
    """Write a text into SQL, in single quotes, each quote of its own doubled."""
    if "\x00" in value:
        raise ValueError("a text with a zero byte cannot stand in SQL")
    return "'" + value.replace("'", "''") + "'"


def date_literal(value: dt.date) -> str:
    """Write a day into SQL."""
    return f"DATE '{value.isoformat()}'"


def double_literal(value: float) -> str:
    """Write a finite number into SQL as double precision (with an exponent, as the standard has it)."""
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("only finite numbers may stand in SQL")
    text = repr(number)
    return text.upper() if "e" in text else f"{text.removesuffix('.0')}E0"


def value_literal(value: Scalar, column_type: ColumnType) -> str:
    """Write a condition's value into SQL in the form in which a column of that type is kept.

    Parameters
    ----------
    value
        As the analyst wrote it: codes as text, hours and kroner in natural units, days as ``yyyy-mm-dd``.
    column_type
        Type of the column that the value is compared with.

    Raises
    ------
    ValueError
        When the value cannot be one of the column's; the message completes "the value ... ".
    """
    if isinstance(value, bool):
        raise ValueError(f"{value} is true or false, and no column of a register is")
    if column_type in ("id", "text", "code"):
        if not isinstance(value, str):
            raise ValueError(f"{value} must be written in quotes, since the column holds text")
        return text_literal(value)
    if column_type in ("date", "week"):
        try:
            return date_literal(dt.date.fromisoformat(str(value)))
        except ValueError:
            raise ValueError(f"{value!r} is not a day written 'yyyy-mm-dd'") from None
    if isinstance(value, str):
        raise ValueError(f"{value!r} is a text, and the column holds numbers")
    if column_type == "number":
        return double_literal(value)
    kept = Decimal(str(value)) * (100 if column_type in SCALED else 1)
    if not kept.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return f"{kept.normalize():f}"
