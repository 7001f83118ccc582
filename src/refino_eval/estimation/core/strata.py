"""Means of each arm combined cell by cell: what makes arms comparable when the assignment share varies.

Within a cell assignment is random, across cells it is not: people of an arm taken together come more often from the
cells where that arm was common. Averaging cell means with one set of cell weights for both arms repairs this, and is
the same as weighting each person by the inverse of the assignment share in the cell (Hajek). Cells with one arm only
carry no information, and are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from refino_eval.covariances import COVARIANCES, Covariance
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import Cells, build_cells, nested_in
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray, check_choice
from refino_eval.estimation.core.bias_reduction import (
    FITTED_EXACTLY,
    HatMatrix,
    WorkingForm,
    adjusted_dual,
    working_form,
)
from refino_eval.estimation.core.influence import Estimate
from refino_eval.estimation.core.regression_inputs import RegressionInputs

CellWeighting = Literal["people", "precision"]
Arm = Literal[0, 1]


@dataclass(frozen=True, eq=False, repr=False)
class Strata:
    """The cells with both arms, and the people in them.

    Attributes
    ----------
    rows
        Rows of the inputs in use, shape (n,).
    treated
        Their assignment, shape (n,).
    cells
        Their cells, C of them, with their probability weights.
    n_treated, treated_totals
        People assigned to treatment in each cell, and their weights, shape (C,).
    weight
        Weight of each cell, sums to 1, shape (C,).
    cluster
        Clusters within which influences are summed, shape (n,), or None.
    covariance
        How deviations are scaled: that of the regression with a mean for each arm and cell.
    n_rows
        Rows of the inputs.
    n_left_out
        People in question who are in cells with one arm.
    n_slopes
        Slopes of controls that were taken out of the values before, which cost degrees of freedom.
    """

    rows: IntArray
    treated: FloatArray
    cells: Cells
    n_treated: FloatArray
    treated_totals: FloatArray
    weight: FloatArray
    cluster: IntArray | None
    covariance: Covariance
    n_rows: int
    n_left_out: int
    n_slopes: int = 0

    @property
    def n(self) -> int:
        """People in use."""
        return int(self.rows.size)

    @property
    def small(self) -> BoolArray:
        """Cells with one person in an arm, shape (C,)."""
        return np.asarray((self.n_treated == 1) | (self.cells.sizes - self.n_treated == 1))

    @property
    def df_resid(self) -> int:
        """Degrees of freedom of the deviations: those within arms and cells, and one more for each small cell, less the mean effect."""
        within = np.maximum(self.n_treated - 1, 0) + np.maximum(self.cells.sizes - self.n_treated - 1, 0)
        return int(within.sum()) + int(np.count_nonzero(self.small)) - int(self.small.any()) - self.n_slopes

    @property
    def n_clusters(self) -> int:
        """Clusters with a person in use."""
        return 0 if self.cluster is None else int(np.unique(self.cluster).size)

    @property
    def n_nested(self) -> int:
        """Constants of cells that are nested in clusters, all but one; effects in cells count."""
        if self.cluster is None:
            return 0
        return (self.cells.n_cells - 1) * nested_in(self.cells.codes, self.cluster)

    @property
    def df(self) -> float:
        """Degrees of freedom of the t reference of the difference of the arms' means."""
        if self.covariance.has_satterthwaite:
            dual = self._per_root(self.person_weights(1) - self.person_weights(0))
            scaled = self._adjusted(dual)
            return self.form_of(self._hat, scaled[:, None], self.rows).freedom()
        return self.df_resid if self.cluster is None else self.n_clusters - 1

    @property
    def small_sample(self) -> float:
        """Factor of influences for small samples, 1 under HC2."""
        factor = self.covariance.factor(
            n=self.n, df_resid=self.df_resid, n_clusters=self.n_clusters, n_nested=self.n_nested
        )
        return float(np.sqrt(factor))

    def arm_counts(self, arm: Arm) -> FloatArray:
        """People of an arm in each cell, shape (C,)."""
        return self.n_treated if arm else self.cells.sizes - self.n_treated

    def arm_totals(self, arm: Arm) -> FloatArray:
        """People of an arm in each cell, or their weights, shape (C,)."""
        return self.treated_totals if arm else self.cells.totals - self.treated_totals

    def person_weights(self, arm: Arm) -> FloatArray:
        """Weight of each person in the arm's mean, sums to 1 over the arm and is 0 elsewhere, shape (n,)."""
        per_cell = self.weight / self.arm_totals(arm)
        return np.where(self.treated == arm, per_cell[self.cells.codes] * self._own, 0.0)

    def cell_means(self, values: FloatArray, arm: Arm) -> FloatArray:
        """Means of an arm in each cell, shape (C, k)."""
        member = (self.treated == arm)[:, None]
        weighted = values if self.cells.weights is None else values * self.cells.weights[:, None]
        sums = np.add.reduceat(np.where(member, weighted, 0.0)[self.cells.order], self.cells.starts, axis=0)
        return np.asarray(sums / self.arm_totals(arm)[:, None])

    def arm_deviations(self, values: FloatArray) -> FloatArray:
        """Deviations from the mean of one's arm in one's cell, scaled as the covariance scales residuals, (n, k).

        With leverage h = w / W, the person's share of the arm's weight in the cell, deviations are divided by
        (1 - h)^(p / 2); under HC2 (p = 1) their squares give the Neyman variance. An only person of an arm has no
        deviation; theirs is taken from the cell's other arm plus the overall difference, as the residual of the regression
        with cell fixed effects, so that pairs get the paired-difference variance.
        """
        means = [self.cell_means(values, 0), self.cell_means(values, 1)]
        gap = self.weight @ (means[1] - means[0])
        deviations = np.empty_like(values)
        power, own = self.covariance.leverage_power, self._own * np.ones(self.n)
        arms: tuple[tuple[Arm, float], ...] = ((0, -1.0), (1, 1.0))
        for arm, sign in arms:
            mine = np.flatnonzero(self.treated == arm)
            codes, weights = self.cells.codes[mine], own[mine]
            alone = self.arm_counts(arm)[codes] == 1
            total = self.arm_totals(arm)[codes]
            slack = np.where(alone, 1.0, total / np.where(alone, 1.0, total - weights))
            within = (values[mine] - means[arm][codes]) * np.sqrt(slack**power)[:, None]
            across = values[mine] - means[1 - arm][codes] - sign * gap
            # With cell fixed effects the residual of an only person is (1 - h) times this deviation, h = w / W of the cell, and
            # the covariance divides it by (1 - h)^(p / 2).
            across = across * ((1.0 - weights / self.cells.totals[codes]) ** (1.0 - power / 2))[:, None]
            deviations[mine] = np.where(alone[:, None], across, within)
        return deviations

    def arm_mean(self, values: FloatArray, arm: Arm, *, composition: bool = False) -> Estimate:
        """Mean of an arm, cells weighted by ``weight``.

        Parameters
        ----------
        values
            Shape (n, k).
        arm
            0 control, 1 treated.
        composition
            Whether the influence counts that the people of cells are a sample too; without it the cells'
            composition is held as it is, as in the regression with cell fixed effects.
        """
        means = self.cell_means(values, arm)
        value = self.weight @ means
        psi = self._influence(self.person_weights(arm), values)
        if psi is None:
            psi = self.person_weights(arm)[:, None] * self.arm_deviations(values)
        if composition:
            psi = psi + self.even[:, None] * (means - value)[self.cells.codes]
        return Estimate(value, psi * self.small_sample, self.cluster)

    def all_mean(self, values: FloatArray, *, composition: bool = False) -> Estimate:
        """Mean of both arms together, cells weighted by ``weight``; as `arm_mean`."""
        means = self.cells.means(values)
        value = self.weight @ means
        totals = self.cells.totals[self.cells.codes]
        # Cells with both arms hold at least two people.
        scale = self.even * np.sqrt(totals / (totals - self._own))
        psi = scale[:, None] * (values - means[self.cells.codes])
        if self.covariance.has_cluster_leverage:
            hat = HatMatrix(self.cells, np.empty((self.n, 0)), self._root)
            psi = self._scaled(hat, self._per_root(self.even))[:, None] * hat.residuals(values)
        if composition:
            psi = psi + self.even[:, None] * (means - value)[self.cells.codes]
        return Estimate(value, psi * self.small_sample, self.cluster)

    def used(self, values: FloatArray) -> FloatArray:
        """Return the rows in use."""
        return np.asarray(values[self.rows])

    @property
    def even(self) -> FloatArray:
        """Weight of each person when cells share theirs among all their people, shape (n,)."""
        return np.asarray((self.weight / self.cells.totals)[self.cells.codes] * self._own)

    @cached_property
    def lone_clusters(self) -> BoolArray:
        """Cells in which the people of an arm belong to one cluster, shape (C,)."""
        if self.cluster is None:
            return np.zeros(self.cells.n_cells, dtype=bool)
        seen = np.unique(np.column_stack((self.cells.codes, self.treated.astype(np.int64), self.cluster)), axis=0)
        counts = np.zeros((self.cells.n_cells, 2), dtype=np.int64)
        np.add.at(counts, (seen[:, 0], seen[:, 1]), 1)
        return np.asarray((counts == 1).any(axis=1))

    @cached_property
    def _hat(self) -> HatMatrix:
        """What the regression fits whose residuals the variance is made of: a mean for each arm and cell.

        Cells in which an arm is one cluster (one person, without clusters) would be fitted exactly. They have one mean for both arms
        and one difference together, as the regression with cell fixed effects.
        """
        pooled = (self.lone_clusters if self.cluster is not None else self.small)[self.cells.codes]
        codes = 2 * self.cells.codes + np.where(pooled, 0, self.treated).astype(np.int64)
        cells = build_cells(codes, weights=self.cells.weights)
        column = np.where(pooled, self.treated, 0.0)
        within = self._root_or_one * cells.demean(column[:, None])[:, 0]
        length = float(np.linalg.norm(within))
        return HatMatrix(cells, within[:, None] / length if length > 0 else np.empty((self.n, 0)), self._root)

    def _influence(self, weights: FloatArray, values: FloatArray) -> FloatArray | None:
        """Return the influence on a weighted sum of values with the leverage of clusters; None where these have none."""
        if not self.covariance.has_cluster_leverage:
            return None
        return np.asarray(self._adjusted(self._per_root(weights))[:, None] * self._hat.residuals(values))

    def _adjusted(self, dual: FloatArray) -> FloatArray:
        return self._scaled(self._hat, dual)

    def _scaled(self, hat: HatMatrix, dual: FloatArray) -> FloatArray:
        """Scale weights of residuals by the leverage of people, or of clusters."""
        power = self.covariance.leverage_power
        if self.covariance.is_clustered:
            assert self.cluster is not None
            return adjusted_dual(hat, dual[:, None], self.cluster, power)[:, 0]
        slack = 1.0 - hat.leverage
        exact = slack <= FITTED_EXACTLY
        return np.asarray(dual * np.where(exact, 0.0, np.where(exact, 1.0, slack) ** (-power / 2)))

    def form_of(self, hat: HatMatrix, scaled: FloatArray, rows: IntArray) -> WorkingForm:
        """Return the quadratic forms of estimates whose residuals have these weights, of people in these rows of the inputs."""
        groups, n_groups = rows, self.n_rows
        if self.cluster is not None:
            codes = np.full(self.n_rows, -1, dtype=np.int64)
            codes[self.rows] = self.cluster
            groups, n_groups = codes[rows], int(self.cluster.max()) + 1
        return working_form(hat, scaled, groups, n_groups)

    def _per_root(self, weights: FloatArray) -> FloatArray:
        return np.asarray(weights / self._root_or_one)

    @property
    def _root(self) -> FloatArray | None:
        return None if self.cells.weights is None else np.sqrt(self.cells.weights)

    @property
    def _root_or_one(self) -> FloatArray | float:
        return 1.0 if self._root is None else self._root

    @property
    def _own(self) -> FloatArray | float:
        return 1.0 if self.cells.weights is None else self.cells.weights


