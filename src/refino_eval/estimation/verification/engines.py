"""Independent programs that estimate one regression's coefficients of interest and their covariance.

They share nothing with the kernel. Each engine is called so that it counts degrees of freedom as the kernel does, and so
that its known traps are avoided:

statsmodels
    a dummy for every cell, Student's t; people fitted exactly are left out before the covariances with leverage (their
    e^2 / (1 - h) would be 0 / 0), which changes nothing else.
linearmodels
    cells as categories, since `AbsorbingLS` reads an integer column as one continuous regressor; for take-up
    `IV2SLS` with a dummy for every cell, since two-stage least squares on demeaned data ignores the cells' degrees of freedom.
textbook
    pseudo-inverses of the whole matrices, for HC2 and HC3, which few programs offer with cells.
within
    pandas' deviations from (weighted) cell means and numpy's least squares, with all cells counted in the degrees of
    freedom: quick, for a family of outcomes of one design, and for more cells than a matrix of dummies can hold.

Engines are imported when used. The tests compare the kernel with pyfixest, too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from refino_eval.covariances import COVARIANCES, Covariance, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray, IntArray

Engine = Literal["statsmodels", "linearmodels", "textbook", "within"]
# Above this many numbers a matrix of dummies is not built; the engines that absorb cells remain.
MOST_DUMMIES = 60_000_000

Answer = tuple[FloatArray, FloatArray]
"""Coefficients of interest, shape (f,), and their covariance, shape (f, f)."""


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A regression as engines see it: columns of interest first, then controls; cells, weights and clusters."""

    columns: FloatArray
    n_focus: int
    cells: IntArray
    weights: FloatArray | None
    cluster: IntArray | None
    vcov: Vcov

    @property
    def covariance(self) -> Covariance:
        """What ``vcov`` stands for."""
        return COVARIANCES[self.vcov]


