"""Re-randomisations of whole clusters, without their people.

Where everybody of a cluster is in one cell and is assigned together, z~ of a person with root weight r and row B
of the control basis is r a - B'g, with a = z_c - (mean of the cell) the same for the cluster and g the loadings of the
re-randomisation on the controls. What a clustered covariance needs of a cluster, the sums of z~ Y~ and of z~^2, is then

    s = a (sum r Y~) - (sum Y~ B)'g,        t = a^2 (sum r^2) - 2 a (sum r B)'g + g'(sum B B')g,

made of sums over its people that no re-randomisation changes. So a re-randomisation costs as much as there are clusters,
in products of matrices, and no array of people x draws is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from refino_eval.estimation.core.absorbed_cells import Cells
from refino_eval.estimation.core.arrays import FloatArray, IntArray

TILE = 128
"""Clusters in a tile: arrays of clusters x 256 draws stay in the processor's cache."""
MOST_CONTROLS = 24
"""With more controls the products of two of them outgrow the people that they replace."""


@dataclass(frozen=True, eq=False, repr=False)
class Groups:
    """Sums over the people of each of G clusters, clusters in order of their cell.

    Attributes
    ----------
    unit
        Row of a block that each cluster reads, shape (G,).
    codes
        Cell of each cluster, increasing, shape (G,).
    totals
        Sum of weights (people) of each cell, shape (C,).
    root
        Root of each cluster's sum of weights, shape (G,).
    linear
        Sums of what z itself is multiplied with: (outcomes, directions, basis), shape (J + q + k, G).
    n_effects
        J + q.
    sums
        Of outcomes (and directions when crossed) times the root weights, shape (G, J').
    crosses
        Of these times each control, shape (G, J', k).
    loads, squares
        Of the controls times the root weights, shape (G, k), and of the controls' products, shape (G, k, k).
    """

    unit: IntArray
    codes: IntArray
    totals: FloatArray
    root: FloatArray
    linear: FloatArray
    n_effects: int
    sums: FloatArray
    crosses: FloatArray
    loads: FloatArray
    squares: FloatArray

    shares: None = None

    @cached_property
    def tiles(self) -> list[slice]:
        """Runs of clusters."""
        return [slice(start, start + TILE) for start in range(0, self.codes.size, TILE)]


def group_people(
    *,
    clusters: Cells,
    unit: IntArray,
    codes: IntArray,
    totals: FloatArray,
    root: FloatArray | None,
    linear: FloatArray,
    n_effects: int,
    columns: FloatArray,
    basis: FloatArray,
) -> Groups | None:
    """Sum people over their clusters; None where a cluster is divided by assignment or cells, or controls are many.

    Parameters
    ----------
    clusters
        The people sorted by cluster.
    unit, codes, totals, root, linear, n_effects
        Of people, as in `permutation_statistics.RedrawnGroup`; root None means weights of 1.
    columns
        Outcomes, and directions when crossed, shape (n, J').
    basis
        Of the controls, shape (n, k).
    """
    k = basis.shape[1]
    order, starts = clusters.order, clusters.starts
    first = order[starts]
    # A cluster may stand for its people only if all of them read the same row and are in one cell.
    whole = all((values[first][clusters.codes] == values).all() for values in (unit, codes))
    if not whole or k > MOST_CONTROLS:
        return None
    by_cell = np.argsort(codes[first], kind="stable")
    r = np.ones(unit.size) if root is None else root

    def summed(values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(values[order], starts, axis=0)[by_cell])

    return Groups(
        unit=unit[first][by_cell],
        codes=codes[first][by_cell],
        totals=totals,
        root=np.sqrt(summed(r * r)),
        linear=np.ascontiguousarray(summed(linear.T).T),
        n_effects=n_effects,
        sums=summed(columns * r[:, None]),
        crosses=np.stack([summed(columns * column[:, None]) for column in basis.T], axis=2)
        if k
        else np.empty((0, 0, 0)),
        loads=summed(basis * r[:, None]),
        squares=np.stack([summed(basis * column[:, None]) for column in basis.T], axis=2) if k else np.empty((0, 0, 0)),
    )


def group_products(groups: Groups, apart: FloatArray, gains: FloatArray, rows: slice) -> tuple[FloatArray, FloatArray]:
    """Return s, shape (J', rows, B), and t, shape (rows, B), of some clusters.

    Parameters
    ----------
    groups
        The clusters.
    apart
        a of these clusters, shape (rows, B).
    gains
        g, shape (k, B).
    rows
        Which clusters.
    """
    s = groups.sums[rows].T[:, :, None] * apart
    t = apart * apart * (groups.root[rows] ** 2)[:, None]
    if gains.shape[0]:
        s -= np.einsum("gjk,kb->jgb", groups.crosses[rows], gains, optimize=True)
        t -= 2.0 * apart * (groups.loads[rows] @ gains)
        k = gains.shape[0]
        pairs = (gains[:, None, :] * gains[None, :, :]).reshape(k * k, -1)
        t += groups.squares[rows].reshape(-1, k * k) @ pairs
    return s, t
