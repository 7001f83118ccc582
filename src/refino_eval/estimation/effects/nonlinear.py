"""Binary outcomes by logit, beside the linear probability model.

With a dummy for every cell, a cell whose people all have the same outcome has no finite constant (it is separated):
its people are fitted exactly in both arms, say nothing about the draw, and are left out of the fit and counted. Their
own effect on the probability is then 0, so that the average over everybody is the average over the others times their
share; both are told. Constants of small cells bias the log odds away from 0 (Neyman and Scott 1948; in pairs to twice
their size), the average effect on the probability much less; the conditional logit (Chamberlain 1980) has no
such constants and gives consistent log odds, but no probabilities.

statsmodels does the fitting and is imported when used.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells, encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Missing,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    check_choice,
    check_finite,
    check_level,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.preparation import prepare
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import itt

LogitVcov = Literal["iid", "HC1"]


@dataclass(frozen=True, eq=False)
class LogitTable:
    """Effects of the draw on the probability of each outcome, every array of shape (J,).

    ``estimate`` is the average change of the fitted probability when everybody is drawn to treatment instead of
    control, with its delta-method standard error and normal inference; ``estimate_varying`` the same over the
    ``n_varying`` people in cells where the outcome varies. ``linear`` and ``linear_std_error`` are the ITT's of the
    linear probability model with the same cells and controls. ``log_odds`` comes with dummies,
    ``conditional_log_odds`` without constants (NaN when not asked for). ``n_separated`` people live in
    ``n_separated_cells`` cells whose outcomes are all alike; ``n_singletons`` of them are alone in theirs.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    estimate_varying: FloatArray
    std_error_varying: FloatArray
    linear: FloatArray
    linear_std_error: FloatArray
    log_odds: FloatArray
    log_odds_std_error: FloatArray
    conditional_log_odds: FloatArray
    conditional_std_error: FloatArray
    n: IntArray
    n_varying: IntArray
    n_separated: IntArray
    n_separated_cells: IntArray
    n_singletons: IntArray
    vcov: LogitVcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome."""
        return pd.DataFrame(
            {("outcome" if one.name == "outcomes" else one.name): getattr(self, one.name) for one in fields(self)}
        )


def logit(
    outcomes: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    vcov: LogitVcov = "HC1",
    conditional: bool = False,
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> LogitTable:
    """Estimate the effect of the draw on the probability of binary outcomes.

    Parameters
    ----------
    outcomes
        Shape (n, J), 0 or 1.
    vcov
        ``"iid"`` from the likelihood's second derivatives, or ``"HC1"`` (sandwich times n / (n - K)); that of the
        linear model too.
    conditional
        Whether to fit the conditional logit too (slow with cells of hundreds of people).
    treated, cells, controls, missing, rows, level, names
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`; when an outcome is not 0/1, varies in no cell, or is told exactly by draw and controls, so that
        no finite estimate exists.
    """
    check_level(level)
    check_choice(vcov, LogitVcov, what="vcov")
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    beside = np.empty((drawn.size, 0)) if controls is None else as_columns(controls, drawn.size, what="controls")[0]
    among = None if rows is None else as_mask(rows, drawn.size)
    codes = encode(cells, drawn.size)
    parts: dict[str, list[Any]] = {}
    order: list[int] = []
    for sample in choose_samples(values, found, missing, among=among):
        linear = itt(values[:, sample.columns], drawn, cells=codes, controls=beside, vcov=vcov, rows=sample.rows)
        for k, j in enumerate(sample.columns):
            one = _one_outcome(values[:, j], drawn, codes, beside, sample.rows, vcov, conditional, found[j])
            one |= {"linear": linear.estimate[k], "linear_std_error": linear.std_error[k]}
            for name, value in one.items():
                parts.setdefault(name, []).append(value)
            order.append(int(j))
    columns = {name: np.asarray(value)[np.argsort(order)] for name, value in parts.items()}
    told = t_inference(columns["estimate"], columns["std_error"], np.inf, level=level)
    return LogitTable(
        outcomes=found, p_value=told.p_value, conf_low=told.conf_low, conf_high=told.conf_high, vcov=vcov,
        level=level, **columns,
    )  # fmt: skip


def _one_outcome(
    values: FloatArray,
    drawn: FloatArray,
    codes: IntArray,
    controls: FloatArray,
    rows: BoolArray,
    vcov: LogitVcov,
    conditional: bool,
    name: str,
) -> dict[str, float]:
    used = np.flatnonzero(rows)
    y = values[used]
    wrong = int(np.count_nonzero(~np.isin(y, (0.0, 1.0))))
    if wrong:
        raise UserError(f"{name} must be 0 or 1 for a logit; {wrong} of {y.size} values are not. Use the linear model.")
    check_finite(controls[used], ["controls"] * controls.shape[1], what="Controls", remedy="Encode the missing values.")
    groups = build_cells(codes[used])
    mean = groups.means(y[:, None])[:, 0]
    varies = (mean > 0) & (mean < 1)
    inside = used[varies[groups.codes]]
    if not inside.size:
        raise UserError(f"{name} is the same for everybody in every cell, so that a logit has nothing to explain.")
    effect, error, odds, odds_error = _average_effect(values, drawn, codes, controls, inside, vcov, name)
    share = inside.size / used.size
    held = (np.nan, np.nan)
    if conditional:
        held = _conditional(values, drawn, codes, controls, inside)
    return {
        "estimate": effect * share,
        "std_error": error * share,
        "estimate_varying": effect,
        "std_error_varying": error,
        "log_odds": odds,
        "log_odds_std_error": odds_error,
        "conditional_log_odds": held[0],
        "conditional_std_error": held[1],
        "n": used.size,
        "n_varying": inside.size,
        "n_separated": used.size - inside.size,
        "n_separated_cells": int(np.count_nonzero(~varies)),
        "n_singletons": int(np.count_nonzero(groups.sizes == 1)),
    }


def _columns(drawn: FloatArray, codes: IntArray, controls: FloatArray, inside: IntArray) -> FloatArray:
    """Draw, controls that are not combinations of others, and a dummy for every cell."""
    rows = np.zeros(drawn.size, dtype=bool)
    rows[inside] = True
    labels = [f"control {k}" for k in range(controls.shape[1])]
    design = prepare(drawn, cells=codes, controls=controls, control_names=labels, rows=rows)
    kept = [k for k, label in enumerate(labels) if label in design.controls]
    dense = design.cells.codes
    dummies = (dense[:, None] == np.arange(design.cells.n_cells)).astype(np.float64)
    return np.hstack((drawn[inside, None], controls[inside][:, kept], dummies))


def _average_effect(
    values: FloatArray,
    drawn: FloatArray,
    codes: IntArray,
    controls: FloatArray,
    inside: IntArray,
    vcov: LogitVcov,
    name: str,
) -> tuple[float, float, float, float]:
    """Average effect on the probability and the log odds, each with its standard error."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    x = _columns(drawn, codes, controls, inside)
    n, k = x.shape
    fault = (
        f"{name}: the logit has no finite estimate among {n} people in cells where it varies; the draw or the controls "
        "tell the outcome exactly. Use coarser cells or fewer controls, or the linear model."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sm.Logit(values[inside], x).fit(disp=0, method="newton", maxiter=100)
        except (PerfectSeparationError, np.linalg.LinAlgError) as error:
            raise UserError(fault) from error
    beta = np.asarray(fit.params)
    fitted = special.expit(x @ beta)
    information = (x * (fitted * (1 - fitted))[:, None]).T @ x
    # Newton's steps run away, or end where nothing is left to explain, when there is no finite maximum.
    if not fit.mle_retvals["converged"] or abs(beta[0]) > 20 or np.linalg.cond(information) > 1e14:
        raise UserError(fault)
    cov = np.linalg.inv(information)
    if vcov == "HC1":
        scores = x * (values[inside] - fitted)[:, None]
        cov = cov @ (scores.T @ scores) @ cov * n / (n - k)
    base = x @ beta - x[:, 0] * beta[0]
    high, low = special.expit(base + beta[0]), special.expit(base)
    slope = (high * (1 - high) - low * (1 - low)) @ x / n
    slope[0] = np.mean(high * (1 - high))
    return float(np.mean(high - low)), float(np.sqrt(slope @ cov @ slope)), float(beta[0]), float(np.sqrt(cov[0, 0]))


def _conditional(
    values: FloatArray, drawn: FloatArray, codes: IntArray, controls: FloatArray, inside: IntArray
) -> tuple[float, float]:
    """Log odds of the draw, and their likelihood standard error, with cells conditioned out."""
    from statsmodels.discrete.conditional_models import ConditionalLogit

    x = _columns(drawn, codes, controls, inside)
    n_cells = np.unique(codes[inside]).size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ConditionalLogit(values[inside], x[:, : x.shape[1] - n_cells], groups=codes[inside]).fit(disp=0)
    return float(fit.params[0]), float(fit.bse[0])
