"""Survival: durations with censoring, survival curves, hazard ratios and the log-rank test.

statsmodels does the arithmetic and is imported when used; here inputs are checked, arms kept apart and results named.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import Cells, build_cells, encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    Vector,
    as_mask,
    as_vector,
    check_choice,
    check_finite,
    check_length,
    check_level,
)
from refino_eval.estimation.core.recording import open_recording
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.models.nonlinear import Coefficient

VARIES = 1e-12
"""Mean absolute deviation within a cell above which a regressor varies there, and is not rounded differently."""
ClusteredSurvival = Literal["CRV1", "CRV1_nested"]
GroupLabels = Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series


@dataclass(frozen=True, eq=False)
class SurvivalTable:
    """Survival (share still in the state) at T times in G groups, every array of shape (G, T) unless said otherwise.

    ``share`` is Kaplan and Meier's (1958), ``std_error`` Greenwood's, the interval that of the log-log scale, which
    stays between 0 and 1. ``at_risk`` have lasted to the time without end or censoring before it; ``ended`` and
    ``censored`` count up to and with the time. NaN from the time on at which nobody is left to be observed.
    ``median`` is the first time at which the share is one half or less (NaN: not reached), shape (G,).
    """

    times: FloatArray
    groups: tuple[str, ...]
    share: FloatArray
    std_error: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    at_risk: IntArray
    ended: IntArray
    censored: IntArray
    n: IntArray
    median: FloatArray
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per group and time."""
        index = pd.MultiIndex.from_product((self.groups, self.times), names=("group", "time"))
        names = ("share", "std_error", "conf_low", "conf_high", "at_risk", "ended", "censored")
        columns = {name: getattr(self, name).ravel() for name in names}
        return pd.DataFrame(columns, index=index).reset_index()


def survival_shares(
    durations: Vector,
    ended: Vector,
    *,
    times: Sequence[float] | FloatArray,
    by: GroupLabels | None = None,
    rows: BoolArray | None = None,
    level: float = 0.95,
) -> SurvivalTable:
    """Estimate the share whose spell lasts beyond each time (Kaplan and Meier 1958).

    Parameters
    ----------
    durations
        Time from the start to the end, or to the last day observed, above 0, shape (n,).
    ended
        1 when the end was observed, 0 when censored, shape (n,).
    times
        Times at which to report the share (months since start), increasing, shape (T,).
    by
        Labels of groups (arms), shape (n,).
    rows
        The people in question; None means all.
    level
        Confidence level.

    Raises
    ------
    UserError
        When a duration in use is missing or not above 0, or ``ended`` is not 0/1.
    """
    check_level(level)
    duration, event, used = _checked(durations, ended, rows)
    moment = np.asarray(times, dtype=np.float64)
    if moment.ndim != 1 or not moment.size or np.any(np.diff(moment) <= 0) or not np.all(np.isfinite(moment)):
        raise UserError("times must be increasing finite numbers, at least one; list the months since the start.")
    n = duration.size
    codes, labels = (np.zeros(n, dtype=np.int64), ["all"] * n) if by is None else (encode(by, n, what="by"), list(by))
    # Groups are reported in the order of their labels' text, whatever order people come in.
    label_of = {code: str(label) for code, label in zip(codes.tolist(), labels, strict=True)}
    order = sorted(np.unique(codes[used]).tolist(), key=lambda code: label_of[code])
    parts = [
        _one_group(duration[used & (codes == code)], event[used & (codes == code)], moment, level) for code in order
    ]
    stacked: dict[str, Any] = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    return SurvivalTable(times=moment, groups=tuple(label_of[code] for code in order), level=level, **stacked)


