"""Statistics of re-randomisations whose regression is fitted anew for each: interacted adjustment, and several arms at once.

`permutation_statistics` takes outcomes out of the loop because re-randomisation changes treatment alone. With interactions of
treatment and controls, or the indicators of several arms, it changes several columns, and each draw has a design of its own.
Cells and controls are decomposed once; a draw costs the decomposition of the columns that change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from refino_eval.covariances import studentising
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.outcome_groups import OutcomeGroup
from refino_eval.estimation.core.preparation import COLLINEAR, design_of
from refino_eval.estimation.core.recording import unrecorded
from refino_eval.estimation.core.regression_inputs import RegressionInputs
from refino_eval.estimation.effects.several_arms import ArmEffects, contrast_inference
from refino_eval.estimation.randomisation.assignments import arm_units, random_stream
from refino_eval.estimation.randomisation.null_distribution import StatisticDraws


@dataclass(frozen=True, eq=False, repr=False)
class Redesign:
    """What the designs of all draws share.

    Attributes
    ----------
    inputs
        Of the observed regression.
    plain
        Design of cells, controls and the observed treatment, without interactions.
    centred
        Controls less their means in the cells where interactions are asked for, shape (n, k), else (n, 0).
    """

    inputs: RegressionInputs
    plain: Design
    centred: FloatArray

    @classmethod
    def of(cls, group: OutcomeGroup) -> Redesign:
        """Decompose cells and controls."""
        inputs = group.inputs
        if not inputs.interacted:
            return cls(inputs, group.design, np.empty((group.design.n, 0)))
        plain = design_of(replace(inputs, interacted=False))
        return cls(inputs, plain, plain.cells.demean(plain.used(inputs.controls)))

    def design(self, focus: FloatArray, names: tuple[str, ...]) -> Design:
        """Return the design of other columns of interest, shape (n_rows, f): as `design_of`, with the parts that do not change.

        Raises
        ------
        UserError
            When a column of interest is collinear with the controls.
        """
        plain, f = self.plain, focus.shape[1]
        z, basis = plain.used(focus), plain.control_basis
        columns = np.hstack((*(z[:, [k]] * self.centred for k in range(f)), z))
        root = 1.0 if plain.root_weights is None else plain.root_weights[:, None]
        within = plain.cells.demean(columns) * root
        size = np.linalg.norm(columns * root, axis=0)
        within -= basis @ (basis.T @ within)
        length = np.linalg.norm(within, axis=0)
        if np.any(length <= COLLINEAR * size):
            return design_of(self.inputs, focus, names)
        # Columns have unit length, so that the diagonal of the triangle is the share of each that those before it leave.
        own, triangle = np.linalg.qr(within / length)
        if np.any(np.abs(np.diag(triangle)) <= COLLINEAR):
            return design_of(self.inputs, focus, names)
        # As in `preparation._orthonormal`: the last rows of the inverse triangle give the coefficients of interest.
        inverse = np.linalg.solve(triangle, np.eye(length.size)) / length[:, None]
        whole = np.hstack((basis, own))
        return replace(
            plain,
            focus=names,
            controls=(*plain.controls, *(f"column {k}" for k in range(length.size - f))),
            basis=whole,
            lift=np.hstack((np.zeros((f, basis.shape[1])), inverse[length.size - f :])),
            leverage=plain.cells.leverage + np.einsum("ik,ik->i", whole, whole),
        )


def refitted_block(
    group: OutcomeGroup, values: FloatArray, people: IntArray, assigned: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and variances of a block of B re-randomisations of two arms, each (J, B).

    Parameters
    ----------
    group
        Outcomes with the same people and controls.
    values
        All outcomes, shape (n_rows, J).
    people, assigned
        Rows of the inputs that were re-randomised, shape (n,), and whether each is treated, shape (n, B).
    """
    outcomes = group.take(values)
    shape = outcomes.shape[1], assigned.shape[1]
    coefficients, variances = np.full(shape, np.nan), np.full(shape, np.nan)
    treated, vcov = np.zeros((group.inputs.n_rows, 1)), studentising(group.inputs.vcov)
    with unrecorded():
        redesign = Redesign.of(group)
        for draw in range(shape[1]):
            treated[people, 0] = assigned[:, draw]
            try:
                fit = redesign.design(treated, group.design.focus).fit(outcomes)
            except UserError:
                # Treatment is collinear with the controls in this draw, which then has no estimate.
                continue
            coefficients[:, draw], variances[:, draw] = fit.estimates, fit.variances(vcov)[0]
    return coefficients, variances


