"""Price indices: nominal amounts into the prices of one year.

An index is a file `<name>.csv` in the folder of code lists with the columns year, value and source. Values are kept as
decimals as printed, so that a factor is the same on every machine.
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
        Calendar year -> index value, as printed by its source.
    """

    name: str
    values: Mapping[int, Decimal]

    def value(self, year: int) -> Decimal:
        """Return the index of a year; a year that the index lacks is a user's fault."""
        if year not in self.values:
            raise_problems(
                [
                    f"The price index '{self.name}' has no value for {year}: it covers {min(self.values)}-"
                    f"{max(self.values)}. Add the year to {self.name}.csv from the index's source, or choose years inside it."
                ]
            )
        return self.values[year]

    def factor(self, year: int, base_year: int) -> float:
        """Return what an amount of `year` is multiplied with to be in the prices of `base_year`."""
        return float(self.value(base_year) / self.value(year))


def load_index(name: str, folder: Path) -> PriceIndex:
    """Read the price index `<folder>/<name>.csv`.

    Raises
    ------
    UserError
        When the file or a column is missing, a value is not a positive number, or a year comes twice or is left out
        between others; all faults at once.
    """
    faults: list[str] = []
    values: dict[int, Decimal] = {}
    for number, record in read_table(name, folder, COLUMNS):
        where = f"The price index {name}.csv, line {number}"
        year, value = _year(record["year"]), _positive(record["value"])
        if year is None:
            faults.append(f"{where}: the year is '{record['year']}', not a year of four digits.")
        elif value is None:
            faults.append(f"{where}: the value is '{record['value']}', not a positive number with a decimal point.")
        elif year in values:
            faults.append(f"{where}: the year {year} comes a second time. Keep one row a year.")
        else:
            values[year] = value
        if not record["source"]:
            faults.append(f"{where}, has no source: say where the value was published.")
    if not values and not faults:
        faults.append(f"The price index {name}.csv has no rows.")
    if values:
        gaps = sorted(set(range(min(values), max(values))) - set(values))
        faults += [f"The price index {name}.csv lacks the year {year} between its first and its last." for year in gaps]
    raise_problems(faults)
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
        Where the indices stand.
    """
    named = {deflate.index for entry in entries.values() if (deflate := getattr(entry, "deflate", None)) is not None}
    return {name: load_index(name, folder) for name in sorted(named)}
