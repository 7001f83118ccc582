"""Estimands: one effect averaged over cells in several ways, and the test that they are the same.

When the assignment share differs between cells, least squares with cell fixed effects weights the cells' differences in
means by n_c p_c (1 - p_c) (Angrist 1998): precise, and the average effect in no population. Weighting by people
gives the average effect on the people assigned. All of these are sums over cells, sum_c W_c tau_c, so they share one
influence, one joint covariance and one test that they differ; the test is of the effect varying with the assignment share.

With shares observed in the same cells, weighting people by the inverse of their assignment share (Hajek 1971) *is* the
saturated estimate, to the last digit; it differs when the shares come from coarser cells
(``share_cells``: people in one-arm cells then count) or from the design (``probability``).

Controls enter with one coefficient for all cells (by least squares with treatment), which leaves cell fixed effects
exactly the ITT; the interacted form has one for each arm (Lin 2013). Their estimation does not add to the variance
in first order, since assignment is random within cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Unpack

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells, encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Vector,
    as_columns,
    as_vector,
    check_choice,
    check_length,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.influence import Estimate, stack
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.core.strata import Strata, build_strata

SmallCells = Literal["residual", "hybrid"]
ESTIMANDS = ("cell_fixed_effects", "saturated", "inverse_probability", "interacted")


@dataclass(frozen=True, eq=False)
class EstimandTable:
    """One effect by E estimands, for J outcomes; arrays of shape (E, J) unless said otherwise.

    Attributes
    ----------
    estimands
        ``cell_fixed_effects`` (the ITT), ``saturated``, ``inverse_probability``, and with controls ``interacted``.
    estimate, std_error, t, p_value, conf_low, conf_high
        Standard errors are within cells and arms (Neyman 1923), cells' composition held as it is; ``df`` is that of
        the ITT, shape (J,).
    itt_std_error
        HC2 standard error of the ITT's own regression, shape (J,), to compare: it also counts effects that differ
        between cells as noise.
    n, n_left_out, n_cells
        People who count in the estimate, people who do not (their cells have one arm), and cells that count.
    effective_n
        (sum w)^2 / sum w^2 of the weights each estimand gives people of an average cell.
    n_small_cells, n_in_small_cells
        Cells that count and have one person in an arm, and the people in them, shape (J,).
    cov
        Joint covariance of the estimands, shape (J, E, E).
    difference, difference_std_error, difference_p_value
        Each estimand less cell fixed effects (first row 0, with NaN).
    equal
        Test that all estimands are the same, one an outcome.
    """

    estimands: tuple[str, ...]
    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: IntArray
    itt_std_error: FloatArray
    n: IntArray
    n_left_out: IntArray
    n_cells: IntArray
    effective_n: FloatArray
    n_small_cells: IntArray
    n_in_small_cells: IntArray
    cov: FloatArray
    difference: FloatArray
    difference_std_error: FloatArray
    difference_p_value: FloatArray
    equal: tuple[WaldTest, ...]
    small_cells: SmallCells
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome and estimand; ``equal_p_value`` tests that the outcome's estimands are equal."""
        index = pd.MultiIndex.from_product((self.outcomes, self.estimands), names=("outcome", "estimand"))
        columns = {name: getattr(self, name).T.ravel() for name in _BY_ESTIMAND}
        frame = pd.DataFrame(columns, index=index).reset_index()
        repeats = len(self.estimands)
        return frame.assign(
            df=np.repeat(self.df, repeats),
            n_small_cells=np.repeat(self.n_small_cells, repeats),
            equal_p_value=np.repeat([test.p_value for test in self.equal], repeats),
        )


