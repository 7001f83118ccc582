"""Coefficients and variances of every re-randomisation and outcome, without an array of people x outcomes x draws.

For a re-randomisation with residual z~ on cells and controls, and outcomes Y~ that are residuals on the same, Frisch-Waugh
gives b = z~'Y~ / z~'z~ and residuals e = Y~ - z~ b. Since Y~ is orthogonal to cells and controls, z~'Y~ = z'Y~; and
z~'z~ = (squares of z within cells) - |Q'z|^2 with Q the orthonormal basis of the controls within cells; so coefficients
take one product of the assignments with [Y~ | Q]. Robust variances have the middle

    sum_i g_i z~_i^2 e_i^2 = (g z~^2)'(Y~^2) - 2 b (g z~^3)'Y~ + b^2 sum g z~^4,

products again, of matrices people x draws with matrices people x outcomes. The factor g is 1, or 1/(1 - h) to the power
of the covariance, and the leverage h_i = 1/n_c + |Q_i|^2 + z~_i^2 / z~'z~ is that of the re-randomisation: exact, not that
of the observed assignment. People come in tiles, so that these matrices stay in the processor's cache. With probability
weights everything is multiplied by their roots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.estimation.core.absorbed_cells import Cells, build_cells
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray
from refino_eval.estimation.core.kernel import SATURATED, Design
from refino_eval.estimation.core.regression_inputs import RegressionInputs
from refino_eval.estimation.randomisation.assignments import Mechanism
from refino_eval.estimation.randomisation.clustered_assignments import Groups, group_people, group_products

# People in a tile: 128 x 256 draws x 8 bytes = 256 kB.
TILE = 128
# A re-randomisation whose variation within cells and controls is below this share of the cells' is collinear with the controls.
NO_VARIATION = 1e-9
# A variance below this share of its own first term is rounding: the re-randomisation fits the outcome exactly.
EXACT_FIT = 1e-13


@dataclass(frozen=True, eq=False, repr=False)
class RedrawnGroup:
    """One design's outcomes, ready for blocks of re-randomisations; people are sorted by cell.

    Attributes
    ----------
    rows
        Input rows of the people, shape (n,).
    unit
        Row of a block that each person reads, shape (n,).
    codes
        Cell of each person, increasing, shape (n,).
    totals
        Sum of weights (people) of each cell, shape (C,).
    shares
        Share treated in each cell when all re-randomisations have it, shape (C,), or None.
    root
        Root weights, shape (n,), or None.
    outcomes
        Residuals on cells and controls, times the root weights, shape (n, J).
    directions
        The same of variables whose multiples a confidence set takes away from the outcomes, shape (n, q).
    basis
        Orthonormal basis of the controls within cells, shape (n, k).
    slack
        1 - leverage of cells and controls, and 1 for people whom they fit exactly (all their residuals are 0),
        shape (n,).
    clusters
        The people sorted by cluster, or None.
    crossed
        Whether (co)variances with the directions are wanted too.
    n, df_resid, n_nested
        People, degrees of freedom, and fixed effects nested in clusters, of the design.
    """

    rows: IntArray
    unit: IntArray
    codes: IntArray
    totals: FloatArray
    shares: FloatArray | None
    root: FloatArray | None
    outcomes: FloatArray
    directions: FloatArray
    basis: FloatArray
    slack: FloatArray
    clusters: Cells | None
    crossed: bool
    n: int
    df_resid: int
    n_nested: int

    @cached_property
    def linear(self) -> FloatArray:
        """What z itself is multiplied with: (outcomes, directions, basis) with root weights, shape (J + q + k, n)."""
        columns = np.hstack((self.outcomes, self.directions, self.basis))
        return np.ascontiguousarray((columns if self.root is None else columns * self.root[:, None]).T)

    @property
    def n_effects(self) -> int:
        """Outcomes and directions."""
        return int(self.outcomes.shape[1] + self.directions.shape[1])

    @cached_property
    def cubic(self) -> FloatArray:
        """Outcomes, and directions when crossed, shape (J, n) or (J + q, n)."""
        columns = np.hstack((self.outcomes, self.directions)) if self.crossed else self.outcomes
        return np.ascontiguousarray(columns.T)

    @cached_property
    def quadratic(self) -> FloatArray:
        """Y~^2, and when crossed Y~ w~ for each direction, then w~^2, shape (J, n) or (J + q J + q, n)."""
        parts = [self.outcomes**2]
        if self.crossed:
            parts += [self.outcomes * column[:, None] for column in self.directions.T]
            parts.append(self.directions**2)
        return np.ascontiguousarray(np.hstack(parts).T)

    @cached_property
    def tiles(self) -> list[slice]:
        """Runs of people."""
        return [slice(start, start + TILE) for start in range(0, self.codes.size, TILE)]

    @cached_property
    def groups(self) -> Groups | None:
        """The clusters in place of their people, where re-randomisations and cells never divide them."""
        if self.clusters is None:
            return None
        return group_people(
            clusters=self.clusters,
            unit=self.unit,
            codes=self.codes,
            totals=self.totals,
            root=self.root,
            linear=self.linear,
            n_effects=self.n_effects,
            columns=self.cubic.T,
            basis=self.basis,
        )

    def prepare(self) -> None:
        """Make what all blocks share before threads ask for it."""
        _ = self.linear, self.cubic, self.quadratic, self.tiles, self.groups


@dataclass(frozen=True, eq=False, repr=False)
class BlockStatistics:
    """One block of B re-randomisations.

    ``coefficients`` of outcomes then directions, shape (J + q, B), NaN where the re-randomisation has no variation within cells and controls;
    ``variances`` of outcomes, shape (J, B); and when crossed ``covariances`` of outcomes with each direction, shape
    (q, J, B), and variances of each direction, ``direction_variances``, shape (q, B).
    """

    coefficients: FloatArray
    variances: FloatArray
    covariances: FloatArray
    direction_variances: FloatArray


def redrawn_group(
    design: Design,
    outcomes: FloatArray,
    directions: FloatArray,
    inputs: RegressionInputs,
    mechanism: Mechanism,
    *,
    crossed: bool = False,
) -> RedrawnGroup:
    """Prepare a design's outcomes for re-randomisation.

    Parameters
    ----------
    design
        Of the observed assignment.
    outcomes, directions
        Shape (n_rows, J) and (n_rows, q).
    inputs
        Of the regression; its ``rows`` are the people whom the mechanism assigns: those in use, and others who were
        assigned with them but lack the outcome.
    mechanism
        How people are assigned.
    crossed
        Whether (co)variances with the directions are wanted too.
    """
    redrawn = np.flatnonzero(inputs.rows)
    basis = design.control_basis
    residuals = design.within(np.hstack((outcomes, directions)))
    # Outcomes are residualised once: re-randomisation changes treatment alone.
    residuals = residuals - basis @ (basis.T @ residuals)
    slack = 1.0 - design.cells.leverage - np.einsum("ik,ik->i", basis, basis)
    saturated = slack <= SATURATED
    residuals[saturated] = 0.0
    order = design.cells.order
    shares = None
    if mechanism.fixed_shares and design.root_weights is None and design.n == redrawn.size:
        shares = design.cells.means(design.used(inputs.treated)[:, None])[:, 0]
    return RedrawnGroup(
        rows=design.rows[order],
        unit=mechanism.unit[np.searchsorted(redrawn, design.rows[order])],
        codes=design.cells.codes[order],
        totals=design.cells.totals,
        shares=shares,
        root=None if design.root_weights is None else design.root_weights[order],
        outcomes=residuals[order, : outcomes.shape[1]],
        directions=residuals[order, outcomes.shape[1] :],
        basis=basis[order],
        slack=np.where(saturated, 1.0, slack)[order],
        clusters=None if design.cluster is None else build_cells(design.cluster[order]),
        crossed=crossed,
        n=design.n,
        df_resid=design.df_resid,
        n_nested=design.n_nested,
    )


@dataclass(frozen=True, eq=False, repr=False)
class Projection:
    """Redraws less their projection on cells and controls, in parts.

    ``loadings`` of outcomes, directions and control basis on z, shape (J + q + k, B); ``means`` of z in each cell,
    shape (C, B) or (C, 1) when all re-randomisations share them; ``squares`` = z~'z~, shape (B,), NaN without variation.
    """

    loadings: FloatArray
    means: FloatArray
    squares: FloatArray


def block_statistics(group: RedrawnGroup, assigned: BoolArray, vcov: Vcov) -> BlockStatistics:
    """Compute a block's coefficients and (co)variances.

    Parameters
    ----------
    group
        The design's outcomes.
    assigned
        A block of re-randomisations, shape (units, B).
    vcov
        As in `itt.itt`; CRV1 when the design has clusters.
    """
    covariance = COVARIANCES[vcov]
    projection = project(group.groups or group, assigned)
    b = projection.loadings[: group.n_effects] / projection.squares
    if not covariance.is_robust:
        # e'e = Y~'Y~ - b^2 z~'z~, written in the form of the others.
        products = group.quadratic.sum(axis=1)[:, None], b * projection.squares, projection.squares
        return _combine(group, b, products, 1.0 / (group.df_resid * projection.squares))
    if covariance.is_clustered:
        products = _cluster_products(group, assigned, projection)
    else:
        products = _products(group, assigned, projection, covariance.leverage_power)
    n_clusters = 0 if group.clusters is None else group.clusters.n_cells
    factor = covariance.factor(n=group.n, df_resid=group.df_resid, n_clusters=n_clusters, n_nested=group.n_nested)
    return _combine(group, b, products, factor / projection.squares**2)


def project(group: RedrawnGroup | Groups, assigned: BoolArray) -> Projection:
    """Project a block's re-randomisations on cells and controls; people, or clusters in place of their people."""
    loadings = np.zeros((group.linear.shape[0], assigned.shape[1]))
    sums = None if group.shares is not None else np.zeros((group.totals.size, assigned.shape[1]))
    for tile in group.tiles:
        z = assigned[group.unit[tile]].astype(np.float64)
        loadings += group.linear[:, tile] @ z
        if sums is not None:
            if group.root is not None:
                z *= (group.root[tile] ** 2)[:, None]
            codes = group.codes[tile]
            starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
            # People are sorted by cell, so that a cell is one run of a tile (no index occurs twice); its parts in other tiles are
            # added.
            sums[codes[starts]] += np.add.reduceat(z, starts, axis=0)
    if group.shares is not None:
        means = group.shares[:, None]
        within = np.full(assigned.shape[1], float(group.totals @ (group.shares * (1.0 - group.shares))))
    else:
        assert sums is not None
        means = sums / group.totals[:, None]
        # z is 0 or 1: its squares about the cell's mean sum to S - S^2 / W, with S the sum of (weighted) z and W that of weights.
        within = np.einsum("cb,cb->b", sums, 1.0 - means)
    gains = loadings[group.n_effects :]
    squares = within - np.einsum("kb,kb->b", gains, gains)
    squares[~(squares > NO_VARIATION * within)] = np.nan
    return Projection(loadings, means, squares)


