"""Effects of several studies at several horizons, and how much they differ.

Heterogeneity is described by Cochran's Q, its p-value, and I² (Higgins and Thompson 2002), within one horizon and among
randomised comparisons that have a standard error. Nothing is pooled: outcomes and alternatives differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from refino_eval.config.across.forests import FILE, Forest, ForestRow, StatedEffect
from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.tidy import read_made
from refino_eval.published.values import printed_numbers


@dataclass(frozen=True)
class ForestEffect:
    """One effect of a forest, in the units that are shown.

    Attributes
    ----------
    row
        Its definition.
    estimate, low, high
        The effect with its 95 per cent confidence interval, or the middle and the ends of a range that a source states; the
        ends are NaN where no standard error is known.
    std_error
        NaN where none is known.
    n
        People behind it, if known.
    synthetic
        Whether it was computed from a synthetic register.
    """

    row: ForestRow
    estimate: float
    low: float = math.nan
    high: float = math.nan
    std_error: float = math.nan
    n: int | None = None
    synthetic: bool = False

    @property
    def is_range(self) -> bool:
        """Whether the ends are those of a stated range rather than of a confidence interval."""
        return self.row.published is not None and self.row.published.range is not None


@dataclass(frozen=True)
class Heterogeneity:
    """Cochran's Q of effects with its degrees of freedom, p-value and I² (a share)."""

    q: float
    df: int
    p_value: float
    i_squared: float


def forest_effects(
    forest: Forest, results: Path, published: Path, data_classes: Mapping[str, str]
) -> tuple[list[ForestEffect], list[str]]:
    """Read the effects of a forest.

    Parameters
    ----------
    forest
        Its definition.
    results
        Folder of all evaluations' results.
    published
        Folder of published values.
    data_classes
        Data class of each evaluation that was run. Numbers of confidential data are left out.

    Returns
    -------
    effects : list of ForestEffect
        In order of horizon, randomised comparisons first.
    left_out : list of str
        Evaluations whose numbers are not there, or confidential.
    """
    effects, left_out = [], dict[str, None]()
    for row in forest.rows:
        effect: ForestEffect | None
        if row.own is None:
            effect = _published(row, forest.times, published)
        elif data_classes.get(row.own.evaluation, "confidential") == "confidential":
            effect = None
        else:
            effect = _own(row, forest.times, results, synthetic=data_classes[row.own.evaluation] == "synthetic")
        if effect is not None:
            effects.append(effect)
        elif row.own is not None:
            left_out[row.own.evaluation] = None
    effects.sort(key=lambda effect: (effect.row.horizon, effect.row.design == "observational"))
    return effects, list(left_out)


def heterogeneity(estimates: np.ndarray, std_errors: np.ndarray) -> Heterogeneity:
    """Return Cochran's Q = sum (b - m)² / se², with m weighted by 1 / se², and I² = max(0, (Q - df) / Q).

    Parameters
    ----------
    estimates, std_errors
        Shape (k,), k at least 2.
    """
    weights = 1.0 / std_errors**2
    q = float(weights @ (estimates - weights @ estimates / weights.sum()) ** 2)
    df = len(estimates) - 1
    return Heterogeneity(q, df, float(special.chdtrc(df, q)), max(0.0, (q - df) / q) if q > 0 else 0.0)


def by_horizon(effects: list[ForestEffect]) -> Iterator[tuple[int, list[ForestEffect], Heterogeneity | None]]:
    """Yield the effects of each horizon, with the heterogeneity of those that are counted where at least two have an error."""
    for horizon in dict.fromkeys(effect.row.horizon for effect in effects):
        own = [effect for effect in effects if effect.row.horizon == horizon]
        usable = [e for e in own if e.row.design == "randomised" and e.row.counted and e.std_error > 0]
        estimates, errors = (np.array([getattr(e, part) for e in usable]) for part in ("estimate", "std_error"))
        yield horizon, own, heterogeneity(estimates, errors) if len(usable) > 1 else None


def _own(row: ForestRow, times: float, results: Path, *, synthetic: bool) -> ForestEffect | None:
    """Read an effect from the aggregates of an evaluation; None where it is not there."""
    assert row.own is not None
    path = results / row.own.evaluation / "aggregates" / f"{row.own.exhibit}.csv"
    if not path.is_file():
        return None
    frame = read_made(path)
    at = frame[
        (frame["panel"].fillna("") == row.own.panel)
        & (frame["row"] == row.own.row)
        & (frame["column"] == row.own.column)
    ].set_index("statistic")
    if "estimate" not in at.index:
        return None
    value = {str(name): times * float(number) for name, number in at["value"].items()}
    people = at["n_persons"].get("estimate")
    return ForestEffect(
        row=row,
        estimate=value["estimate"],
        low=value.get("conf_low", math.nan),
        high=value.get("conf_high", math.nan),
        std_error=value.get("std_error", math.nan),
        n=None if people is None or people != people else int(people),
        synthetic=synthetic,
    )


def _published(row: ForestRow, times: float, folder: Path) -> ForestEffect | None:
    stated = row.published
    assert stated is not None
    if stated.range is not None:
        low, high = stated.range
        return ForestEffect(row, (low + high) / 2.0, low, high, n=stated.n)
    estimate, error = _stated(stated, times, folder)
    reach = 1.959963984540054 * error
    return ForestEffect(row, estimate, estimate - reach, estimate + reach, error, n=stated.n)


def _stated(stated: StatedEffect, times: float, folder: Path) -> tuple[float, float]:
    """Return a published estimate and its standard error, NaN without one."""
    if stated.document is None:
        assert stated.estimate is not None
        return stated.estimate, math.nan if stated.std_error is None else stated.std_error
    numbers = printed_numbers(folder / f"{stated.document}.csv")
    if f"{stated.at}/estimate" not in numbers:
        raise UserError(
            f"{FILE}: '{stated.at}/estimate' is not in data/published/{stated.document}.csv."
            f"{nearest(f'{stated.at}/estimate', numbers)}"
        )
    return times * numbers[f"{stated.at}/estimate"], times * numbers.get(f"{stated.at}/std_error", math.nan)
