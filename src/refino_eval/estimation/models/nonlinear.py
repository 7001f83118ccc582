"""Binary outcomes by logit or probit, and counts by Poisson or negative binomial regression, next to the linear model.

With a dummy for every cell, a cell whose people all have the same binary outcome, or only zeros of a count, has no finite
constant (it is separated): its people are fitted exactly in both arms, carry no information about treatment, and are left out of
the fit and counted. Their effect on the mean is then 0, so that the average over everybody is the average over the others times
their share; both are reported. Constants of small cells bias the log odds away from 0 (Neyman and Scott 1948; in pairs to twice
their size), the average effect on the probability much less; the conditional logit (Chamberlain 1980) has no
such constants and gives consistent log odds, but no probabilities. Poisson regression has no such bias, and is consistent for
any outcome that is not negative whose mean is exponential in the index (Gourieroux, Monfort and Trognon 1984); its standard
errors need the sandwich unless the variance is the mean. The negative binomial adds a dispersion a, with variance mean + a mean^2,
and is consistent too as long as the mean is right and a is taken as given (its likelihood estimates both).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import build_cells
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_vector,
    check_choice,
    check_finite,
    check_length,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.likelihood import (
    RESPONSES,
    EffectAt,
    Family,
    FittedResponse,
    LikelihoodVcov,
    Maximum,
    NoMaximumError,
    Sample,
    check_response,
    maximise,
)
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.recording import open_recording
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import itt


class Coefficient(NamedTuple):
    """A control's coefficient (log odds, or log of the hazard ratio) and its standard error."""

    name: str
    estimate: float
    std_error: float


@dataclass(frozen=True, eq=False)
class ResponseTable:
    """Effects of treatment on the mean of each outcome, every array of shape (J,).

    ``estimate`` is the average change of the fitted mean (a probability, or a number) when everybody is treated instead of control,
    or that change for a person with average controls, with its delta-method standard error and normal inference;
    ``estimate_varying`` the same over the ``n_varying`` people in cells where the outcome varies. ``linear`` and
    ``linear_std_error`` are the ITT's of the linear model with the same cells and controls. ``coefficient`` (log odds of a logit,
    log of the rate ratio of models of counts) comes with dummies, ``conditional_log_odds`` without constants (NaN when not asked
    for). ``n_separated`` people live in ``n_separated_cells`` cells whose outcomes are all alike (of counts: all 0);
    ``n_singletons`` people are alone in their cells. ``coefficients`` has the coefficients of each outcome's controls, J tuples, and
    ``fitted`` what was fitted, kept while a recording is open.
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
    dispersion: FloatArray
    conditional_log_odds: FloatArray
    conditional_std_error: FloatArray
    n: IntArray
    n_varying: IntArray
    n_separated: IntArray
    n_separated_cells: IntArray
    n_singletons: IntArray
    coefficients: tuple[tuple[Coefficient, ...], ...]
    fitted: tuple[FittedResponse | None, ...]
    vcov: Vcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome."""
        return pd.DataFrame(
            {
                ("outcome" if one.name == "outcomes" else one.name): getattr(self, one.name)
                for one in fields(self)
                if one.name not in ("coefficients", "fitted")
            }
        )


