"""Numbers of exhibits of kind `stock`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.kinds.stock.model import StockExhibit
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: StockExhibit, context: Context) -> Iterator[Row]:
    """Yield, for each month and series, how many people have a spell of its codes on the month's last day.

    Raises
    ------
    UserError
        When the register has no such column.
    """
    spells = pd.read_parquet(context.files.clean[exhibit.register_name])
    for column in ("start", "stop", exhibit.column):
        if column not in spells:
            raise UserError(
                f"the register '{exhibit.register_name}' has no column '{column}', which a stock is counted from."
                f"{nearest(column, map(str, spells.columns))}"
            )
    if exhibit.people == "sample":
        spells = spells.loc[spells["person_id"].isin(context.cohort["person_id"])]
    months = pd.period_range(exhibit.first, exhibit.last, freq="M")
    days = months.to_timestamp(how="end").normalize().to_numpy().astype("datetime64[D]")
    for name, series in exhibit.series.items():
        own = spells.loc[spells[exhibit.column].isin(series.codes)]
        counts = _stock(own, days)
        for month, count in zip(months.strftime("%Y-%m"), counts, strict=True):
            yield cell(month, name, "count", count, count)


def _stock(spells: pd.DataFrame, days: np.ndarray) -> list[int]:
    """Return how many different people have a spell on each day; spells are half-open, and one without an end goes on."""
    start = spells["start"].to_numpy().astype("datetime64[D]")
    stop = spells["stop"].to_numpy().astype("datetime64[D]")
    open_ended = np.isnat(stop)
    people, _ = pd.factorize(spells["person_id"])
    return [
        int(np.unique(people[(start <= day) & (open_ended | (stop > day))]).size) if len(people) else 0 for day in days
    ]
