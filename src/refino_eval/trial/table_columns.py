"""Columns of analysis files, as they were delivered: what a column means is decided by its use, not by its look.

A code is text, also where it is written in digits: 0301, 1.10 and 1E2 are not 301, 1.1 and 100. The same column can be
a number where a number is needed. A column therefore keeps its delivered values, each different one once, and gives
them as codes, as numbers or as days; whatever is not wholly such a value is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from refino_eval.errors import MOST_VALUES, UserError, shown_values
from refino_eval.registers.readers.value_kinds import (
    COUNTED_DAYS,
    EXACT_BELOW,
    FIRST_YEAR,
    LAST_YEAR,
    STATA_PERIODS,
    number_pattern,
)
from refino_eval.sql.quoting import code_text

Scalar = str | float | bool
Positions = npt.NDArray[np.int64]

_DATE_KINDS = ("date", "timestamp", *COUNTED_DAYS)
_UNITS_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ][0-9:.]+)?")
_COMPACT_DAY = re.compile(r"(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.0+|\.[0-9]*[1-9])?")
_STARTS_WITH_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ROWS_OF_A_CODE = 5
"""Rows that a value must have on average to be shown in a message."""
_PERCENT = re.compile(r"[-+]?\d+(?:[.,]\d+)?\s*%")
_TRUTHS = {"true": 1.0, "false": 0.0}
_LARGEST = 2**53


@dataclass(frozen=True, eq=False)
class TableColumn:
    """One column: its different values, and which row has which.

    Attributes
    ----------
    name, file
        What messages call the column and its file.
    kind
        How the file holds the values: one of `READABLE_KINDS`.
    values
        Each different value once: texts, numbers, or for dates the days since 1970 (with a part of a day for a time).
    index
        (n,) position in `values` of each row's value; -1 if it is missing.
    decimal
        The decimal mark of a text file.
    """

    name: str
    file: str
    kind: str
    values: tuple[Any, ...]
    index: Positions
    decimal: str = "."

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """(n,) whether the row has no value."""
        return self.index < 0

    def take(self, rows: Positions) -> TableColumn:
        """Return the column of other rows; a negative row has no value."""
        return replace(self, index=np.where(rows < 0, -1, self.index[np.maximum(rows, 0)]) if len(self.index) else rows)

    def codes(self, *, exact: bool = False) -> pd.Series:
        """Return the values as codes: text, None where missing.

        Parameters
        ----------
        exact
            Whether the codes identify a person or a group: then a number that is too large to be exact is refused.

        Raises
        ------
        UserError
            For such a number, or if 1 and 1.0 both occur in a text file.
        """
        if exact and self.kind in EXACT_BELOW:
            limit = EXACT_BELOW[self.kind]
            rows = self._rows([abs(value) >= limit for value in self.values])
            if rows:
                raise self.problem(
                    f"identifies people or groups, and {rows:,} of its values are numbers too large to be exact (a "
                    f"floating-point number of {32 if self.kind == 'single' else 64} bits is exact below {limit:,}), so "
                    "that different ids may have become the same. Deliver the ids as text or whole numbers."
                )
        return self._series(self._code_values())

    def _code_values(self) -> Sequence[Any]:
        """Return the code of each different value."""
        if self.kind == "text":
            return self._text_codes()
        if self.kind in _DATE_KINDS:
            return [str(np.datetime64(int(np.floor(day)), "D")) for day in self.values]
        if self.kind == "single":
            return [code_text(float(str(np.float32(value)))) for value in self.values]
        return [code_text(value) for value in self.values]

    def _text_codes(self) -> Sequence[str]:
        """Return the texts as they are, unless all of them are true or false, or numbers that could be written in no other way."""
        if self.values and all(value.lower() in _TRUTHS for value in self.values):
            return [str(int(_TRUTHS[value.lower()])) for value in self.values]
        dotted = [value.replace(self.decimal, ".") for value in self.values]
        if not all(_PLAIN_NUMBER.fullmatch(value) for value in dotted):
            return self.values
        # Programs write whole numbers of a column with gaps as 1.0: that is the code 1, unless both are there.
        plain = [code_text(float(value)) if value.endswith("0") and "." in value else value for value in dotted]
        if len(set(plain)) < len(plain):
            raise self.problem(
                "is used as codes, and has some of them with and without decimals (1 and 1.0). Write each code in one way."
            )
        return plain

    def numbers(self) -> pd.Series:
        """Return the values as doubles, NaN where missing.

        Raises
        ------
        UserError
            When a value is not a number, is a date, or is too large to be exact.
        """
        if self.kind in _DATE_KINDS:
            raise self.problem(
                f"holds dates. Derive numbers from them, for instance `days({self.name})` (days since 1970-01-01) or "
                f"`year({self.name})`."
            )
        values = np.asarray([self._number(value) for value in self.values], dtype=float)
        if rows := self._rows(np.isnan(values)):
            raise self.problem(
                f"must hold numbers, and {rows:,} rows hold something else{self._number_hint(values, rows)}"
            )
        if rows := self._rows(np.isinf(values)):
            raise self.problem(f"holds {rows:,} infinite values. Correct them, or name them in `missing_values`.")
        if rows := self._rows(np.abs(values) >= _LARGEST):
            raise self.problem(
                f"holds {rows:,} numbers of {_LARGEST:,} or more, which cannot be computed with exactly. Deliver it in "
                "a larger unit, or name default values in `missing_values`."
            )
        return self._series(values)

    def _number(self, value: Any) -> float:
        if self.kind != "text":
            return float(value)
        if number_pattern(self.decimal).fullmatch(value):
            return float(value.replace(self.decimal, "."))
        return _TRUTHS.get(value.lower(), np.nan)

    def _number_hint(self, numbers: npt.NDArray[np.float64], rows: int) -> str:
        others = [value for value, number in zip(self.values, numbers, strict=True) if np.isnan(number)]
        mark = "." if self.decimal == "," else ","
        if all(number_pattern(mark).fullmatch(value) for value in others):
            return f". They are written with the decimal mark '{mark}': state it (`decimal`), or write all in one way."
        if all(_PERCENT.fullmatch(value) for value in others):
            return ". They end with a per cent sign. Write numbers without it, for instance 37 or 0.37."
        different = set(others)
        # Values that many rows share are codes; others may be about a person.
        are_codes = len(different) <= MOST_VALUES and rows >= ROWS_OF_A_CODE * len(different)
        listed = f" ({shown_values(different)})" if are_codes else ""
        return (
            f"{listed}. Correct the file; or make a column of 0 and 1 from codes, by `derive` (for instance `{self.name} = 'yes'`) or by "
            "`equals` of a covariate."
        )

    def days(self) -> pd.Series:
        """Return the values as days, NaT where missing.

        Raises
        ------
        UserError
            When a value is not a day, or lies outside the years in which dates can be.
        """
        if self.kind in STATA_PERIODS:
            unit = self.kind.split("_1960")[0].replace("_", " ")
            raise self.problem(
                f"holds {unit} since 1960 (Stata format {STATA_PERIODS[self.kind]}), not days. Deliver the day (format %td)."
            )
        if self.kind in _DATE_KINDS:
            values = np.floor(np.asarray(self.values, dtype=float))
        else:
            values = np.asarray([self._day(value) for value in self.values], dtype=float)
        if rows := self._rows(np.isnan(values)):
            raise self.problem(
                f"must hold dates (yyyy-mm-dd), and {rows:,} rows hold something else.{self._day_hint()}"
            )
        low, high = (np.datetime64(f"{year}-01-01", "D").astype(int) for year in (FIRST_YEAR, LAST_YEAR + 1))
        if rows := self._rows((values < low) | (values >= high)):
            raise self.problem(
                f"holds {rows:,} dates outside the years {FIRST_YEAR} to {LAST_YEAR}. Correct them, or name default values "
                "in `missing_values`."
            )
        return self._series(
            values.astype("int64").astype("datetime64[D]").astype("datetime64[s]"), np.datetime64("NaT")
        )

    def _day(self, value: Any) -> float:
        match = _DAY.fullmatch(value) if isinstance(value, str) else None
        try:
            return float(np.datetime64("-".join(match.groups()), "D").astype(int)) if match else np.nan
        except ValueError:
            return np.nan

    def _day_hint(self) -> str:
        if any(_COMPACT_DAY.fullmatch(code_text(value)) for value in self.values):
            return " They look like dates written yyyymmdd: write them as yyyy-mm-dd."
        if any(isinstance(value, str) and re.fullmatch(r".*(Z|[+-]\d\d:?\d\d)", value) for value in self.values):
            return " Some have a time zone: write the local day alone."
        return " Numbers are no dates." if self.kind != "text" else " Write four digits of the year first."

    def operand(self, *, as_text: bool) -> pd.Series:
        """Return the values as an expression uses them.

        Parameters
        ----------
        as_text
            Whether the expression compares the column with text.
        """
        if self.kind in _DATE_KINDS:
            return self.days()
        if self.kind == "text" and self.values and all(_STARTS_WITH_DAY.match(value) for value in self.values):
            self.days()  # refuses what is no day
            return self._series(self.values)
        if self.kind == "text" and as_text and not all(map(self._is_plain, self.values)):
            return self.codes()
        if self.kind != "text" or not any(np.isnan(self._number(value)) for value in self.values):
            return self.numbers()
        return self.codes()

    def among(self, listed: Sequence[Scalar]) -> npt.NDArray[np.bool_]:
        """Return whether the value is one of some codes; a number stands for the code that is written like it.

        Raises
        ------
        UserError
            When a number can stand for several codes (1.1 for 1.1 and 1.10).
        """
        texts = {code_text(value) for value in listed}
        met = np.asarray(
            [value in texts or code in texts for code, value in zip(self._code_values(), self.values, strict=True)],
            dtype=bool,
        )
        for number in listed if self.kind == "text" else ():
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            alike = np.asarray([self._number(value) == number for value in self.values], dtype=bool)
            if alike.sum() > 1:
                raise self.problem(
                    f"has {int(alike.sum())} codes that are the number {code_text(number)}. Write the code in quotes."
                )
            met = met | alike
        return self._series(met, False).to_numpy(dtype=bool)

    def without(self, codes: Sequence[Scalar]) -> TableColumn:
        """Return the column with some codes as missing."""
        if not codes or not self.values:
            return self
        texts = {code_text(code) for code in codes}
        numbers = {float(code) for code in codes if isinstance(code, int | float)}
        shown = self.values if self.kind == "text" else self._code_values()
        gone = [
            text in texts or (self._number(value) in numbers if self._is_plain(value) else False)
            for text, value in zip(shown, self.values, strict=True)
        ]
        return replace(self, index=np.where(self.missing | np.asarray(gone, dtype=bool)[self.index], -1, self.index))

    def _is_plain(self, value: Any) -> bool:
        """Return whether a value is a number, and a text one that no program would write otherwise."""
        if self.kind != "text":
            return self.kind not in _DATE_KINDS
        return _PLAIN_NUMBER.fullmatch(value.replace(self.decimal, ".")) is not None

    def problem(self, text: str) -> UserError:
        """Return the error of this column."""
        return UserError(f"{self.file}: the column '{self.name}' {text}")

    def _rows(self, hits: Sequence[bool] | npt.NDArray[np.bool_]) -> int:
        """Count the rows whose value is hit."""
        return int(np.asarray([*hits, False], dtype=bool)[self.index].sum())

    def _series(self, values: Sequence[Any] | npt.NDArray[Any], missing: Any = None) -> pd.Series:
        if isinstance(values, np.ndarray) and values.dtype != object:
            missing = np.nan if missing is None else missing
            return pd.Series(np.append(values, np.asarray([missing]).astype(values.dtype))[self.index])
        return pd.Series(np.asarray([*values, None], dtype=object)[self.index], dtype=object)


def column_from_arrow(
    name: str,
    file: str,
    kind: str,
    values: pa.ChunkedArray,
    *,
    decimal: str = ".",
    labels: Mapping[Any, str] | None = None,
) -> TableColumn:
    """Return a column from the values of a file.

    Parameters
    ----------
    kind
        The kind of the values.
    labels
        The labels of coded values, if these are to be read instead of the codes.
    """
    array = values.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if kind == "decimal":
        # Exact as text, and a number or a code as the use asks for.
        array, kind, decimal = array.cast(pa.string()), "text", "."
    elif kind in _CONVERSIONS:
        array = _CONVERSIONS[kind](array)
    elif kind in COUNTED_DAYS:
        origin, units = COUNTED_DAYS[kind]
        since = float(np.datetime64(origin, "D").astype(int))
        array = pc.add(pc.divide(array.cast(pa.float64()), pa.scalar(float(units))), pa.scalar(since))
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    encoded = array.dictionary_encode()
    found = encoded.dictionary.to_pylist()
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if labels:
        found, kind = [labels.get(value, code_text(value)) for value in found], "text"
    return TableColumn(name, file, kind, tuple(found), index, decimal)


def column_from_series(name: str, file: str, values: pd.Series) -> TableColumn:
    """Return a derived column."""
    if values.dtype != object:
        index, found = pd.factorize(values)
        return TableColumn(name, file, "float", tuple(found.tolist()), np.asarray(index, dtype=np.int64))
    # An expression may choose between a text and a number; its numbers are then codes as well.
    texts = values.map(lambda value: value if isinstance(value, str) else code_text(value), na_action="ignore")
    index, found = pd.factorize(texts)
    return TableColumn(name, file, "text", tuple(found.tolist()), np.asarray(index, dtype=np.int64))


def _timestamp_days(array: pa.Array) -> pa.Array:
    return pc.divide(
        array.cast(pa.int64()).cast(pa.float64(), safe=False), pa.scalar(float(_UNITS_A_DAY[array.type.unit]))
    )


def _date_days(array: pa.Array) -> pa.Array:
    if array.type == pa.date64():
        return pc.divide(array.cast(pa.int64()).cast(pa.float64()), pa.scalar(86_400_000.0))
    return array.cast(pa.int32()).cast(pa.float64())


_CONVERSIONS: Mapping[str, Callable[[pa.Array], pa.Array]] = {"date": _date_days, "timestamp": _timestamp_days}