def _checked(durations: Vector, ended: Vector, rows: BoolArray | None) -> tuple[FloatArray, FloatArray, BoolArray]:
    duration, event = as_vector(durations, what="durations"), as_vector(ended, what="ended")
    check_length(event.size, duration.size, what="ended")
    used = np.ones(duration.size, dtype=bool) if rows is None else as_mask(rows, duration.size)
    problems = []
    wrong = int(np.count_nonzero(~(np.isfinite(duration[used]) & (duration[used] > 0))))
    if wrong:
        problems.append(
            f"durations must be above 0; {wrong} of {np.count_nonzero(used)} in use are missing or are not. Leave out people "
            "who never started, and count an end on the first day as half a day or more."
        )
    wrong = int(np.count_nonzero(~np.isin(event[used], (0.0, 1.0))))
    if wrong:
        problems.append(
            f"ended must be 1 (end observed) or 0 (censored); {wrong} of {np.count_nonzero(used)} in use are not."
        )
    if not used.any():
        problems.append("Nobody is in use; a survival curve needs at least one person who started.")
    if problems:
        raise UserError(*problems)
    return duration, event, used


def _one_group(
    duration: FloatArray, event: FloatArray, times: FloatArray, level: float
) -> dict[str, npt.NDArray[np.generic]]:
    from statsmodels.duration.survfunc import SurvfuncRight

    at_risk = np.array([np.count_nonzero(duration >= t) for t in times])
    if event.any():
        curve = SurvfuncRight(duration, event)
        index = np.searchsorted(curve.surv_times, times, side="right") - 1
        share = np.where(index >= 0, curve.surv_prob[np.maximum(index, 0)], 1.0)
        error = np.where(index >= 0, curve.surv_prob_se[np.maximum(index, 0)], 0.0)
        low = curve.surv_times[curve.surv_prob <= 0.5]
        median = float(low[0]) if low.size else np.nan
    else:
        share, error, median = np.ones(times.size), np.zeros(times.size), np.nan
    # Beyond the last observed duration the curve is not identified, unless it has come down to 0.
    unknown = (times > duration.max()) & (share > 0)
    share, error = np.where(unknown, np.nan, share), np.where(unknown, np.nan, error)
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    # Interval on the scale log(-log S), whose derivative is 1 / (S log S), so that it stays between 0 and 1 (Kalbfleisch and
    # Prentice 1980).
    reach = special.ndtri(0.5 + level / 2) * np.where(inside, error, 0.0) / np.abs(safe * np.log(safe))
    error = np.where(share == 0, 0.0, error)
    return {
        "share": share,
        "std_error": error,
        "conf_low": np.where(inside, safe ** np.exp(reach), share),
        "conf_high": np.where(inside, safe ** np.exp(-reach), share),
        "at_risk": at_risk,
        "ended": np.array([np.count_nonzero((duration <= t) & (event == 1)) for t in times]),
        "censored": np.array([np.count_nonzero((duration <= t) & (event == 0)) for t in times]),
        "n": np.asarray(duration.size),
        "median": np.asarray(median),
    }


@dataclass(frozen=True, eq=False, repr=False)
class AtRisk:
    """Durations, who is observed to end, regressors (treatment first), cells and clusters of the people whose hazards are compared."""

    duration: FloatArray
    ended: BoolArray
    columns: FloatArray
    cells: IntArray
    clusters: IntArray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class FittedHazard:
    """The people and coefficients of a Cox model, for other programs to fit it again."""

    sample: AtRisk
    coefficients: FloatArray


@dataclass(frozen=True)
class HazardRatio:
    """Effect of treatment on the hazard (Cox 1972), with a separate baseline hazard for each cell.

    ``log_ratio`` and its standard error are of the partial likelihood with Efron's ties; the p-value is normal. With clusters the
    standard error sums score residuals in them, times G / (G - 1) (Lin and Wei 1989, JASA 84(408); Stata's `stcox, vce(cluster)`).
    ``n_informative`` are in cells with both arms and an observed end; people in others bear on the effect through the controls alone.
    ``coefficients`` has the log hazard ratio of each control, and ``fitted`` what was fitted, kept while a recording is open.
    """

    log_ratio: float
    std_error: float
    p_value: float
    hazard_ratio: float
    conf_low: float
    conf_high: float
    n: int
    n_ended: int
    n_informative: int
    n_cells: int
    n_cells_informative: int
    level: float
    coefficients: tuple[Coefficient, ...] = ()
    fitted: FittedHazard | None = None


