"""Effects of several treated arms from one regression, and the differences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from refino_eval.covariances import Vcov
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, as_columns
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.outcome_groups import OutcomeGroup, assemble, group_outcomes
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import RegressionInputs
from refino_eval.estimation.effects.itt import EffectTable, effect_columns


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
    arm, df = arms[design.rows], design.df(vcov, loadings=loadings)
    compared = (arm == pair[0], arm == pair[1])
    return effect_columns(fit, estimates[0], errors[0], df, values, compared, inputs, loadings=loadings)
