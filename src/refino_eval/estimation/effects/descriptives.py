"""Means, standard deviations and numbers of people, overall and by arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_treated,
    as_vector,
    check_length,
    ratio,
)


@dataclass(frozen=True, eq=False)
class Moments:
    """Number of people observed, mean and standard deviation of each column, shape (k,)."""

    n: IntArray
    mean: FloatArray
    sd: FloatArray


def moments(values: FloatArray, *, weights: FloatArray | None = None) -> Moments:
    """Describe each column over the people observed in it.

    Parameters
    ----------
    values
        Shape (n, k), missing as NaN.
    weights
        Probability weights, shape (n,). The variance then is the weighted mean square times n / (n - 1), as Stata's
        `summarize [aweight]`.

    Notes
    -----
    The mean is NaN without people, the standard deviation with fewer than two.
    """
    observed = np.isfinite(values)
    if weights is None and observed.all() and values.shape[0] > 1:
        n = np.full(values.shape[1], values.shape[0])
        return Moments(n=n, mean=values.mean(axis=0), sd=values.std(axis=0, ddof=1))
    n = np.count_nonzero(observed, axis=0)
    weight = observed.astype(np.float64) if weights is None else observed * weights[:, None]
    filled = np.where(observed, values, 0.0)
    total = weight.sum(axis=0)
    mean = ratio(np.einsum("ik,ik->k", weight, filled), total)
    squares = np.einsum("ik,ik->k", weight, np.where(observed, values - mean, 0.0) ** 2)
    sd = np.sqrt(ratio(ratio(squares, total) * n, np.maximum(n - 1, 0)))
    return Moments(n=n, mean=mean, sd=sd)


@dataclass(frozen=True, eq=False)
class DescriptiveTable:
    """Moments of each variable by arm and overall."""

    variables: tuple[str, ...]
    treated: Moments
    control: Moments
    overall: Moments

    def to_frame(self) -> pd.DataFrame:
        """One row a variable and arm (treated, control, all): variable, arm, n, mean, sd."""
        arms = {"treated": self.treated, "control": self.control, "all": self.overall}
        parts = [
            pd.DataFrame({"variable": self.variables, "arm": arm, "n": part.n, "mean": part.mean, "sd": part.sd})
            for arm, part in arms.items()
        ]
        return pd.concat(parts, ignore_index=True)


def describe(variables: Columns, treated: Vector, *, weights: Vector | None = None) -> DescriptiveTable:
    """Describe variables by arm and overall, each over the people observed in it.

    Parameters
    ----------
    variables
        Shape (n, k); missing values are left out column by column.
    treated
        The draw, 0 or 1, shape (n,).
    weights
        Probability weights, shape (n,).
    """
    drawn = as_treated(treated) == 1.0
    values, names = as_columns(variables, drawn.size, what="variables")
    weight = None if weights is None else as_vector(weights, what="weights")
    if weight is not None:
        check_length(weight.size, drawn.size, what="weights")
    return DescriptiveTable(
        variables=names,
        treated=moments(values[drawn], weights=None if weight is None else weight[drawn]),
        control=moments(values[~drawn], weights=None if weight is None else weight[~drawn]),
        overall=moments(values, weights=weight),
    )
