"""How delivered files hold values: the kinds of columns, the characters that are blanks, and what a number holds exactly.

A text file holds text only. Other formats hold typed columns, and each type that can be read has a *kind*; any other
type (a date-time with a time zone, a duration, a list) is refused if the column is read.
"""

from __future__ import annotations

import re

import pyarrow as pa

COUNTED_DAYS = {
    "days_1960": ("1960-01-01", 1),
    "seconds_1960": ("1960-01-01", 86_400),
    "milliseconds_1960": ("1960-01-01", 86_400_000),
    "seconds_1582": ("1582-10-14", 86_400),
}
"""How SAS, Stata and SPSS count a date or date-time: the origin, and the units in a day."""

STATA_PERIODS = {"weeks_1960": "%tw", "months_1960": "%tm", "quarters_1960": "%tq", "half_years_1960": "%th"}
"""How Stata counts periods: since the first of 1960, by the display format."""

READABLE_KINDS = (
    "text", "boolean", "integer", "float", "single", "decimal", "date", "timestamp", *COUNTED_DAYS, *STATA_PERIODS,
)  # fmt: skip
"""`single` is a floating-point number of 32 bits, `float` one of 64."""

EXACT_BELOW = {"float": 2**53, "single": 2**24}
"""From this magnitude on, neighbouring whole numbers cannot be distinguished in the kind."""

BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u180e\u200b\u200c\u200d\u2060\ufeff"
"""Characters that leave no mark: all Unicode white space, and characters of no width."""

FIRST_YEAR, LAST_YEAR = 1850, 2100
"""A date outside these years is an error of the file (a lost century, a default value), not a date."""


def number_pattern(decimal: str) -> re.Pattern[str]:
    """Return the pattern of a number that is written with a decimal mark: digits, and perhaps an exponent."""
    mark = re.escape(decimal)
    return re.compile(rf"[+-]?(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?")


def kind_of(arrow: pa.DataType) -> str:
    """Return the kind of an Arrow type; for a type that cannot be read, its name."""
    types = pa.types
    value = arrow.value_type if types.is_dictionary(arrow) else arrow
    if types.is_string(value) or types.is_large_string(value) or types.is_string_view(value):
        return "text"
    if types.is_timestamp(value):
        return "timestamp" if value.tz is None else str(value)
    tests = {
        "boolean": types.is_boolean,
        "integer": types.is_integer,
        "float": types.is_float64,
        "single": types.is_float32,
        "decimal": types.is_decimal,
        "date": types.is_date,
    }
    return next((kind for kind, test in tests.items() if test(value)), str(value))
