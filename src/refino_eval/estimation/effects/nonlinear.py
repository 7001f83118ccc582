"""Binary outcomes by logit or probit, next to the linear probability model.

With a dummy for every cell, a cell whose people all have the same outcome has no finite constant (it is separated):
its people are fitted exactly in both arms, carry no information about treatment, and are left out of the fit and counted.
Their effect on the probability is then 0, so that the average over everybody is the average over the others times their
share; both are reported. Constants of small cells bias the log odds away from 0 (Neyman and Scott 1948; in pairs to twice
their size), the average effect on the probability much less; the conditional logit (Chamberlain 1980) has no
such constants and gives consistent log odds, but no probabilities.

statsmodels does the fitting and is imported when used.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NamedTuple, Unpack

import numpy as np
import pandas as pd
from scipy import special

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    check_choice,
    check_finite,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import itt

LikelihoodVcov = Literal["iid", "HC0", "HC1", "CRV1"]
Link = Literal["logit", "probit"]
EffectAt = Literal["average", "means"]


class Coefficient(NamedTuple):
    """A control's coefficient (log odds, or log of the hazard ratio) and its standard error."""

    name: str
    estimate: float
    std_error: float


@dataclass(frozen=True, eq=False)
class BinaryTable:
    """Effects of treatment on the probability of each outcome, every array of shape (J,).

    ``estimate`` is the average change of the fitted probability when everybody is treated instead of control, or that change for
    a person with average controls, with its delta-method standard error and normal inference; ``estimate_varying`` the same over the
    ``n_varying`` people in cells where the outcome varies. ``linear`` and ``linear_std_error`` are the ITT's of the
    linear probability model with the same cells and controls. ``coefficient`` (log odds of a logit) comes with dummies,
    ``conditional_log_odds`` without constants (NaN when not asked for). ``n_separated`` people live in
    ``n_separated_cells`` cells whose outcomes are all alike; ``n_singletons`` of them are alone in theirs. ``coefficients``
    has the coefficients of each outcome's controls, J tuples.
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
    coefficient: FloatArray
    coefficient_std_error: FloatArray
    conditional_log_odds: FloatArray
    conditional_std_error: FloatArray
    n: IntArray
    n_varying: IntArray
    n_separated: IntArray
    n_separated_cells: IntArray
    n_singletons: IntArray
    coefficients: tuple[tuple[Coefficient, ...], ...]
    vcov: Vcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome."""
        return pd.DataFrame(
            {
                ("outcome" if one.name == "outcomes" else one.name): getattr(self, one.name)
                for one in fields(self)
                if one.name != "coefficients"
            }
        )


