"""Tables of register rows, and how their values become the delivered text.

A table holds integers only: people and rows by number, codes as places in a vocabulary, dates as days since 1970,
hours and money in hundredths. Text is made at the very end by looking it up, which makes large deliveries quick.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa

from refino_eval.synthetic.calendar import EPOCH, NO_DAY, BoolArray, IntArray
from refino_eval.synthetic.recipe import FileColumn, RegisterFile

FIRST_TABLE_DAY = dt.date(1930, 1, 1).toordinal() - EPOCH
LAST_TABLE_DAY = dt.date(2060, 12, 31).toordinal() - EPOCH
ID_PRIME = 99_999_989
"""The largest prime below 10**8: multiplication by any number modulo it shuffles eight-digit ids without repeats."""

SERIAL_PRIME = 99_999_999_977
"""The largest prime below 10**11; with the factor below, products of numbers under 13 * 10**9 fit in 64 bits."""
SERIAL_FACTOR = 700_000_001


@dataclass(frozen=True)
class Table:
    """Rows of one register: integer columns of one length, with a vocabulary for each column of codes."""

    columns: dict[str, IntArray]
    vocabulary: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))

    def take(self, rows: IntArray | BoolArray) -> Table:
        """Return some rows."""
        return Table({name: values[rows] for name, values in self.columns.items()}, self.vocabulary)

    def with_columns(self, **changed: IntArray) -> Table:
        """Return a copy with some columns replaced or added."""
        return Table({**self.columns, **changed}, self.vocabulary)

    def sorted_by(self, *names: str) -> Table:
        """Return the rows sorted by columns, stable."""
        return self.take(_order([self.columns[name] for name in names]))


def _order(keys: list[IntArray]) -> IntArray:
    """Return the order that sorts by several keys; one joint key is much quicker, where 62 bits hold it."""
    if not len(keys[0]):
        return np.zeros(0, dtype=np.int64)
    joint, room = np.zeros(len(keys[0]), dtype=np.int64), 1
    for key in keys:
        low, width = int(key.min()), int(key.max()) - int(key.min()) + 1
        room *= width
        if room >= 2**62:
            return np.lexsort(keys[::-1])
        joint = joint * width + (key - low)
    return np.argsort(joint, kind="stable")


def stack(tables: list[Table]) -> Table:
    """Put tables of the same columns under each other."""
    first = tables[0]
    return Table(
        {name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns}, first.vocabulary
    )


def person_ids(number: IntArray, seed: int) -> IntArray:
    """Turn person numbers 0, 1, ... into shuffled ids below 10**8, without repeats."""
    factor = 40_000_003 + 2 * (seed % 1_000_003)
    return ((np.asarray(number, dtype=np.int64) + 1) * factor + seed % 7_777_777) % ID_PRIME


def digits(values: IntArray, width: int) -> pa.StringArray:
    """Write numbers with leading zeros, all of one width."""
    small = width <= 9
    numbers: IntArray = np.array(values, dtype=np.uint32 if small else np.int64)
    characters = np.empty((len(numbers), width), dtype=np.uint8)
    for place in range(width - 1, -1, -1):
        rest = numbers // 10
        characters[:, place] = numbers - rest * 10 + ord("0")
        numbers = rest
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(characters))


@lru_cache(maxsize=16)
def _dates(pattern: str) -> pa.StringArray:
    ordinals = range(FIRST_TABLE_DAY + EPOCH, LAST_TABLE_DAY + EPOCH + 1)
    return pa.array([dt.date.fromordinal(day).strftime(pattern) for day in ordinals])


def dates(days: IntArray, pattern: str) -> pa.StringArray:
    """Write days by a strftime pattern; NO_DAY becomes null."""
    empty = days == NO_DAY
    places = np.where(empty, 0, days - FIRST_TABLE_DAY)
    return _dates(pattern).take(pa.array(places, mask=empty))


def decimals(hundredths: IntArray, decimal: str) -> pa.StringArray:
    """Write hundredths as a number with two decimals."""
    unique, places = np.unique(hundredths, return_inverse=True)
    texts = [f"{value // 100}{decimal}{value % 100:02d}" for value in unique.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(places))


def render(table: Table, form: RegisterFile, seed: int) -> pa.Table:
    """Turn a table into the delivered columns, in the delivered order.

    Parameters
    ----------
    table
        Rows; the column `person_id` holds person numbers.
    form
        The register's delivered form.
    seed
        The delivery's seed, which shuffles ids.
    """
    made = {
        column.name: _render(table.columns[name], column, form, table.vocabulary.get(name, ()), seed)
        for name, column in form.columns.items()
    }
    return pa.table(made)


def _render(values: IntArray, column: FileColumn, form: RegisterFile, words: tuple[str, ...], seed: int) -> pa.Array:
    text = form.format == "csv"
    if column.type == "id":
        return digits(person_ids(values, seed), column.width)
    if column.type == "serial":
        return digits((np.asarray(values, dtype=np.int64) + 1) * SERIAL_FACTOR % SERIAL_PRIME, column.width)
    if column.type == "digits":
        return digits(values, column.width)
    if column.type == "code":
        return pa.array(words, pa.string()).take(pa.array(values))
    if column.type == "date":
        return (
            dates(values, column.date_format)
            if text
            else pa.array(values.astype("datetime64[D]"), mask=values == NO_DAY)
        )
    if column.type in ("hundredths", "ore"):
        return decimals(values, form.decimal) if text else _exact_decimals(values)
    if column.type == "kroner":
        return pa.array(values // 100)
    if column.type in ("month", "year"):
        return pa.array(values.astype(np.int32))
    return pa.array(values)


def _exact_decimals(hundredths: IntArray) -> pa.Array:
    """Make DECIMAL(12,2) of hundredths without passing through floating point."""
    words = np.zeros((len(hundredths), 2), dtype=np.int64)
    words[:, 0] = hundredths
    words[:, 1] = np.where(hundredths < 0, -1, 0)
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(hundredths), [None, pa.py_buffer(words)])