_BY_ESTIMAND = (
    "estimate", "std_error", "t", "p_value", "conf_low", "conf_high", "n", "n_left_out", "n_cells", "effective_n",
    "difference", "difference_std_error", "difference_p_value",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class _Part:
    """Outcomes observed for the same people: E estimands, each an `Estimate` over all rows."""

    estimates: list[Estimate]
    std_error: FloatArray
    df: int
    itt_std_error: FloatArray
    n: list[int]
    n_left_out: list[int]
    n_cells: list[int]
    effective_n: list[float]
    n_small_cells: int
    n_in_small_cells: int


def estimands(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    probability: Vector | None = None,
    share_cells: Labels | None = None,
    small_cells: SmallCells = "residual",
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> EstimandTable:
    """Average the effect of treatment over cells in several ways, and test whether it matters.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated, names, options
        As in `itt.itt`: ``cells``, ``controls``, ``missing``, ``rows`` and ``level``.
    probability
        Assignment probabilities known from the design, strictly between 0 and 1, shape (n,), for the inverse-probability
        estimate.
    share_cells
        Cells whose assignment share stands for the probability; None takes ``cells``.
    small_cells
        Variance of cells with one person in an arm: ``"residual"`` from the regression's residual
        (`Strata.arm_deviations`); ``"hybrid"`` from the spread of small cells' effects (Pashley and Miratrix 2021,
        eq. 7), which is never too small on average, for the standard errors of cell fixed effects and saturated
        (the joint covariance keeps the residuals).

    Raises
    ------
    UserError
        As `itt`; when no cell has both arms; when both ``probability`` and ``share_cells`` are given; or when the
        hybrid variance has a small cell with half of all small cells' weight or more.
    """
    check_choice(small_cells, SmallCells, what="rule for small cells")
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A table of estimands", "weights")
    n_rows = inputs.n_rows
    values, labels = as_columns(outcomes, n_rows, what="outcomes", names=names)
    weighting = _Weighting(
        None if probability is None else _checked_probability(probability, n_rows),
        inputs.cells if share_cells is None else encode(share_cells, n_rows, what="share_cells"),
    )
    if probability is not None and share_cells is not None:
        raise UserError("Assignment shares come from 'probability' or from 'share_cells'; give one of them.")
    parts = [
        (
            sample.columns,
            _estimate(values[:, sample.columns], replace(inputs, rows=sample.rows), weighting, small_cells),
        )
        for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows)
    ]
    estimates = ESTIMANDS if inputs.controls.shape[1] else ESTIMANDS[:3]
    return _table(parts, estimates, labels, small_cells, inputs.level)


@dataclass(frozen=True, eq=False, repr=False)
class _Weighting:
    probability: FloatArray | None
    share_codes: IntArray


def _checked_probability(probability: Vector, n_rows: int) -> FloatArray:
    known = as_vector(probability, what="probability")
    check_length(known.size, n_rows, what="probability")
    wrong = int(np.count_nonzero(~((known > 0) & (known < 1))))
    if wrong:
        raise UserError(
            f"probability must lie strictly between 0 and 1; {wrong} of {n_rows} rows do not. A person who could only "
            "have been assigned to one arm is no part of the comparison."
        )
    return known


def _estimate(values: FloatArray, inputs: RegressionInputs, weighting: _Weighting, small_cells: SmallCells) -> _Part:
    """Estimate all estimands for outcomes observed for the same people."""
    treated, rows = inputs.treated, inputs.rows
    design = design_of(inputs)
    fit = design.fit(values)
    people = build_strata(treated, inputs.cells, rows=rows)
    precise = build_strata(treated, inputs.cells, rows=rows, weighting="precision")
    adjusted = _adjusted(values, inputs)
    effects = [_difference(one, adjusted) for one in (precise, people)]
    n, cells = [people.n, people.n], [people.cells.n_cells] * 2
    effective = [_effective_n(precise), _effective_n(people)]
    if weighting.probability is not None:
        effects.append(_hajek(adjusted, treated, weighting.probability, rows))
        n.append(design.n)
        cells.append(design.cells.n_cells)
        effective.append(float(design.n))
    else:
        shares = build_strata(treated, weighting.share_codes, rows=rows)
        effects.append(_difference(shares, adjusted))
        n.append(shares.n)
        cells.append(shares.cells.n_cells)
        effective.append(_effective_n(shares))
    if inputs.controls.shape[1]:
        effects.append(_interacted(values, inputs.controls, people))
        n.append(people.n)
        cells.append(people.cells.n_cells)
        effective.append(_effective_n(people))
    std_error = np.stack([one.std_error for one in effects])
    if small_cells == "hybrid":
        std_error[0] = _hybrid_std_error(precise, adjusted)
        std_error[1] = _hybrid_std_error(people, adjusted)
        if weighting.probability is None:
            std_error[2] = _hybrid_std_error(shares, adjusted)
    small = people.small
    return _Part(
        estimates=effects,
        std_error=std_error,
        df=design.df_resid,
        itt_std_error=fit.std_errors("HC2")[0],
        n=n,
        n_left_out=[design.n - one for one in n],
        n_cells=cells,
        effective_n=effective,
        n_small_cells=int(np.count_nonzero(small)),
        n_in_small_cells=int(people.cells.sizes[small].sum()),
    )


def _adjusted(values: FloatArray, inputs: RegressionInputs) -> FloatArray:
    """Outcomes less what controls predict, up to a constant that cancels in every comparison of arms."""
    if not inputs.controls.shape[1]:
        return values
    labels = tuple(f"column_{k + 1}" for k in range(inputs.controls.shape[1]))
    beside = inputs.adjusted_for(inputs.treated[:, None], ("control",))
    slopes = design_of(beside, inputs.controls, labels, collinear="drop")
    if not slopes.focus:
        return values
    kept = [labels.index(name) for name in slopes.focus]
    return np.asarray(values - inputs.controls[:, kept] @ slopes.fit(values).coefficients)


def _difference(strata: Strata, values: FloatArray) -> Estimate:
    used = strata.used(values)
    effect = strata.arm_mean(used, 1) - strata.arm_mean(used, 0)
    return _spread(effect, strata.rows, strata.n_rows)


def _spread(effect: Estimate, rows: IntArray, n_rows: int) -> Estimate:
    """Return influences on all rows, so that estimates on different people can be combined."""
    psi = np.zeros((n_rows, effect.value.size))
    psi[rows] = effect.psi
    return Estimate(effect.value, psi)


def _hajek(values: FloatArray, treated: FloatArray, probability: FloatArray, rows: BoolArray) -> Estimate:
    """Hajek's difference of means with known probabilities."""
    used = np.flatnonzero(rows)
    y, z, p = values[used], treated[used], probability[used]
    if z.min() == z.max():
        raise UserError(f"All {used.size} people in use belong to one arm, so that nobody can be compared.")
    parts = []
    for weight in (z / p, (1 - z) / (1 - p)):
        share = (weight / weight.sum())[:, None]
        mean = np.sum(share * y, axis=0)
        parts.append(Estimate(mean, share * (y - mean)))
    return _spread(parts[0] - parts[1], used, treated.size)


def _interacted(values: FloatArray, controls: FloatArray, strata: Strata) -> Estimate:
    """Lin's (2013) estimate with cells: controls have a slope in each arm, cells their own mean in each arm."""
    y, x = strata.used(values), strata.used(controls)
    centre = strata.cells.means(x)[strata.cells.codes]
    arms = []
    for arm in (1, 0):
        mine = strata.drawn == arm
        inside = build_cells(strata.cells.codes[mine])
        slopes = np.linalg.lstsq(inside.demean(x[mine]), inside.demean(y[mine]), rcond=1e-9)[0]
        arms.append(strata.arm_mean(y - (x - centre) @ slopes, 1 if arm else 0))
    return _spread(arms[0] - arms[1], strata.rows, strata.n_rows)


def _effective_n(strata: Strata) -> float:
    return float(1.0 / np.sum(strata.weight**2 / strata.cells.sizes))


def _hybrid_std_error(strata: Strata, values: FloatArray) -> FloatArray:
    """Neyman's variance in cells with two or more in each arm, and the spread of effects among the small ones.

    With w_k the small cells' weights, summing to 1, and S = sum w_k^2 / (1 - 2 w_k), the small cells' variance is
    sum_k w_k^2 / ((1 - 2 w_k)(1 + S)) (tau_k - tau)^2, whose mean is at least the variance of sum w_k tau_k.
    """
    used = strata.used(values)
    effects = strata.cell_means(used, 1) - strata.cell_means(used, 0)
    small = strata.small
    psi = strata.arm_deviations(used) * (strata.person_weights(0) + strata.person_weights(1))[:, None]
    large = ~small[strata.cells.codes]
    variance = np.sum(psi[large] ** 2, axis=0)
    if small.any():
        total = strata.weight[small].sum()
        w = strata.weight[small] / total
        if w.max() >= 0.5:
            raise UserError(
                f"The hybrid variance compares small cells with each other; of {w.size} cells with one person in an arm the largest "
                f"has {w.max():.0%} of their weight, and less than half is needed. Choose small_cells='residual'."
            )
        factor = w**2 / (1 - 2 * w) / (1 + np.sum(w**2 / (1 - 2 * w)))
        variance = variance + total**2 * (factor @ (effects[small] - w @ effects[small]) ** 2)
    return np.asarray(np.sqrt(variance))


def _table(
    parts: list[tuple[IntArray, _Part]],
    labels: tuple[str, ...],
    outcomes: tuple[str, ...],
    small_cells: SmallCells,
    level: float,
) -> EstimandTable:
    shape = (len(labels), len(outcomes))
    estimate, std_error, effective = (np.full(shape, np.nan) for _ in range(3))
    gap, gap_error = np.zeros(shape), np.full(shape, np.nan)
    n, left_out, n_cells = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    df, n_small, in_small = (np.zeros(len(outcomes), dtype=np.int64) for _ in range(3))
    itt_error, cov = np.full(len(outcomes), np.nan), np.full((len(outcomes), *[len(labels)] * 2), np.nan)
    tests: list[WaldTest | None] = [None] * len(outcomes)
    for columns, part in parts:
        std_error[:, columns], itt_error[columns], df[columns] = part.std_error, part.itt_std_error, part.df
        n_small[columns], in_small[columns] = part.n_small_cells, part.n_in_small_cells
        for k, j in enumerate(columns):
            one = stack([effect.take([k]) for effect in part.estimates])
            estimate[:, j], cov[j] = one.value, one.cov
            n[:, j], left_out[:, j], n_cells[:, j] = part.n, part.n_left_out, part.n_cells
            effective[:, j] = part.effective_n
            apart = one.combine(np.eye(len(labels))[:, 1:] - np.eye(len(labels))[:, [0]])
            apart = _cleared(apart, one)
            gap[1:, j], gap_error[1:, j] = apart.value, apart.std_error
            tests[j] = wald_test(apart.value, apart.cov, part.df)
    inference = t_inference(estimate, std_error, df, level=level)
    return EstimandTable(
        estimands=labels, outcomes=outcomes, estimate=estimate, std_error=std_error, t=inference.t, p_value=inference.p_value,
        conf_low=inference.conf_low, conf_high=inference.conf_high, df=df, itt_std_error=itt_error, n=n, n_left_out=left_out,
        n_cells=n_cells, effective_n=effective, n_small_cells=n_small, n_in_small_cells=in_small, cov=cov,
        difference=gap, difference_std_error=gap_error,
        difference_p_value=t_inference(gap, ratio(gap_error, 1.0), df, level=level).p_value,
        equal=tuple(test for test in tests if test is not None), small_cells=small_cells, level=level,
    )  # fmt: skip


def _cleared(apart: Estimate, whole: Estimate) -> Estimate:
    """Set differences that are rounding to 0, so that estimands that coincide are not tested against noise."""
    scale = whole.std_error.max()
    same = apart.std_error <= 1e-9 * scale
    return Estimate(np.where(same, 0.0, apart.value), np.where(same, 0.0, apart.psi))
