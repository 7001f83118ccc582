"""Maximum (quasi-)likelihood of a response given a linear index: logit, probit, Poisson and negative binomial.

The log-likelihood of each person is a function of the index x'b (and of the dispersion of a negative binomial) alone, so that Newton's
steps need few derivatives. With probability weights the weighted scores sum to 0, as in Stata's pweights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray, IntArray

Family = Literal["logit", "probit", "poisson", "negative_binomial"]
EffectAt = Literal["average", "means"]
LikelihoodVcov = Literal["iid", "HC0", "HC1", "CRV1", "CRV1_nested"]
MOST_STEPS = 200
CONVERGED = 1e-18
"""Newton's decrement at which no coefficient is further from the maximum than 1e-9 of its standard error."""


@dataclass(frozen=True)
class Response:
    """A family of distributions of the response.

    Attributes
    ----------
    is_binary
        Whether the response is 0 or 1; otherwise it is a count, or any number that is not negative.
    mean, slope
        Functions of the index: the mean of the response and its derivative.
    index
        Function of the mean: the inverse of ``mean``.
    log_likelihood, score, curvature
        Functions of the response and the index: the log-likelihood of a person, its derivative, and minus its second derivative.
    """

    is_binary: bool
    mean: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]
    index: Callable[[FloatArray], FloatArray]
    log_likelihood: Callable[[FloatArray, FloatArray], FloatArray]
    score: Callable[[FloatArray, FloatArray], FloatArray]
    curvature: Callable[[FloatArray, FloatArray], FloatArray]


def _normal_density(index: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-(index**2) / 2) / np.sqrt(2 * np.pi))


def _mills(y: FloatArray, index: FloatArray) -> FloatArray:
    """Return q phi(q x) / Phi(q x) with q = 2 y - 1, by logarithms so that the tails do not underflow."""
    sign = 2 * y - 1
    log_ratio = -(index**2) / 2 - np.log(2 * np.pi) / 2 - special.log_ndtr(sign * index)
    return np.asarray(sign * np.exp(log_ratio))


def _logistic_density(index: FloatArray) -> FloatArray:
    return np.asarray(special.expit(index) * special.expit(-index))


_POISSON = Response(
    is_binary=False,
    mean=np.exp,
    slope=np.exp,
    index=np.log,
    log_likelihood=lambda y, index: y * index - np.exp(index),
    score=lambda y, index: y - np.exp(index),
    curvature=lambda _, index: np.exp(index),
)
RESPONSES: Mapping[Family, Response] = {
    "logit": Response(
        is_binary=True,
        mean=special.expit,
        slope=_logistic_density,
        index=special.logit,
        log_likelihood=lambda y, index: special.log_expit((2 * y - 1) * index),
        score=lambda y, index: y - special.expit(index),
        curvature=lambda _, index: _logistic_density(index),
    ),
    "probit": Response(
        is_binary=True,
        mean=special.ndtr,
        slope=_normal_density,
        index=special.ndtri,
        log_likelihood=lambda y, index: special.log_ndtr((2 * y - 1) * index),
        score=_mills,
        curvature=lambda y, index: _mills(y, index) * (_mills(y, index) + index),
    ),
    "poisson": _POISSON,
    # Its mean is that of Poisson regression, whose coefficients its likelihood starts from.
    "negative_binomial": _POISSON,
}


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """The people whose likelihood is maximised.

    Attributes
    ----------
    y
        Response, shape (n,).
    x
        Regressors, treatment first, a dummy for every cell last, shape (n, k).
    offset
        Part of the index without a coefficient (the log of exposure), shape (n,).
    weights
        Probability weights, shape (n,); ones where there are none.
    clusters
        Codes of the clusters in which scores are summed, shape (n,), or None.
    """

    y: FloatArray
    x: FloatArray
    offset: FloatArray
    weights: FloatArray
    clusters: IntArray | None


@dataclass(frozen=True, eq=False, repr=False)
class FittedResponse:
    """What was fitted for one outcome, for other programs to fit again.

    Attributes
    ----------
    sample
        Response, regressors, weights and clusters of the people in cells with variation.
    family, vcov, at
        The model, its covariance, and where the effect is evaluated.
    share
        Share of the (weighted) people in these cells.
    """

    sample: Sample
    family: Family
    vcov: Vcov
    at: EffectAt
    share: float


@dataclass(frozen=True, eq=False, repr=False)
class Maximum:
    """Coefficients (k,) and their covariance (k, k); the dispersion of a negative binomial, else NaN."""

    coefficients: FloatArray
    covariance: FloatArray
    dispersion: float = float("nan")


class NoMaximumError(Exception):
    """The likelihood has no finite maximum."""


