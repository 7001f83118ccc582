"""Price indices, which convert nominal amounts to the prices of one year.

An index is a file `<name>.csv` in the folder of code lists with the columns year, value and source. Values are kept as
decimals as published, so that a factor is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from refino_eval.codes.codelists import read_table
from refino_eval.errors import raise_problems

COLUMNS = ("year", "value", "source")


@dataclass(frozen=True)
class PriceIndex:
    """A yearly price index.

    Attributes
    ----------
    values
        Calendar year -> index value, as published by its source.
    """

    name: str
    values: Mapping[int, Decimal]

    def value(self, year: int) -> Decimal:
        """Return the index of a year; a missing year is a user error."""
        if year not in self.values:
            raise_problems(
                [
                    f"Price index '{self.name}': no value for {year}; it covers {min(self.values)}-"
                    f"{max(self.values)}. Add the year to {self.name}.csv from the index's source, or choose years within it."
                ]
            )
        return self.values[year]

    def factor(self, year: int, base_year: int) -> float:
        """Return the factor that converts an amount of `year` to the prices of `base_year`."""
        return float(self.value(base_year) / self.value(year))


def load_index(name: str, folder: Path) -> PriceIndex:
    """Read the price index `<folder>/<name>.csv`.

    Raises
    ------
    UserError
        When the file or a column is missing, a value is not a positive number, or a year is repeated or missing between
        others; all problems at once.
    """
    problems: list[str] = []
    values: dict[int, Decimal] = {}
    for number, record in read_table(name, folder, COLUMNS):
        where = f"Price index {name}.csv, line {number}"
        year, value = _year(record["year"]), _positive(record["value"])
        if year is None:
            problems.append(f"{where}: the year is '{record['year']}', not a year of four digits.")
        elif value is None:
            problems.append(f"{where}: the value is '{record['value']}', not a positive number with a decimal point.")
        elif year in values:
            problems.append(f"{where}: year {year} is repeated. Keep one row per year.")
        else:
            values[year] = value
        if not record["source"]:
            problems.append(f"{where}: source is empty; state where the value was published.")
    if not values and not problems:
        problems.append(f"Price index {name}.csv has no rows.")
    if values:
        gaps = sorted(set(range(min(values), max(values))) - set(values))
        problems += [f"Price index {name}.csv: year {year} is missing between the first and the last." for year in gaps]
    raise_problems(problems)
    return PriceIndex(name, MappingProxyType(dict(sorted(values.items()))))


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() else None


def _positive(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def load_indices(entries: Mapping[str, object], folder: Path) -> dict[str, PriceIndex]:
    """Read the price indices that some definitions deflate by.

    Parameters
    ----------
    entries
        States or covariates by name; those without `deflate` need no index.
    folder
        Folder of the indices.
    """
    named = {deflate.index for entry in entries.values() if (deflate := getattr(entry, "deflate", None)) is not None}
    return {name: load_index(name, folder) for name in sorted(named)}
