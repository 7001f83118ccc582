"""Differences between arms adjusted for covariates by several methods, averaged over everybody (ATE) or the treated (ATT).

Each method gives the mean outcome of an arm, had a target population been in it: everybody, or the treated. With w the probability
weights, t the target's shares (summing to 1), m(x) = x'b a linear model of the outcome in the arm and p the propensity score,

    regression_adjustment   sum t x'b, b the arm's (weighted) least squares
    ipw                     the arm's mean with weights w / Pr(arm | x), times p for the treated (Hajek 1971)
    entropy_balancing       the arm's mean with weights q = w exp(x'l) whose means of x are the target's (Hainmueller 2012)
    aipw                    sum t x'b + mean of the arm's residuals with the weights of ipw (Robins, Rotnitzky and Zhao 1994)

Standard errors are those of the influence functions, which count that models and weights are estimated. Of entropy balancing the
influence is q_i (y_i - x_i'b) + t_i (x_i'b - mean), b the regression with weights q: it is consistent if the outcome or the
log odds of treatment are linear in x (Zhao and Percival 2017). Of aipw the models' own part vanishes to first order when both
are right (Chernozhukov et al. 2018); the part of each model is kept, so that the standard error is right when one of them is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Unpack, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, Vector, as_columns, spanning
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.influence import Estimate
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.recording import Source
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.propensity import (
    Covariates,
    PropensityScore,
    covariates_of,
    logit_coefficients,
    propensity_score,
    trimmed,
)

Method = Literal["regression_adjustment", "ipw", "entropy_balancing", "aipw"]
METHODS: tuple[Method, ...] = get_args(Method)
Population = Literal["ate", "att"]
POPULATIONS: tuple[Population, ...] = get_args(Population)
VCOVS: tuple[Vcov, ...] = ("HC0", "HC1", "CRV1")
"""Covariances that have a form for influence functions: sums of their squares, in clusters or not, with the factor of regression."""
MOST_INTERACTIONS = 60
"""Covariates up to which regression adjustment is also run as one regression, with an interaction for each."""
BALANCED = 1e-9
"""Largest difference of means, in standard deviations, that counts as balanced."""


@dataclass(frozen=True, eq=False)
class AdjustedDifferences:
    """Adjusted differences by method (axis 0), population (axis 1) and outcome (axis 2).

    Attributes
    ----------
    methods, populations, outcomes
        Their names.
    estimate, std_error, p_value, conf_low, conf_high
        Shape (M, P, J); NaN where a method has no estimate (no weights balance the covariates exactly).
    df
        Degrees of freedom, shape (J,).
    n, n_left_out, n_trimmed
        People in use; without a counterpart in the other arm; with a score beyond the trimming threshold: each (J,), the latter
        two by arm (J, 2), control first.
    folds
        Folds of cross-fitting of aipw; 0 without.
    sources
        The regression that gives the same estimate (not the standard error), shape (M, P, J); None where there is none.
    """

    methods: tuple[Method, ...]
    populations: tuple[Population, ...]
    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: FloatArray
    n: IntArray
    n_left_out: IntArray
    n_trimmed: IntArray
    folds: int
    sources: npt.NDArray[np.object_]
    vcov: Vcov
    level: float


def adjusted_differences(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    methods: Sequence[Method] = METHODS,
    populations: Sequence[Population] = POPULATIONS,
    trim: float = 0.0,
    folds: int = 0,
    seed: int = 1,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> AdjustedDifferences:
    """Estimate the difference between arms adjusted for controls and fixed effects.

    Parameters
    ----------
    outcomes, treated, names, options
        As in `itt.itt`; ``vcov`` is one of `VCOVS`. Cells enter as dummies.
    methods, populations
        Which.
    trim
        People with a propensity score below this or above 1 less this are left out (Crump et al. 2009), and all models fitted
        to the others; 0 leaves out nobody.
    folds
        Cross-fitting of aipw: each fold's models are fitted to the other folds, which are random within cell and arm; 0 without.
    seed
        Of the folds.

    Raises
    ------
    UserError
        As `propensity.covariates_of`; for an option without a form here; for fewer than two people a fold.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A table of adjusted differences", "interacted", "own_controls")
    inputs.require_one_way("A table of adjusted differences")
    if inputs.vcov not in VCOVS:
        raise UserError(f"Adjusted differences have no covariance {inputs.vcov}; choose one of {', '.join(VCOVS)}.")
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    shape = (len(methods), len(populations), len(labels))
    estimate, std_error = np.full(shape, np.nan), np.full(shape, np.nan)
    df, n = np.full(len(labels), np.nan), np.zeros(len(labels), dtype=np.int64)
    sources = np.full(shape, None, dtype=object)
    left_out, cut = (np.zeros((len(labels), 2), dtype=np.int64) for _ in range(2))
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        among, n_trimmed = trimmed(replace(inputs, rows=sample.rows), trim)
        people = covariates_of(among, at_least=2 if folds else 1)
        y = values[np.ix_(people.rows, sample.columns)]
        models = _Models(y, people, propensity_score(people))
        cluster = None if inputs.summed_in is None else inputs.summed_in[people.rows]
        factor, freedom = _small_sample(inputs, people, cluster)
        for m, method in enumerate(methods):
            for p, population in enumerate(populations):
                effect = _effect(models, method, population, folds=folds, seed=seed)
                if effect is not None:
                    listed = _same_estimate(models, method, population)
                    if listed is not None:
                        sources[m, p, sample.columns] = listed
                    effect = replace(effect, psi=effect.psi * np.sqrt(factor), cluster=cluster)
                    estimate[m, p, sample.columns] = effect.value
                    std_error[m, p, sample.columns] = effect.std_error
        df[sample.columns], n[sample.columns] = freedom, people.n
        left_out[sample.columns], cut[sample.columns] = people.n_left_out, n_trimmed
    inference = t_inference(estimate, std_error, df, level=inputs.level)
    return AdjustedDifferences(
        methods=tuple(methods), populations=tuple(populations), outcomes=labels, estimate=estimate, std_error=std_error,
        p_value=inference.p_value, conf_low=inference.conf_low, conf_high=inference.conf_high, df=df, n=n,
        n_left_out=left_out, n_trimmed=cut, folds=folds, sources=sources, vcov=inputs.vcov, level=inputs.level,
    )  # fmt: skip


