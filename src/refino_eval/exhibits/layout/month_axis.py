"""What figures by calendar month share: the months, a series by month, and the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def months_between(first: str, last: str) -> list[str]:
    """Return calendar months as `YYYY-MM`, both ends included."""
    return [f"{period}" for period in pd.period_range(first, last, freq="M")]


def by_month(frame: pd.DataFrame, name: str, statistic: str, months: list[str]) -> pd.Series:
    """Return a column's statistic for each month, missing where there is none."""
    part = frame[(frame["column"] == name) & (frame["statistic"] == statistic)]
    return pd.Series(part["value"].to_numpy(), index=part["row"].to_numpy(), dtype="float64").reindex(months)


def month_axis(ax: Axes, months: list[str]) -> None:
    """Mark each January with its year and each quarter with a small tick."""
    last = len(months) - 1
    years = [(place, month[:4]) for place, month in enumerate(months) if month.endswith("-01")]
    if len(years) < 2:
        years = [(place, month) for place, month in enumerate(months) if place % max(1, len(months) // 6) == 0]
    ax.set_xticks([place for place, _ in years], [text for _, text in years])
    ax.set_xticks([place for place, month in enumerate(months) if month[5:] in ("04", "07", "10")], minor=True)
    ax.set_xlim(-0.02 * last - 0.5, last * 1.02 + 0.5)
    ax.spines["bottom"].set_bounds(0, last)