def residuals_of(
    group: RedrawnGroup, assigned: BoolArray, projection: Projection, rows: slice | IntArray
) -> FloatArray:
    """Return z~ of some people, times the root weights, shape (rows, B)."""
    z = assigned[group.unit[rows]].astype(np.float64)
    z -= projection.means[group.codes[rows]]
    if group.root is not None:
        z *= group.root[rows][:, None]
    if group.basis.shape[1]:
        z -= group.basis[rows] @ projection.loadings[group.n_effects :]
    return z


_Products = tuple[FloatArray, FloatArray, FloatArray]


def _products(group: RedrawnGroup, assigned: BoolArray, projection: Projection, leverage_power: int) -> _Products:
    """Sum g z~^2 with the quadratic, g z~^3 with the cubic terms, and of g z~^4."""
    second = np.zeros((group.quadratic.shape[0], assigned.shape[1]))
    third = np.zeros((group.cubic.shape[0], assigned.shape[1]))
    fourth = np.zeros(assigned.shape[1])
    inverse = np.nan_to_num(1.0 / projection.squares)
    for tile in group.tiles:
        z = residuals_of(group, assigned, projection, tile)
        scaled = z * z
        if leverage_power:
            # 1 - h under this assignment: the slack of cells and controls, less z~^2 / z~'z~.
            divide_by_slack(scaled, group.slack[tile][:, None] - scaled * inverse, leverage_power)
        second += group.quadratic[:, tile] @ scaled
        scaled *= z
        third += group.cubic[:, tile] @ scaled
        fourth += np.einsum("ib,ib->b", scaled, z)
    return second, third, fourth


