"""Cells of random assignment: labels to codes, and the means and deviations within them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray, IntArray, Labels, check_length


def encode(labels: Labels | None, n: int, *, what: str = "cells") -> IntArray:
    """Turn any labels into integer codes, shape (n,), numbered by first appearance.

    Parameters
    ----------
    labels
        One label a person (numbers, strings, tuples, categories), or a data frame whose columns together name
        the cell; None puts everybody in one cell.
    n
        The number of people.
    what
        How a message names the input.

    Raises
    ------
    UserError
        When the length differs from ``n`` or a label is missing.
    """
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    if isinstance(labels, pd.DataFrame):
        absent = int(labels.isna().any(axis=1).sum())
        codes = labels.groupby(list(labels.columns), sort=False, dropna=False, observed=True).ngroup().to_numpy()
    else:
        column = labels if isinstance(labels, pd.Series | pd.Index) else pd.Series(_as_objects(labels))
        codes, _ = pd.factorize(column)
        absent = int(np.count_nonzero(codes < 0))
    check_length(len(codes), n, what=what)
    if absent:
        raise UserError(
            f"{what}: {absent} of {n} rows have no label; give each person one, or leave them out before estimating."
        )
    return np.asarray(codes, dtype=np.int64)


def _as_objects(labels: Labels) -> np.ndarray:
    """Keep tuples whole: numpy would read a list of pairs as a matrix."""
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        return labels
    listed = list(labels)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


@dataclass(frozen=True, eq=False, repr=False)
class Cells:
    """People sorted by cell once, so that means within cells are one pass over the rows.

    Attributes
    ----------
    codes
        Cell of each person, 0 .. n_cells - 1, shape (n,).
    order
        Row numbers sorted by cell, shape (n,).
    starts
        Where each cell begins in ``order``, shape (n_cells,).
    sizes
        People in each cell, shape (n_cells,).
    weights
        Probability weights, shape (n,), or None.
    totals
        Sum of weights in each cell (people when there are none), shape (n_cells,).
    """

    codes: IntArray
    order: IntArray
    starts: IntArray
    sizes: IntArray
    weights: FloatArray | None
    totals: FloatArray

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.sizes.size)

    @property
    def leverage(self) -> FloatArray:
        """Leverage that the cells' constants alone give each person, w_i / W_c(i), shape (n,)."""
        own = 1.0 if self.weights is None else self.weights
        return own / self.totals[self.codes]

    def means(self, columns: FloatArray) -> FloatArray:
        """Return the (weighted) mean of each column in each cell, shape (n_cells, k)."""
        if self.weights is not None:
            columns = columns * self.weights[:, None]
        sums = np.add.reduceat(columns[self.order], self.starts, axis=0)
        return np.asarray(sums / self.totals[:, None])

    def demean(self, columns: FloatArray) -> FloatArray:
        """Return the deviations of each column from its cell's mean, shape (n, k)."""
        return np.asarray(columns - self.means(columns)[self.codes])


def crossed(codes: IntArray, others: IntArray) -> IntArray:
    """Return codes of the combinations of two sets of codes, each (n,)."""
    return np.asarray(codes * (int(others.max()) + 1) + others)


def dimensions(cluster: IntArray) -> tuple[IntArray, ...]:
    """Return the dimensions of clusters, each (n,), from codes of shape (n,) or (n, 2)."""
    return tuple(np.atleast_2d(cluster.T))


def fewest_clusters(cluster: IntArray) -> int:
    """Return the number of clusters, of two dimensions the smaller number."""
    return min(np.unique(codes).size for codes in dimensions(cluster))


def nested_in(codes: IntArray, cluster: IntArray) -> bool:
    """Return whether everybody of a code is in one cluster of a dimension, so that the codes' fixed effects are nested in clusters."""
    count = np.unique(codes).size
    return any(np.unique(crossed(codes, one)).size == count for one in dimensions(cluster))


def build_cells(codes: IntArray, *, weights: FloatArray | None = None) -> Cells:
    """Prepare cells from integer codes; codes may have gaps, as after leaving people out."""
    # Codes without people are closed up: `reduceat` gives an empty run the value of the next row, and not 0.
    _, dense, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    order = np.argsort(dense, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    totals = np.bincount(dense, weights=weights).astype(np.float64)
    return Cells(codes=dense, order=order, starts=starts, sizes=sizes, weights=weights, totals=totals)
