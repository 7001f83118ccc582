"""Leave-one-out estimates: the effect without each group of people (county) in turn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, Vector, as_columns
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import cross_product
from refino_eval.estimation.core.outcome_groups import group_outcomes
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.effects.itt import EffectTable, effect_table


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Effects without each of G groups, arrays of shape (G, J).

    ``full`` is the estimate with all groups. ``change`` is the estimate without the group less the full one, and
    ``change_std_error`` counts that they share people (NaN for the classical covariance, which has no form for it);
    with as many changes as groups, the largest is no test. ``sources`` says where each estimate comes from.
    """

    groups: tuple[str, ...]
    outcomes: tuple[str, ...]
    full: EffectTable
    estimate: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    change: FloatArray
    change_std_error: FloatArray
    n: IntArray
    n_left_out: IntArray
    sources: npt.NDArray[np.object_]
    vcov: Vcov
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome and group."""
        index = pd.MultiIndex.from_product((self.outcomes, self.groups), names=("outcome", "without"))
        names = (
            "estimate", "std_error", "p_value", "conf_low", "conf_high", "change", "change_std_error", "n", "n_left_out",
        )  # fmt: skip
        return pd.DataFrame({name: getattr(self, name).T.ravel() for name in names}, index=index).reset_index()


def leave_one_out(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    groups: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> LeaveOneOut:
    """Estimate the effect of treatment without each group of people in turn.

    Parameters
    ----------
    groups
        Label of each person (county), shape (n,); results are in the order of their text.
    outcomes, treated, names, options
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`, for any of the samples, naming the group left out; with fewer than two groups.
    """
    inputs = regression_inputs(treated, **options)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    member = encode(groups, inputs.n_rows, what="groups")
    text = [str(label) for label in list(groups)]
    label_of = {int(code): text[row] for row, code in enumerate(member.tolist())}
    order = sorted(np.unique(member[inputs.rows]).tolist(), key=lambda code: label_of[code])
    if len(order) < 2:
        raise UserError("Leaving one group out needs at least two groups among the people in use.")
    full, reference = _estimate(values, labels, inputs)
    tables, errors = [], []
    for code in order:
        try:
            table, scores = _estimate(values, labels, replace(inputs, rows=inputs.rows & (member != code)))
        except UserError as error:
            raise UserError(*(f"Without '{label_of[code]}': {line}" for line in error.problems)) from error
        tables.append(table)
        # The scores of the two estimates are subtracted person by person, since they share most people.
        change = scores - reference
        errors.append(np.sqrt(np.diag(cross_product(change, inputs.summed_in))))
    estimate, std_error = np.stack([t.estimate for t in tables]), np.stack([t.std_error for t in tables])
    inference = t_inference(estimate, std_error, np.stack([t.df for t in tables]), level=inputs.level)
    n = np.stack([t.n for t in tables])
    return LeaveOneOut(
        groups=tuple(label_of[code] for code in order), outcomes=labels, full=full, estimate=estimate,
        std_error=std_error, p_value=inference.p_value, conf_low=inference.conf_low, conf_high=inference.conf_high,
        change=estimate - full.estimate, change_std_error=np.stack(errors), n=n, n_left_out=full.n - n, sources=np.stack([t.sources for t in tables]),
        vcov=inputs.vcov, level=inputs.level,
    )  # fmt: skip


def _estimate(values: FloatArray, names: tuple[str, ...], inputs: RegressionInputs) -> tuple[EffectTable, FloatArray]:
    """Return effects and the scores of all outcomes, shape (n_rows, J); NaN for the classical covariance."""
    groups = group_outcomes(values, names, inputs)
    fits = [group.fit(values) for group in groups]
    table = effect_table(groups, fits, values, names, inputs)
    scores = np.full((inputs.n_rows, len(names)), np.nan)
    if inputs.covariance.is_robust:
        for group, fit in zip(groups, fits, strict=True):
            scores[:, group.columns] = fit.scores(inputs.vcov)
    return table, scores