def _small_sample(inputs: RegressionInputs, people: Covariates, cluster: IntArray | None) -> tuple[float, float]:
    """Return the factor of the variance and the degrees of freedom, those of a regression on the same covariates."""
    df_resid = people.n - people.n_parameters
    if df_resid < 1:
        raise UserError(
            f"No degrees of freedom: {people.n:,} people and {people.n_parameters:,} parameters. Use fewer covariates."
        )
    if cluster is None:
        return inputs.covariance.factor(n=people.n, df_resid=df_resid), float(df_resid)
    n_clusters = np.unique(cluster).size
    if n_clusters < 2:
        raise UserError("A clustered covariance needs at least two clusters, and all people in use belong to one.")
    return inputs.covariance.factor(n=people.n, df_resid=df_resid, n_clusters=n_clusters), float(n_clusters - 1)


@dataclass(frozen=True, eq=False, repr=False)
class _Models:
    """Outcomes (n, J) of the people in use, their covariates and the propensity score."""

    y: FloatArray
    people: Covariates
    propensity: PropensityScore

    def target(self, population: Population) -> FloatArray:
        """Return each person's share of the target population, summing to 1."""
        own = self.people.weights * (self.people.treated if population == "att" else 1.0)
        return np.asarray(own / own.sum())

    def arm(self, arm: int) -> FloatArray:
        """Return who is in an arm, 0 or 1."""
        return np.asarray((self.people.treated == arm).astype(np.float64))

    def odds(self, arm: int, population: Population, score: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weights that turn an arm into the target, and their derivative by the logit's index."""
        if population == "att":
            if arm == 1:
                return np.ones_like(score), np.zeros_like(score)
            return score / (1 - score), score / (1 - score)
        if arm == 1:
            return 1 / score, -(1 - score) / score
        return 1 / (1 - score), score / (1 - score)


def _effect(models: _Models, method: Method, population: Population, *, folds: int, seed: int) -> Estimate | None:
    """Return the difference between the arms' means in the target population; None where it does not exist."""
    if method == "aipw" and folds:
        fitted = _cross_fitted(models, folds, seed)
        means = [_augmented(models, arm, population, *fitted[arm]) for arm in (1, 0)]
        return means[0] - means[1]
    parts = [_MEANS[method](models, arm, population) for arm in (1, 0)]
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0] - parts[1]


