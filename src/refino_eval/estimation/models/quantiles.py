"""Effects on the distribution of an outcome: differences of the arms' quantiles, and quantile regression.

The unconditional effect at a quantile is the difference between the quantiles of the outcome if everybody were treated and if nobody
were. Where the share treated differs between cells, people are weighted so that both arms have everybody's composition of cells:
w_i = n_c / n_c,arm (Firpo 2007, Econometrica 75(1), with the propensity score of the design). Cells of one arm have no such weight
and are left out. Quantile regression (Koenker and Bassett 1978) is about the outcome's distribution given controls and cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
from scipy import linalg, special

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    check_finite,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.models.nonlinear import dense_columns

ROUNDING = 1e-12
"""What a cumulated share may lack of a quantile and still have reached it."""
MOST_DRAWN = 4_000_000
"""Numbers that are held at once while people are resampled."""


@dataclass(frozen=True, eq=False)
class QuantileSample:
    """The people of one outcome, for other programs to compute its effects again.

    Attributes
    ----------
    y, treated, weights
        Outcome, treatment, and weights, each (n,).
    columns
        Of a quantile regression: treatment, controls and a dummy for every cell, shape (n, k); else None.
    clusters
        Codes of the clusters in which scores are summed, shape (n,), or None.
    """

    y: FloatArray
    treated: FloatArray
    weights: FloatArray
    columns: FloatArray | None
    clusters: IntArray | None


@dataclass(frozen=True, eq=False)
class QuantileTable:
    """Effects at quantiles, arrays of shape (J, Q); ``n`` and ``n_left_out`` (people in cells of one arm) of shape (J,).

    Standard errors of differences of quantiles are the standard deviation of the differences in ``draws`` resamples; those of quantile
    regression are the kernel estimate of Powell (1991). p-values and intervals are normal. ``coefficients`` has all coefficients of each
    quantile regression, J tuples of Q; none of differences.
    """

    outcomes: tuple[str, ...]
    quantiles: tuple[float, ...]
    estimate: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    n: IntArray
    n_left_out: IntArray
    draws: int
    level: float
    samples: tuple[QuantileSample, ...]
    coefficients: tuple[tuple[FloatArray, ...], ...]


def quantile_differences(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    quantiles: Sequence[float],
    seed: int,
    draws: int = 999,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> QuantileTable:
    """Estimate the difference of the arms' quantiles of each outcome, with a stratified bootstrap.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated, names, options
        As in `itt.itt`, without controls. The quantile of an arm is the smallest value that a share of its weights have not exceeded.
        Resamples draw people within cell and arm, as they were assigned; with clusters, whole clusters within cell and arm where each
        is in one, else within the arm, else at large.
    quantiles
        Between 0 and 1.
    seed
        Of the random numbers.
    draws
        Number of resamples.

    Raises
    ------
    UserError
        As `itt`, and when no cell has both arms.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A difference of quantiles", "controls", "interacted")
    inputs.require_one_way("A difference of quantiles")
    points = np.asarray(_checked(quantiles))

    def effect(values: FloatArray, among: RegressionInputs) -> _Effect:
        rows = np.flatnonzero(among.rows)
        kept = _cells_of_both_arms(among.cells[rows], among.treated[rows])
        if not kept.any():
            raise UserError("No cell has both arms, so that their quantiles cannot be compared; use coarser cells.")
        rows, lost = rows[kept], int(np.count_nonzero(~kept))
        own = np.ones(rows.size) if among.weights is None else among.weights[rows]
        cells = np.unique(among.cells[rows], return_inverse=True)[1]
        clusters = None if among.summed_in is None else np.unique(among.summed_in[rows], return_inverse=True)[1]
        y, z = values[rows], among.treated[rows]
        weights = _balanced(own[None, :], cells, z)[0]
        estimate = _differences(y, z, weights[None, :], points)[0]
        rng = np.random.default_rng(seed)
        resampled = []
        for size in _chunks(draws, rows.size):
            counts = _resampled(rng, size, cells, z, clusters)
            resampled.append(_differences(y, z, _balanced(own * counts, cells, z), points))
        error = np.std(np.vstack(resampled), axis=0, ddof=1)
        return _Effect(estimate, error, QuantileSample(y, z, weights, None, clusters), lost)

    return _table(outcomes, inputs, names, points, effect, draws)


