"""Tests and intervals from estimates and their covariance: t inference and Wald tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from refino_eval.estimation.core.arrays import FloatArray, check_level, ratio
from refino_eval.estimation.core.recording import Source

Freedom = Callable[[FloatArray], float]
"""Degrees of freedom of the covariance of r combinations of the tested coefficients, weights of shape (r, q)."""


@dataclass(frozen=True, eq=False)
class Inference:
    """Two-sided t inference, each field of the estimates' shape; NaN where the standard error is 0 or unknown."""

    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray


@dataclass(frozen=True)
class WaldTest:
    """A joint test that several coefficients are 0.

    ``f_stat`` = ``chi2`` / ``df_num`` is referred to F(df_num, df_den), the test to report; ``chi2`` to the
    chi-squared with ``df_num`` degrees of freedom, its limit. ``df_num`` is the rank of the covariance, so that
    coefficients without variance or repeated ones do not count. ``source`` is where the tested coefficients come from,
    when they are of one regression. With estimated degrees of freedom eta of the covariance ``f_stat`` is Hotelling's,
    (eta - q + 1) / (eta q) chi2 with q = ``df_num``, and ``df_den`` is eta - q + 1; without any left they are NaN.
    """

    f_stat: float
    df_num: int
    df_den: float
    p_value: float
    chi2: float
    p_chi2: float
    source: Source | None = None


def t_inference(estimate: FloatArray, std_error: FloatArray, df: npt.ArrayLike, *, level: float = 0.95) -> Inference:
    """Refer estimates to the t distribution with ``df`` degrees of freedom.

    Parameters
    ----------
    estimate, std_error
        Arrays of one shape.
    df
        Degrees of freedom, broadcast against the estimates.
    level
        Confidence level of the interval, a share.
    """
    check_level(level)
    freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), estimate.shape)
    t = ratio(estimate, std_error, where=std_error > 0)
    reach = special.stdtrit(freedom, 0.5 + level / 2) * std_error
    return Inference(
        t=t,
        p_value=2.0 * special.stdtr(freedom, -np.abs(t)),
        conf_low=estimate - reach,
        conf_high=estimate + reach,
    )


def inference_columns(
    estimate: FloatArray, std_error: FloatArray, df: npt.NDArray[np.number], level: float
) -> dict[str, npt.NDArray[np.number]]:
    """Return estimates with their t inference, as the columns that every table of effects has, each (J,)."""
    inference = t_inference(estimate, std_error, df, level=level)
    return {"estimate": estimate, "std_error": std_error, **vars(inference), "df": df}


def wald_test(
    estimate: FloatArray,
    cov: FloatArray,
    df_den: float,
    *,
    tolerance: float = 1e-10,
    source: Source | None = None,
    freedom: Freedom | None = None,
) -> WaldTest:
    """Test that all coefficients are 0, from their joint covariance.

    Parameters
    ----------
    estimate
        Coefficients, shape (q,).
    cov
        Their covariance, shape (q, q).
    df_den
        Denominator degrees of freedom of the F reference.
    tolerance
        Directions whose share of the correlation matrix's largest eigenvalue is below it count as absent.
    source
        Where the coefficients come from, with q rows of loadings.
    freedom
        Degrees of freedom eta of the covariance, in place of ``df_den``, where they are estimated: the approximate
        Hotelling test of Pustejovsky and Tipton (2018), eq. 12-14 (`clubSandwich` "HTZ").

    Notes
    -----
    chi2 = b' V^- b with the generalised inverse taken on the correlation scale, so that the answer does not depend
    on the units of the coefficients.
    """
    scale = np.sqrt(np.diag(cov))
    used = np.isfinite(estimate) & (scale > 0)
    if not used.any():
        return WaldTest(np.nan, 0, df_den, np.nan, np.nan, np.nan)
    t = estimate[used] / scale[used]
    # The generalised inverse on the correlation scale: small eigenvalues are coefficients that repeat others.
    values, vectors = np.linalg.eigh(cov[np.ix_(used, used)] / np.outer(scale[used], scale[used]))
    kept = values > tolerance * values[-1]
    rank = int(np.count_nonzero(kept))
    chi2 = float(np.sum((vectors[:, kept].T @ t) ** 2 / values[kept]))
    f_stat = chi2 / rank
    if freedom is not None:
        directions = np.zeros((rank, estimate.size))
        directions[:, used] = vectors[:, kept].T / scale[used]
        eta = freedom(directions)
        df_den = eta - rank + 1.0
        share = df_den / eta if df_den > 0 else np.nan
        f_stat, df_den = f_stat * share, df_den if df_den > 0 else np.nan
    if source is not None:
        source = replace(source, loadings=source.loadings[used])
    return WaldTest(
        f_stat=f_stat,
        df_num=rank,
        df_den=df_den,
        p_value=float(special.fdtrc(rank, df_den, f_stat)),
        chi2=chi2,
        p_chi2=float(special.chdtrc(rank, chi2)),
        source=source,
    )
