"""Estimands: one effect averaged over cells in several ways, and the test that they are the same.

When the assignment share differs between cells, least squares with cell fixed effects weights the cells' differences in
means by n_c p_c (1 - p_c) (Angrist 1998): precise, and the average effect in no population. Weighting by people
gives the average effect on the people assigned. All of these are sums over cells, sum_c W_c tau_c, so they share one
influence, one joint covariance and one test that they differ; the test is of the effect varying with the assignment share.

With shares observed in the same cells, weighting people by the inverse of their assignment share (Hajek 1971) *is* the
saturated estimate, to the last digit; it differs when the shares come from coarser cells
(``share_cells``: people in one-arm cells then count) or from the design (``probability``).

Controls enter with one coefficient for all cells (by least squares with treatment), which leaves cell fixed effects
exactly the ITT; the interacted form has one for each arm (Lin 2013), and the variance of its own regression, since with many
controls the estimation of the slopes counts.

The standard error of cell fixed effects is that of the ITT's regression. Those of the others are of the regression with a
mean for each arm and cell (and slopes for each arm, when interacted): the same covariance, weights and clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Vector,
    as_columns,
    as_mask,
    as_vector,
    check_choice,
    check_length,
    object_array,
)
from refino_eval.estimation.core.bias_reduction import WorkingForm, adjusted_dual
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.influence import Estimate, stack
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.core.strata import Arm, Strata, build_strata

SmallCells = Literal["residual", "hybrid"]
CellsAre = Literal["fixed", "sampled"]
ARMS: tuple[Arm, Arm] = (0, 1)
ESTIMANDS = ("cell_fixed_effects", "saturated", "inverse_probability", "interacted")


@dataclass(frozen=True, eq=False)
class EstimandTable:
    """One effect by E estimands, for J outcomes; arrays of shape (E, J) unless said otherwise.

    Attributes
    ----------
    estimands
        ``cell_fixed_effects`` (the ITT), ``saturated``, ``inverse_probability``, and with controls ``interacted``.
    estimate, std_error, t, p_value, conf_low, conf_high, df
        Under ``vcov``, cells' composition held as it is; each with the degrees of freedom of its regression.
    n, n_left_out, n_cells
        People who count in the estimate, people who do not (their cells have one arm), and cells that count.
    effective_n
        (sum w)^2 / sum w^2 of the weights each estimand gives people of an average cell.
    n_small_cells, n_in_small_cells
        Cells that count and have one person in an arm, and the people in them, shape (J,).
    cov
        Joint covariance of the estimands with residuals within arms and cells, shape (J, E, E).
    difference, difference_std_error, difference_p_value
        Each estimand less cell fixed effects (first row 0, with NaN).
    equal
        Test that all estimands are the same, one per outcome.
    dropped
        Controls that were left out of the interacted form as collinear within an arm, any outcome.
    sources
        Where cell fixed effects come from, shape (J,).
    """

    estimands: tuple[str, ...]
    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: FloatArray
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
    dropped: tuple[str, ...]
    sources: npt.NDArray[np.object_]
    small_cells: SmallCells
    vcov: Vcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome and estimand; ``equal_p_value`` tests that the outcome's estimands are equal."""
        index = pd.MultiIndex.from_product((self.outcomes, self.estimands), names=("outcome", "estimand"))
        columns = {name: getattr(self, name).T.ravel() for name in _BY_ESTIMAND}
        frame = pd.DataFrame(columns, index=index).reset_index()
        repeats = len(self.estimands)
        return frame.assign(
            n_small_cells=np.repeat(self.n_small_cells, repeats),
            equal_p_value=np.repeat([test.p_value for test in self.equal], repeats),
        )


