"""Propensity scores: the probability of treatment given covariates, and how alike the arms are before and after weighting.

The score is a logit of treatment on all covariates, fixed effects among them as dummies (Rosenbaum and Rubin 1983). Where a
category has people of one arm only, the logit has no finite estimate and these people have no counterpart: they are left out and
counted, category by category until no such one remains. What is estimated afterwards is about the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray, spanning
from refino_eval.estimation.core.regression_inputs import RegressionInputs

MOST_COLUMNS = 2_000
"""Covariates and fixed effects that a propensity score may have."""
SCORE_LIMIT = 1e-8
"""A fitted probability this near to 0 or 1 means that the covariates predict the arm exactly."""


@dataclass(frozen=True, eq=False, repr=False)
class Covariates:
    """The people whose arm the covariates do not determine, and their covariates.

    Attributes
    ----------
    rows
        Their rows in the inputs, shape (n,).
    treated, weights
        Treatment, and probability weights with mean 1, each (n,).
    basis
        Columns that span the constant, fixed effects and controls, orthogonal with mean square 1, shape (n, k).
    codes
        Codes of the cells, shape (n,).
    n_left_out
        People without a counterpart in the other arm: those in control, those in treatment.
    """

    rows: IntArray
    treated: FloatArray
    weights: FloatArray
    basis: FloatArray
    codes: IntArray
    n_left_out: tuple[int, int]

    @property
    def n(self) -> int:
        """People in use."""
        return int(self.rows.size)

    @property
    def n_parameters(self) -> int:
        """K of a regression on treatment and the covariates."""
        return int(self.basis.shape[1]) + 1


def covariates_of(inputs: RegressionInputs, *, at_least: int = 1) -> Covariates:
    """Return the covariates of the people in use who have a counterpart.

    Parameters
    ----------
    inputs
        Treatment, cells (as dummies), controls and weights.
    at_least
        People of each arm that every category needs; two for cross-fitting, where one of them may be held out.

    Raises
    ------
    UserError
        When nobody remains, or the covariates have more columns than people or than `MOST_COLUMNS`.
    """
    rows = _with_counterpart(inputs, at_least)
    kept = np.flatnonzero(rows)
    lost = inputs.rows & ~rows
    n_left_out = (
        int(np.count_nonzero(lost & (inputs.treated == 0))),
        int(np.count_nonzero(lost & (inputs.treated == 1))),
    )
    if not kept.size:
        raise UserError(
            f"The covariates and fixed effects predict the arm of all {int(inputs.rows.sum()):,} people exactly, so that nobody has "
            "a counterpart in the other arm. Use fewer or coarser ones."
        )
    codes = np.unique(inputs.cells[kept], return_inverse=True)[1]
    n_columns = int(codes.max()) + 1 + inputs.controls.shape[1]
    if n_columns > min(MOST_COLUMNS, kept.size - 2):
        raise UserError(
            f"A propensity score takes at most {MOST_COLUMNS:,} covariates and fixed effects, and fewer than people; there are "
            f"{n_columns:,} of them and {kept.size:,} people. Use coarser ones."
        )
    dummies = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
    own = np.ones(kept.size) if inputs.weights is None else inputs.weights[kept]
    return Covariates(
        rows=kept,
        treated=inputs.treated[kept],
        weights=own / own.mean(),
        basis=spanning(np.hstack((dummies, inputs.controls[kept]))),
        codes=codes,
        n_left_out=n_left_out,
    )


def _with_counterpart(inputs: RegressionInputs, at_least: int) -> BoolArray:
    """Return who is left when categories with too few people of an arm are taken out, one after another."""
    indicator = np.isin(inputs.controls[inputs.rows], (0.0, 1.0)).all(axis=0)
    groups = [inputs.cells, *(inputs.controls[:, k].astype(bool).astype(np.int64) for k in np.flatnonzero(indicator))]
    rows = inputs.rows.copy()
    while True:
        before = int(rows.sum())
        for codes in groups:
            size = int(codes.max()) + 1
            counts = [np.bincount(codes[rows & (inputs.treated == arm)], minlength=size) for arm in (0, 1)]
            # A category that nobody is in has no people to take out.
            rows &= (np.minimum(*counts) >= at_least)[codes]
        if int(rows.sum()) == before:
            return rows


@dataclass(frozen=True, eq=False, repr=False)
class PropensityScore:
    """A fitted logit.

    Attributes
    ----------
    score
        Probability of treatment, shape (n,).
    influence
        Influence of each person on the coefficients of the basis, shape (n, k).
    """

    score: FloatArray
    influence: FloatArray


def propensity_score(covariates: Covariates) -> PropensityScore:
    """Fit the logit of treatment on the covariates by (weighted) maximum likelihood.

    Raises
    ------
    UserError
        When the covariates predict the arm exactly.
    """
    x, z, w = covariates.basis, covariates.treated, covariates.weights
    score = special.expit(x @ logit_coefficients(x, z, w))
    hessian = x.T @ (x * (w * score * (1 - score))[:, None])
    residuals = x * (w * (z - score))[:, None]
    return PropensityScore(score, np.asarray(np.linalg.solve(hessian, residuals.T).T))


def logit_coefficients(x: FloatArray, z: FloatArray, w: FloatArray) -> FloatArray:
    """Return the coefficients of a logit by Newton's method, shape (k,); x of shape (n, k), z and w of shape (n,).

    Raises
    ------
    UserError
        When no finite estimate exists.
    """
    gamma = np.zeros(x.shape[1])
    for _ in range(60):
        score = special.expit(x @ gamma)
        variance = w * score * (1 - score)
        if min(score.min(), 1 - score.max()) < SCORE_LIMIT:
            break
        try:
            step = linalg.solve(x.T @ (x * variance[:, None]), x.T @ (w * (z - score)), assume_a="pos")
        except linalg.LinAlgError:
            break
        gamma = gamma + step
        if np.abs(step).max() < 1e-11:
            return np.asarray(gamma)
    raise UserError(
        f"The covariates predict the arm of some of the {z.size:,} people exactly, so that the logit of treatment has no finite "
        "estimate and these people have no counterpart. Use fewer or coarser covariates and fixed effects."
    )


def trimmed(inputs: RegressionInputs, trim: float) -> tuple[RegressionInputs, tuple[int, int]]:
    """Return the inputs without people whose score is below ``trim`` or above 1 - ``trim`` (Crump et al. 2009), and their number by arm."""
    if not trim:
        return inputs, (0, 0)
    covariates = covariates_of(inputs)
    score = propensity_score(covariates).score
    outside = covariates.rows[(score < trim) | (score > 1 - trim)]
    rows = inputs.rows.copy()
    rows[outside] = False
    lost = (int(np.count_nonzero(inputs.treated[outside] == 0)), int(np.count_nonzero(inputs.treated[outside] == 1)))
    return replace(inputs, rows=rows), lost


@dataclass(frozen=True, eq=False, repr=False)
class Overlap:
    """How far the arms have people alike; arrays by arm have control first.

    Attributes
    ----------
    n, n_left_out
        People by arm with a score, and without a counterpart, each (2,).
    mean, sd, low, high
        Of the score by arm, weighted, each (2,); low and high are the first and the last percentile.
    outside_support
        Share of each arm outside the common support (below the larger of the arms' lowest scores, or above the smaller of their
        highest), shape (2,).
    thresholds, outside
        Thresholds a, and the share of each arm with a score below a or above 1 - a, shape (len(thresholds), 2).
    effective_n
        Kish's effective sample size of each arm: as the people are, weighted to everybody, weighted to the treated, shape (3, 2).
    covariates, standardised
        Names of the covariates, and their standardised differences in these three weightings, shape (k, 3).
    fixed_effects
        The largest standardised difference of a fixed effect, without sign, in each weighting, shape (3,); NaN without any.
    edges, shares, counts
        Limits of classes of the score (b + 1,), and weighted shares and numbers of each arm in them, (b, 2).
    """

    n: IntArray
    n_left_out: IntArray
    mean: FloatArray
    sd: FloatArray
    low: FloatArray
    high: FloatArray
    outside_support: FloatArray
    thresholds: tuple[float, ...]
    outside: FloatArray
    effective_n: FloatArray
    covariates: tuple[str, ...]
    standardised: FloatArray
    fixed_effects: FloatArray
    edges: FloatArray
    shares: FloatArray
    counts: IntArray


WEIGHTINGS = ("before", "ate", "att")
"""As the people are; weighted to everybody (1/p and 1/(1 - p)); controls weighted to the treated (p/(1 - p))."""


def score_weights(score: FloatArray, treated: FloatArray, weighting: str) -> FloatArray:
    """Return the inverse probability weights of a weighting, shape (n,)."""
    if weighting == "ate":
        return np.asarray(np.where(treated == 1, 1 / score, 1 / (1 - score)))
    if weighting == "att":
        return np.asarray(np.where(treated == 1, 1.0, score / (1 - score)))
    return np.ones_like(score)


def overlap(inputs: RegressionInputs, *, thresholds: tuple[float, ...] = (0.01, 0.05, 0.1), bins: int = 20) -> Overlap:
    """Describe the propensity score by arm, and the balance of covariates before and after weighting by it.

    Parameters
    ----------
    inputs
        Treatment, cells, controls and weights; the covariance is not used.
    thresholds
        Scores near 0 and 1 whose shares are given (Crump, Hotz, Imbens and Mitnik 2009 suggest .1).
    bins
        Classes of the score of equal width.

    Raises
    ------
    UserError
        As `covariates_of` and `propensity_score`.

    Notes
    -----
    Standardised differences are differences of weighted means over the root of the mean of the arms' variances before weighting
    (Imbens and Rubin 2015, section 14.2), so that the same difference has the same size in each column.
    """
    inputs.refuse("The table of overlap", "own_controls")
    covariates = covariates_of(inputs)
    fitted, z, own = propensity_score(covariates).score, covariates.treated, covariates.weights
    arms = [z == arm for arm in (0, 1)]

    def by_arm(statistic: Callable[..., Any], values: npt.NDArray[Any] = fitted) -> npt.NDArray[Any]:
        return np.array([statistic(values[arm], own[arm]) for arm in arms])

    # The scores between the larger of the arms' smallest and the smaller of their largest are those that both arms have.
    least, most = by_arm(lambda scores, w: scores.min()).max(), by_arm(lambda scores, w: scores.max()).min()

    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.minimum((fitted * bins).astype(np.int64), bins - 1)
    weights = [own * score_weights(fitted, z, weighting) for weighting in WEIGHTINGS]
    columns = inputs.controls[covariates.rows]
    dummies = (covariates.codes[:, None] == np.arange(covariates.codes.max() + 1)).astype(np.float64)
    effects = _standardised(dummies, arms, own, weights) if dummies.shape[1] > 1 else np.full((1, 3), np.nan)
    return Overlap(
        n=by_arm(lambda scores, w: len(scores)),
        n_left_out=np.array(covariates.n_left_out),
        mean=by_arm(_mean),
        sd=by_arm(lambda scores, w: np.sqrt(_mean((scores - _mean(scores, w)) ** 2, w))),
        low=by_arm(partial(_quantile, share=0.01)),
        high=by_arm(partial(_quantile, share=0.99)),
        outside_support=by_arm(_mean, (fitted < least) | (fitted > most)),
        thresholds=thresholds,
        outside=np.reshape([by_arm(_mean, (fitted < a) | (fitted > 1 - a)) for a in thresholds], (len(thresholds), 2)),
        # Kish's effective sample size: as many people with equal weights would give a mean of the same variance.
        effective_n=np.array([by_arm(lambda w, _: w.sum() ** 2 / (w @ w), w) for w in weights]),
        covariates=inputs.control_names,
        standardised=_standardised(columns, arms, own, weights),
        fixed_effects=np.abs(effects).max(axis=0),
        edges=edges,
        shares=by_arm(lambda places, w: np.bincount(places, w, bins) / w.sum(), place).T,
        counts=by_arm(lambda places, w: np.bincount(places, minlength=bins), place).T,
    )


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float(np.average(values, weights=weights))


def _quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Return the smallest value that at least a share of the weight is at or below."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])


def _standardised(
    columns: FloatArray, arms: list[BoolArray], own: FloatArray, weightings: list[FloatArray]
) -> FloatArray:
    """Return standardised differences of columns (n, k) under each weighting, shape (k, weightings); NaN where constant."""

    def mean(arm: BoolArray, w: FloatArray) -> FloatArray:
        return np.asarray(w[arm] @ columns[arm] / w[arm].sum())

    spread = [own[arm] @ (columns[arm] - mean(arm, own)) ** 2 / own[arm].sum() for arm in arms]
    scale = np.sqrt((spread[0] + spread[1]) / 2)
    gaps = np.stack([mean(arms[1], w) - mean(arms[0], w) for w in weightings], axis=1).reshape(columns.shape[1], -1)
    return np.asarray(np.divide(gaps, scale[:, None], out=np.full_like(gaps, np.nan), where=scale[:, None] > 1e-12))