def build_strata(
    inputs: RegressionInputs,
    *,
    weighting: CellWeighting = "people",
    population: FloatArray | None = None,
    covariance: Covariance | None = None,
) -> Strata:
    """Return the cells with both arms, and their weights.

    Parameters
    ----------
    inputs
        Treatment, cells, weights, clusters and the people in question.
    weighting
        ``"people"`` weights each cell by its people (their weights); ``"precision"`` by n_c p_c (1 - p_c), as least squares
        with cell fixed effects does.
    population
        Weight of each cell code under ``"people"`` when the people whom the estimate is for are not those in question alone.
    covariance
        Scales deviations; None takes that of the inputs with clusters, and HC2 without: unbiased squares within arms.

    Raises
    ------
    UserError
        When no cell has both arms.
    """
    check_choice(weighting, CellWeighting, what="weighting of cells")
    inputs.require_one_way("An estimate of means by arm and cell")
    treated, codes = inputs.treated, inputs.cells
    asked = np.flatnonzero(inputs.rows)
    everyone = build_cells(codes[asked])
    n_treated = np.bincount(everyone.codes, weights=treated[asked], minlength=everyone.n_cells)
    # Cells with one arm compare nobody: they leave the sample before anything is weighted.
    both = (n_treated > 0) & (n_treated < everyone.sizes)
    inside = asked[both[everyone.codes]]
    if not inside.size:
        raise UserError(
            f"No cell has both arms ({asked.size} people in {everyone.n_cells} cells), so that nobody can be compared. "
            "Use coarser cells, or check how the arm is coded."
        )
    own = None if inputs.weights is None else inputs.weights[inside]
    cells = build_cells(codes[inside], weights=own)
    mass = treated[inside] if own is None else treated[inside] * own
    totals = np.bincount(cells.codes, weights=mass).astype(np.float64)
    weight = cells.totals if population is None else population[np.unique(codes[inside])]
    if weighting == "precision":
        weight = totals * (1.0 - totals / cells.totals)
    return Strata(
        rows=inside,
        treated=treated[inside],
        cells=cells,
        n_treated=np.bincount(cells.codes, weights=treated[inside]).astype(np.float64),
        treated_totals=totals,
        weight=weight / weight.sum(),
        cluster=None if inputs.summed_in is None else inputs.summed_in[inside],
        covariance=covariance or (inputs.covariance if inputs.covariance.is_clustered else COVARIANCES["HC2"]),
        n_rows=inputs.n_rows,
        n_left_out=asked.size - inside.size,
    )