def ask(engine: Engine, problem: Problem, outcomes: FloatArray, taken: FloatArray | None = None) -> list[Answer]:
    """Ask one engine for coefficients of interest (of take-up, when given) and their covariance, one answer an outcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if taken is None:
            return _LEAST_SQUARES[engine](problem, outcomes)
        return _INSTRUMENTED[engine](problem, outcomes, taken)


def _dummies(problem: Problem) -> FloatArray:
    n_cells = int(problem.cells.max()) + 1
    if problem.cells.size * n_cells > MOST_DUMMIES:
        raise UserError(
            f"A dummy for each of {n_cells} cells and {problem.cells.size} people is too large to verify with; ask an engine that "
            "absorbs cells (linearmodels, within)."
        )
    return np.asarray(problem.cells[:, None] == np.arange(n_cells), dtype=np.float64)


def _without_exact(problem: Problem, outcomes: FloatArray) -> tuple[Problem, FloatArray]:
    """Leave out people fitted exactly, until none is; their cells and columns go with them."""
    while True:
        root = np.ones(problem.cells.size) if problem.weights is None else np.sqrt(problem.weights)
        basis, values, _ = np.linalg.svd(
            np.hstack((problem.columns, _dummies(problem))) * root[:, None], full_matrices=False
        )
        basis = basis[:, values > 1e-10 * values[0]]
        inside = 1.0 - np.einsum("ik,ik->i", basis, basis) > 1e-9
        if inside.all():
            return problem, outcomes
        outcomes = outcomes[inside]
        problem = Problem(
            columns=problem.columns[inside],
            n_focus=problem.n_focus,
            cells=np.unique(problem.cells[inside], return_inverse=True)[1],
            weights=None if problem.weights is None else problem.weights[inside],
            cluster=None if problem.cluster is None else problem.cluster[inside],
            vcov=problem.vcov,
        )


def _by_statsmodels(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    import statsmodels.api as sm
    from statsmodels.regression.linear_model import RegressionResults

    covariance = problem.covariance
    if covariance.leverage_power:
        problem, outcomes = _without_exact(problem, outcomes)
    x = np.hstack((problem.columns, _dummies(problem)))
    options: dict[str, Any] = {"cov_type": problem.vcov if covariance.is_robust else "nonrobust", "use_t": True}
    if covariance.is_clustered:
        options |= {"cov_type": "cluster", "cov_kwds": {"groups": problem.cluster}}
    weights: FloatArray | float = 1.0 if problem.weights is None else problem.weights
    # Whether a dummy is a constant does not matter here, and takes statsmodels two decompositions to find out.
    model = sm.WLS(outcomes[:, 0], x, weights=weights, hasconst=False)
    first = model.fit(**options)
    f = problem.n_focus
    answers = [(np.asarray(first.params)[:f], np.asarray(first.cov_params())[:f, :f])]
    for y in outcomes.T[1:]:
        # `fit` decomposes the columns anew for every outcome; the decomposition it keeps is of the columns alone.
        model.endog, model.wendog = y, model.whiten(y)
        beta = model.pinv_wexog @ model.wendog
        fit = RegressionResults(model, beta, model.normalized_cov_params, **options)
        answers.append((beta[:f], np.asarray(fit.cov_params())[:f, :f]))
    return answers


def _by_linearmodels(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    from linearmodels.iv.absorbing import AbsorbingLS

    options = _linearmodels_options(problem)
    columns = pd.DataFrame(problem.columns, columns=[f"x{k}" for k in range(problem.columns.shape[1])])
    absorb = pd.DataFrame({"cell": pd.Categorical(problem.cells)})
    if absorb["cell"].cat.categories.size == 1:
        # One category has nothing to absorb and is the constant.
        return [_constant_only(columns, y, problem, options) for y in outcomes.T]
    answers = []
    for y in outcomes.T:
        weights = None if problem.weights is None else pd.Series(problem.weights)
        fit = AbsorbingLS(pd.Series(y, name="y"), columns, absorb=absorb, weights=weights).fit(**options)
        f = problem.n_focus
        answers.append((fit.params.to_numpy()[:f], fit.cov.to_numpy()[:f, :f]))
    return answers


def _linearmodels_options(problem: Problem) -> dict[str, Any]:
    covariance = problem.covariance
    kind = "clustered" if covariance.is_clustered else "robust" if covariance.is_robust else "unadjusted"
    # The classical variance divides by n - K, too.
    debiased = covariance.small_sample != "none" or not covariance.is_robust
    options: dict[str, Any] = {"cov_type": kind, "debiased": debiased}
    if problem.cluster is not None and covariance.is_clustered:
        options["clusters"] = pd.Series(problem.cluster)
    return options


def _constant_only(columns: pd.DataFrame, y: FloatArray, problem: Problem, options: dict[str, Any]) -> Answer:
    from linearmodels.iv import IV2SLS

    weights = None if problem.weights is None else pd.Series(problem.weights)
    fit = IV2SLS(pd.Series(y), columns.assign(constant=1.0), None, None, weights=weights).fit(**options)
    f = problem.n_focus
    return fit.params.to_numpy()[:f], fit.cov.to_numpy()[:f, :f]


def _by_textbook(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    return _sandwich(problem, problem.columns, problem.columns, outcomes)


def _sandwich(problem: Problem, regressors: FloatArray, instruments: FloatArray, outcomes: FloatArray) -> list[Answer]:
    """Two-stage least squares with a dummy for every cell; least squares when instruments are the regressors."""
    dummies = _dummies(problem)
    root = np.ones((outcomes.shape[0], 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
    x, z = np.hstack((regressors, dummies)) * root, np.hstack((instruments, dummies)) * root
    fitted = z @ (np.linalg.pinv(z) @ x)
    inverse = np.asarray(np.linalg.pinv(fitted), dtype=np.float64)
    leverage = np.einsum("ik,ki->i", fitted, inverse)
    answers = []
    for y in (outcomes * root).T:
        beta = inverse @ y
        cov = _sandwich_cov(problem, inverse[: problem.n_focus], y - x @ beta, leverage, x.shape[1])
        answers.append((beta[: problem.n_focus], cov))
    return answers


def _sandwich_cov(problem: Problem, own: FloatArray, residual: FloatArray, leverage: FloatArray, k: int) -> FloatArray:
    """Covariance of the coefficients whose rows of the pseudo-inverse are ``own``."""
    n, covariance = residual.size, problem.covariance
    if not covariance.is_robust:
        return np.asarray(own @ own.T * float(residual @ residual) / (n - k))
    inside = 1.0 - leverage > 1e-9
    scores = own * np.where(inside, residual, 0.0)
    scores = scores / np.where(inside, 1.0 - leverage, 1.0) ** (covariance.leverage_power / 2)
    groups = 0
    if covariance.is_clustered and problem.cluster is not None:
        codes = np.unique(problem.cluster, return_inverse=True)[1]
        scores = np.stack([np.bincount(codes, weights=row) for row in scores])
        groups = scores.shape[1]
    return np.asarray(scores @ scores.T * covariance.factor(n=n, df_resid=n - k, n_clusters=groups))


def _take_up_by_statsmodels(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    """Indirect least squares: b = rho / pi, whose residual y - b d is that of its regression on treatment."""
    stages = _by_statsmodels(problem, np.column_stack((taken, outcomes)))
    pi = stages[0][0][0]
    ratios = np.array([stage[0][0] for stage in stages[1:]]) / pi
    apart = _by_statsmodels(problem, outcomes - taken[:, None] * ratios)
    return [(np.array([b]), cov[:1, :1] / pi**2) for b, (_, cov) in zip(ratios, apart, strict=True)]


def _take_up_by_linearmodels(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    from linearmodels.iv import IV2SLS

    exogenous = np.hstack((problem.columns[:, 1:], _dummies(problem)))
    answers = []
    for y in outcomes.T:
        model = IV2SLS(y, exogenous, taken, problem.columns[:, 0], weights=problem.weights)
        fit = model.fit(**_linearmodels_options(problem))
        answers.append((fit.params.to_numpy()[-1:], fit.cov.to_numpy()[-1:, -1:]))
    return answers


def _take_up_by_textbook(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    regressors = np.column_stack((taken, problem.columns[:, 1:]))
    return _sandwich(problem, regressors, problem.columns, outcomes)


def _by_within(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    weights = np.ones(problem.cells.size) if problem.weights is None else problem.weights
    cells = pd.Series(problem.cells)
    total = pd.Series(weights).groupby(cells).transform("sum").to_numpy()[:, None]

    def apart(values: FloatArray) -> FloatArray:
        sums = pd.DataFrame(values * weights[:, None]).groupby(cells).transform("sum").to_numpy()
        return np.asarray((values - sums / total) * np.sqrt(weights)[:, None])

    x, y = apart(problem.columns), apart(outcomes)
    n, k = problem.cells.size, problem.columns.shape[1] + int(cells.nunique())
    inverse = np.asarray(np.linalg.pinv(x))
    beta = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)
    residuals = y - x @ beta
    leverage = np.zeros(n)  # not asked for: HC2 and HC3 need the whole matrix
    f = problem.n_focus
    return [(beta[:f, j], _sandwich_cov(problem, inverse[:f], residuals[:, j], leverage, k)) for j in range(y.shape[1])]


_LEAST_SQUARES: dict[Engine, Callable[[Problem, FloatArray], list[Answer]]] = {
    "statsmodels": _by_statsmodels,
    "linearmodels": _by_linearmodels,
    "textbook": _by_textbook,
    "within": _by_within,
}
_INSTRUMENTED: dict[Engine, Callable[[Problem, FloatArray, FloatArray], list[Answer]]] = {
    "statsmodels": _take_up_by_statsmodels,
    "linearmodels": _take_up_by_linearmodels,
    "textbook": _take_up_by_textbook,
}
