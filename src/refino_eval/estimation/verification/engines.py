"""Independent programs that estimate one regression's coefficients of interest and their covariance.

They share nothing with the kernel. Each engine is called so that it counts degrees of freedom as the kernel does, and so
that its known traps are avoided:

statsmodels
    a dummy for every cell, Student's t; people fitted exactly are left out before the covariances with leverage (their
    e^2 / (1 - h) would be 0 / 0), which changes nothing else.
linearmodels
    its absorber of cells (`pyhdfe`), two-stage least squares and covariance classes, for all outcomes of a design at once;
    the cells that were absorbed are added to the degrees of freedom. Where it lacks the covariance it gives estimates alone,
    and the entries of the covariance are missing.
textbook
    pseudo-inverses of the whole matrices, for the covariances with leverage of people or clusters and their degrees of
    freedom, which few programs offer with cells.
within
    pandas' deviations from (weighted) cell means and numpy's least squares, with all cells counted in the degrees of
    freedom: quick, for a family of outcomes of one design, and for more cells than a matrix of dummies can hold.

Engines are imported when used. The tests compare the kernel with pyfixest, too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from refino_eval.covariances import COVARIANCES, Covariance, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray, IntArray
from refino_eval.estimation.verification.dense_clusters import cluster_weights, freedom
from refino_eval.recent_results import RecentResults, content_of

Engine = Literal["statsmodels", "linearmodels", "textbook", "within"]
# Above this many numbers a matrix of dummies is not built; the engines that absorb cells remain.
MOST_DUMMIES = 60_000_000

Answer = tuple[FloatArray, FloatArray]
"""Coefficients of interest, shape (f,), and their covariance, shape (f, f)."""


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A regression as engines see it: columns of interest first, then controls; cells, weights and clusters.

    ``fixed_effects`` says of each column which further fixed effect its dummy is of, 0 for other columns, shape (k,).
    """

    columns: FloatArray
    n_focus: int
    cells: IntArray
    weights: FloatArray | None
    cluster: IntArray | None
    vcov: Vcov
    fixed_effects: IntArray | None = None

    @cached_property
    def content(self) -> bytes:
        """Hash of what a decomposition depends on: columns, cells and weights."""
        return content_of(self.columns, self.cells, self.weights)

    @cached_property
    def not_counted(self) -> int:
        """Parameters that the covariance leaves out of K: fixed effects nested in clusters, all but one constant."""
        if self.cluster is None or self.covariance.counts_nested:
            return 0
        clusters = pd.DataFrame(self.cluster)
        cells = pd.DataFrame(self.cells)
        count = (len(cells.drop_duplicates()) - 1) * _nested(cells, clusters)
        for number in () if self.fixed_effects is None else set(self.fixed_effects.tolist()) - {0}:
            dummies = pd.DataFrame(self.columns[:, self.fixed_effects == number])
            count += dummies.shape[1] * _nested(dummies, clusters)
        return count

    @property
    def n_clusters(self) -> int:
        """Clusters of the factor for small samples: of two dimensions the fewer."""
        return 0 if self.cluster is None else int(pd.DataFrame(self.cluster).nunique().min())

    @property
    def two_way(self) -> bool:
        """Whether the covariance has clusters in two dimensions."""
        return self.covariance.is_clustered and self.cluster is not None and self.cluster.ndim == 2

    def two_way_cov(self, cov: FloatArray, k: int) -> FloatArray:
        """Return a covariance with clusters in two dimensions as it is reported: with its factor, negative eigenvalues set to 0.

        ``k`` is the number of parameters.
        """
        free = self.cells.size - k + self.not_counted
        values, vectors = np.linalg.eigh(cov * self.n_clusters / (self.n_clusters - 1) * (self.cells.size - 1) / free)
        if values.max() < -1e-9 * np.abs(values).max():
            return np.full_like(cov, np.nan)
        return np.asarray(vectors @ np.diag(values.clip(min=0)) @ vectors.T)

    @property
    def covariance(self) -> Covariance:
        """What ``vcov`` stands for."""
        return COVARIANCES[self.vcov]


