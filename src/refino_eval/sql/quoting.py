"""The one place where names and values become SQL text."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

Scalar = str | int | float | bool
"""A value as an analyst writes it in YAML."""

Kept = str | dt.date | float | Decimal
"""A value in the form in which a clean register keeps it."""

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

NUMERIC = frozenset(("integer", "number", "hundredths", "ore", "month", "year"))
"""Column types of a source whose values are numbers."""

SCALES = {"hundredths": 100, "ore": 100}
"""Integer units per natural unit (hour, krone) of the column types that are kept as integers."""


def identifier(name: str) -> str:
    """Write the name of a column, state or register of the program into SQL.

    Raises
    ------
    ValueError
        For anything but lower-case ASCII letters, digits and underscores: nothing else can come out of the models.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name that may be written into SQL: {name!r}")
    return f'"{name}"' if name in KEYWORDS else name


def quoted_name(name: str) -> str:
    """Write a delivered column's name, which may hold anything, into SQL."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Write a text into SQL, in single quotes, each single quote in it doubled."""
    if "\x00" in value:
        raise ValueError("a text with a zero byte cannot be written into SQL")
    return "'" + value.replace("'", "''") + "'"


def date_literal(value: dt.date) -> str:
    """Write a day into SQL."""
    return f"DATE '{value.isoformat()}'"


def double_literal(value: float) -> str:
    """Write a finite number into SQL as double precision (with an exponent, as the standard has it)."""
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("only finite numbers may be written into SQL")
    text = repr(number)
    return text.upper() if "e" in text else f"{text.removesuffix('.0')}E0"


def kept_value(value: Scalar, column_type: str) -> Kept:
    """Return a condition's value in the form in which a clean register keeps a column of that type.

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
        return value
    if column_type in ("date", "week"):
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is not a day written 'yyyy-mm-dd'") from None
    if isinstance(value, str):
        raise ValueError(f"{value!r} is a text, and the column holds numbers")
    kept = Decimal(str(value)) * SCALES.get(column_type, 1)
    if not kept.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return float(value) if column_type == "number" else kept


def value_literal(value: Scalar, column_type: str) -> str:
    """Write a condition's value into SQL; see `kept_value`."""
    kept = kept_value(value, column_type)
    if isinstance(kept, str):
        return text_literal(kept)
    if isinstance(kept, dt.date):
        return date_literal(kept)
    return f"{kept.normalize():f}" if isinstance(kept, Decimal) else double_literal(kept)


def code_text(value: object) -> str:
    """Return a code as text, so that 1, 1.0 and '1' are the same code in every file format."""
    import numpy as np

    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
