"""Effects of several treated arms from one regression, and the differences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, as_columns, object_array
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.outcome_groups import OutcomeGroup, assemble, group_outcomes
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import RegressionInputs
from refino_eval.estimation.effects.descriptives import moments
from refino_eval.estimation.effects.itt import EffectTable


@dataclass(frozen=True, eq=False, repr=False)
class ArmEffects:
    """Effects of each treated arm, and of each in place of another.

    Attributes
    ----------
    pairs
        The arms that each table compares, the first with the second; 0 is the control arm.
    tables
        One table of effects for each pair, J outcomes each.
    loadings
        Weights of the treated arms' coefficients in each effect, shape (q, f).
    groups
        Outcomes with the same people and controls.
    values
        Outcomes, shape (n, J).
    """

    pairs: tuple[tuple[int, int], ...]
    tables: tuple[EffectTable, ...]
    loadings: FloatArray
    groups: list[OutcomeGroup]
    values: FloatArray


def arm_effects(
    outcomes: Columns, arms: IntArray, names: Sequence[str], inputs: RegressionInputs, *, between: bool = False
) -> ArmEffects:
    """Estimate the effects of all treated arms in one regression for each outcome.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    arms
        Arm of each person, 0 for the control arm, 1 .. f for the treated ones, shape (n,).
    names
        Names of the treated arms.
    inputs
        Of the regression; indicators of the arms take the place of its treatment.
    between
        Whether to estimate the difference of every two treated arms too.
    """
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes")
    f = len(names)
    pairs = [(arm, 0) for arm in range(1, f + 1)]
    pairs += list(combinations(range(1, f + 1), 2)) if between else []
    effect_of = np.vstack((np.zeros(f), np.eye(f)))
    loadings = np.array([effect_of[first] - effect_of[second] for first, second in pairs])
    groups = group_outcomes(values, labels, inputs)
    assigned = (arms[:, None] == np.arange(1, f + 1)).astype(np.float64)
    fits = [design_of(group.inputs, assigned, tuple(names)).fit(group.take(values)) for group in groups]
    tables = []
    for k, pair in enumerate(pairs):
        parts = [
            (group.columns, _statistics(fit, group.take(values), arms, pair, loadings[[k]], inputs))
            for group, fit in zip(groups, fits, strict=True)
        ]
        dropped = dict.fromkeys(name for fit in fits for name in fit.design.dropped)
        tables.append(
            EffectTable(
                outcomes=labels,
                vcov=inputs.vcov,
                level=inputs.level,
                dropped=tuple(dropped),
                **assemble(parts, len(labels)),
            )
        )
    return ArmEffects(tuple(pairs), tuple(tables), loadings, groups, values)


def contrast_inference(fit: Fit, loadings: FloatArray, vcov: Vcov) -> tuple[FloatArray, FloatArray]:
    """Return weighted sums of coefficients and their standard errors, each (q, J)."""
    errors = [fit.combination_errors(loadings, j, vcov) for j in range(fit.coefficients.shape[1])]
    return loadings @ fit.coefficients, np.column_stack(errors)


def _statistics(
    fit: Fit,
    values: FloatArray,
    arms: IntArray,
    pair: tuple[int, int],
    loadings: FloatArray,
    inputs: RegressionInputs,
) -> dict[str, Any]:
    """Return the columns of one pair's table for one group of outcomes; N is that of the regression."""
    design, vcov = fit.design, inputs.vcov
    estimates, errors = contrast_inference(fit, loadings, vcov)
    estimate, std_error = estimates[0], errors[0]
    df = np.full(estimate.shape, design.df(vcov, loadings=loadings))
    inference = t_inference(estimate, std_error, df, level=inputs.level)
    used, arm = design.used(values), arms[design.rows]
    weights = None if design.root_weights is None else design.root_weights**2
    first, second = (moments(used[arm == of], weights=None if weights is None else weights[arm == of]) for of in pair)
    return {
        "estimate": estimate,
        "std_error": std_error,
        "t": inference.t,
        "p_value": inference.p_value,
        "conf_low": inference.conf_low,
        "conf_high": inference.conf_high,
        "df": df,
        "mean_treated": first.mean,
        "mean_control": second.mean,
        "mean": moments(used, weights=weights).mean,
        "sd_treated": first.sd,
        "sd_control": second.sd,
        "n": np.full(estimate.shape, design.n),
        "n_treated": first.n,
        "n_control": second.n,
        "n_cells": np.full(estimate.shape, design.cells.n_cells),
        "n_parameters": np.full(estimate.shape, design.n_parameters),
        "r_squared": fit.r_squared,
        "r_squared_within": fit.r_squared_within,
        "sources": object_array(fit.source(vcov, k, loadings=loadings) for k in range(estimate.size)),
    }
