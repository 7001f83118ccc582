"""The effect of the draw on each outcome: intention to treat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

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
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.outcome_groups import Pass, prepare_passes
from refino_eval.estimation.effects.descriptives import moments


@dataclass(frozen=True, eq=False)
class EffectTable:
    """Effects of the draw, every array of shape (J,), one value an outcome.

    Means and standard deviations are plain (weighted) moments of the people in use, not adjusted for cells.
    ``n_parameters`` = cells + columns, ``df`` the degrees of freedom of the t reference. ``r_squared`` counts what
    cells explain, ``r_squared_within`` does not. ``vcov``, ``level`` and ``dropped`` (controls left out as collinear,
    in any of the outcomes' samples) hold for the whole table.
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
        del columns["dropped"]
        return pd.DataFrame(columns).assign(percent_of_control_mean=self.percent_of_control_mean)


def itt(
    outcomes: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> EffectTable:
    """Estimate the effect of the draw on each outcome, with cells absorbed and controls adjusted for.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    treated
        The draw, 0 or 1, shape (n,).
    cells, controls, weights, cluster, singletons
        As in `preparation.prepare`.
    vcov
        ``iid``, ``HC0`` to ``HC3``, or ``CRV1`` (with a cluster).
    missing
        What to do with missing outcomes: ``"error"``, one ``"common"`` sample, or each outcome's own people
        (``"available"``), grouped so that each pattern of missing is one kernel pass.
    rows
        The people in question (a subgroup, or those whose controls are known), boolean of shape (n,); None means all.
    level
        Confidence level.
    names
        Names of the outcomes, when they are not a data frame's.

    Returns
    -------
    EffectTable

    Raises
    ------
    UserError
        As `preparation.prepare`, and for missing outcomes, unknown vcov, or a cluster that is not used.

    Notes
    -----
    With unequal draw probabilities the estimand weights cells by n_c p_c (1 - p_c) (Angrist 1998).
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    passes = prepare_passes(
        values,
        found,
        drawn,
        cells=cells,
        controls=controls,
        weights=weights,
        cluster=cluster,
        singletons=singletons,
        missing=missing,
        rows=rows,
    )
    fits = [one.fit(values) for one in passes]
    return effect_table(passes, fits, values, found, drawn, vcov=vcov, level=level)


def effect_table(
    passes: list[Pass],
    fits: list[Fit],
    values: FloatArray,
    names: tuple[str, ...],
    drawn: FloatArray,
    *,
    vcov: Vcov,
    level: float,
) -> EffectTable:
    """Read the effects of the draw off fitted passes over outcomes (n, J)."""
    parts = [
        (one.columns, _statistics(fit, one.take(values), drawn, vcov, level))
        for one, fit in zip(passes, fits, strict=True)
    ]
    dropped = dict.fromkeys(name for one in passes for name in one.design.dropped)
    return EffectTable(outcomes=names, vcov=vcov, level=level, dropped=tuple(dropped), **assemble(parts, len(names)))


def _statistics(fit: Fit, values: FloatArray, drawn: FloatArray, vcov: Vcov, level: float) -> dict[str, Any]:
    """Everything one kernel pass says about its outcomes, as columns of the table."""
    design = fit.design
    estimate, std_error = fit.estimates, fit.std_errors(vcov)[0]
    df = np.full(estimate.shape, design.df(vcov))
    told = t_inference(estimate, std_error, df, level=level)
    used, arm = design.used(values), design.used(drawn) == 1.0
    weight = None if design.root_weights is None else design.root_weights**2
    treated_arm = moments(used[arm], weights=None if weight is None else weight[arm])
    control_arm = moments(used[~arm], weights=None if weight is None else weight[~arm])
    return {
        "estimate": estimate,
        "std_error": std_error,
        "t": told.t,
        "p_value": told.p_value,
        "conf_low": told.conf_low,
        "conf_high": told.conf_high,
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
    }


def assemble(parts: list[tuple[IntArray, dict[str, Any]]], n_outcomes: int) -> dict[str, Any]:
    """Put the passes' columns back in the order of the outcomes."""
    table = {name: np.empty(n_outcomes, dtype=column.dtype) for name, column in parts[0][1].items()}
    for columns, statistics in parts:
        for name, column in statistics.items():
            table[name][columns] = column
    return table
