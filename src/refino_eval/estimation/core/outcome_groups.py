"""Outcomes with the same people and controls share one design: groups of outcomes, and their results put back in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray, IntArray
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import RegressionInputs
from refino_eval.estimation.core.samples import choose_samples


@dataclass(frozen=True, eq=False, repr=False)
class OutcomeGroup:
    """Outcomes with the same people and controls: their numbers among all outcomes, their inputs, and the design for them."""

    columns: IntArray
    inputs: RegressionInputs
    design: Design

    def take(self, values: FloatArray) -> FloatArray:
        """Return the group's columns of all outcomes, without a copy when it has them all."""
        return values if self.columns.size == values.shape[1] else values[:, self.columns]

    def fit(self, values: FloatArray) -> Fit:
        """Fit the group's columns of all outcomes, shape (n, J)."""
        return self.design.fit(self.take(values))


def group_outcomes(values: FloatArray, names: tuple[str, ...], inputs: RegressionInputs) -> list[OutcomeGroup]:
    """Prepare one design for all outcomes that are observed for the same people and have the same controls.

    Parameters
    ----------
    values
        Outcomes, shape (n, J), missing as NaN.
    names
        Their names.
    inputs
        Of the regression.

    Raises
    ------
    UserError
        As `preparation.prepare`, naming the outcomes concerned when some have another sample than the rest.
    """
    samples = choose_samples(values, names, inputs.missing, among=inputs.rows)
    alike = [(sample.rows, *group) for sample in samples for group in _same_controls(sample.columns, names, inputs)]
    groups = []
    for rows, columns, controls in alike:
        chosen = replace(inputs.with_columns(controls), rows=rows)
        try:
            design = design_of(chosen)
        except UserError as error:
            if len(alike) == 1:
                raise
            concerned = _listed([names[k] for k in columns])
            raise UserError(*(f"Outcomes {concerned}: {line}" for line in error.problems)) from error
        groups.append(OutcomeGroup(columns, chosen, design))
    return groups


def _same_controls(
    columns: IntArray, names: tuple[str, ...], inputs: RegressionInputs
) -> list[tuple[IntArray, tuple[int, ...]]]:
    """Group outcomes by the controls of their regressions, in order of first appearance."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for k in columns.tolist():
        groups.setdefault(inputs.of_outcome(names[k]), []).append(k)
    return [(np.asarray(members, dtype=np.int64), controls) for controls, members in groups.items()]


def joint_cov(groups: list[OutcomeGroup], fits: list[Fit], inputs: RegressionInputs) -> FloatArray:
    """Return the covariance of all outcomes' effects across groups, shape (J, J), in the outcomes' own order.

    People in the samples of two groups make their effects dependent; the classical covariance has no form for that and
    needs one sample.
    """
    order = np.concatenate([group.columns for group in groups])
    if len(groups) == 1:
        cov = fits[0].joint_cov(inputs.vcov)
    else:
        scores = np.hstack([fit.scores(inputs.vcov) for fit in fits])
        cov = cross_product(scores, inputs.summed_in)
    ordered = np.empty_like(cov)
    ordered[np.ix_(order, order)] = cov
    return ordered


def assemble(parts: list[tuple[IntArray, dict[str, Any]]], n_outcomes: int) -> dict[str, Any]:
    """Put the columns of groups of outcomes back in the order of the outcomes."""
    table = {name: np.empty(n_outcomes, dtype=column.dtype) for name, column in parts[0][1].items()}
    for columns, statistics in parts:
        for name, column in statistics.items():
            table[name][columns] = column
    return table


def _listed(names: list[str], *, most: int = 5) -> str:
    text = ", ".join(f"'{name}'" for name in names[:most])
    return text + (", ..." if len(names) > most else "")