def divide_by_slack(values: FloatArray, slack: FloatArray, power: int) -> None:
    """Divide by (1 - h)^power in place; people whom a re-randomisation fits exactly have no residual and get 0."""
    if slack.min() <= SATURATED:
        values[slack <= SATURATED] = 0.0
        slack[slack <= SATURATED] = 1.0
    for _ in range(power):
        values /= slack


def _cluster_products(group: RedrawnGroup, assigned: BoolArray, projection: Projection) -> _Products:
    """Sum the same over clusters: of z~ Y~ and z~^2 in each, then products of these, a run of clusters at a time."""
    if group.clusters is None:
        raise ValueError("a clustered covariance needs a design with clusters")
    count, q = group.outcomes.shape[1], group.cubic.shape[0] - group.outcomes.shape[1]
    second = np.zeros((group.quadratic.shape[0], assigned.shape[1]))
    third, fourth = np.zeros((group.cubic.shape[0], assigned.shape[1])), np.zeros(assigned.shape[1])
    for scores, squares in _cluster_sums(group, assigned, projection):
        # In the order of `quadratic`: outcomes, each direction with every outcome, directions.
        second[:count] += np.einsum("jgb,jgb->jb", scores[:count], scores[:count])
        for w in range(q):
            rows = slice(count * (1 + w), count * (2 + w))
            second[rows] += np.einsum("jgb,gb->jb", scores[:count], scores[count + w])
            second[count * (1 + q) + w] += np.einsum("gb,gb->b", scores[count + w], scores[count + w])
        third += np.einsum("jgb,gb->jb", scores, squares)
        fourth += np.einsum("gb,gb->b", squares, squares)
    return second, third, fourth


