"""Effects at each event time, with simultaneous bands and a joint test of the time before random assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, Vector, as_columns, check_level
from refino_eval.estimation.core.coefficient_tests import WaldTest, wald_test
from refino_eval.estimation.core.outcome_groups import group_outcomes, joint_cov
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
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
        Estimates, standard errors, pointwise intervals and samples, one per time.
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
        Settings of the bands and tests.
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
        """One row per event time: the columns of `EffectTable.to_frame`, with time, band_low and band_high."""
        frame = self.effects.to_frame()
        frame.insert(1, "time", self.times)
        return frame.assign(band_low=self.band_low, band_high=self.band_high)


def dynamics(
    values: Columns,
    treated: Vector | RegressionInputs,
    *,
    times: Sequence[int] | IntArray,
    onset: int = 0,
    draws: int = 20_000,
    seed: int = 1,
    **options: Unpack[Options],
) -> DynamicEffects:
    """Estimate the effect of treatment at every event time.

    Parameters
    ----------
    values
        The variable at each event time, shape (n, T), missing as NaN. Times observed for the same people share a design.
    treated, options
        As in `itt`, except that ``missing`` is ``"available"`` unless said otherwise.
    times
        Event times of the columns, increasing, shape (T,).
    onset
        First time at which treatment can have an effect; earlier ones are the placebo period.
    draws, seed
        Of the simultaneous band's critical value; the same seed gives the same numbers.

    Raises
    ------
    UserError
        As `itt`; and for the classical covariance when times have different samples.
    """
    if not isinstance(treated, RegressionInputs):
        options = Options(missing="available") | options
    inputs = regression_inputs(treated, **options)
    matrix, _ = as_columns(values, inputs.n_rows, what="values")
    moment = check_times(times, matrix.shape[1])
    names = tuple(f"time {time}" for time in moment)
    effects, cov = joint_effects(matrix, inputs, names=names)
    # Bands widen every pointwise interval by one critical value, that of the largest |t| over times.
    # With estimated degrees of freedom the band is that of the multivariate t, with the fewest among the samples.
    freedom = float(effects.df.min()) if inputs.covariance.has_satterthwaite else None
    critical = sup_t(cov, level=inputs.level, draws=draws, seed=seed, df=freedom)
    return DynamicEffects(
        times=moment,
        effects=effects,
        band_low=effects.estimate - critical * effects.std_error,
        band_high=effects.estimate + critical * effects.std_error,
        critical_value=critical,
        cov=cov,
        placebo=_joint_test(effects, cov, moment < onset, inputs),
        response=_joint_test(effects, cov, moment >= onset, inputs),
        onset=onset,
        draws=draws,
        seed=seed,
    )


def joint_effects(
    values: FloatArray, inputs: RegressionInputs, *, names: tuple[str, ...]
) -> tuple[EffectTable, FloatArray]:
    """Estimate the effects on several outcomes, which may have different people, with their joint covariance.

    Parameters
    ----------
    values
        Outcomes, shape (n, J), missing as NaN.
    inputs
        Of the regressions.
    names
        Of the outcomes.

    Returns
    -------
    tuple
        The effects, and their covariance from the influence of each person, shape (J, J).
    """
    groups = group_outcomes(values, names, inputs)
    fits = [group.fit(values) for group in groups]
    return effect_table(groups, fits, values, names, inputs), joint_cov(groups, fits, inputs)


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


def sup_t(
    cov: FloatArray, *, level: float = 0.95, draws: int = 20_000, seed: int = 1, df: float | None = None
) -> float:
    """Return the critical value of the largest |t| among jointly normal estimates.

    Parameters
    ----------
    cov
        Joint covariance, shape (T, T); estimates without variance are left out.
    level
        Coverage of the whole path.
    draws, seed
        Normal draws, and the seed of `numpy.random.default_rng`.
    df
        Degrees of freedom of the covariance, when it is estimated with few: the draws are then of the multivariate t.

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
    # Rounding can make an eigenvalue of a singular correlation matrix slightly negative.
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    normal = np.random.default_rng(seed).standard_normal((draws, values.size))
    largest = np.abs(normal @ root).max(axis=1)
    if df is not None:
        if not df > 0:
            return float("nan")
        # A multivariate t is normal draws over the root of one chi-squared / df for all coordinates.
        largest = largest / np.sqrt(np.random.default_rng([seed, 1]).chisquare(df, draws) / df)
    return float(np.quantile(largest, level))


def _joint_test(effects: EffectTable, cov: FloatArray, chosen: np.ndarray, inputs: RegressionInputs) -> WaldTest | None:
    """Test the chosen effects jointly, with the fewest degrees of freedom among their samples."""
    if not chosen.any():
        return None
    df = float(effects.df[chosen].min())
    return wald_test(effects.estimate[chosen], cov[np.ix_(chosen, chosen)], df, freedom=inputs.freedom(df))