def _nested(groups: pd.DataFrame, clusters: pd.DataFrame) -> bool:
    """Return whether each group of people, by equal rows, is in one cluster of a dimension."""
    apart = len(groups.drop_duplicates())
    pairs = (pd.concat([groups, clusters[[name]]], axis=1, ignore_index=True) for name in clusters)
    return any(len(pair.drop_duplicates()) == apart for pair in pairs)


def ask(engine: Engine, problem: Problem, outcomes: FloatArray, taken: FloatArray | None = None) -> list[Answer]:
    """Ask one engine for coefficients of interest (of take-up, when given) and their covariance, one answer an outcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if taken is None:
            answers = _LEAST_SQUARES[engine](problem, outcomes)
        else:
            answers = _INSTRUMENTED[engine](problem, outcomes, taken)
    if problem.covariance.has_cluster_leverage and engine != "textbook":
        return [(b, np.full_like(cov, np.nan)) for b, cov in answers]
    return answers


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
            fixed_effects=problem.fixed_effects,
        )


_OF_COLUMNS = ("pinv_wexog", "normalized_cov_params", "wexog_singular_values", "rank", "_df_model", "_df_resid")
"""What a fit of statsmodels knows that depends on the columns alone."""


def _fitted(model: Any) -> list[Any]:
    model.fit()
    return [getattr(model, name) for name in _OF_COLUMNS]


def _pseudo_inverse(matrix: FloatArray) -> FloatArray:
    """Return the Moore-Penrose inverse of a matrix by numpy."""
    (inverse,) = _kept("pinv", content_of(matrix), lambda: (np.linalg.pinv(matrix),))
    return np.asarray(inverse, dtype=np.float64)


_DECOMPOSITIONS = RecentResults[Sequence[Any]](most=40_000_000)


def _kept(program: str, content: bytes, decompose: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    """Return what a program makes of the columns of a design; exhibits share designs, so the latest results are kept."""
    return _DECOMPOSITIONS.of(
        (program, content), decompose, lambda parts: sum(part.nbytes for part in parts if isinstance(part, np.ndarray))
    )


def _by_statsmodels(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    from statsmodels.regression.linear_model import WLS, RegressionResults

    covariance = problem.covariance
    if covariance.leverage_power:
        whole = problem
        problem, outcomes = _without_exact(problem, outcomes)
        if not np.abs(problem.columns[:, : problem.n_focus]).max(axis=0).all():
            # A coefficient of a single person goes with that person: statsmodels has no covariance for it.
            nothing = np.full(whole.n_focus, np.nan)
            return [(nothing, np.full((whole.n_focus, whole.n_focus), np.nan))] * outcomes.shape[1]
    x = np.hstack((problem.columns, _dummies(problem)))
    kind = problem.vcov.removesuffix("_BM") if covariance.is_robust else "nonrobust"
    options: dict[str, Any] = {"cov_type": kind, "use_t": True}
    if covariance.is_clustered:
        # With two dimensions statsmodels has the factor of each; the plain sum is scaled afterwards.
        options |= {
            "cov_type": "cluster",
            "cov_kwds": {"groups": problem.cluster, "use_correction": not problem.two_way},
        }
    # statsmodels divides by n less all columns.
    df_resid = x.shape[0] - x.shape[1]
    counted = df_resid / (df_resid + problem.not_counted)
    weights: FloatArray | float = 1.0 if problem.weights is None else problem.weights
    # Whether a dummy is a constant does not matter here, and takes statsmodels two decompositions to find out.
    model = WLS(outcomes[:, 0], x, weights=weights, hasconst=False)
    # `fit` decomposes the columns anew for every outcome; the decomposition it keeps is of the columns alone. Of its inverse
    # the robust covariances use the rows of the coefficients of interest, so that they are f x f and not k x k.
    of_columns = _kept("statsmodels", problem.content, lambda: _fitted(model))
    vars(model).update(zip(_OF_COLUMNS, of_columns, strict=True))
    f, inverse = problem.n_focus, model.pinv_wexog
    model.pinv_wexog = inverse[:f]
    answers = []
    for y in outcomes.T:
        model.endog, model.wendog = y, model.whiten(y)
        beta = inverse @ model.wendog
        fit = RegressionResults(model, beta, model.normalized_cov_params, **options)
        cov = np.asarray(fit.cov_params())[:f, :f]
        answers.append((beta[:f], problem.two_way_cov(cov, x.shape[1]) if problem.two_way else cov * counted))
    return answers


def _by_linearmodels(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    focus, y = _partialled_out(problem, problem.columns[:, : problem.n_focus], outcomes)
    return _by_linearmodels_parts(problem, focus, focus, y)


def _partialled_out(problem: Problem, *arrays: FloatArray) -> list[FloatArray]:
    """Return what cells and controls leave of the columns of each array, times the root weights (Frisch and Waugh 1933).

    `pyhdfe` absorbs the cells, as it does for `linearmodels.AbsorbingLS`; all columns together, since each costs little.
    """
    import pyhdfe

    weights = None if problem.weights is None else problem.weights[:, None]
    absorber = pyhdfe.create(problem.cells[:, None], drop_singletons=False, compute_degrees=False)
    controls = problem.columns[:, problem.n_focus :]
    together = np.asarray(absorber.residualize(np.hstack((controls, *arrays)), weights), dtype=np.float64)
    together *= 1.0 if weights is None else np.sqrt(weights)
    controls, values = together[:, : controls.shape[1]], together[:, controls.shape[1] :]
    if controls.shape[1]:
        values = values - controls @ np.linalg.lstsq(controls, values, rcond=None)[0]
    return np.hsplit(values, np.cumsum([array.shape[1] for array in arrays])[:-1])


def _by_linearmodels_parts(problem: Problem, x: FloatArray, z: FloatArray, outcomes: FloatArray) -> list[Answer]:
    """Two-stage least squares of outcomes on x by z, all partialled out; cells and controls count in the degrees of freedom."""
    from linearmodels.iv import IV2SLS
    from linearmodels.iv import covariance as of_linearmodels

    own = problem.covariance
    # The classical variance divides by n - K, too. Cells count as parameters even when each is part of one cluster, which is
    # why the class is called rather than `AbsorbingLS`, which then leaves them out.
    options: dict[str, Any] = {
        "debiased": own.small_sample != "none" or not own.is_robust,
        "extra_df": problem.columns.shape[1] - x.shape[1] + int(np.unique(problem.cells).size) - problem.not_counted,
    }
    kind = of_linearmodels.HeteroskedasticCovariance if own.is_robust else of_linearmodels.HomoskedasticCovariance
    if own.is_clustered:
        kind = of_linearmodels.ClusteredCovariance
        options["clusters"] = problem.cluster
    if problem.two_way:
        # linearmodels, too, has a factor for each dimension.
        options["debiased"] = False
    k = x.shape[1] + options["extra_df"] + problem.not_counted
    params = IV2SLS.estimate_parameters(x, outcomes, z, 1.0)
    covs = [np.asarray(kind(x, outcomes[:, [j]], z, params[:, [j]], **options).cov) for j in range(outcomes.shape[1])]
    return [(params[:, j], problem.two_way_cov(cov, k) if problem.two_way else cov) for j, cov in enumerate(covs)]


def _by_textbook(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    return _sandwich(problem, problem.columns, problem.columns, outcomes)


def _sandwich(problem: Problem, regressors: FloatArray, instruments: FloatArray, outcomes: FloatArray) -> list[Answer]:
    """Two-stage least squares with a dummy for every cell; least squares when instruments are the regressors."""
    dummies = _dummies(problem)
    root = np.ones((outcomes.shape[0], 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
    x, z = np.hstack((regressors, dummies)) * root, np.hstack((instruments, dummies)) * root
    # Second-stage regressors, whose pseudo-inverse gives two-stage least squares; residuals are of x itself.
    fitted = z @ (_pseudo_inverse(z) @ x)
    inverse = _pseudo_inverse(fitted)
    if problem.covariance.has_cluster_leverage:
        return _clustered(problem, x, fitted, inverse, outcomes * root, root[:, 0])
    leverage = np.einsum("ik,ki->i", fitted, inverse)
    answers = []
    for y in (outcomes * root).T:
        beta = inverse @ y
        cov = _sandwich_cov(problem, inverse[: problem.n_focus], y - x @ beta, leverage, x.shape[1])
        answers.append((beta[: problem.n_focus], cov))
    return answers


def _clustered(
    problem: Problem, x: FloatArray, fitted: FloatArray, inverse: FloatArray, outcomes: FloatArray, root: FloatArray
) -> list[Answer]:
    """Covariance with the leverage of clusters."""
    assert problem.cluster is not None
    f, codes = problem.n_focus, np.unique(problem.cluster, return_inverse=True)[1]
    weights = cluster_weights(fitted, inverse, inverse[:f], root, codes, problem.covariance.leverage_power)
    beta = inverse @ outcomes
    residuals = (outcomes - x @ beta) / root[:, None]
    answers = []
    for b, e in zip(beta[:f].T, residuals.T, strict=True):
        scores = np.stack([np.bincount(codes, weights=column * e) for column in weights.T])
        answers.append((b, np.asarray(scores @ scores.T)))
    return answers


def degrees_of_freedom(problem: Problem, loadings: FloatArray) -> float:
    """Return Satterthwaite's degrees of freedom of combinations of the coefficients of interest, loadings (q, f)."""
    root = np.ones(problem.cells.size) if problem.weights is None else np.sqrt(problem.weights)
    fitted = np.hstack((problem.columns, _dummies(problem))) * root[:, None]
    inverse = _pseudo_inverse(fitted)
    own = loadings @ inverse[: problem.n_focus]
    if problem.covariance.is_clustered:
        assert problem.cluster is not None
        clusters, power = problem.cluster, problem.covariance.leverage_power
        return freedom(fitted, inverse, cluster_weights(fitted, inverse, own, root, clusters, power), root, clusters)
    slack = 1.0 - np.einsum("ik,ki->i", fitted, inverse)
    inside = slack > 1e-9
    scale = np.where(inside, np.where(inside, slack, 1.0) ** (-problem.covariance.leverage_power / 2), 0.0)
    return freedom(fitted, inverse, (own * scale * root).T, root, np.arange(root.size))