def _cluster_sums(
    group: RedrawnGroup, assigned: BoolArray, projection: Projection
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Return z~ Y~ (and z~ times directions) and z~^2 summed in clusters, shape (J', g, B) and (g, B), for runs of clusters."""
    gains = projection.loadings[group.n_effects :]
    if group.groups is not None:
        for rows in group.groups.tiles:
            apart = assigned[group.groups.unit[rows]] - projection.means[group.groups.codes[rows]]
            yield group_products(group.groups, apart, gains, rows)
        return
    assert group.clusters is not None
    order, starts = group.clusters.order, group.clusters.starts
    ends = np.append(starts[1:], order.size)
    # Runs of whole clusters, of about a tile's people or one cluster.
    cuts = np.unique(np.searchsorted(starts, np.arange(0, order.size, TILE), side="left"))
    for first, last in zip(cuts, np.append(cuts[1:], starts.size), strict=True):
        if first == last:
            continue
        people = order[starts[first] : ends[last - 1]]
        z = residuals_of(group, assigned, projection, people)
        at = starts[first:last] - starts[first]
        yield (
            np.stack([np.add.reduceat(z * column[people, None], at, axis=0) for column in group.cubic]),
            np.add.reduceat(z * z, at, axis=0),
        )


def _combine(group: RedrawnGroup, b: FloatArray, products: _Products, scale: FloatArray) -> BlockStatistics:
    """Put sum g z~^2 e_y e_w = S_yw - b_w T_y - b_y T_w + b_y b_w F together for all pairs."""
    second, third, fourth = products
    count = group.outcomes.shape[1]
    outcomes, others = slice(0, count), range(count, b.shape[0] if group.crossed else count)
    own = second[outcomes] - 2 * b[outcomes] * third[outcomes] + b[outcomes] ** 2 * fourth
    own[own <= EXACT_FIT * second[outcomes]] = 0.0
    crossed = np.empty((len(others), count, b.shape[1]))
    directions = np.empty((len(others), b.shape[1]))
    for k, w in enumerate(others):
        rows = slice(count * (1 + k), count * (2 + k))
        crossed[k] = second[rows] - b[w] * third[outcomes] - b[outcomes] * third[w] + b[outcomes] * b[w] * fourth
        last = second[count * (1 + len(others)) + k]
        directions[k] = np.maximum(last - 2 * b[w] * third[w] + b[w] ** 2 * fourth, 0.0)
    return BlockStatistics(b, own * scale, crossed * scale, directions * scale)