Derivatives = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""The scores of people (n, k) and the information (k, k), minus the second derivatives of the log-likelihood, at coefficients."""


def maximise(sample: Sample, family: Family, vcov: Vcov, start: FloatArray) -> Maximum:
    """Return the coefficients that maximise the weighted log-likelihood, and their covariance.

    ``iid`` is the inverse of the information (minus the second derivatives of the log-likelihood), the others sandwiches of it and
    the scores: HC0; HC1 times n / (n - k); CRV1 and CRV1_nested with scores summed in clusters, times G / (G - 1), as Stata's
    `vce(cluster)` of likelihood models.

    Raises
    ------
    NoMaximumError
        When Newton's steps do not converge, or end where nothing is left to explain.
    """
    response, x, w = RESPONSES[family], sample.x, sample.weights
    if family == "negative_binomial":
        return _negative_binomial(sample, vcov, maximise(sample, "poisson", "HC0", start).coefficients)

    def value(beta: FloatArray) -> float:
        return float(w @ response.log_likelihood(sample.y, x @ beta + sample.offset))

    def derivatives(beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        index = x @ beta + sample.offset
        scores = x * (w * response.score(sample.y, index))[:, None]
        return scores, (x * (w * response.curvature(sample.y, index))[:, None]).T @ x

    beta = _newton(value, derivatives, start, np.sqrt(w @ x**2))
    return Maximum(beta, _covariance(*derivatives(beta), vcov, sample.clusters))


def _newton(
    value: Callable[[FloatArray], float], derivatives: Derivatives, start: FloatArray, length: FloatArray
) -> FloatArray:
    """Climb to the maximum of a log-likelihood by Newton's steps, halved where they go down; length is that of each column."""
    beta, reached = start, value(start)
    for _ in range(MOST_STEPS):
        scores, information = derivatives(beta)
        gradient = scores.sum(axis=0)
        # Columns of unit length: a coefficient that runs away takes its part of the information to 0, whatever its unit.
        scaled = information / np.outer(length, length)
        if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > 1e14 or abs(beta[0]) > 20:
            raise NoMaximumError
        least = float(np.linalg.eigvalsh(scaled)[0])
        # Where the likelihood bends upwards, away from the maximum, Newton's step would go down.
        bent = scaled if least > 0 else scaled + (1e-3 - 2 * least) * np.eye(length.size)
        step = np.linalg.solve(bent, gradient / length) / length
        if gradient @ step < CONVERGED and least > 0:
            return beta
        for _ in range(40):
            with np.errstate(over="ignore", invalid="ignore"):
                tried = value(beta + step)
            # At the maximum the rounding of a long sum may hide what a step adds.
            if tried >= reached - 1e-12 * abs(reached):
                break
            step = step / 2
        beta, reached = beta + step, tried
    raise NoMaximumError


def _negative_binomial(sample: Sample, vcov: Vcov, start: FloatArray) -> Maximum:
    """Maximise the likelihood of counts with variance mean + a mean^2 (Cameron and Trivedi 2013, section 3.3.1), a and all coefficients."""
    x, y, w = sample.x, sample.y, sample.weights
    mean = np.exp(x @ start + sample.offset)
    dispersion = max(float(w @ ((y - mean) ** 2 - mean)) / float(w @ mean**2), 0.01)

    def parts(at: FloatArray) -> tuple[FloatArray, float]:
        return np.exp(x @ at[:-1] + sample.offset), float(np.exp(-at[-1]))

    def value(at: FloatArray) -> float:
        mean, r = parts(at)
        likelihood = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
        return float(w @ (likelihood + r * np.log(r / (r + mean)) + y * np.log(mean / (r + mean))))

    def derivatives(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        # By the index and r = 1 / a; the last coefficient is the log of a, so that dr = -r.
        mean, r = parts(at)
        total = r + mean
        of_r = special.psi(y + r) - special.psi(r) + np.log(r / total) + 1 - (y + r) / total
        of_rr = special.polygamma(1, y + r) - special.polygamma(1, r) + 1 / r - 1 / total - (mean - y) / total**2
        scores = np.column_stack((x * (w * r * (y - mean) / total)[:, None], -w * r * of_r))
        k = x.shape[1]
        information = np.empty((k + 1, k + 1))
        information[:k, :k] = (x * (w * mean * r * (y + r) / total**2)[:, None]).T @ x
        information[:k, k] = information[k, :k] = (w * r * (y - mean) * mean / total**2) @ x
        information[k, k] = -float(w @ (r * of_r + r**2 * of_rr))
        return scores, information

    length = np.append(np.sqrt(w @ x**2), np.sqrt(w.sum()))
    best = _newton(value, derivatives, np.append(start, np.log(dispersion)), length)
    covariance = _covariance(*derivatives(best), vcov, sample.clusters)
    return Maximum(best[:-1], covariance[:-1, :-1], float(np.exp(best[-1])))


def _covariance(scores: FloatArray, information: FloatArray, vcov: Vcov, clusters: IntArray | None) -> FloatArray:
    inverse = np.asarray(np.linalg.inv(information))
    if not COVARIANCES[vcov].is_robust:
        return inverse
    n, k = scores.shape
    factor = COVARIANCES[vcov].factor(n=n, df_resid=n - k) if clusters is None else 1.0
    if clusters is not None:
        codes = np.unique(clusters, return_inverse=True)[1]
        n_clusters = int(codes.max()) + 1
        sums = np.zeros((n_clusters, k))
        np.add.at(sums, codes, scores)
        scores, factor = sums, n_clusters / max(n_clusters - 1, 1)
    return np.asarray(inverse @ (scores.T @ scores) @ inverse * factor)


def check_response(y: FloatArray, family: Family, name: str) -> None:
    """Require 0 and 1, or counts.

    Raises
    ------
    UserError
        When a value is something else.
    """
    binary = RESPONSES[family].is_binary
    wrong = int(np.count_nonzero(~np.isin(y, (0.0, 1.0)) if binary else ~(y >= 0)))
    if wrong:
        needed = f"0 or 1 for a {family}" if binary else "0 or more for a model of counts"
        raise UserError(f"{name} must be {needed}; {wrong} of {y.size} values are not. Use the linear model.")
