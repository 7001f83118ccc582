"""Stepwise control: the effect as groups of controls enter, and Gelbach's decomposition of the change.

Entering controls group by group shows the path from the plain difference to the adjusted one, but what a group seems
to do depends on those before it. Gelbach's (2016) decomposition does not: with beta_k the coefficient of control k
in the full regression and gamma_k the coefficient of treatment in the regression of control k on treatment and cells,

    b_base - b_full = sum_g delta_g,   delta_g = sum_{k in g} gamma_k beta_k,

exactly. In a trial every gamma_k has mean 0: a delta_g away from 0 is imbalance, by chance or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Columns, FloatArray, IntArray, Vector, as_columns, check_finite
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import Design, cross_product
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.recording import Source
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, itt


@dataclass(frozen=True, eq=False)
class Stepwise:
    """Effects of treatment as G groups of controls enter, and Gelbach's decomposition of the change.

    Attributes
    ----------
    outcomes, groups
        J outcomes; the groups in the order in which they enter.
    steps
        One `EffectTable` per step on the same people: without controls, with the first group, ..., with all.
    contribution, contribution_std_error, contribution_p_value
        delta_g, shape (G, J).
    change, change_std_error
        Base less full effect, the sum of contributions, shape (J,).
    dropped
        Controls left out of the full regression as collinear with cells or earlier controls.
    contribution_sources
        For each group and outcome: where its gamma_k and, after them, its beta_k come from.
    """

    outcomes: tuple[str, ...]
    groups: tuple[str, ...]
    steps: tuple[EffectTable, ...]
    contribution: FloatArray
    contribution_std_error: FloatArray
    contribution_p_value: FloatArray
    change: FloatArray
    change_std_error: FloatArray
    dropped: tuple[str, ...]
    contribution_sources: tuple[tuple[tuple[Source, ...], ...], ...]
    vcov: Vcov

    def to_frame(self) -> pd.DataFrame:
        """One row per step and outcome: step (0, 1, ...), entered, and the columns of `EffectTable.to_frame`."""
        frames = [
            step.to_frame().assign(step=k, entered="" if k == 0 else self.groups[k - 1])
            for k, step in enumerate(self.steps)
        ]
        return pd.concat(frames, ignore_index=True)

    def decomposition_frame(self) -> pd.DataFrame:
        """One row per outcome and group, the group ``total`` last: contribution, std_error, p_value, share of change."""
        rows = []
        for j, outcome in enumerate(self.outcomes):
            parts = zip(
                self.groups, self.contribution[:, j], self.contribution_std_error[:, j], self.contribution_p_value[:, j],
                strict=True,
            )  # fmt: skip
            rows += [(outcome, *part) for part in parts]
            total = t_inference(self.change[[j]], self.change_std_error[[j]], self.steps[-1].df[[j]])
            rows.append((outcome, "total", self.change[j], self.change_std_error[j], total.p_value[0]))
        return pd.DataFrame(rows, columns=["outcome", "group", "contribution", "std_error", "p_value"])


def stepwise(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    groups: Mapping[str, Columns],
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> Stepwise:
    """Estimate the effect as groups of controls enter one after another, and decompose the whole change.

    Parameters
    ----------
    groups
        Named groups of controls in order, shape (n, k_g) each, finite in the rows in use.
    outcomes, treated, names, options
        As in `itt.itt`, without controls, with a robust vcov, and with ``missing`` ``"error"`` or ``"common"``:
        steps on different people would mix their change with that of the controls.

    Raises
    ------
    UserError
        As `itt`; for an option that the decomposition has no form for; without groups.

    Notes
    -----
    The influence of delta_g is sum_k (beta_k psi_gamma_k + gamma_k psi_beta_k), each scaled as its own regression's
    vcov asks, and so counts that both are estimated on the same people.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("The stepwise table", "controls")
    if not inputs.covariance.is_robust or inputs.missing == "available" or not groups:
        raise UserError(
            "The stepwise table needs at least one group of controls, a robust vcov (the classical covariance has no form for "
            "the decomposition), and one sample for all steps (missing 'error' or 'common')."
        )
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    used = choose_samples(values, labels, inputs.missing, among=inputs.rows)[0].rows
    matrix, owner, controls = _controls(groups, inputs.n_rows)
    check_finite(matrix[used], controls, what="Controls", remedy="Encode the missing values (build_controls).")
    filled, inputs = np.where(used[:, None], matrix, 0.0), replace(inputs, rows=used)
    steps = [itt(values, inputs, names=labels)]
    for g in range(len(groups)):
        entered = np.flatnonzero(owner <= g)
        names_of = tuple(controls[k].partition(": ")[2] for k in entered)
        steps.append(itt(values, inputs.adjusted_for(filled[:, entered], names_of), names=labels))
    # The full regression shows the coefficients of the controls, with treatment in their place.
    given = inputs.adjusted_for(inputs.treated[:, None], ("control",))
    full = design_of(given, filled, tuple(controls), collinear="drop")
    parts, sources = _contributions(design_of(inputs), full, filled, values, owner, controls, inputs.vcov)
    estimate = np.stack([value for value, _ in parts])
    error = np.stack([_std_error(psi, inputs.summed_in) for _, psi in parts])
    return Stepwise(
        outcomes=labels,
        groups=tuple(groups),
        steps=tuple(steps),
        contribution=estimate,
        contribution_std_error=error,
        contribution_p_value=t_inference(estimate, error, _freedom(steps, full, inputs)).p_value,
        change=estimate.sum(axis=0),
        change_std_error=_std_error(np.sum([psi for _, psi in parts], axis=0), inputs.summed_in),
        dropped=full.dropped,
        contribution_sources=sources,
        vcov=inputs.vcov,
    )