def _sandwich_cov(problem: Problem, own: FloatArray, residual: FloatArray, leverage: FloatArray, k: int) -> FloatArray:
    """Covariance of the coefficients whose rows of the pseudo-inverse are ``own``."""
    n, covariance = residual.size, problem.covariance
    if not covariance.is_robust:
        return np.asarray(own @ own.T * float(residual @ residual) / (n - k))
    inside = 1.0 - leverage > 1e-9
    # A person fitted exactly has no residual; dividing its rounding by 1 - h = 0 would make one.
    scores = own * np.where(inside, residual, 0.0)
    scores = scores / np.where(inside, 1.0 - leverage, 1.0) ** (covariance.leverage_power / 2)
    groups = 0
    if problem.two_way:
        return problem.two_way_cov(_two_way_products(scores, problem), k)
    if covariance.is_clustered and problem.cluster is not None:
        codes = np.unique(problem.cluster, return_inverse=True)[1]
        scores = np.stack([np.bincount(codes, weights=row) for row in scores])
        groups = scores.shape[1]
    factor = covariance.factor(n=n, df_resid=n - k, n_clusters=groups, n_nested=problem.not_counted)
    return np.asarray(scores @ scores.T * factor)


def _two_way_products(scores: FloatArray, problem: Problem) -> FloatArray:
    """Return the products of scores, (f, n), summed in each dimension of clusters, less those of their intersection."""
    frame, clusters = pd.DataFrame(scores.T), pd.DataFrame(problem.cluster)
    total = np.zeros((scores.shape[0], scores.shape[0]))
    for by, sign in (([0], 1.0), ([1], 1.0), ([0, 1], -1.0)):
        sums = frame.groupby([clusters[name] for name in by]).sum().to_numpy()
        total += sign * sums.T @ sums
    return total