_BY_ESTIMAND = (
    "estimate", "std_error", "t", "p_value", "conf_low", "conf_high", "df", "n", "n_left_out", "n_cells", "effective_n",
    "difference", "difference_std_error", "difference_p_value",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class _Effect:
    """One estimand of outcomes observed for the same people: its estimate over all rows, standard errors and counts."""

    estimate: Estimate
    std_error: FloatArray
    df: float
    n: int
    n_cells: int
    effective_n: float


@dataclass(frozen=True, eq=False, repr=False)
class _Part:
    """All estimands of outcomes observed for the same people, cell fixed effects first."""

    effects: list[_Effect]
    n: int
    n_small_cells: int
    n_in_small_cells: int
    dropped: tuple[str, ...]
    sources: npt.NDArray[np.object_]


def estimands(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    probability: Vector | None = None,
    share_cells: Labels | None = None,
    population: BoolArray | None = None,
    small_cells: SmallCells = "residual",
    cells_are: CellsAre = "fixed",
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> EstimandTable:
    """Average the effect of treatment over cells in several ways, and test whether it matters.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated, names, options
        As in `itt.itt`, with a robust vcov.
    probability
        Assignment probabilities known from the design, strictly between 0 and 1, shape (n,), for the inverse-probability
        estimate.
    share_cells
        Cells whose assignment share stands for the probability; None takes ``cells``.
    population
        The people by whom the saturated estimate weights cells, boolean of shape (n,): everybody assigned, when there are
        more arms than the two that are compared. None takes the people in question.
    small_cells
        Variance of cells with one person in an arm: ``"residual"`` from the regression's residual
        (`Strata.arm_deviations`); ``"hybrid"`` from the spread of small cells' effects (Pashley and Miratrix 2021,
        eq. 7), which is never too small on average, for the standard errors of cell fixed effects and saturated, without
        weights and clusters (the joint covariance keeps the residuals).
    cells_are
        ``"fixed"``: the people of each cell as they are. ``"sampled"``: people are a sample of a population in which effects differ
        between cells, which adds sum_c W_c (tau_c - tau)^2 / n to the variance of the saturated estimate, n people of all arms
        (Bugni, Canay and Shaikh 2019, Quantitative Economics 10(4), theorem 3.1).

    Raises
    ------
    UserError
        As `itt`; for the classical covariance; when no cell has both arms; when both ``probability`` and ``share_cells``
        are given; or when the hybrid variance has a small cell with half of all small cells' weight or more.
    """
    check_choice(small_cells, SmallCells, what="rule for small cells")
    check_choice(cells_are, CellsAre, what="sampling of cells")
    inputs = regression_inputs(treated, **options)
    if small_cells == "hybrid":
        inputs.refuse("The hybrid variance of small cells", "weights", "cluster")
    if not inputs.covariance.is_robust:
        raise UserError(
            f"A table of estimands needs a robust covariance, and vcov is '{inputs.vcov}'; choose HC1 or HC2."
        )
    n_rows = inputs.n_rows
    values, labels = as_columns(outcomes, n_rows, what="outcomes", names=names)
    if probability is not None and share_cells is not None:
        raise UserError("Assignment shares come from 'probability' or from 'share_cells'; give one of them.")
    # Whatever weights cells, the comparison within a cell is the same; so one pass estimates all estimands.
    weighting = _Weighting(
        None if probability is None else _checked_probability(probability, n_rows),
        inputs.cells if share_cells is None else encode(share_cells, n_rows, what="share_cells"),
        None if population is None else as_mask(population, n_rows),
        cells_are,
    )
    parts = [
        (
            sample.columns,
            _estimate(values[:, sample.columns], replace(inputs, rows=sample.rows), weighting, small_cells),
        )
        for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows)
    ]
    estimates = ESTIMANDS if inputs.controls.shape[1] else ESTIMANDS[:3]
    return _table(parts, estimates, labels, small_cells, inputs)


@dataclass(frozen=True, eq=False, repr=False)
class _Weighting:
    probability: FloatArray | None
    share_codes: IntArray
    population: BoolArray | None
    cells_are: CellsAre

    def between(self, strata: Strata, values: FloatArray, inputs: RegressionInputs) -> Estimate:
        """Return the influence of each person on which cells the population has, on all rows; 0 where cells are fixed."""
        psi = np.zeros((inputs.n_rows, values.shape[1]))
        if self.cells_are == "sampled":
            used = strata.used(values)
            effects = strata.cell_means(used, 1) - strata.cell_means(used, 0)
            listed = np.unique(inputs.cells[strata.rows])
            people = np.isin(inputs.cells, listed) & np.isfinite(values).all(axis=1)
            people &= inputs.rows if self.population is None else self.population
            share = np.ones(people.sum()) if inputs.weights is None else inputs.weights[people]
            deviations = (effects - strata.weight @ effects)[np.searchsorted(listed, inputs.cells[people])]
            psi[people] = (share / share.sum())[:, None] * deviations
        return Estimate(np.zeros(values.shape[1]), psi, inputs.summed_in)

    def masses(self, values: FloatArray, inputs: RegressionInputs) -> FloatArray | None:
        """Weight of each cell's code: of the population that is observed in all of these outcomes."""
        if self.population is None:
            return None
        among = self.population & np.isfinite(values).all(axis=1)
        weights = None if inputs.weights is None else inputs.weights[among]
        counts = np.bincount(inputs.cells[among], weights=weights, minlength=int(inputs.cells.max()) + 1)
        return counts.astype(np.float64)


def _checked_probability(probability: Vector, n_rows: int) -> FloatArray:
    probabilities = as_vector(probability, what="probability")
    check_length(probabilities.size, n_rows, what="probability")
    wrong = int(np.count_nonzero(~((probabilities > 0) & (probabilities < 1))))
    if wrong:
        raise UserError(
            f"probability must lie strictly between 0 and 1; {wrong} of {n_rows} rows do not. A person who could only "
            "have been assigned to one arm is no part of the comparison."
        )
    return probabilities


def _estimate(values: FloatArray, inputs: RegressionInputs, weighting: _Weighting, small_cells: SmallCells) -> _Part:
    """Estimate all estimands for outcomes observed for the same people."""
    adjusted, n_slopes = _adjusted(values, inputs)
    build = partial(build_strata, inputs, covariance=inputs.covariance)
    people = replace(build(population=weighting.masses(values, inputs)), n_slopes=n_slopes)
    precise = replace(build(weighting="precision"), n_slopes=n_slopes)
    shares = people
    if weighting.share_codes is not inputs.cells:
        other = replace(inputs, cells=weighting.share_codes)
        shares = replace(build_strata(other, covariance=inputs.covariance), n_slopes=n_slopes)
    effects = [_effect(strata, adjusted, inputs, small_cells) for strata in (precise, people, shares)]
    between = weighting.between(people, adjusted, inputs)
    for e in (1, 2) if shares is people else (1,):
        effects[e] = _with_between(effects[e], between, small_cells)
    design = design_of(inputs)
    if weighting.probability is not None:
        weighted = _hajek(adjusted, inputs, weighting.probability)
        effects[2] = _Effect(weighted, weighted.std_error, people.df, design.n, design.cells.n_cells, float(design.n))
    # The row of cell fixed effects is the ITT itself; its influence within arms and cells serves the tests of equality,
    # where effects that differ between cells are no noise.
    fit = design.fit(values)
    if small_cells == "residual":
        errors = fit.std_errors(inputs.vcov)
        estimate = replace(effects[0].estimate, value=fit.cleared(errors)[0])
        effects[0] = replace(effects[0], estimate=estimate, std_error=errors[0], df=design.df(inputs.vcov))
    dropped: tuple[str, ...] = ()
    if inputs.controls.shape[1]:
        try:
            lin, dropped = _interacted(values, inputs, people)
        except UserError:
            # An arm without degrees of freedom within its cells has no slopes; the other estimands stand.
            unknown = np.full(values.shape[1], np.nan)
            none = Estimate(unknown, np.full((inputs.n_rows, values.shape[1]), np.nan), inputs.summed_in)
            lin = _described(people, none, unknown, np.nan)
        effects.append(lin)
    return _Part(
        effects=effects,
        n=design.n,
        n_small_cells=int(np.count_nonzero(people.small)),
        n_in_small_cells=int(people.cells.sizes[people.small].sum()),
        dropped=dropped,
        sources=object_array(fit.source(inputs.vcov, k) for k in range(values.shape[1])),
    )


def _adjusted(values: FloatArray, inputs: RegressionInputs) -> tuple[FloatArray, int]:
    """Outcomes less what controls predict, up to a constant that cancels in every comparison of arms; and the number of slopes."""
    if not inputs.controls.shape[1]:
        return values, 0
    labels = tuple(f"column_{k + 1}" for k in range(inputs.controls.shape[1]))
    given = inputs.adjusted_for(inputs.treated[:, None], ("control",))
    slopes = design_of(given, inputs.controls, labels, collinear="drop")
    kept = [labels.index(name) for name in slopes.focus]
    if not kept:
        return values, 0
    return np.asarray(values - inputs.controls[:, kept] @ slopes.fit(values).coefficients), len(kept)


def _effect(strata: Strata, values: FloatArray, inputs: RegressionInputs, small_cells: SmallCells) -> _Effect:
    """Difference of the arms' means over cells."""
    used = strata.used(values)
    effect = strata.arm_mean(used, 1) - strata.arm_mean(used, 0)
    error = _hybrid_std_error(strata, values) if small_cells == "hybrid" else effect.std_error
    return _described(strata, _spread(effect, strata.rows, inputs), error, strata.df)


def _with_between(effect: _Effect, between: Estimate, small_cells: SmallCells) -> _Effect:
    """Add the variance between cells to that of an estimate."""
    whole = effect.estimate + between
    error = whole.std_error
    if small_cells == "hybrid":
        error = np.sqrt(effect.std_error**2 + between.std_error**2)
    return replace(effect, estimate=whole, std_error=error)


def _described(strata: Strata, effect: Estimate, std_error: FloatArray, df: float) -> _Effect:
    return _Effect(effect, std_error, df, strata.n, strata.cells.n_cells, float(1.0 / np.sum(strata.even**2)))


def _spread(effect: Estimate, rows: IntArray, inputs: RegressionInputs) -> Estimate:
    """Return influences on all rows, so that estimates on different people can be combined."""
    psi = np.zeros((inputs.n_rows, effect.value.size))
    psi[rows] = effect.psi
    return Estimate(effect.value, psi, inputs.summed_in)


def _hajek(values: FloatArray, inputs: RegressionInputs, probability: FloatArray) -> Estimate:
    """Hajek's difference of means with known probabilities."""
    used = np.flatnonzero(inputs.rows)
    y, z, p = values[used], inputs.treated[used], probability[used]
    own = 1.0 if inputs.weights is None else inputs.weights[used]
    if z.min() == z.max():
        raise UserError(f"All {used.size} people in use belong to one arm, so that nobody can be compared.")
    parts = []
    for weight in (own * z / p, own * (1 - z) / (1 - p)):
        share = (weight / weight.sum())[:, None]
        mean = np.sum(share * y, axis=0)
        parts.append(Estimate(mean, share * (y - mean)))
    return _spread(parts[0] - parts[1], used, inputs)


def _interacted(values: FloatArray, inputs: RegressionInputs, strata: Strata) -> tuple[_Effect, tuple[str, ...]]:
    """Lin's (2013) estimate with cells: controls have a slope in each arm, cells their own mean in each arm.

    Of one arm the estimate is sum_c W_c (mean of y - (mean of x in the arm - mean of x)'b), b the slopes within its cells.
    Each person's residual counts with w_i - D'd_i, D = sum_c W_c (mean of x in the arm - mean of x) and d the dual of b.
    """
    x = strata.used(inputs.controls)
    centre = strata.cells.means(x)
    names = tuple(f"column_{k + 1}" for k in range(x.shape[1]))
    means, psi, n_slopes, dropped = [], np.zeros((inputs.n_rows, values.shape[1])), 0, dict[str, None]()
    forms: list[WorkingForm] = []
    if inputs.covariance.has_cluster_leverage and strata.lone_clusters.any():
        raise UserError(
            "Some cells have one cluster of an arm, which an interacted regression fits exactly: no variance is left to estimate."
        )
    for arm in ARMS:
        mine = np.zeros(inputs.n_rows, dtype=bool)
        mine[strata.rows[strata.treated == arm]] = True
        without = replace(inputs.adjusted_for(np.empty((inputs.n_rows, 0)), ()), rows=mine)
        design = design_of(without, inputs.controls, names, collinear="drop")
        fit = design.fit(values)
        kept = [names.index(name) for name in design.focus]
        dropped |= dict.fromkeys(inputs.control_names[names.index(name)] for name in design.dropped)
        left = strata.used(values) - (x - centre[strata.cells.codes])[:, kept] @ fit.coefficients
        means.append(strata.weight @ strata.cell_means(left, arm))
        imbalance = strata.weight @ (strata.cell_means(x, arm) - centre)[:, kept]
        weight = np.zeros(inputs.n_rows)
        weight[strata.rows] = strata.person_weights(arm)
        root = 1.0 if design.root_weights is None else design.root_weights
        loading = weight[design.rows] / root - design.dual @ imbalance
        sign = 1.0 if arm else -1.0
        if inputs.covariance.has_cluster_leverage:
            assert design.cluster is not None
            scaled = adjusted_dual(design.hat, loading[:, None], design.cluster, inputs.covariance.leverage_power)
        else:
            scaled = (loading * design.inverse_slack ** (inputs.covariance.leverage_power / 2))[:, None]
        psi[design.rows] = sign * scaled * fit.residuals
        forms.append(strata.form_of(design.hat, scaled, design.rows))
        n_slopes += len(kept)
        if inputs.covariance.has_cluster_leverage:
            continue
        # An only person of an arm in a cell is fitted exactly, and has the deviation from the other arm instead.
        alone = strata.person_weights(arm)[:, None] * strata.arm_deviations(left) * sign
        single = (strata.treated == arm) & (strata.arm_counts(arm)[strata.cells.codes] == 1)
        psi[strata.rows[single]] = alone[single]
    lin = replace(strata, n_slopes=n_slopes)
    df = (forms[0] + forms[1]).freedom() if inputs.covariance.has_satterthwaite else lin.df
    effect = Estimate(means[1] - means[0], psi[strata.rows] * lin.small_sample, strata.cluster)
    return _described(lin, _spread(effect, lin.rows, inputs), effect.std_error, df), tuple(dropped)


def _hybrid_std_error(strata: Strata, values: FloatArray) -> FloatArray:
    """Neyman's variance in cells with two or more in each arm, and the spread of effects among the small ones.

    With w_k the small cells' weights, summing to 1, and S = sum w_k^2 / (1 - 2 w_k), the small cells' variance is
    sum_k w_k^2 / ((1 - 2 w_k)(1 + S)) (tau_k - tau)^2, whose mean is at least the variance of sum w_k tau_k.
    """
    used = strata.used(values)
    effects = strata.cell_means(used, 1) - strata.cell_means(used, 0)
    small = strata.small
    unbiased = replace(strata, covariance=COVARIANCES["HC2"]).arm_deviations(used)
    psi = unbiased * (strata.person_weights(0) + strata.person_weights(1))[:, None]
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
        # Pashley and Miratrix (2021), eq. 7; S is finite only while no cell has half of the weight.
        factor = w**2 / (1 - 2 * w) / (1 + np.sum(w**2 / (1 - 2 * w)))
        variance = variance + total**2 * (factor @ (effects[small] - w @ effects[small]) ** 2)
    return np.asarray(np.sqrt(variance))


def _table(
    parts: list[tuple[IntArray, _Part]],
    labels: tuple[str, ...],
    outcomes: tuple[str, ...],
    small_cells: SmallCells,
    inputs: RegressionInputs,
) -> EstimandTable:
    """Put groups of outcomes together, with the differences between estimands and the test that there are none."""
    shape = (len(labels), len(outcomes))
    estimate, std_error, df, effective, gap_error = (np.full(shape, np.nan) for _ in range(5))
    gap = np.zeros(shape)
    n, left_out, n_cells = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    n_small, in_small = (np.zeros(len(outcomes), dtype=np.int64) for _ in range(2))
    cov = np.full((len(outcomes), *[len(labels)] * 2), np.nan)
    sources, tests = np.full(len(outcomes), None, dtype=object), np.full(len(outcomes), None, dtype=object)
    for columns, part in parts:
        n_small[columns], in_small[columns], sources[columns] = part.n_small_cells, part.n_in_small_cells, part.sources
        for e, effect in enumerate(part.effects):
            estimate[e, columns], std_error[e, columns], df[e, columns] = (
                effect.estimate.value, effect.std_error, effect.df,
            )  # fmt: skip
            n[e, columns], left_out[e, columns] = effect.n, part.n - effect.n
            n_cells[e, columns], effective[e, columns] = effect.n_cells, effect.effective_n
        for k, j in enumerate(columns):
            one = stack([effect.estimate.take([k]) for effect in part.effects])
            cov[j] = one.cov
            apart = _cleared(one.combine(np.eye(len(labels))[:, 1:] - np.eye(len(labels))[:, [0]]), one)
            gap[1:, j], gap_error[1:, j] = apart.value, apart.std_error
            fewest = float(part.effects[1].df)
            tests[j] = wald_test(apart.value, apart.cov, fewest, freedom=inputs.freedom(fewest))
    inference = t_inference(estimate, std_error, df, level=inputs.level)
    return EstimandTable(
        estimands=labels, outcomes=outcomes, estimate=estimate, std_error=std_error, t=inference.t,
        p_value=inference.p_value, conf_low=inference.conf_low, conf_high=inference.conf_high, df=df, n=n,
        n_left_out=left_out, n_cells=n_cells, effective_n=effective, n_small_cells=n_small, n_in_small_cells=in_small,
        cov=cov, difference=gap, difference_std_error=gap_error,
        difference_p_value=t_inference(gap, gap_error, df[[1]], level=inputs.level).p_value, equal=tuple(tests),
        dropped=tuple(dict.fromkeys(name for _, part in parts for name in part.dropped)), sources=sources,
        small_cells=small_cells, vcov=inputs.vcov, level=inputs.level,
    )  # fmt: skip


def _cleared(apart: Estimate, whole: Estimate) -> Estimate:
    """Set differences that are rounding to 0, so that estimands that coincide are not tested against noise."""
    scale = whole.std_error.max()
    same = apart.std_error <= 1e-9 * scale
    return Estimate(np.where(same, 0.0, apart.value), np.where(same, 0.0, apart.psi))
