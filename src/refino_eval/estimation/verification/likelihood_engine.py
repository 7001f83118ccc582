"""Likelihood models estimated again by statsmodels: generalised linear models and the negative binomial.

The former are fitted by iterated weighted least squares. The covariance is of statsmodels' own scores and second derivatives; the slope of the effect comes from complex steps (Squire and
Trapp 1998), so that no derivative is taken from the kernel.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.core.likelihood import Family, FittedResponse
from refino_eval.estimation.core.nonresponse import ResponseWeights


class ResponseAnswer(NamedTuple):
    """What statsmodels makes of a response model.

    Coefficients (k,) with their errors, the effect on the mean with its error, and the dispersion of a negative binomial, else NaN.
    """

    coefficients: FloatArray
    std_errors: FloatArray
    effect: float
    effect_std_error: float
    dispersion: float


def ask_response(fitted: FittedResponse) -> ResponseAnswer:
    """Fit a response model by statsmodels."""
    sample = fitted.sample
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, scores, inverse = (
            _negative_binomial(fitted) if fitted.family == "negative_binomial" else _generalised(fitted)
        )
    k = sample.x.shape[1]
    beta = given[:k]
    cov = inverse if fitted.vcov == "iid" else inverse @ _meat(scores, fitted) @ inverse
    cov = cov[:k, :k]
    weights = sample.weights / sample.weights.sum()
    points, offset = (sample.x, sample.offset) if fitted.at == "average" else _at_means(fitted, weights)
    weights = weights if fitted.at == "average" else np.ones(1)
    treated, control = points.copy(), points.copy()
    treated[:, 0], control[:, 0] = 1.0, 0.0
    step = 1e-30j
    slope, effect = np.zeros(beta.size), 0.0
    for sign, at in ((1.0, treated), (-1.0, control)):
        mean = _mean(fitted.family, at @ beta + offset + step)
        effect += sign * float(weights @ mean.real)
        slope += sign * (weights * mean.imag / abs(step)) @ at
    return ResponseAnswer(
        beta,
        np.sqrt(np.diag(cov)),
        fitted.share * effect,
        fitted.share * float(np.sqrt(slope @ cov @ slope)),
        float(given[k]) if given.size > k else np.nan,
    )


def _generalised(fitted: FittedResponse) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients, scores (n, k) and the inverse of the information of a generalised linear model."""
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    chosen = {
        "logit": families.Binomial(),
        "probit": families.Binomial(families.links.Probit()),
        "poisson": families.Poisson(),
    }
    sample = fitted.sample
    # Whether a dummy is a constant does not matter here, and takes statsmodels two decompositions to find out.
    model = GLM(
        sample.y,
        sample.x,
        family=chosen[fitted.family],
        offset=sample.offset,
        var_weights=sample.weights,
        hasconst=False,
    )
    beta = np.asarray(model.fit(maxiter=200, tol=1e-14, tol_criterion="params").params)
    return beta, np.asarray(model.score_obs(beta)), np.linalg.pinv(-np.asarray(model.hessian(beta, observed=True)))


def _negative_binomial(fitted: FittedResponse) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the same of a negative binomial, whose last coefficient is the dispersion; it has no weights."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    sample = fitted.sample
    model = NegativeBinomial(sample.y, sample.x, offset=sample.offset)
    near = model.fit(disp=0, maxiter=5000).params
    params = np.asarray(model.fit(start_params=near, method="newton", tol=1e-13, maxiter=200, disp=0).params)
    return params, np.asarray(model.score_obs(params)), np.linalg.pinv(-np.asarray(model.hessian(params)))


def _meat(scores: FloatArray, fitted: FittedResponse) -> FloatArray:
    n, k = scores.shape
    if fitted.sample.clusters is not None:
        sums = pd.DataFrame(scores).groupby(fitted.sample.clusters).sum().to_numpy()
        return np.asarray(sums.T @ sums * (len(sums) / (len(sums) - 1)))
    return np.asarray(scores.T @ scores * (n / (n - k) if fitted.vcov == "HC1" else 1.0))


def _at_means(fitted: FittedResponse, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    means = np.average(np.column_stack((fitted.sample.x, fitted.sample.offset)), axis=0, weights=weights)
    return means[None, :-1], means[-1:]


def _mean(family: Family, index: np.ndarray) -> np.ndarray:
    """Return the mean at a complex index."""
    if family in ("poisson", "negative_binomial"):
        return np.asarray(np.exp(index))
    return np.asarray(1 / (1 + np.exp(-index)) if family == "logit" else special.ndtr(index))


def ask_weights(response: ResponseWeights) -> tuple[float, float]:
    """Return the smallest and the largest weight for non-response by statsmodels' logits."""
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    inverse = [
        np.ones(int(np.isfinite(response.weights).sum()) - sum(int(fit.observed.sum()) for fit in response.fits))
    ]
    for fit in response.fits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of collinear columns the pseudo-inverse of each step takes the shortest solution, with the same fitted values.
            model = GLM(fit.observed, fit.columns, family=families.Binomial(), var_weights=fit.weights)
            fitted = np.asarray(model.fit(maxiter=200, tol=1e-13).fittedvalues)
        inverse.append(1 / fitted[fit.observed == 1])
    values = np.concatenate(inverse)
    largest = float(values.max()) if response.trim is None else float(np.quantile(values, response.trim))
    return float(values.min()), min(float(values.max()), largest)
