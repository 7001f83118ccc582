"""How strongly an unobserved trait must be related to treatment and outcome to explain an adjusted difference.

Cinelli and Hazlett (2020, Journal of the Royal Statistical Society B 82(1)): with Z unobserved, D treatment, X covariates,

    |bias| = s sqrt(R2(Y~Z|D,X) R2(D~Z|X) / (1 - R2(D~Z|X))),   s = sd(residual of Y) / sd(residual of D),

exactly, whatever Z is (their eq. 14). From f2 = R2(Y~D|X) / (1 - R2(Y~D|X)) follow the robustness values: the share of the residual
variation of both treatment and outcome that Z must explain to reduce the estimate by a share q (eq. 19), or to let a test of that
not reject (eq. 20). An observed covariate gives the strength a scale: the bounds on a Z that is k times as strong (section 4.4).

Oster (2019, Journal of Business and Economic Statistics 37(2)): with the selection on unobservables delta times that on observables
and R_max the R2 of a regression on everything, the movement of coefficient and R2 between a short and the full regression gives the
delta at which the effect is zero, and the effect at delta = 1 (proposition 3, with cells partialled out of everything).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
from scipy import optimize, special

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import BoolArray, Columns, FloatArray, IntArray, Vector, as_columns
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples

MOST_TIMES = 1_000.0
"""Multiples of a covariate's strength beyond which none is reported."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Bounds on an unobserved trait that is k times as strong as an observed covariate; arrays of shape (K, J) for K multiples.

    Attributes
    ----------
    with_treatment, with_outcome
        R2(D~Z|X), R2(Y~Z|D,X) at most; NaN where no trait can be so strong.
    estimate, conf_low, conf_high
        Adjusted for such a trait, in the direction that takes the estimate towards zero.
    times_to_zero, times_to_insignificance
        The k at which the estimate is zero, and at which its confidence interval includes zero, each (J,); infinite where none does.
    """

    name: str
    with_treatment: FloatArray
    with_outcome: FloatArray
    estimate: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    times_to_zero: FloatArray
    times_to_insignificance: FloatArray


@dataclass(frozen=True, eq=False)
class ConfoundingTable:
    """Sensitivity of J adjusted differences to an unobserved trait, every array of shape (J,) unless said otherwise.

    Attributes
    ----------
    estimate, std_error, df
        The regression's, under its covariance.
    partial_r_squared
        R2(Y~D|X): also the share of the residual outcome that a trait explaining all of treatment must explain (extreme scenario).
    robustness_value, robustness_value_interval
        RV_q and RV_{q,alpha}.
    scale
        s: bias per unit of sqrt(R2 R2 / (1 - R2)).
    adjusted_std_error
        What the standard error is per unit of sqrt((1 - R2(Y~Z|D,X)) / (1 - R2(D~Z|X))).
    multiples, benchmarks
        Multiples k, and the bounds by covariate.
    short_estimate, short_r_squared, r_squared
        Without covariates, and R2 of the short and the full regression: within cells, or of all variation where cells are observed
        traits.
    r_max, delta, adjusted
        Rules for R_max, (R,); Oster's delta for an effect of zero and the effect at delta = 1, each (R, J).
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    df: FloatArray
    partial_r_squared: FloatArray
    robustness_value: FloatArray
    robustness_value_interval: FloatArray
    scale: FloatArray
    adjusted_std_error: FloatArray
    critical: FloatArray
    multiples: tuple[float, ...]
    benchmarks: tuple[Benchmark, ...]
    short_estimate: FloatArray
    short_r_squared: FloatArray
    r_squared: FloatArray
    r_max: FloatArray
    delta: FloatArray
    adjusted: FloatArray
    n: IntArray
    sources: tuple[object, ...]
    short_sources: tuple[object, ...]
    vcov: Vcov
    level: float