def binary_response(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    link: Link = "logit",
    at: EffectAt = "average",
    conditional: bool = False,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> BinaryTable:
    """Estimate the effect of treatment on the probability of binary outcomes.

    Parameters
    ----------
    outcomes
        Shape (n, J), 0 or 1.
    treated, names, options
        As in `itt.itt`, without weights. ``vcov`` is ``"iid"``, from the likelihood's second derivatives, ``"HC0"`` (sandwich),
        ``"HC1"`` (sandwich times n / (n - K)), or ``"CRV1"`` (scores summed in clusters, times G / (G - 1) as in Stata's likelihood
        models); the linear model has the same.
    link
        The distribution function that gives the probability: logistic or normal.
    at
        ``"average"``: the effect averaged over people; ``"means"``: the effect at the means of controls and cells, as Stata's
        `dprobit` and `mfx` report it.
    conditional
        Whether to fit the conditional logit too (slow with cells of hundreds of people).

    Raises
    ------
    UserError
        As `itt`; when an outcome is not 0/1, varies in no cell, or is predicted exactly by treatment and controls, so that
        no finite estimate exists.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse(f"A {link}", "weights")
    check_choice(inputs.vcov, LikelihoodVcov, what=f"vcov of a {link}")
    model = _Model(link, at)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    parts: dict[str, list[Any]] = {}
    order: list[int] = []
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        among = replace(inputs, rows=sample.rows)
        # The linear probability model on the same people, cells and controls, to compare.
        linear = itt(values[:, sample.columns], among)
        for k, j in enumerate(sample.columns):
            one = _one_outcome(values[:, j], among, model, conditional, labels[j])
            one |= {"linear": linear.estimate[k], "linear_std_error": linear.std_error[k]}
            for name, value in one.items():
                parts.setdefault(name, []).append(value)
            order.append(int(j))
    listed = parts.pop("coefficients")
    columns = {name: np.asarray(value)[np.argsort(order)] for name, value in parts.items()}
    inference = t_inference(columns["estimate"], columns["std_error"], np.inf, level=inputs.level)
    return BinaryTable(
        outcomes=labels, p_value=inference.p_value, conf_low=inference.conf_low, conf_high=inference.conf_high,
        coefficients=tuple(listed[k] for k in np.argsort(order)), vcov=inputs.vcov, level=inputs.level, **columns,
    )  # fmt: skip


@dataclass(frozen=True)
class _Model:
    """Which model is fitted, and where its effect is evaluated."""

    link: Link
    at: EffectAt

    def probability(self, index: FloatArray) -> FloatArray:
        """Return the probability at an index."""
        return np.asarray(special.expit(index) if self.link == "logit" else special.ndtr(index))

    def density(self, index: FloatArray) -> FloatArray:
        """Return the derivative of the probability."""
        if self.link == "logit":
            return np.asarray(special.expit(index) * (1 - special.expit(index)))
        return np.asarray(np.exp(-(index**2) / 2) / np.sqrt(2 * np.pi))


def _one_outcome(
    values: FloatArray, inputs: RegressionInputs, model: _Model, conditional: bool, name: str
) -> dict[str, Any]:
    used = np.flatnonzero(inputs.rows)
    y = values[used]
    wrong = int(np.count_nonzero(~np.isin(y, (0.0, 1.0))))
    if wrong:
        raise UserError(
            f"{name} must be 0 or 1 for a {model.link}; {wrong} of {y.size} values are not. Use the linear model."
        )
    check_finite(inputs.controls[used], inputs.control_names, what="Controls", remedy="Encode the missing values.")
    groups = build_cells(inputs.cells[used])
    mean = groups.means(y[:, None])[:, 0]
    varies = (mean > 0) & (mean < 1)
    inside = used[varies[groups.codes]]
    if not inside.size:
        raise UserError(
            f"{name} is the same for everybody in every cell, so that a {model.link} has nothing to explain."
        )
    x, controls = _columns(inputs, inside)
    clusters = inputs.cluster[inside] if inputs.covariance.is_clustered and inputs.cluster is not None else None
    effect, error, beta, errors = _effect_on_probability(values[inside], x, inputs.vcov, clusters, model, name)
    share = inside.size / used.size
    held = (np.nan, np.nan)
    if conditional:
        held = _conditional(values[inside], x[:, : 1 + len(controls)], inputs.cells[inside])
    return {
        # Where the outcome does not vary in a cell, its fitted probability is 0 or 1 in both arms: those people count with an
        # effect of 0.
        "estimate": effect * share,
        "std_error": error * share,
        "estimate_varying": effect,
        "std_error_varying": error,
        "coefficient": beta[0],
        "coefficient_std_error": errors[0],
        "coefficients": tuple(map(Coefficient, controls, beta[1:].tolist(), errors[1:].tolist())),
        "conditional_log_odds": held[0],
        "conditional_std_error": held[1],
        "n": used.size,
        "n_varying": inside.size,
        "n_separated": used.size - inside.size,
        "n_separated_cells": int(np.count_nonzero(~varies)),
        "n_singletons": int(np.count_nonzero(groups.sizes == 1)),
    }


def _columns(inputs: RegressionInputs, inside: IntArray) -> tuple[FloatArray, list[str]]:
    """Treatment, controls that are not combinations of others, and a dummy for every cell; and the names of these controls."""
    rows = np.zeros(inputs.n_rows, dtype=bool)
    rows[inside] = True
    labels = tuple(f"control {k}" for k in range(inputs.controls.shape[1]))
    design = design_of(replace(inputs, control_names=labels, rows=rows, singletons="keep"))
    kept = [k for k, label in enumerate(labels) if label in design.controls]
    dense = design.cells.codes
    dummies = (dense[:, None] == np.arange(design.cells.n_cells)).astype(np.float64)
    columns = np.hstack((inputs.treated[inside, None], inputs.controls[inside][:, kept], dummies))
    return columns, [inputs.control_names[k] for k in kept]


def _effect_on_probability(
    y: FloatArray, x: FloatArray, vcov: Vcov, clusters: IntArray | None, model: _Model, name: str
) -> tuple[float, float, FloatArray, FloatArray]:
    """Effect on the probability with its standard error; all coefficients, treatment first, with theirs."""
    beta, information, scores = _fitted(y, x, model, name)
    cov = np.linalg.inv(information)
    if COVARIANCES[vcov].is_robust:
        meat, factor = _meat(scores, vcov, clusters)
        cov = cov @ meat @ cov * factor
    points = x if model.at == "average" else x.mean(axis=0, keepdims=True)
    base = points @ beta - points[:, 0] * beta[0]
    high, low = model.density(base + beta[0]), model.density(base)
    slope = (high - low) @ points / len(points)
    slope[0] = np.mean(high)
    effect = np.mean(model.probability(base + beta[0]) - model.probability(base))
    return float(effect), float(np.sqrt(slope @ cov @ slope)), beta, np.sqrt(np.diag(cov))


def _meat(scores: FloatArray, vcov: Vcov, clusters: IntArray | None) -> tuple[FloatArray, float]:
    """Return the sum of products of scores (summed in clusters), and the factor for small samples."""
    n, k = scores.shape
    if clusters is None:
        return np.asarray(scores.T @ scores), COVARIANCES[vcov].factor(n=n, df_resid=n - k)
    codes = np.unique(clusters, return_inverse=True)[1]
    n_clusters = int(codes.max()) + 1
    sums = np.zeros((n_clusters, k))
    np.add.at(sums, codes, scores)
    return np.asarray(sums.T @ sums), n_clusters / max(n_clusters - 1, 1)


def _fitted(y: FloatArray, x: FloatArray, model: _Model, name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the coefficients, the information at them, and each person's score.

    Raises
    ------
    UserError
        When there is no finite maximum.
    """
    from statsmodels.discrete.discrete_model import Logit, Probit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    fault = (
        f"{name}: the {model.link} has no finite estimate among {len(x)} people in cells where it varies; treatment or the controls "
        "predict the outcome exactly. Use coarser cells or fewer controls, or the linear model."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = (Logit if model.link == "logit" else Probit)(y, x).fit(disp=0, method="newton", maxiter=100)
        except (PerfectSeparationError, np.linalg.LinAlgError) as error:
            raise UserError(fault) from error
    beta = np.asarray(fit.params)
    if model.link == "logit":
        fitted = special.expit(x @ beta)
        information = (x * (fitted * (1 - fitted))[:, None]).T @ x
        scores = x * (y - fitted)[:, None]
    else:
        information, scores = -np.asarray(fit.model.hessian(beta)), np.asarray(fit.model.score_obs(beta))
    # Newton's steps run away, or end where nothing is left to explain, when there is no finite maximum.
    if not fit.mle_retvals["converged"] or abs(beta[0]) > 20 or np.linalg.cond(information) > 1e14:
        raise UserError(fault)
    return beta, information, scores


def _conditional(y: FloatArray, x: FloatArray, cells: IntArray) -> tuple[float, float]:
    """Log odds of treatment, and their likelihood standard error, with cells conditioned out."""
    from statsmodels.discrete.conditional_models import ConditionalLogit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ConditionalLogit(y, x, groups=cells).fit(disp=0)
    return float(fit.params[0]), float(fit.bse[0])