def response_model(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    family: Family = "logit",
    at: EffectAt = "average",
    exposure: Vector | None = None,
    conditional: bool = False,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> ResponseTable:
    """Estimate the effect of treatment on the mean of binary outcomes or counts.

    Parameters
    ----------
    outcomes
        Shape (n, J), 0 or 1; for ``"poisson"`` and ``"negative_binomial"`` 0 or more.
    treated, names, options
        As in `itt.itt`. ``vcov`` is ``"iid"``, from the likelihood's second derivatives (without weights), ``"HC0"`` (sandwich),
        ``"HC1"`` (sandwich times n / (n - K)), ``"CRV1"`` or ``"CRV1_nested"`` (both with scores summed in clusters, times G / (G - 1) as
        in Stata's likelihood models); the linear model has the same. Weights are probability weights: of the scores, of the average
        effect, and of the share of people in cells with variation.
    family
        The distribution of an outcome given its index.
    at
        ``"average"``: the effect averaged over people; ``"means"``: the effect at the means of controls and cells, as Stata's
        `dprobit` and `mfx` report it.
    exposure
        Time or size that a count is in proportion to, above 0, shape (n,): its log enters the index without a coefficient.
    conditional
        Whether to fit the conditional logit too (slow with cells of hundreds of people; without weights).

    Raises
    ------
    UserError
        As `itt`; when an outcome is not 0/1 (or is negative), varies in no cell, or is predicted exactly by treatment and controls,
        so that no finite estimate exists.
    """
    inputs = regression_inputs(treated, **options)
    inputs.require_one_way(f"A model of the family {family}")
    check_choice(inputs.vcov, LikelihoodVcov, what=f"vcov of a {family}")
    check_choice(family, Family, what="family")
    if exposure is not None and RESPONSES[family].is_binary:
        raise UserError(f"A {family} takes no exposure, which is of counts; leave it out, or choose family poisson.")
    if conditional or inputs.vcov == "iid":
        inputs.refuse("A conditional logit" if conditional else "The covariance iid of a likelihood", "weights")
    offset = np.zeros(inputs.n_rows) if exposure is None else _log_exposure(exposure, inputs)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    parts: dict[str, list[Any]] = {}
    order: list[int] = []
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        among = replace(inputs, rows=sample.rows)
        # The linear model on the same people, cells and controls, to compare.
        linear = itt(values[:, sample.columns], among)
        for k, j in enumerate(sample.columns):
            model = _Model(family, at, offset)
            one = _one_outcome(values[:, j], among, model, conditional, labels[j])
            one |= {"linear": linear.estimate[k], "linear_std_error": linear.std_error[k]}
            for name, value in one.items():
                parts.setdefault(name, []).append(value)
            order.append(int(j))
    back = np.argsort(order)
    listed: dict[str, Any] = {
        name: tuple(map(parts.pop(name).__getitem__, back)) for name in ("coefficients", "fitted")
    }
    columns: dict[str, Any] = {name: np.asarray(value)[back] for name, value in parts.items()}
    inference = t_inference(columns["estimate"], columns["std_error"], np.inf, level=inputs.level)
    return ResponseTable(
        outcomes=labels, p_value=inference.p_value, conf_low=inference.conf_low, conf_high=inference.conf_high,
        vcov=inputs.vcov, level=inputs.level, **columns, **listed,
    )  # fmt: skip


def _log_exposure(exposure: Vector, inputs: RegressionInputs) -> FloatArray:
    """Return the log of exposure; of people in use it must be above 0."""
    values = as_vector(exposure, what="exposure")
    check_length(values.size, inputs.n_rows, what="exposure")
    used = inputs.rows
    wrong = int(np.count_nonzero(~(np.isfinite(values[used]) & (values[used] > 0))))
    if wrong:
        raise UserError(
            f"exposure must be above 0; {wrong} of {np.count_nonzero(used)} people in use have none. Leave them out of the sample."
        )
    return np.log(np.where(used, values, 1.0))


@dataclass(frozen=True)
class _Model:
    """Which model is fitted, where its effect is evaluated, and the part of the index that has no coefficient, shape (n,)."""

    family: Family
    at: EffectAt
    offset: FloatArray


def _one_outcome(
    values: FloatArray, inputs: RegressionInputs, model: _Model, conditional: bool, name: str
) -> dict[str, Any]:
    used = np.flatnonzero(inputs.rows)
    y = values[used]
    check_response(y, model.family, name)
    check_finite(inputs.controls[used], inputs.control_names, what="Controls", remedy="Encode the missing values.")
    groups = build_cells(inputs.cells[used])
    mean = groups.means(y[:, None])[:, 0]
    varies = (mean > 0) & (mean < 1) if RESPONSES[model.family].is_binary else mean > 0
    inside = used[varies[groups.codes]]
    if not inside.size:
        raise UserError(
            f"{name} is the same for everybody in every cell, so that a {model.family} has nothing to explain."
        )
    x, controls = dense_columns(inputs, inside)
    weights = np.ones(inputs.n_rows) if inputs.weights is None else inputs.weights
    share = float(weights[inside].sum() / weights[used].sum())
    summed_in = inputs.summed_in
    sample = Sample(
        values[inside],
        x,
        model.offset[inside],
        weights[inside],
        None if summed_in is None else summed_in[inside],
    )
    fitted = FittedResponse(sample, model.family, inputs.vcov, model.at, share)
    effect, error, best = _effect_on_mean(fitted, x.shape[1] - 1 - len(controls), name)
    beta, errors = best.coefficients, np.sqrt(np.diag(best.covariance))
    held = (np.nan, np.nan)
    if conditional:
        held = _conditional(values[inside], x[:, : 1 + len(controls)], inputs.cells[inside])
    return {
        # Where the outcome does not vary in a cell, its fitted mean is the same in both arms: those people count with an effect of
        # 0.
        "estimate": effect * share,
        "std_error": error * share,
        "estimate_varying": effect,
        "std_error_varying": error,
        "coefficient": beta[0],
        "coefficient_std_error": errors[0],
        "dispersion": best.dispersion,
        "coefficients": tuple(map(Coefficient, controls, beta[1:].tolist(), errors[1:].tolist())),
        "fitted": None if open_recording() is None else fitted,
        "conditional_log_odds": held[0],
        "conditional_std_error": held[1],
        "n": used.size,
        "n_varying": inside.size,
        "n_separated": used.size - inside.size,
        "n_separated_cells": int(np.count_nonzero(~varies)),
        "n_singletons": int(np.count_nonzero(groups.sizes == 1)),
    }


def dense_columns(inputs: RegressionInputs, inside: IntArray) -> tuple[FloatArray, list[str]]:
    """Treatment, controls that are not combinations of others, and a dummy for every cell; and the names of these controls."""
    rows = np.zeros(inputs.n_rows, dtype=bool)
    rows[inside] = True
    names = inputs.control_names
    # What is left out is noted by its name, which is only a place where the caller gave two controls the same one.
    labels = names if len(set(names)) == len(names) else tuple(f"control {k}" for k in range(len(names)))
    design = design_of(replace(inputs, control_names=labels, rows=rows, singletons="keep"))
    kept = [k for k, label in enumerate(labels) if label in design.controls]
    dense = design.cells.codes
    dummies = (dense[:, None] == np.arange(design.cells.n_cells)).astype(np.float64)
    columns = np.hstack((inputs.treated[inside, None], inputs.controls[inside][:, kept], dummies))
    return columns, [names[k] for k in kept]


def _effect_on_mean(fitted: FittedResponse, n_cells: int, name: str) -> tuple[float, float, Maximum]:
    """Effect on the mean with its standard error, and all coefficients, treatment first."""
    sample, response = fitted.sample, RESPONSES[fitted.family]
    w = sample.weights / sample.weights.sum()
    # Newton's first step is from the constants of the cells' means, the last columns of the regressors.
    start, dummies = np.zeros(sample.x.shape[1]), sample.x[:, -n_cells:]
    start[-n_cells:] = response.index((w * sample.y) @ dummies / ((w * np.exp(sample.offset)) @ dummies))
    try:
        best = maximise(sample, fitted.family, fitted.vcov, start)
    except NoMaximumError:
        even = ", or the counts vary no more than those of a Poisson regression" * (
            fitted.family == "negative_binomial"
        )
        raise UserError(
            f"{name}: the {fitted.family} has no finite estimate among {len(sample.y)} people in cells where it varies; treatment or "
            f"the controls predict the outcome exactly{even}. Use coarser cells or fewer controls, or another model."
        ) from None
    beta, points, offset = best.coefficients, sample.x, sample.offset
    if fitted.at == "means":
        points, offset, w = (w @ points)[None, :], np.array([w @ offset]), np.ones(1)
    base = points @ beta - points[:, 0] * beta[0] + offset
    high, low = response.slope(base + beta[0]), response.slope(base)
    slope = (w * (high - low)) @ points
    slope[0] = w @ high
    effect = w @ (response.mean(base + beta[0]) - response.mean(base))
    cov = best.covariance
    return float(effect), float(np.sqrt(slope @ cov @ slope)), best


def _conditional(y: FloatArray, x: FloatArray, cells: IntArray) -> tuple[float, float]:
    """Log odds of treatment, and their likelihood standard error, with cells conditioned out."""
    from statsmodels.discrete.conditional_models import ConditionalLogit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ConditionalLogit(y, x, groups=cells).fit(disp=0)
    return float(fit.params[0]), float(fit.bse[0])
