"""Means of each arm, put together cell by cell: what makes arms comparable when the draw share varies.

Within a cell the draw is random, across cells it is not: people of an arm taken together come more often from the
cells where that arm was common. Averaging cell means with one set of cell weights for both arms repairs this, and is
the same as weighting each person by the inverse of the draw share found in the cell (Hajek). Cells with one arm only
say nothing, and are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import Cells, build_cells
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray, check_choice
from refino_eval.estimation.core.influence import Estimate

CellWeighting = Literal["people", "precision"]


@dataclass(frozen=True, eq=False, repr=False)
class Strata:
    """The cells with both arms, and the people in them.

    Attributes
    ----------
    rows
        Rows of the inputs in use, shape (n,).
    drawn
        Their draw, shape (n,).
    cells
        Their cells, C of them.
    n_treated
        Drawn to treatment in each cell, shape (C,).
    weight
        Weight of each cell, sums to 1, shape (C,).
    n_rows
        Rows of the inputs.
    n_left_out
        People asked for who live in cells with one arm.
    n_cells_left_out
        These cells.
    """

    rows: IntArray
    drawn: FloatArray
    cells: Cells
    n_treated: FloatArray
    weight: FloatArray
    n_rows: int
    n_left_out: int
    n_cells_left_out: int

    @property
    def n(self) -> int:
        """People in use."""
        return int(self.rows.size)

    @property
    def share(self) -> FloatArray:
        """Draw share of each cell, shape (C,)."""
        return self.n_treated / self.cells.sizes

    @property
    def small(self) -> BoolArray:
        """Cells with one person in an arm, shape (C,)."""
        return np.asarray((self.n_treated == 1) | (self.cells.sizes - self.n_treated == 1))

    def arm_counts(self, arm: Literal[0, 1]) -> FloatArray:
        """People of an arm in each cell, shape (C,)."""
        return self.n_treated if arm else self.cells.sizes - self.n_treated

    def person_weights(self, arm: Literal[0, 1]) -> FloatArray:
        """Weight of each person in the arm's mean, sums to 1 over the arm and is 0 elsewhere, shape (n,)."""
        per_cell = self.weight / self.arm_counts(arm)
        return np.where(self.drawn == arm, per_cell[self.cells.codes], 0.0)

    def cell_means(self, values: FloatArray, arm: Literal[0, 1]) -> FloatArray:
        """Means of an arm in each cell, shape (C, k)."""
        member = (self.drawn == arm)[:, None]
        sums = np.add.reduceat(np.where(member, values, 0.0)[self.cells.order], self.cells.starts, axis=0)
        return np.asarray(sums / self.arm_counts(arm)[:, None])

    def arm_deviations(self, values: FloatArray) -> FloatArray:
        """Deviations from the mean of one's arm in one's cell, scaled so that their squares are unbiased, (n, k).

        With m people of an arm in a cell the scale is sqrt(m / (m - 1)), which turns the sum of squares into the
        Neyman variance. An only person of an arm has no deviation; theirs is taken from the cell's other arm plus
        the overall difference, scaled by sqrt(1 - 1 / n_c): the HC2 residual of the regression with cell fixed
        effects, so that pairs get the paired-difference variance.
        """
        means = [self.cell_means(values, 0), self.cell_means(values, 1)]
        gap = self.weight @ (means[1] - means[0])
        deviations = np.empty_like(values)
        for arm, sign in ((0, -1.0), (1, 1.0)):
            mine = np.flatnonzero(self.drawn == arm)
            codes = self.cells.codes[mine]
            m = self.arm_counts(1 if arm else 0)[codes]
            own = (values[mine] - means[arm][codes]) * np.sqrt(m / np.maximum(m - 1.0, 1.0))[:, None]
            alone = values[mine] - means[1 - arm][codes] - sign * gap
            alone = alone * np.sqrt(1.0 - 1.0 / self.cells.sizes[codes])[:, None]
            deviations[mine] = np.where((m > 1)[:, None], own, alone)
        return deviations

    def arm_mean(self, values: FloatArray, arm: Literal[0, 1], *, composition: bool = False) -> Estimate:
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
        psi = self.person_weights(arm)[:, None] * self.arm_deviations(values)
        if composition:
            psi = psi + self._even[:, None] * (means - value)[self.cells.codes]
        return Estimate(value, psi)

    def all_mean(self, values: FloatArray, *, composition: bool = False) -> Estimate:
        """Mean of both arms together, cells weighted by ``weight``; as `arm_mean`."""
        means = self.cells.means(values)
        value = self.weight @ means
        sizes = self.cells.sizes[self.cells.codes].astype(np.float64)
        # Cells with both arms hold at least two people.
        scale = self._even * np.sqrt(sizes / (sizes - 1.0))
        psi = scale[:, None] * (values - means[self.cells.codes])
        if composition:
            psi = psi + self._even[:, None] * (means - value)[self.cells.codes]
        return Estimate(value, psi)

    def used(self, values: FloatArray) -> FloatArray:
        """Return the rows in use."""
        return np.asarray(values[self.rows])

    @property
    def _even(self) -> FloatArray:
        """Weight of each person when cells share theirs evenly among all their people, shape (n,)."""
        return np.asarray((self.weight / self.cells.sizes)[self.cells.codes])


def build_strata(
    drawn: FloatArray, codes: IntArray, *, rows: BoolArray | None = None, weighting: CellWeighting = "people"
) -> Strata:
    """Find the cells with both arms, and weight them.

    Parameters
    ----------
    drawn, codes
        The draw (0, 1) and the cells' codes, shape (n_rows,).
    rows
        The people asked for; None means all.
    weighting
        ``"people"`` weights each cell by its people, n_c; ``"precision"`` by n_c p_c (1 - p_c), as least squares
        with cell fixed effects does.

    Raises
    ------
    UserError
        When no cell has both arms.
    """
    check_choice(weighting, CellWeighting, what="weighting of cells")
    asked = np.arange(drawn.size) if rows is None else np.flatnonzero(rows)
    everyone = build_cells(codes[asked])
    treated = np.bincount(everyone.codes, weights=drawn[asked], minlength=everyone.n_cells)
    both = (treated > 0) & (treated < everyone.sizes)
    inside = asked[both[everyone.codes]]
    if not inside.size:
        raise UserError(
            f"No cell has both arms ({asked.size} people in {everyone.n_cells} cells), so that nobody can be compared. "
            "Use coarser cells, or check how the arm is coded."
        )
    cells = build_cells(codes[inside])
    n_treated = np.bincount(cells.codes, weights=drawn[inside]).astype(np.float64)
    weight = cells.sizes.astype(np.float64)
    if weighting == "precision":
        weight = n_treated * (1.0 - n_treated / cells.sizes)
    return Strata(
        rows=inside,
        drawn=drawn[inside],
        cells=cells,
        n_treated=n_treated,
        weight=weight / weight.sum(),
        n_rows=drawn.size,
        n_left_out=asked.size - inside.size,
        n_cells_left_out=int(np.count_nonzero(~both)),
    )
