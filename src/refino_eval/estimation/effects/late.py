"""Local average treatment effects (LATE, effects on compliers): two-stage least squares and Anderson-Rubin sets.

Assignment to treatment is the instrument for take-up. With one instrument everything is a ratio of two rows of the
kernel. For the effect pi of assignment on take-up and rho on the outcome, beta = rho / pi, and its influence is (psi_Y - beta psi_D) / pi; so cells, controls, people and
variance are those of the ITT, and leverage is too (the fitted take-up spans the same columns as treatment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_vector,
    check_length,
    object_array,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import inference_columns
from refino_eval.estimation.core.kernel import CANCELLED, Fit
from refino_eval.estimation.core.outcome_groups import assemble, group_outcomes
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs


@dataclass(frozen=True)
class AndersonRubinSet:
    """Values of the effect that the Anderson-Rubin test does not reject.

    ``kind`` is ``interval`` [low, high]; ``rays``, everything but the open interval (low, high), where an infinite
    bound means that its ray is absent; ``line``, no value is rejected; or ``empty``.
    """

    kind: Literal["interval", "rays", "line", "empty"]
    low: float
    high: float

    def contains(self, effect: float) -> bool:
        """Whether the test does not reject ``effect``."""
        if self.kind == "rays":
            return effect <= self.low or effect >= self.high
        return self.kind != "empty" and self.low <= effect <= self.high


@dataclass(frozen=True, eq=False)
class LateTable:
    """Effects of take-up on compliers, every array of shape (J,), one value per outcome.

    ``first_stage`` and ``reduced_form`` are the effects of assignment on take-up and on the outcome, on the same people.
    ``first_stage_f`` = (first_stage / std_error)^2 under ``vcov``, with one instrument also the effective F of Montiel
    Olea and Pflueger (2013); ``first_stage_f_iid`` the classical one. ``ar_set`` is under ``vcov``, ``ar_set_iid``
    under classical errors; both hold `AndersonRubinSet` objects. ``sources`` say where estimates come from.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: IntArray
    first_stage: FloatArray
    first_stage_std_error: FloatArray
    first_stage_f: FloatArray
    first_stage_f_iid: FloatArray
    reduced_form: FloatArray
    reduced_form_std_error: FloatArray
    ar_set: npt.NDArray[np.object_]
    ar_set_iid: npt.NDArray[np.object_]
    take_up_treated: FloatArray
    take_up_control: FloatArray
    n: IntArray
    n_cells: IntArray
    n_parameters: IntArray
    sources: npt.NDArray[np.object_]
    first_stage_sources: npt.NDArray[np.object_]
    reduced_form_sources: npt.NDArray[np.object_]
    vcov: Vcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome; the sets as ``ar_kind, ar_low, ar_high`` and the same with the suffix ``_iid``."""
        columns: dict[str, Any] = {"outcome": self.outcomes}
        for field in fields(self):
            if field.name.startswith("ar_set"):
                suffix = field.name.removeprefix("ar_set")
                sets = getattr(self, field.name)
                for part in ("kind", "low", "high"):
                    columns[f"ar_{part}{suffix}"] = [getattr(one, part) for one in sets]
            elif field.name != "outcomes" and not field.name.endswith("sources"):
                columns[field.name] = getattr(self, field.name)
        return pd.DataFrame(columns)


def late(
    outcomes: Columns,
    take_up: Vector,
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> LateTable:
    """Estimate the LATE (effect on compliers) of take-up on each outcome, instrumented by assignment.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    take_up
        Participation, 0/1 or an amount, shape (n,).
    treated, names, options
        As in `itt`. The rule ``missing`` holds for outcomes and take-up alike: ``"common"`` and ``"available"`` leave out
        people whose take-up is missing. (Code it 0 where the arm had no access.)

    Raises
    ------
    UserError
        As `itt`, and when take-up does not vary within cells and controls.

    Notes
    -----
    Anderson and Rubin (1949), in the closed form of Mikusheva (2010) with any variance: beta is in the set when
    (rho - beta pi)^2 <= q (V_rho - 2 beta V_rho,pi + beta^2 V_pi), q the F(1, df) quantile; a quadratic in beta.
    """
    inputs = regression_inputs(treated, **options)
    taken = as_vector(take_up, what="take_up")
    check_length(taken.size, inputs.n_rows, what="take_up")
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    unknown = int(np.count_nonzero(inputs.rows & ~np.isfinite(taken)))
    if inputs.missing == "error" and unknown:
        raise UserError(
            f"take_up is missing for {unknown} of {np.count_nonzero(inputs.rows)} people; code it 0 where the arm had no "
            "access, or leave them out (missing='common')."
        )
    parts = []
    for group in group_outcomes(values, labels, inputs.among(np.isfinite(taken))):
        # Take-up and outcomes in one fit, so that their joint covariance is at hand for ratios and sets.
        pair = group.design.fit(np.column_stack((taken, group.take(values))))
        if not pair.tss_within[0]:
            raise UserError("take_up does not vary within cells, so there are no compliers; check how it is coded.")
        statistics = _statistics(pair, taken, inputs)
        pair.record_instrumented(inputs.vcov, statistics["estimate"], statistics["std_error"])
        parts.append((group.columns, statistics))
    return LateTable(outcomes=labels, vcov=inputs.vcov, level=inputs.level, **assemble(parts, len(labels)))


def anderson_rubin_set(
    *, rho: float, pi: float, var_rho: float, cov: float, var_pi: float, df: float, level: float = 0.95
) -> AndersonRubinSet:
    """Solve (rho - beta pi)^2 <= q (var_rho - 2 beta cov + beta^2 var_pi) for beta, with one instrument.

    Parameters
    ----------
    rho, pi
        Effects of the instrument on the outcome and on take-up.
    var_rho, cov, var_pi
        Their variances and covariance.
    df
        Denominator degrees of freedom of the F(1, df) critical value q.
    level
        Confidence level.
    """
    q = float(special.stdtrit(df, 0.5 + level / 2)) ** 2
    a, b, c = pi**2 - q * var_pi, rho * pi - q * cov, rho**2 - q * var_rho
    root = b**2 - a * c
    if a == 0.0:
        # The quadratic is a straight line, -2 b beta + c <= 0: one ray.
        if b == 0.0:
            return AndersonRubinSet("line", -np.inf, np.inf) if c <= 0 else AndersonRubinSet("empty", np.nan, np.nan)
        edge = c / (2 * b)
        return AndersonRubinSet("rays", -np.inf, edge) if b > 0 else AndersonRubinSet("rays", edge, np.inf)
    # a > 0 is a first stage that is significant at the level: then the set is bounded. Otherwise it is two rays or the line
    # (Dufour 1997: any valid set must be unbounded with positive probability).
    if root < 0.0:
        return AndersonRubinSet("empty", np.nan, np.nan) if a > 0 else AndersonRubinSet("line", -np.inf, np.inf)
    low, high = sorted(((b - np.sqrt(root)) / a, (b + np.sqrt(root)) / a))
    return AndersonRubinSet("interval" if a > 0 else "rays", float(low), float(high))


def _statistics(pair: Fit, taken: FloatArray, inputs: RegressionInputs) -> dict[str, Any]:
    """Return the columns of the table for one group of outcomes, from the fit of take-up (first) and the outcomes."""
    design, vcov, level = pair.design, inputs.vcov, inputs.level
    pi, rho = pair.estimates[0], pair.estimates[1:]
    df = np.full(rho.shape, design.df(vcov))
    cov, cov_iid = pair.joint_cov(vcov), pair.joint_cov("iid")
    var_rho, shared, var_pi = np.diag(cov)[1:], cov[0, 1:], cov[0, 0]
    estimate = ratio(rho, pi)
    # Variance of rho - b pi at the estimate b, over pi^2. It is that of two-stage least squares: y - b d has a coefficient of 0 on
    # assignment, so that its residuals are those of the second stage.
    variance = var_rho - 2 * estimate * shared + estimate**2 * var_pi
    std_error = np.sqrt(_possible(variance, var_rho)) / abs(pi)
    weight = np.ones(design.n) if design.root_weights is None else design.root_weights**2
    used, arm = design.used(taken), design.used(inputs.treated)
    everywhere = np.ones(rho.shape)
    return {
        **inference_columns(estimate, std_error, df, level),
        "first_stage": pi * everywhere,
        "first_stage_std_error": np.sqrt(_possible(var_pi, var_pi)) * everywhere,
        "first_stage_f": _f_stat(pi, var_pi) * everywhere,
        "first_stage_f_iid": _f_stat(pi, cov_iid[0, 0]) * everywhere,
        "reduced_form": rho,
        "reduced_form_std_error": np.sqrt(_possible(var_rho, var_rho)),
        "ar_set": _sets(rho, pi, cov, design.df(vcov), level),
        "ar_set_iid": _sets(rho, pi, cov_iid, design.df_resid, level),
        "take_up_treated": np.average(used, weights=weight * arm) * everywhere,
        "take_up_control": np.average(used, weights=weight * (1 - arm)) * everywhere,
        "n": np.full(rho.shape, design.n),
        "n_cells": np.full(rho.shape, design.cells.n_cells),
        "n_parameters": np.full(rho.shape, design.n_parameters),
        "sources": object_array(pair.source(vcov, k, late=True) for k in range(rho.size)),
        "first_stage_sources": object_array([pair.source(vcov)] * rho.size),
        "reduced_form_sources": object_array(pair.source(vcov, k + 1) for k in range(rho.size)),
    }


def _possible(variance: FloatArray, size: FloatArray) -> FloatArray:
    """Return variances, 0 where they are a rounding below it, and NaN where clusters in two dimensions make them negative."""
    return np.where(variance < -CANCELLED * np.abs(size), np.nan, np.maximum(variance, 0.0))


def _f_stat(pi: float, variance: float) -> float:
    """Return pi^2 / variance; infinite under full compliance, where take-up equals treatment and has no residual."""
    return float(pi**2 / variance) if variance > 0 else np.inf


def _sets(rho: FloatArray, pi: float, cov: FloatArray, df: float, level: float) -> np.ndarray:
    """Return one Anderson-Rubin set per outcome, shape (J,), from the covariance of (pi, rho)."""
    sets = np.empty(rho.shape, dtype=object)
    for j in range(rho.size):
        sets[j] = anderson_rubin_set(
            rho=float(rho[j]),
            pi=float(pi),
            var_rho=float(cov[j + 1, j + 1]),
            cov=float(cov[0, j + 1]),
            var_pi=float(cov[0, 0]),
            df=df,
            level=level,
        )
    return sets