def cox(
    durations: Vector, ended: Vector, treated: Vector | RegressionInputs, **options: Unpack[Options]
) -> HazardRatio:
    """Estimate the hazard ratio of the arms (time to the first job), stratified by cell.

    Parameters
    ----------
    durations, ended
        As in `survival_shares`.
    treated, options
        As in `itt.itt`: ``cells`` (strata of the baseline hazard), ``controls``, ``cluster`` (``vcov="CRV1"``), ``rows`` and
        ``level``.

    Raises
    ------
    UserError
        As `survival_shares`, and when no cell compares the arms.
    """
    from statsmodels.duration.hazard_regression import PHReg

    inputs, duration, event, groups = _compared(durations, ended, treated, options, "A Cox model")
    where = np.flatnonzero(inputs.rows)
    check_finite(
        inputs.controls[where],
        inputs.control_names,
        what="Controls",
        remedy="Encode the missing values (build_controls).",
    )
    columns = np.hstack((inputs.treated[:, None], inputs.controls))
    mean = groups.means(np.column_stack((inputs.treated[where], event[where])))
    informative = (mean[:, 0] > 0) & (mean[:, 0] < 1) & (mean[:, 1] > 0)
    if not informative.any():
        raise UserError(
            "No cell has both arms and an observed end, so that hazards cannot be compared; use coarser cells."
        )
    # The partial likelihood of a cell without an end, or in which nothing varies, is constant. One with a single arm still says
    # something of the controls, and so of the effect.
    deviation = columns[where] - groups.means(columns[where])[groups.codes]
    varies = groups.means(np.abs(deviation)).max(axis=1) > VARIES
    inside = where[(varies & (mean[:, 1] > 0))[groups.codes]]
    model = PHReg(duration[inside], columns[inside], status=event[inside], strata=inputs.cells[inside], ties="efron")
    fit = model.fit()
    beta, errors = np.asarray(fit.params), np.asarray(fit.bse)
    clusters = None if inputs.summed_in is None else inputs.summed_in[inside]
    sample = AtRisk(duration[inside], event[inside] == 1, columns[inside], inputs.cells[inside], clusters)
    if clusters is not None:
        sums = _sums(_score_residuals(sample, beta, efron=True), clusters)
        inverse = np.asarray(fit.cov_params())
        errors = np.sqrt(np.diag(inverse @ sums.T @ sums @ inverse) * len(sums) / max(len(sums) - 1, 1))
    estimate, error = float(beta[0]), float(errors[0])
    reach = float(special.ndtri(0.5 + inputs.level / 2)) * error
    return HazardRatio(
        log_ratio=estimate,
        std_error=error,
        p_value=float(2 * special.ndtr(-abs(estimate / error))),
        hazard_ratio=float(np.exp(estimate)),
        conf_low=float(np.exp(estimate - reach)),
        conf_high=float(np.exp(estimate + reach)),
        n=where.size,
        n_ended=int(event[where].sum()),
        n_informative=int(np.count_nonzero(informative[groups.codes])),
        n_cells=groups.n_cells,
        n_cells_informative=int(np.count_nonzero(informative)),
        level=inputs.level,
        coefficients=tuple(map(Coefficient, inputs.control_names, beta[1:].tolist(), errors[1:].tolist())),
        fitted=None if open_recording() is None else FittedHazard(sample, beta),
    )


def _score_residuals(sample: AtRisk, beta: FloatArray, *, efron: bool) -> FloatArray:
    """Return each person's part of the score of the partial likelihood, shape (n, k) (Therneau and Grambsch 2000, section 4.6).

    A person's part is x less the mean of those at risk when the person ends, less the same deviations at all times at risk times the
    hazard that they add. Of m ends at one time, Efron's approximation lets a part l / m of them have left the risk set before the
    l-th; Breslow's keeps them.
    """
    x = sample.columns
    risk, residuals = np.exp(x @ beta), np.zeros_like(x)
    for code in np.unique(sample.cells):
        own = np.flatnonzero(sample.cells == code)
        for moment in np.unique(sample.duration[own][sample.ended[own]]):
            there = own[sample.duration[own] >= moment]
            ends = sample.ended[there] & (sample.duration[there] == moment)
            m = int(ends.sum())
            for part in range(m):
                weight = risk[there] * np.where(ends, 1 - (part / m if efron else 0.0), 1.0)
                share = weight / weight.sum()
                deviation = x[there] - share @ x[there]
                residuals[there] += (ends / m - share)[:, None] * deviation
    return residuals