def _same_estimate(models: _Models, method: Method, population: Population) -> list[Source] | None:
    """Run the regression of outcomes on treatment whose coefficient is the estimate, so that other programs can be asked for it.

    Of a difference of weighted means it is the regression on treatment alone with these weights; of regression adjustment the
    one with interactions, covariates centred at the target's means (Lin 2013). Augmented estimates come from no single regression.
    """
    people, target = models.people, models.target(population)
    if method == "aipw" or (method == "regression_adjustment" and people.basis.shape[1] > MOST_INTERACTIONS):
        return None
    weights, controls = people.weights, np.empty((people.n, 0))
    if method == "regression_adjustment":
        # The constant is 0 once centred, so that the columns left span one dimension less.
        centred = people.basis - target @ people.basis
        centred = spanning(centred[:, np.abs(centred).max(axis=0) > BALANCED])
        controls = np.hstack((centred, people.treated[:, None] * centred))
    else:
        weights = np.zeros(people.n)
        for arm in (0, 1):
            q = people.weights * models.arm(arm)
            odds, _ = models.odds(arm, population, models.propensity.score)
            balanced = (
                balancing_weights(people.basis, q, target @ people.basis) if method == "entropy_balancing" else q * odds
            )
            assert balanced is not None
            weights += balanced / balanced.sum()
    options = Options(weights=weights, controls=controls, vcov="HC1")
    fit = design_of(regression_inputs(people.treated, **options)).fit(models.y)
    fit.std_errors("HC1")
    return [fit.source("HC1", k) for k in range(models.y.shape[1])]


