"""Intention-to-treat (ITT) effects of treatment assignment on outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, Vector, as_columns, object_array, ratio
from refino_eval.estimation.core.coefficient_tests import t_inference
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
    design = fit.design
    std_errors = fit.std_errors(inputs.vcov)
    estimate, std_error = fit.cleared(std_errors)[0], std_errors[0]
    df = np.full(estimate.shape, design.df(inputs.vcov))
    inference = t_inference(estimate, std_error, df, level=inputs.level)
    used, arm = design.used(values), design.used(inputs.treated) == 1.0
    weight = None if design.root_weights is None else design.root_weights**2
    treated_arm = moments(used[arm], weights=None if weight is None else weight[arm])
    control_arm = moments(used[~arm], weights=None if weight is None else weight[~arm])
    return {
        "estimate": estimate,
        "std_error": std_error,
        "t": inference.t,
        "p_value": inference.p_value,
        "conf_low": inference.conf_low,
        "conf_high": inference.conf_high,
        "df": df,
        "mean_treated": treated_arm.mean,
        "mean_control": control_arm.mean,
        "mean": moments(used, weights=weight).mean,
        "sd_treated": treated_arm.sd,
        "sd_control": control_arm.sd,
        "n": treated_arm.n + control_arm.n,
        "n_treated": treated_arm.n,
        "n_control": control_arm.n,
        "n_cells": np.full(estimate.shape, design.cells.n_cells),
        "n_parameters": np.full(estimate.shape, design.n_parameters),
        "r_squared": fit.r_squared,
        "r_squared_within": fit.r_squared_within,
        "sources": object_array(fit.source(inputs.vcov, k) for k in range(estimate.size)),
    }