def _sums(scores: FloatArray, clusters: IntArray) -> FloatArray:
    """Return the sums of scores in clusters, shape (G, k)."""
    codes = np.unique(clusters, return_inverse=True)[1]
    return np.stack([np.bincount(codes, weights=column) for column in scores.T], axis=1)


@dataclass(frozen=True)
class LogRank:
    """The log-rank test (Mantel 1966), combined over cells.

    ``observed`` and ``expected`` are ends in the treated arm; ``variance`` is that of their difference, hypergeometric at
    each time of an end in each cell, or with clusters the sum of squares of their scores. ``chi2`` has one degree of freedom.
    """

    observed: float
    expected: float
    variance: float
    chi2: float
    p_value: float
    n: int
    n_cells_informative: int


def log_rank(
    durations: Vector, ended: Vector, treated: Vector | RegressionInputs, **options: Unpack[Options]
) -> LogRank:
    """Test that the arms' durations have the same distribution, comparing people within cells only.

    Parameters
    ----------
    durations, ended
        As in `survival_shares`.
    treated, options
        As in `itt.itt`: ``cells``, ``cluster`` and ``rows``.

    Raises
    ------
    UserError
        As `survival_shares`, and when no cell compares the arms.
    """
    inputs, duration, event, _ = _compared(durations, ended, treated, options, "A log-rank test")
    inputs.refuse("A log-rank test", "controls")
    observed = expected = variance = 0.0
    informative = 0
    for code in np.unique(inputs.cells[inputs.rows]):
        inside = inputs.rows & (inputs.cells == code)
        t, d, z = duration[inside], event[inside] == 1, inputs.treated[inside]
        moments = np.unique(t[d])
        at_risk = t[:, None] >= moments
        ends = d[:, None] & (t[:, None] == moments)
        n, n_treated = at_risk.sum(axis=0), (at_risk * z[:, None]).sum(axis=0)
        count, share = ends.sum(axis=0), n_treated / n
        observed += float((ends * z[:, None]).sum())
        expected += float((count * share).sum())
        # A single person at risk leaves nothing to chance.
        # Hypergeometric variance of the treated among those who end (Mantel 1966); several ends at one time make the factor (n -
        # d) / (n - 1).
        spread = float((count * share * (1 - share) * (n - count) / np.maximum(n - 1, 1)).sum())
        variance += spread
        informative += spread > 0
    if variance == 0:
        raise UserError(
            "No cell has both arms and an observed end, so that durations cannot be compared; use coarser cells."
        )
    if inputs.summed_in is not None:
        # The test is that of the score at no effect, whose parts are summed in clusters (Lin and Wei 1989).
        use = np.flatnonzero(inputs.rows)
        sample = AtRisk(duration[use], event[use] == 1, inputs.treated[use, None], inputs.cells[use])
        variance = float(np.sum(_sums(_score_residuals(sample, np.zeros(1), efron=False), inputs.summed_in[use]) ** 2))
    chi2 = (observed - expected) ** 2 / variance
    return LogRank(
        observed=observed,
        expected=expected,
        variance=variance,
        chi2=chi2,
        p_value=float(special.chdtrc(1, chi2)),
        n=int(np.count_nonzero(inputs.rows)),
        n_cells_informative=informative,
    )


def _compared(
    durations: Vector, ended: Vector, treated: Vector | RegressionInputs, options: Options, analysis: str
) -> tuple[RegressionInputs, FloatArray, FloatArray, Cells]:
    """Check what the comparison of two arms' durations takes; the cells are of the people in use."""
    inputs = regression_inputs(treated, **options)
    inputs.refuse(analysis, "weights")
    inputs.require_one_way(analysis)
    if inputs.covariance.is_clustered:
        check_choice(inputs.vcov, ClusteredSurvival, what=f"vcov of {analysis[0].lower()}{analysis[1:]} with clusters")
    check_length(as_vector(durations, what="durations").size, inputs.n_rows, what="durations")
    duration, event, used = _checked(durations, ended, inputs.rows)
    return inputs, duration, event, build_cells(inputs.cells[used])