def quantile_regression(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    quantiles: Sequence[float],
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> QuantileTable:
    """Estimate the coefficient of treatment in quantile regressions on treatment, controls and a dummy for every cell.

    The covariance is H^-1 J H^-1 with H = sum of w K(e / d) x x' / d, K uniform on [-1, 1], its bandwidth d from Hall and Sheather
    (1988) as in Koenker (2005, section 3.4.2), and J the sum of squares of the scores w x (tau - 1(e <= 0)), which are summed in
    clusters where the covariance is clustered, times G / (G - 1) (Parente and Santos Silva 2016, J. Econometric Methods 5(1)).

    Parameters
    ----------
    outcomes, quantiles
        As in `quantile_differences`.
    treated, names, options
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A quantile regression", "interacted")
    inputs.require_one_way("A quantile regression")
    points = np.asarray(_checked(quantiles))

    def effect(values: FloatArray, among: RegressionInputs) -> _Effect:
        rows = np.flatnonzero(among.rows)
        check_finite(among.controls[rows], among.control_names, what="Controls", remedy="Encode the missing values.")
        x, _ = dense_columns(among, rows)
        weights = np.ones(rows.size) if among.weights is None else among.weights[rows]
        clusters = None if among.summed_in is None else among.summed_in[rows]
        sample = QuantileSample(values[rows], among.treated[rows], weights, x, clusters)
        fits = [_regression(sample, x, float(point)) for point in points]
        estimate, error = np.array([beta[0] for beta, _ in fits]), np.array([error for _, error in fits])
        return _Effect(estimate, error, sample, 0, tuple(beta for beta, _ in fits))

    return _table(outcomes, inputs, names, points, effect, 0)


@dataclass(frozen=True, eq=False)
class _Effect:
    """Effects on one outcome at Q quantiles."""

    estimate: FloatArray
    std_error: FloatArray
    sample: QuantileSample
    n_left_out: int
    coefficients: tuple[FloatArray, ...] = ()


def _checked(quantiles: Sequence[float]) -> Sequence[float]:
    if not len(quantiles) or not all(0 < point < 1 for point in quantiles):
        raise UserError("quantiles must be numbers between 0 and 1, at least one; give 0.5 for the median.")
    return quantiles


def _table(
    outcomes: Columns,
    inputs: RegressionInputs,
    names: Sequence[str] | None,
    points: FloatArray,
    effect: Callable[[FloatArray, RegressionInputs], _Effect],
    draws: int,
) -> QuantileTable:
    """Return the table of an effect of each outcome on the people who have it."""
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    parts: dict[int, _Effect] = {}
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        for j in sample.columns:
            parts[int(j)] = effect(values[:, j], replace(inputs, rows=sample.rows))
    listed = [parts[j] for j in range(len(labels))]
    estimate, error = np.stack([part.estimate for part in listed]), np.stack([part.std_error for part in listed])
    inference = t_inference(estimate, error, np.inf, level=inputs.level)
    return QuantileTable(
        outcomes=labels, quantiles=tuple(points.tolist()), estimate=estimate, std_error=error, p_value=inference.p_value,
        conf_low=inference.conf_low, conf_high=inference.conf_high, n=np.array([part.sample.y.size for part in listed]),
        n_left_out=np.array([part.n_left_out for part in listed]), draws=draws, level=inputs.level,
        samples=tuple(part.sample for part in listed), coefficients=tuple(part.coefficients for part in listed),
    )  # fmt: skip


def _cells_of_both_arms(cells: IntArray, treated: FloatArray) -> BoolArray:
    share = np.bincount(cells, weights=treated) / np.maximum(np.bincount(cells), 1)
    return np.asarray((share[cells] > 0) & (share[cells] < 1))


def _balanced(weights: FloatArray, cells: IntArray, treated: FloatArray) -> FloatArray:
    """Return weights (R, n) that give each arm everybody's composition of cells; a cell that a resample has one arm of has none."""
    arm_cells = cells * 2 + treated.astype(np.int64)
    totals = np.stack([np.bincount(arm_cells, weights=row, minlength=2 * (int(cells.max()) + 1)) for row in weights])
    control, own = totals[:, 0::2], totals[:, 1::2]
    everybody = np.where((control > 0) & (own > 0), control + own, 0.0)
    factor = np.empty_like(totals)
    factor[:, 0::2], factor[:, 1::2] = everybody / np.maximum(control, ROUNDING), everybody / np.maximum(own, ROUNDING)
    return np.asarray(weights * factor[:, arm_cells])


def _differences(y: FloatArray, treated: FloatArray, weights: FloatArray, points: FloatArray) -> FloatArray:
    """Return the arms' differences of quantiles (R, Q) under weights (R, n)."""
    quantiles = []
    for arm in (1.0, 0.0):
        order = np.flatnonzero(treated == arm)
        order = order[np.argsort(y[order], kind="stable")]
        reached = np.cumsum(weights[:, order], axis=1)
        reached /= reached[:, -1:]
        # A share is reached at the first value whose cumulated weight is no less.
        places = np.stack([(reached < point - ROUNDING).sum(axis=1) for point in points], axis=1)
        quantiles.append(y[order][np.minimum(places, order.size - 1)])
    return np.asarray(quantiles[0] - quantiles[1])


def _chunks(draws: int, n: int) -> list[int]:
    most = max(1, MOST_DRAWN // max(n, 1))
    return [min(most, draws - start) for start in range(0, draws, most)]


def _resampled(
    rng: np.random.Generator, size: int, cells: IntArray, treated: FloatArray, clusters: IntArray | None
) -> FloatArray:
    """Return how often each person is in each resample, shape (size, n)."""
    units = np.arange(cells.size) if clusters is None else clusters
    n_units = int(units.max()) + 1
    groups = [cells * 2 + treated.astype(np.int64), treated.astype(np.int64), np.zeros(cells.size, dtype=np.int64)]
    # The finest of these groups that no unit is in several of; the last is one group.
    group = next(own for own in groups if np.unique(units * (int(own.max()) + 1) + own).size == n_units)
    of_unit = np.empty(n_units, dtype=np.int64)
    of_unit[units] = group
    counts = np.empty((size, n_units))
    for code in np.unique(of_unit):
        members = np.flatnonzero(of_unit == code)
        drawn = rng.integers(0, members.size, (size, members.size))
        drawn += members.size * np.arange(size)[:, None]
        counts[:, members] = np.bincount(drawn.ravel(), minlength=size * members.size).reshape(size, members.size)
    return counts[:, units]


def _regression(sample: QuantileSample, x: FloatArray, point: float) -> tuple[FloatArray, float]:
    """Return the coefficients at a quantile, and the standard error of that of treatment."""
    y, w = sample.y, sample.weights
    beta = _minimum(y, x, w, point)
    residual = y - x @ beta
    size = max(float(np.abs(y).max()), 1.0)
    residual[np.abs(residual) < 1e-9 * size] = 0.0
    n = y.size
    middle, density = special.ndtri(point), np.exp(-(special.ndtri(point) ** 2) / 2) / np.sqrt(2 * np.pi)
    reach = n ** (-1 / 3) * special.ndtri(0.975) ** (2 / 3) * (1.5 * density**2 / (2 * middle**2 + 1)) ** (1 / 3)
    reach = min(reach, 0.9 * min(point, 1 - point))
    low, high = np.quantile(residual, (0.25, 0.75))
    spread = min(float(np.std(residual, ddof=1)), float(high - low) / 1.34)
    width = spread * float(special.ndtri(point + reach) - special.ndtri(point - reach))
    if not width > 0:
        return beta, np.nan
    near = w * (np.abs(residual) <= width) / (2 * width)
    hessian = (x * near[:, None]).T @ x
    if np.linalg.cond(hessian) > 1e14:
        return beta, np.nan
    scores: FloatArray = x * (w * (point - (residual <= 0)))[:, None]
    factor = 1.0
    if sample.clusters is not None:
        codes = np.unique(sample.clusters, return_inverse=True)[1]
        scores = np.asarray(np.stack([np.bincount(codes, weights=column) for column in scores.T], axis=1))
        factor = len(scores) / max(len(scores) - 1, 1)
    parts = scores @ np.asarray(np.linalg.inv(hessian)[:, 0], dtype=np.float64)
    return beta, float(np.sqrt(factor * parts @ parts))


def _minimum(y: FloatArray, x: FloatArray, w: FloatArray, point: float) -> FloatArray:
    """Return the coefficients that minimise the weighted check loss, by the dual linear programme (Koenker and d'Orey 1987)."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    scale = float(np.std(y)) or 1.0
    best = linprog(  # type: ignore[call-overload]
        -y / scale,
        A_eq=csr_array(x.T),
        b_eq=(1 - point) * (w @ x),
        bounds=np.column_stack((np.zeros(y.size), w)),
        method="highs",
    )
    if best.status != 0:
        raise UserError(
            f"the quantile regression at {point:g} has no solution ({best.message.strip()}); use fewer or coarser controls and cells."
        )
    beta: FloatArray = -np.asarray(best.eqlin.marginals, dtype=np.float64) * scale
    # A solution goes through as many people as there are coefficients: solving for these takes the solver's tolerance away.
    residual = np.abs(y - x @ beta)
    through = np.argsort(residual, kind="stable")[: max(4 * x.shape[1], 40)]
    through = through[residual[through] <= 1e-6 * scale]
    if through.size >= x.shape[1]:
        chosen = through[linalg.qr(x[through].T, mode="r", pivoting=True)[1][: x.shape[1]]]
        if np.linalg.cond(x[chosen]) < 1e12:
            exact = np.asarray(np.linalg.solve(x[chosen], y[chosen]), dtype=np.float64)
            if check_loss(y - x @ exact, w, point) <= check_loss(y - x @ beta, w, point) * (1 + 1e-9):
                beta = exact
    return beta


def check_loss(residual: FloatArray, weights: FloatArray, point: float) -> float:
    """Return the sum of the weighted check function of residuals, which quantile regression minimises."""
    return float(np.sum(weights * residual * (point - (residual < 0))))