@dataclass(frozen=True, eq=False, repr=False)
class ArmDraw:
    """How people came by one of several arms: as many of each arm in every cell as there were.

    Attributes
    ----------
    unit
        Unit of each person in question, shape (n,).
    arms, cells
        Arm and cell of each unit, shape (units,).
    seed
        Of all draws.
    """

    unit: IntArray
    arms: IntArray
    cells: IntArray
    seed: int

    def draw(self, index: int) -> IntArray:
        """Return the arm of each person in one re-randomisation, shape (n,)."""
        order = random_stream(self.seed, index).permutation(self.arms.size)
        drawn = np.empty_like(self.arms)
        # Both orders go through the cells one by one: the arms of a cell are dealt to its units in a random order.
        drawn[order[np.argsort(self.cells[order], kind="stable")]] = self.arms[np.argsort(self.cells, kind="stable")]
        return drawn[self.unit]


def arm_draws(
    groups: Sequence[OutcomeGroup],
    values: FloatArray,
    arms: IntArray,
    loadings: FloatArray,
    names: Sequence[str],
    inputs: RegressionInputs,
    *,
    units: IntArray | None,
    draws: int,
    seed: int,
) -> FloatArray:
    """Re-randomise several arms and return the t of each contrast and outcome, shape (draws, q, J).

    Parameters
    ----------
    groups, values
        Outcomes, shape (n_rows, J), and their groups.
    arms
        Arm of each person, 0 for the control arm, 1 .. f for the treated ones, shape (n_rows,).
    loadings
        Contrasts of the arms' effects, shape (q, f).
    names
        Names of the treated arms.
    inputs
        Of the regression.
    units
        Codes of what was assigned, when it was not people, shape (n_rows,).
    draws, seed
        As in `permutation_test.randomisation_test`.

    Notes
    -----
    The null is that no arm has an effect on anybody. Draws without an estimate are infinite.
    """
    people = np.flatnonzero(inputs.rows)
    unit, first = arm_units(arms[people], inputs.cells[people], None if units is None else units[people])
    mechanism = ArmDraw(unit, arms[people][first], inputs.cells[people][first], seed)
    null = np.full((draws, loadings.shape[0], values.shape[1]), np.inf)
    drawn = np.zeros(inputs.n_rows, dtype=np.int64)
    with unrecorded():
        redesigns = [Redesign.of(group) for group in groups]
        for index in range(draws):
            drawn[people] = mechanism.draw(index)
            for group, redesign in zip(groups, redesigns, strict=True):
                try:
                    null[index][:, group.columns] = _t_of(group, redesign, values, drawn, loadings, names)
                except UserError:
                    continue
    return null


def _t_of(
    group: OutcomeGroup,
    redesign: Redesign,
    values: FloatArray,
    arms: IntArray,
    loadings: FloatArray,
    names: Sequence[str],
) -> FloatArray:
    """Return the t of each contrast and outcome of a group under an assignment of arms, shape (q, J)."""
    assigned = (arms[:, None] == np.arange(1, loadings.shape[1] + 1)).astype(np.float64)
    fit = redesign.design(assigned, tuple(names)).fit(group.take(values))
    estimate, error = contrast_inference(fit, loadings, studentising(group.inputs.vcov))
    return np.divide(estimate, error, out=np.full_like(estimate, np.inf), where=error > 0)


def arms_test(
    effects: ArmEffects,
    arms: IntArray,
    names: Sequence[str],
    inputs: RegressionInputs,
    *,
    units: IntArray | None = None,
    draws: int = 10_000,
    seed: int = 1,
) -> list[StatisticDraws]:
    """Test the effects of several arms, and their differences, by re-randomising all arms at once.

    Parameters
    ----------
    effects
        Of `several_arms.arm_effects`.
    arms, names, inputs
        As given to it.
    units, draws, seed
        As in `arm_draws`.

    Returns
    -------
    list of StatisticDraws
        One for each pair of arms of ``effects``; draws are shared, so that tests may be put into one family.
    """
    null = arm_draws(
        effects.groups, effects.values, arms, effects.loadings, names, inputs, units=units, draws=draws, seed=seed
    )
    observed = np.stack([table.t for table in effects.tables])
    if studentising(inputs.vcov) != inputs.vcov:
        with unrecorded():
            for group in effects.groups:
                observed[:, group.columns] = _t_of(
                    group, Redesign.of(group), effects.values, arms, effects.loadings, names
                )
    return [
        StatisticDraws(table.outcomes, np.where(table.std_error > 0, observed[k], np.nan), null[:, k])
        for k, table in enumerate(effects.tables)
    ]