def _controls(groups: Mapping[str, Columns], n: int) -> tuple[FloatArray, IntArray, list[str]]:
    """Return all groups' columns as one matrix, the group of each column, and unique names."""
    blocks, owner, labels = [], [], []
    for g, (group, columns) in enumerate(groups.items()):
        block, names = as_columns(columns, n, what=f"controls of group '{group}'")
        blocks.append(block)
        owner += [g] * block.shape[1]
        labels += [f"{group}: {name}" for name in names]
    return np.hstack(blocks), np.asarray(owner, dtype=np.int64), labels


def _contributions(
    base: Design,
    full: Design,
    matrix: FloatArray,
    values: FloatArray,
    owner: IntArray,
    labels: list[str],
    vcov: Vcov,
) -> tuple[list[tuple[FloatArray, FloatArray]], tuple[tuple[tuple[Source, ...], ...], ...]]:
    """Return each group's delta, shape (J,), with its influence, shape (n_rows, J); and the sources of its coefficients."""
    kept = [labels.index(name) for name in full.focus]
    outer = full.fit(values)
    beta = outer.coefficients
    parts = []
    if kept:
        inner = base.fit(matrix[:, kept])
        gamma, psi_gamma = inner.estimates, inner.scores(vcov)
    for g in range(int(owner.max()) + 1):
        value, psi = np.zeros(values.shape[1]), np.zeros((full.n_rows, values.shape[1]))
        for k, column in enumerate(kept):
            if owner[column] == g:
                value = value + gamma[k] * beta[k]
                psi = psi + psi_gamma[:, [k]] * beta[k]
                # A coefficient of people fitted exactly has no residuals to add; its weight gamma is of the order 1 / n.
                if full.supported[k]:
                    psi = psi + gamma[k] * outer.scores(vcov, focus=k)
        parts.append((value, psi))
    sources = tuple(
        tuple(
            (*(inner.source(vcov, k) for k in mine), *(outer.source(vcov, j, focus=k) for k in mine))
            for j in range(values.shape[1])
        )
        for g in range(int(owner.max()) + 1)
        for mine in [[k for k, column in enumerate(kept) if owner[column] == g]]
    )
    return parts, sources


def _freedom(steps: list[EffectTable], full: Design, inputs: RegressionInputs) -> float:
    """Return the degrees of freedom of contributions, which are products of coefficients of several regressions.

    Satterthwaite's approximation has no form for them; the fewest of the effects in all steps are taken.
    """
    if inputs.covariance.has_satterthwaite:
        return float(min(step.df.min() for step in steps))
    return full.df(inputs.vcov)


def _std_error(psi: FloatArray, clusters: IntArray | None) -> FloatArray:
    return np.asarray(np.sqrt(np.diag(cross_product(psi, clusters))))
