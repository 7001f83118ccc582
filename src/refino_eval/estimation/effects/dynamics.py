"""Effects of the draw at each event time, with simultaneous bands and a joint test of the time before the draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Missing,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_treated,
    check_cluster,
    check_level,
)
from refino_eval.estimation.core.coefficient_tests import WaldTest, wald_test
from refino_eval.estimation.core.outcome_groups import joint_cov, prepare_passes
from refino_eval.estimation.effects.itt import EffectTable, effect_table
from refino_eval.estimation.effects.monthly_paths import check_times


@dataclass(frozen=True, eq=False)
class DynamicEffects:
    """Effects at T event times.

    Attributes
    ----------
    times
        Event times, shape (T,).
    effects
        Estimates, standard errors, pointwise intervals and samples, one a time.
    band_low, band_high
        Simultaneous band: covers the whole path with probability ``effects.level``, shape (T,).
    critical_value
        Of the largest |t| over all times.
    cov
        Joint covariance of the effects, shape (T, T).
    placebo
        Joint test that all effects before time ``onset`` are 0; None without such times.
    response
        Joint test that all effects from ``onset`` on are 0; None without such times.
    onset, draws, seed
        How the bands and tests were made.
    """

    times: IntArray
    effects: EffectTable
    band_low: FloatArray
    band_high: FloatArray
    critical_value: float
    cov: FloatArray
    placebo: WaldTest | None
    response: WaldTest | None
    onset: int
    draws: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row an event time: the columns of `EffectTable.to_frame`, with time, band_low and band_high."""
        frame = self.effects.to_frame()
        frame.insert(1, "time", self.times)
        return frame.assign(band_low=self.band_low, band_high=self.band_high)


def dynamics(
    values: Columns,
    treated: Vector,
    *,
    times: Sequence[int] | IntArray,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    missing: Missing = "available",
    rows: BoolArray | None = None,
    level: float = 0.95,
    onset: int = 0,
    draws: int = 20_000,
    seed: int = 1,
) -> DynamicEffects:
    """Estimate the effect of the draw at every event time.

    Parameters
    ----------
    values
        The variable at each event time, shape (n, T), missing as NaN. Times observed for the same people are one
        kernel pass.
    treated
        The draw, 0 or 1, shape (n,).
    times
        Event times of the columns, increasing, shape (T,).
    onset
        First time at which the draw can have an effect; earlier ones are the placebo period.
    draws, seed
        Of the simultaneous band's critical value; the same seed gives the same numbers.
    cells, controls, weights, cluster, vcov, singletons, missing, rows, level
        As in `itt`.

    Raises
    ------
    UserError
        As `itt`; and for classical errors when times have different samples.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    matrix, _ = as_columns(values, drawn.size, what="values")
    moment = check_times(times, matrix.shape[1])
    names = tuple(f"time {time}" for time in moment)
    passes = prepare_passes(
        matrix,
        names,
        drawn,
        cells=cells,
        controls=controls,
        weights=weights,
        cluster=cluster,
        singletons=singletons,
        missing=missing,
        rows=rows,
    )
    fits = [one.fit(matrix) for one in passes]
    effects = effect_table(passes, fits, matrix, names, drawn, vcov=vcov, level=level)
    cov = joint_cov(passes, fits, vcov, None if cluster is None else encode(cluster, drawn.size, what="cluster"))
    critical = sup_t(cov, level=level, draws=draws, seed=seed)
    return DynamicEffects(
        times=moment,
        effects=effects,
        band_low=effects.estimate - critical * effects.std_error,
        band_high=effects.estimate + critical * effects.std_error,
        critical_value=critical,
        cov=cov,
        placebo=_joint_test(effects, cov, moment < onset),
        response=_joint_test(effects, cov, moment >= onset),
        onset=onset,
        draws=draws,
        seed=seed,
    )


def cumulate(values: Columns, times: Sequence[int] | IntArray, *, start: int = 0) -> tuple[FloatArray, IntArray]:
    """Sum a monthly variable from ``start`` to each later event time; missing from a person's first missing month on.

    Parameters
    ----------
    values
        Shape (n, T).
    times
        Event times, increasing and without gaps from ``start``, shape (T,).
    start
        First event time that counts.

    Returns
    -------
    tuple
        Sums of shape (n, S), and the S event times from ``start`` on. Their effects come from `dynamics`.

    Raises
    ------
    UserError
        When a month from ``start`` on is absent, since the sum would then miss it silently.
    """
    matrix, _ = as_columns(values, None, what="values")
    moment = check_times(times, matrix.shape[1])
    later = moment >= start
    expected = np.arange(start, start + np.count_nonzero(later))
    if not later.any() or not np.array_equal(moment[later], expected):
        raise UserError(
            f"Sums from event time {start} need every time from there on; the columns do not hold them all."
        )
    return np.cumsum(matrix[:, later], axis=1), moment[later]


def sup_t(cov: FloatArray, *, level: float = 0.95, draws: int = 20_000, seed: int = 1) -> float:
    """Find the critical value of the largest |t| among jointly normal estimates.

    Parameters
    ----------
    cov
        Joint covariance, shape (T, T); estimates without variance are left out.
    level
        Coverage of the whole path.
    draws, seed
        Normal draws, and the seed of `numpy.random.default_rng`.

    Returns
    -------
    float
        NaN when no estimate has a variance. Never below the pointwise normal value, nor above Sidak's beyond
        simulation error.

    Notes
    -----
    Montiel Olea and Plagborg-Moller (2019), algorithm 1 (plug-in sup-t). The multiplier bootstrap with the people's
    influence has the same distribution, since sum_i xi_i psi_i with normal xi is normal with covariance psi'psi. All
    draws are taken in one call, and the square root is the symmetric one, so that neither chunks nor the signs of
    eigenvectors enter.
    """
    check_level(level)
    scale = np.sqrt(np.diag(cov))
    used = scale > 0
    if not used.any():
        return float("nan")
    values, vectors = np.linalg.eigh(cov[np.ix_(used, used)] / np.outer(scale[used], scale[used]))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    normal = np.random.default_rng(seed).standard_normal((draws, values.size))
    return float(np.quantile(np.abs(normal @ root).max(axis=1), level))


def _joint_test(effects: EffectTable, cov: FloatArray, chosen: np.ndarray) -> WaldTest | None:
    """Test the chosen effects jointly, with the fewest degrees of freedom among their samples."""
    if not chosen.any():
        return None
    return wald_test(effects.estimate[chosen], cov[np.ix_(chosen, chosen)], float(effects.df[chosen].min()))