def unobserved_confounding(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    benchmarks: Mapping[str, Sequence[str]],
    *,
    multiples: Sequence[float] = (1.0, 2.0, 3.0),
    reduction: float = 1.0,
    r_max: Sequence[float] = (1.3, np.inf),
    cells_are_observed: bool = False,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> ConfoundingTable:
    """Return what an unobserved trait must be like to explain an adjusted difference.

    Parameters
    ----------
    outcomes, treated, names, options
        As in `itt.itt`, additive; outcomes on one sample.
    benchmarks
        Name -> names of the controls (columns) that are that covariate.
    multiples
        Multiples k of their strength.
    reduction
        q: the share by which the trait reduces the estimate; 1 takes it to zero.
    r_max
        R_max is this factor times the R2 of the full regression, at most 1.
    cells_are_observed
        Whether cells are observed traits like the controls (offices of a comparison that was not randomised), so that the short
        regression is without them and R2 is of all variation; otherwise cells are part of the design, and in both regressions.

    Raises
    ------
    UserError
        As `itt.itt`; for interacted controls, or missing outcomes under ``missing="available"``.

    Notes
    -----
    The bias does not depend on the covariance. With a robust or clustered one the standard error after adjustment is the standard
    error times sqrt((1 - R2(Y~Z|D,X)) / (1 - R2(D~Z|X)) df / (df - 1)), the factor of the classical one; the degrees of freedom of
    the t distribution are those of the covariance, less one where they are n - K. With the classical covariance
    everything equals the published formulas.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("An analysis of unobserved confounding", "interacted", "own_controls")
    if inputs.missing == "available":
        raise UserError(
            "An analysis of unobserved confounding compares regressions of the same people: choose missing 'common'."
        )
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    used = choose_samples(values, labels, inputs.missing, among=inputs.rows)[0].rows
    inputs = replace(inputs, rows=used)
    design = design_of(inputs)
    fit = design.fit(values)
    estimate, std_error = fit.estimates, fit.std_errors(inputs.vcov)[0]
    df_resid, df = design.df_resid, float(design.df(inputs.vcov))
    # A trait takes one degree of freedom; those of clusters remain.
    freedom = df - 1 if df == df_resid else df
    critical = float(special.stdtrit(freedom, (1 + inputs.level) / 2))
    length = float(1 / np.sqrt(np.sum(design.dual[:, 0] ** 2)))
    scale = np.sqrt(fit.rss) / length
    adjusted_error = std_error * np.sqrt(df_resid / (df_resid - 1))
    f = np.abs(estimate) / scale
    f_critical = critical * adjusted_error / scale
    position = _Position(estimate, scale, adjusted_error, critical)
    plain = inputs.adjusted_for(np.empty((inputs.n_rows, 0)), ())
    if cells_are_observed:
        plain = replace(plain, cells=np.zeros_like(inputs.cells))
    raw = design_of(plain).fit(values)
    raw.std_errors(inputs.vcov)
    r_squared = 1 - fit.rss / raw.tss_within
    rules = np.asarray(r_max, dtype=np.float64)
    oster = [_oster(raw, fit, np.minimum(rule * r_squared, 1.0)) for rule in rules]
    return ConfoundingTable(
        outcomes=labels, estimate=estimate, std_error=std_error, df=np.full(len(labels), df),
        partial_r_squared=f**2 / (1 + f**2),
        robustness_value=robustness_value(reduction * f, np.zeros_like(f)),
        robustness_value_interval=robustness_value(reduction * f, f_critical),
        scale=scale, adjusted_std_error=adjusted_error, critical=np.full(len(labels), critical),
        multiples=tuple(float(k) for k in multiples),
        benchmarks=tuple(
            _benchmark(name, columns, inputs, values, tuple(multiples), position) for name, columns in benchmarks.items()
        ),
        short_estimate=raw.estimates, short_r_squared=raw.r_squared_within, r_squared=r_squared, r_max=rules,
        delta=np.stack([delta for delta, _ in oster]), adjusted=np.stack([value for _, value in oster]),
        n=np.full(len(labels), design.n, dtype=np.int64),
        sources=tuple(fit.source(inputs.vcov, j) for j in range(len(labels))),
        short_sources=tuple(raw.source(inputs.vcov, j) for j in range(len(labels))),
        vcov=inputs.vcov, level=inputs.level,
    )  # fmt: skip


def robustness_value(f: FloatArray, f_critical: FloatArray) -> FloatArray:
    """Return RV_{q,alpha}, shape (J,): the strength with both treatment and outcome that makes q|t| reach its critical value.

    Parameters
    ----------
    f
        q times Cohen's f of treatment with the outcome, |t| / sqrt(df).
    f_critical
        The critical value of t over sqrt(df - 1); 0 gives RV_q.

    Notes
    -----
    With g = f - f_critical, RV = (sqrt(g^4 + 4 g^2) - g^2) / 2 (Cinelli and Hazlett 2020), 0 where g is not above 0.
    Equal strengths suffice while f < 1 / f_critical; beyond, the least strength is with a trait that explains all of the outcome
    (Cinelli and Hazlett 2025, Biometrika 112(2), theorem 3), as in the package sensemakr.
    """
    f, f_critical = np.asarray(f, dtype=np.float64), np.asarray(f_critical, dtype=np.float64)
    gap = f - f_critical
    interior = (np.sqrt(gap**4 + 4 * gap**2) - gap**2) / 2
    corner = (f**2 - f_critical**2) / (1 + f**2)
    return np.asarray(np.where(gap <= 0, 0.0, np.where(f * f_critical > 1, corner, interior)))


def adjusted_for_trait(
    estimate: FloatArray, scale: FloatArray, with_treatment: FloatArray, with_outcome: FloatArray
) -> FloatArray:
    """Return the estimate less the bias of a trait of this strength, towards zero and beyond.

    The bias is ``scale``, the classical standard error times sqrt(df), times sqrt(R2(Y~Z|D,X) R2(D~Z|X) / (1 - R2(D~Z|X)))
    (Cinelli and Hazlett 2020).
    """
    bias = scale * np.sqrt(with_outcome * with_treatment / (1 - with_treatment))
    return np.asarray(np.sign(estimate) * (np.abs(estimate) - bias))


@dataclass(frozen=True, eq=False)
class _Position:
    """An estimate, and what moves it."""

    estimate: FloatArray
    scale: FloatArray
    adjusted_error: FloatArray
    critical: float

    def moved(self, with_treatment: FloatArray, with_outcome: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the adjusted estimate and half the width of its confidence interval."""
        value = adjusted_for_trait(self.estimate, self.scale, with_treatment, with_outcome)
        return value, self.critical * self.adjusted_error * np.sqrt((1 - with_outcome) / (1 - with_treatment))


def _benchmark(
    name: str,
    columns: Sequence[str],
    inputs: RegressionInputs,
    values: FloatArray,
    multiples: tuple[float, ...],
    position: _Position,
) -> Benchmark:
    """Return the bounds on traits k times as strong as some of the controls."""
    chosen = np.isin(inputs.control_names, list(columns))
    if not chosen.any():
        raise UserError(f"The benchmark '{name}' names no control of the regression ({', '.join(columns)}).")
    with_treatment = float(_partial_r_squared(inputs, chosen, inputs.treated[:, None], given_treatment=False)[0])
    with_outcome = _partial_r_squared(inputs, chosen, values, given_treatment=True)
    bounds = [trait_bounds(with_treatment, with_outcome, k) for k in multiples]
    moved = [position.moved(*bound) for bound in bounds]
    shape = np.zeros_like(with_outcome)
    return Benchmark(
        name=name,
        with_treatment=np.stack([d + shape for d, _ in bounds]),
        with_outcome=np.stack([y for _, y in bounds]),
        estimate=np.stack([value for value, _ in moved]),
        conf_low=np.stack([value - reach for value, reach in moved]),
        conf_high=np.stack([value + reach for value, reach in moved]),
        times_to_zero=_times(with_treatment, with_outcome, position, interval=False),
        times_to_insignificance=_times(with_treatment, with_outcome, position, interval=True),
    )


def trait_bounds(with_treatment: float, with_outcome: FloatArray, k: float) -> tuple[FloatArray, FloatArray]:
    """Return the most that a trait k times as strong as a covariate has of residual treatment and outcome, NaN where impossible.

    Parameters
    ----------
    with_treatment, with_outcome
        Partial R2 of the covariate with treatment given the others, and with the outcome given treatment and the others.
    k
        The multiple, with treatment and with the outcome.

    Notes
    -----
    Cinelli and Hazlett (2020), section 4.4 and supplement B.1, with f2 = R2 / (1 - R2) of the covariate:
    R2(D~Z|X) = k f2_D; eta = (sqrt k + |r|) / sqrt(1 - r2), with r2 = k R2_D^2 / ((1 - k R2_D)(1 - R2_D)) the partial R2 of trait and
    covariate given treatment; R2(Y~Z|D,X) <= eta^2 f2_Y, at most 1.
    """
    outcome = np.asarray(with_outcome, dtype=np.float64)
    d = k * with_treatment / (1 - with_treatment) if with_treatment < 1 else np.inf
    shared = (
        k * with_treatment**2 / ((1 - k * with_treatment) * (1 - with_treatment)) if k * with_treatment < 1 else np.inf
    )
    if not (d < 1 and shared < 1):
        return np.full_like(outcome, np.nan), np.full_like(outcome, np.nan)
    eta = (np.sqrt(k) + np.sqrt(shared)) / np.sqrt(1 - shared)
    with np.errstate(divide="ignore"):
        odds = np.where(outcome < 1, outcome / np.maximum(1 - outcome, 1e-300), np.inf)
    return np.full_like(outcome, d), np.minimum(eta**2 * odds, 1.0)


def _times(with_treatment: float, with_outcome: FloatArray, position: _Position, *, interval: bool) -> FloatArray:
    """Return the multiple at which the estimate (or the nearer end of its interval) is zero, shape (J,); 0 where it already is."""
    result = np.full(with_outcome.size, np.inf)
    for j in range(with_outcome.size):

        def left(k: float, j: int = j) -> float:
            d, y = trait_bounds(with_treatment, with_outcome[[j]], k)
            if not np.isfinite(d[0]):
                return -1.0
            one = replace(
                position,
                estimate=position.estimate[[j]],
                scale=position.scale[[j]],
                adjusted_error=position.adjusted_error[[j]],
            )
            value, reach = one.moved(d, y)
            towards = float(value[0] * np.sign(one.estimate[0])) - (float(reach[0]) if interval else 0.0)
            return towards

        if left(0.0) <= 0:
            result[j] = 0.0
        elif left(MOST_TIMES) < 0:
            result[j] = float(optimize.brentq(left, 0.0, MOST_TIMES, xtol=1e-10))
    return result


def _partial_r_squared(
    inputs: RegressionInputs, chosen: BoolArray, values: FloatArray, *, given_treatment: bool
) -> FloatArray:
    """Return the share of what other controls (and treatment) leave unexplained that the chosen ones explain, shape (J,)."""
    others = inputs.controls[:, ~chosen]
    names = tuple(name for name, mine in zip(inputs.control_names, chosen, strict=True) if not mine)
    if given_treatment:
        others, names = np.hstack((others, inputs.treated[:, None])), (*names, "treated ")
    group = tuple(name for name, mine in zip(inputs.control_names, chosen, strict=True) if mine)
    design = design_of(inputs.adjusted_for(others, names), inputs.controls[:, chosen], group, collinear="drop")
    within = design.within(values)
    loadings = design.basis.T @ within
    first = design.control_basis.shape[1]
    total = np.einsum("ij,ij->j", within, within) - np.sum(loadings[:first] ** 2, axis=0)
    return np.asarray(np.sum(loadings[first:] ** 2, axis=0) / total)


def _oster(short: Fit, full: Fit, r_max: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the delta at which the effect is zero, and the effect at delta = 1, each (J,).

    With b0, R0 of the short and b, R of the full regression, v the bias b - beta, and variances of outcome (yy), treatment (xx) and
    of treatment given the covariates (t), proposition 3 states that delta is N(v) / M(v) with

        N = v (R - R0) yy t + v xx t (b0 - b)^2 + 2 v^2 t (b0 - b) xx + v^3 (t xx - t^2),
        M = (R_max - R) yy (b0 - b) xx + v (R_max - R) yy (xx - t) + v^2 t (b0 - b) xx + v^3 (t xx - t^2).

    For delta = 1 the cubic terms cancel, and of the two roots the one nearer to b is taken: the bias of observed and unobserved
    covariates has one sign (Oster's assumption 3).
    """
    yy = short.tss_within / full.design.n
    xx, t = (float(1 / np.sum(fit.design.dual[:, 0] ** 2)) / full.design.n for fit in (short, full))
    b0, b = short.estimates, full.estimates
    r0, r = short.r_squared_within, 1 - full.rss / short.tss_within
    move, left = b0 - b, (r_max - r) * yy

    def parts(v: FloatArray) -> tuple[FloatArray, FloatArray]:
        cubic = v**3 * (t * xx - t**2)
        top = v * (r - r0) * yy * t + v * xx * t * move**2 + 2 * v**2 * t * move * xx + cubic
        return top, left * move * xx + v * left * (xx - t) + v**2 * t * move * xx + cubic

    top, bottom = parts(b)
    delta = np.divide(top, bottom, out=np.full_like(b, np.inf), where=bottom != 0)
    square, linear, constant = t * move * xx, (r - r0) * yy * t + xx * t * move**2 - left * (xx - t), -left * move * xx
    adjusted = np.full_like(b, np.nan)
    for j in range(b.size):
        roots = np.roots([square[j], linear[j], constant[j]])
        real = roots[np.abs(roots.imag) < 1e-12].real
        if real.size:
            adjusted[j] = b[j] - real[np.argmin(np.abs(real))]
        elif constant[j] == 0:
            adjusted[j] = b[j]
    return delta, adjusted