def _least_squares(models: _Models, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the regression of outcomes on covariates with weights q of an arm: coefficients (k, J), and the inverse of x'qx."""
    x = models.people.basis
    inverse: FloatArray = np.asarray(np.linalg.pinv(x.T @ (x * q[:, None]), hermitian=True), dtype=np.float64)
    return np.asarray(inverse @ (x.T @ (models.y * q[:, None]))), inverse


def _regression_adjustment(models: _Models, arm: int, population: Population) -> Estimate:
    x, target = models.people.basis, models.target(population)
    q = models.people.weights * models.arm(arm)
    slopes, inverse = _least_squares(models, q)
    fitted = x @ slopes
    mean = target @ fitted
    weight = q * (x @ (inverse @ (target @ x)))
    return Estimate(mean, target[:, None] * (fitted - mean) + weight[:, None] * (models.y - fitted))


def _weighted_mean(models: _Models, arm: int, population: Population) -> Estimate:
    """Hajek's mean, with the part of the estimated score in its influence."""
    people, score = models.people, models.propensity.score
    own = people.weights * models.arm(arm)
    odds, slope = models.odds(arm, population, score)
    total = float(own @ odds)
    share = own * odds / total
    mean = share @ models.y
    deviations = models.y - mean
    # Derivative of the mean by the coefficients of the logit; times their influence it is what estimating the score adds.
    gradient = people.basis.T @ ((own * slope / total)[:, None] * deviations)
    return Estimate(mean, share[:, None] * deviations + models.propensity.influence @ gradient)


def _balanced(models: _Models, arm: int, population: Population) -> Estimate | None:
    x, target = models.people.basis, models.target(population)
    q = balancing_weights(x, models.people.weights * models.arm(arm), target @ x)
    if q is None:
        return None
    # Calibrated weights give the mean of a regression estimator: the part of y that x predicts has the target's mean in every
    # sample, and only residuals vary (Deville and Sarndal 1992).
    slopes, _ = _least_squares(models, q)
    fitted = x @ slopes
    mean = q @ models.y
    return Estimate(mean, q[:, None] * (models.y - fitted) + target[:, None] * (fitted - mean))


def balancing_weights(x: FloatArray, base: FloatArray, target: FloatArray) -> FloatArray | None:
    """Return the weights nearest to ``base`` in entropy whose means of x are the target's; None where there are none.

    Parameters
    ----------
    x
        Covariates whose span has the constant, shape (n, k).
    base
        Weights to start from, 0 for people outside the arm, shape (n,).
    target
        Means to reach, shape (k,), of weights that sum to 1.

    Notes
    -----
    The dual of Hainmueller (2012, Political Analysis 20(1), eq. 8): with q = base exp(x'l) the convex function sum q - l'target
    is least where x'q = target. Newton steps are halved until it falls.
    """
    inside = base > 0
    columns, own = x[inside], base[inside] / base[inside].sum()
    # The span has the constant: start with weights that sum to 1.
    multiplier = np.zeros(x.shape[1])
    q = own.copy()
    value = float(q.sum() - multiplier @ target)
    for _ in range(200):
        gap = columns.T @ q - target
        if np.abs(gap).max() < BALANCED:
            weights = np.zeros(x.shape[0])
            weights[inside] = q / q.sum()
            return weights
        step = np.linalg.lstsq(columns.T @ (columns * q[:, None]), -gap, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-8:
            index = columns @ (multiplier + size * step)
            if index.max() < 500:
                trial = own * np.exp(index)
                reached = float(trial.sum() - (multiplier + size * step) @ target)
                if reached < value or np.abs(columns.T @ trial - target).max() < np.abs(gap).max():
                    break
            size /= 2
        else:
            return None
        multiplier, q, value = multiplier + size * step, trial, reached
    return None


def _doubly_robust(models: _Models, arm: int, population: Population) -> Estimate:
    people = models.people
    q = people.weights * models.arm(arm)
    slopes, inverse = _least_squares(models, q)
    fitted = people.basis @ slopes
    whole = _augmented(models, arm, population, models.propensity.score, fitted)
    # What the outcome model and the score contribute as they are estimated; both are near 0 when the models are right.
    odds, slope = models.odds(arm, population, models.propensity.score)
    target = models.target(population)
    total = float(people.weights.sum() if population == "ate" else people.weights @ people.treated)
    imbalance = target @ people.basis - (q * odds / total) @ people.basis
    of_outcome = (q * (people.basis @ (inverse @ imbalance)))[:, None] * (models.y - fitted)
    gradient = people.basis.T @ ((q * slope / total)[:, None] * (models.y - fitted))
    return replace(whole, psi=whole.psi + of_outcome + models.propensity.influence @ gradient)


def _augmented(models: _Models, arm: int, population: Population, score: FloatArray, fitted: FloatArray) -> Estimate:
    """Return the mean of the model's predictions plus that of the weighted residuals, with scores and predictions given."""
    people, target = models.people, models.target(population)
    odds, _ = models.odds(arm, population, score)
    total = float(people.weights.sum() if population == "ate" else people.weights @ people.treated)
    residuals = (people.weights * models.arm(arm) * odds / total)[:, None] * (models.y - fitted)
    mean = target @ fitted + residuals.sum(axis=0)
    return Estimate(mean, target[:, None] * (fitted - mean) + residuals)


def _cross_fitted(models: _Models, folds: int, seed: int) -> dict[int, tuple[FloatArray, FloatArray]]:
    """Return scores and predictions of each arm for people of each fold from models of the others."""
    people = models.people
    x, z, w = people.basis, people.treated, people.weights
    if people.n < 2 * folds:
        raise UserError(f"Cross-fitting in {folds} folds needs at least two people a fold, and there are {people.n:,}.")
    # Dealt in turn within cell and arm, so that the other folds have people of both arms in every cell.
    order = np.lexsort((np.random.default_rng(seed).random(people.n), z, people.codes))
    fold = np.empty(people.n, dtype=np.int64)
    fold[order] = np.arange(people.n) % folds
    score, fitted = np.empty(people.n), {arm: np.empty_like(models.y) for arm in (0, 1)}
    for k in range(folds):
        mine, others = fold == k, fold != k
        score[mine] = special.expit(x[mine] @ logit_coefficients(x[others], z[others], w[others]))
        for arm in (0, 1):
            slopes, _ = _least_squares(models, w * models.arm(arm) * others)
            fitted[arm][mine] = x[mine] @ slopes
    return {arm: (score, fitted[arm]) for arm in (0, 1)}


_MEANS = {
    "regression_adjustment": _regression_adjustment,
    "ipw": _weighted_mean,
    "entropy_balancing": _balanced,
    "aipw": _doubly_robust,
}