def _take_up_by_statsmodels(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    """Indirect least squares: b = rho / pi, whose residual y - b d is that of its regression on treatment."""
    stages = _by_statsmodels(problem, np.column_stack((taken, outcomes)))
    pi = stages[0][0][0]
    ratios = np.array([stage[0][0] for stage in stages[1:]]) / pi
    apart = _by_statsmodels(problem, outcomes - taken[:, None] * ratios)
    return [(np.array([b]), cov[:1, :1] / pi**2) for b, (_, cov) in zip(ratios, apart, strict=True)]


def _take_up_by_linearmodels(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    z, d, y = _partialled_out(problem, problem.columns[:, :1], taken[:, None], outcomes)
    return _by_linearmodels_parts(problem, d, z, y)


def _take_up_by_textbook(problem: Problem, outcomes: FloatArray, taken: FloatArray) -> list[Answer]:
    regressors = np.column_stack((taken, problem.columns[:, 1:]))
    return _sandwich(problem, regressors, problem.columns, outcomes)


def _by_within(problem: Problem, outcomes: FloatArray) -> list[Answer]:
    inverse, beta, residuals, k = _within(problem, outcomes)
    leverage = np.zeros(problem.cells.size)  # not asked for: HC2 and HC3 need the whole matrix
    return [
        (beta[:, j], _sandwich_cov(problem, inverse, residuals[:, j], leverage, k)) for j in range(outcomes.shape[1])
    ]


def _within(problem: Problem, outcomes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Return the pseudo-inverse's rows and coefficients of interest, the residuals, and the number of parameters."""
    weights = np.ones(problem.cells.size) if problem.weights is None else problem.weights
    cells = pd.Series(problem.cells)

    def apart(values: FloatArray, total: FloatArray) -> FloatArray:
        sums = pd.DataFrame(values * weights[:, None]).groupby(cells).transform("sum").to_numpy()
        return np.asarray((values - sums / total) * np.sqrt(weights)[:, None])

    def of_columns() -> Sequence[Any]:
        total = pd.Series(weights).groupby(cells).transform("sum").to_numpy()[:, None]
        x = apart(problem.columns, total)
        return total, x, np.linalg.pinv(x), int(cells.nunique())

    total, x, inverse, n_cells = _kept("within", problem.content, of_columns)
    y = apart(outcomes, total)
    beta = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)
    f = problem.n_focus
    return inverse[:f], beta[:f], y - x @ beta, problem.columns.shape[1] + n_cells


def influences(problem: Problem, outcomes: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return coefficients (f, J) by `within`, and people's influence on them (n, f, J), whose cross product is the covariance.

    None for covariances of another form: the classical one, and those with leverage.
    """
    covariance = problem.covariance
    if not covariance.is_robust or covariance.leverage_power or covariance.has_cluster_leverage:
        return None
    inverse, beta, residuals, k = _within(problem, outcomes)
    n = problem.cells.size
    factor = covariance.factor(n=n, df_resid=n - k, n_clusters=problem.n_clusters, n_nested=problem.not_counted)
    return beta, inverse.T[:, :, None] * residuals[:, None, :] * np.sqrt(factor)


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
