"""Means, standard deviations and numbers of people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.estimation.core.absorbed_cells import fewest_clusters
from refino_eval.estimation.core.arrays import FloatArray, IntArray, ratio
from refino_eval.estimation.core.kernel import cross_product


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


def mean_std_error(
    values: FloatArray, vcov: Vcov, *, weights: FloatArray | None = None, cluster: IntArray | None = None
) -> FloatArray:
    """Return the standard error of each column's (weighted) mean over the people observed in it, shape (k,).

    Parameters
    ----------
    values
        Shape (n, k), missing as NaN.
    vcov
        A clustered covariance sums the deviations in clusters, with the factor G / (G - 1), of two dimensions that of the fewer; the others give the regression on a
        constant with HC1, which without weights is sd / sqrt(n).
    weights, cluster
        Shape (n,), clusters in two dimensions (n, 2), or None.
    """
    observed = np.isfinite(values)
    weight = observed.astype(np.float64) if weights is None else observed * weights[:, None]
    mean = ratio(np.einsum("ik,ik->k", weight, np.where(observed, values, 0.0)), weight.sum(axis=0))
    scores = ratio(np.where(observed, values - mean, 0.0) * weight, weight.sum(axis=0))
    errors = np.full(values.shape[1], np.nan)
    for k in range(values.shape[1]):
        rows = observed[:, k]
        groups = cluster[rows] if COVARIANCES[vcov].is_clustered and cluster is not None else np.arange(rows.sum())
        count = fewest_clusters(groups)
        if count > 1:
            variance = cross_product(scores[rows][:, [k]], groups)[0, 0] * count / (count - 1)
            errors[k] = np.sqrt(variance) if variance >= 0 else np.nan
    return errors
