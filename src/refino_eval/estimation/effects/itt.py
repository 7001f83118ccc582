"""Intention-to-treat (ITT) effects of treatment assignment on outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    object_array,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import inference_columns
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.outcome_groups import OutcomeGroup, assemble, group_outcomes
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.effects.descriptives import moments


@dataclass(frozen=True, eq=False)
class EffectTable:
    """ITT effects, every array of shape (J,), one value per outcome.

    Means and standard deviations are plain (weighted) moments of the people in use, not adjusted for cells.
    ``n_parameters`` = cells + columns, ``df`` the degrees of freedom of the t reference. ``r_squared`` counts what
    cells explain, ``r_squared_within`` does not. ``vcov``, ``level`` and ``dropped`` (controls left out as collinear,
    in any of the outcomes' samples) hold for the whole table. ``sources`` says where each estimate comes from.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: IntArray
    mean_treated: FloatArray
    mean_control: FloatArray
    mean: FloatArray
    sd_treated: FloatArray
    sd_control: FloatArray
    n: IntArray
    n_treated: IntArray
    n_control: IntArray
    n_cells: IntArray
    n_parameters: IntArray
    r_squared: FloatArray
    r_squared_within: FloatArray
    sources: npt.NDArray[np.object_]
    vcov: Vcov
    level: float
    dropped: tuple[str, ...]

    @property
    def percent_of_control_mean(self) -> FloatArray:
        """100 x estimate / control mean, shape (J,); NaN where the control mean is 0."""
        return 100.0 * ratio(self.estimate, self.mean_control)

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome, one column a statistic, with ``percent_of_control_mean`` and ``vcov``."""
        columns = {
            "outcome" if field.name == "outcomes" else field.name: getattr(self, field.name) for field in fields(self)
        }
        del columns["dropped"], columns["sources"]
        return pd.DataFrame(columns).assign(percent_of_control_mean=self.percent_of_control_mean)


def itt(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> EffectTable:
    """Estimate the ITT effect on each outcome, with cells absorbed and controls adjusted for.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated
        Assignment to treatment, 0 or 1, shape (n,); or `RegressionInputs`, without options.
    names
        Names of the outcomes, when they are not a data frame's.
    options
        ``cells, controls, weights, cluster, vcov, singletons, missing, rows, level``, as in `RegressionInputs`.

    Returns
    -------
    EffectTable

    Raises
    ------
    UserError
        As `preparation.prepare`, and for missing outcomes, an unknown vcov, or a cluster that is not used.

    Notes
    -----
    With unequal assignment probabilities the estimand weights cells by n_c p_c (1 - p_c) (Angrist 1998).
    """
    inputs = regression_inputs(treated, **options)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    groups = group_outcomes(values, labels, inputs)
    return effect_table(groups, [group.fit(values) for group in groups], values, labels, inputs)


def effect_table(
    groups: list[OutcomeGroup],
    fits: list[Fit],
    values: FloatArray,
    names: tuple[str, ...],
    inputs: RegressionInputs,
) -> EffectTable:
    """Return the effects of treatment from fitted groups of the outcomes (n, J)."""
    parts = [
        (group.columns, _statistics(fit, group.take(values), inputs)) for group, fit in zip(groups, fits, strict=True)
    ]
    dropped = dict.fromkeys(name for group in groups for name in group.design.dropped)
    return EffectTable(
        outcomes=names,
        vcov=inputs.vcov,
        level=inputs.level,
        dropped=tuple(dropped),
        **assemble(parts, len(names)),
    )


def _statistics(fit: Fit, values: FloatArray, inputs: RegressionInputs) -> dict[str, Any]:
    """Return the columns of the table for one group of outcomes."""
    std_errors = fit.std_errors(inputs.vcov)
    arm = fit.design.used(inputs.treated) == 1.0
    return effect_columns(
        fit, fit.cleared(std_errors)[0], std_errors[0], fit.design.df(inputs.vcov), values, (arm, ~arm), inputs
    )


def effect_columns(
    fit: Fit,
    estimate: FloatArray,
    std_error: FloatArray,
    df: float,
    values: FloatArray,
    arms: tuple[BoolArray, BoolArray],
    inputs: RegressionInputs,
    *,
    loadings: FloatArray | None = None,
) -> dict[str, Any]:
    """Return the columns of an `EffectTable` for one group of outcomes.

    Parameters
    ----------
    fit
        The regression; N is that of it.
    estimate, std_error, df
        Of the effect, shape (J,), and the degrees of freedom of its t distribution.
    values
        The outcomes, shape (n_rows, J).
    arms
        Who of the people in use is in the one and in the other arm that are compared, each (n,).
    inputs
        Of the regression.
    loadings
        Weights of the coefficients of interest in the effect, shape (1, f); the first of them when None.
    """
    design = fit.design
    used, weights = design.used(values), None if design.root_weights is None else design.root_weights**2
    first, second = (moments(used[arm], weights=None if weights is None else weights[arm]) for arm in arms)
    return {
        **inference_columns(estimate, std_error, np.full(estimate.shape, df), inputs.level),
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
        "sources": object_array(fit.source(inputs.vcov, k, loadings=loadings) for k in range(estimate.size)),
    }
