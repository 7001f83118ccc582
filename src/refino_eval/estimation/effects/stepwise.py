"""The effect as groups of controls enter, and what each group accounts for whatever the order.

Entering controls group by group shows the path from the plain difference to the adjusted one, but what a group seems
to do depends on those before it. Gelbach's (2016) decomposition does not: with beta_k the coefficient of control k
in the full regression and gamma_k the draw's coefficient in the regression of control k on the draw and cells,

    b_base - b_full = sum_g delta_g,   delta_g = sum_{k in g} gamma_k beta_k,

exactly. In a trial every gamma_k has mean 0: a delta_g away from 0 is imbalance of the draw, by chance or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
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
    as_mask,
    as_treated,
    check_cluster,
    check_finite,
    check_level,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import Design, cross_product
from refino_eval.estimation.core.preparation import prepare, prepare_columns
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, itt


@dataclass(frozen=True, eq=False)
class Stepwise:
    """Effects of the draw as G groups of controls enter, and Gelbach's decomposition of the change.

    Attributes
    ----------
    outcomes, groups
        J outcomes; the groups in the order in which they enter.
    steps
        One `EffectTable` a step on the same people: without controls, with the first group, ..., with all.
    contribution, contribution_std_error, contribution_p_value
        delta_g, shape (G, J).
    change, change_std_error
        Base less full effect, the sum of contributions, shape (J,).
    dropped
        Controls left out of the full regression as collinear with cells or earlier controls.
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
    vcov: Vcov

    def to_frame(self) -> pd.DataFrame:
        """One row a step and outcome: step (0, 1, ...), entered, and the columns of `EffectTable.to_frame`."""
        frames = [
            step.to_frame().assign(step=k, entered="" if k == 0 else self.groups[k - 1])
            for k, step in enumerate(self.steps)
        ]
        return pd.concat(frames, ignore_index=True)

    def decomposition_frame(self) -> pd.DataFrame:
        """One row an outcome and group, the group ``total`` last: contribution, std_error, p_value, share of change."""
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
    treated: Vector,
    groups: Mapping[str, Columns],
    *,
    cells: Labels | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Stepwise:
    """Let groups of controls enter one after another, and decompose the whole change.

    Parameters
    ----------
    groups
        Named groups of controls in order, shape (n, k_g) each, finite in the rows in use.
    missing
        ``"error"``, or ``"common"``: every step has the people observed in all outcomes. (Steps on different people
        would mix their change with that of the controls.)
    outcomes, treated, cells, cluster, singletons, rows, level, names
        As in `itt.itt`.
    vcov
        ``HC0`` to ``HC3`` or ``CRV1``.

    Raises
    ------
    UserError
        As `itt`; for classical errors, which the decomposition has none of; without groups.

    Notes
    -----
    The influence of delta_g is sum_k (beta_k psi_gamma_k + gamma_k psi_beta_k), each scaled as its own regression's
    vcov asks, and so counts that both are estimated on the same people.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    if vcov == "iid" or missing == "available" or not groups:
        raise UserError(
            "The stepwise table needs at least one group of controls, vcov HC0-HC3 or CRV1 (classical errors have no influence "
            "form), and one sample for all steps (missing 'error' or 'common')."
        )
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    among = None if rows is None else as_mask(rows, drawn.size)
    used = choose_samples(values, found, missing, among=among)[0].rows
    matrix, owner, labels = _controls(groups, drawn.size)
    check_finite(matrix[used], labels, what="Controls", remedy="Encode the missing values (build_controls).")
    filled = np.where(used[:, None], matrix, 0.0)
    options = {"cells": cells, "cluster": cluster, "singletons": singletons, "rows": used}
    steps = [itt(values, drawn, vcov=vcov, level=level, names=found, **options)]  # type: ignore[arg-type]
    for g in range(len(groups)):
        entered = filled[:, owner <= g]
        steps.append(itt(values, drawn, controls=entered, vcov=vcov, level=level, names=found, **options))  # type: ignore[arg-type]
    base = prepare(drawn, **options)  # type: ignore[arg-type]
    full = prepare_columns(filled, names=labels, controls=drawn, collinear="drop", **options)  # type: ignore[arg-type]
    clusters = encode(cluster, drawn.size, what="cluster") if cluster is not None else None
    parts = _contributions(base, full, filled, values, owner, labels, vcov)
    estimate = np.stack([value for value, _ in parts])
    error = np.stack([_std_error(psi, clusters) for _, psi in parts])
    return Stepwise(
        outcomes=found,
        groups=tuple(groups),
        steps=tuple(steps),
        contribution=estimate,
        contribution_std_error=error,
        contribution_p_value=t_inference(estimate, error, full.df(vcov)).p_value,
        change=estimate.sum(axis=0),
        change_std_error=_std_error(np.sum([psi for _, psi in parts], axis=0), clusters),
        dropped=full.dropped,
        vcov=vcov,
    )


def _controls(groups: Mapping[str, Columns], n: int) -> tuple[FloatArray, IntArray, list[str]]:
    """All groups' columns side by side, the group of each column, and unique names."""
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
) -> list[tuple[FloatArray, FloatArray]]:
    """Each group's delta, shape (J,), and its influence, shape (n_rows, J)."""
    kept = [labels.index(name) for name in full.focus]
    outer = full.fit(values)
    beta = outer.coefficients
    parts = []
    if kept:
        inner = base.fit(matrix[:, kept])
        gamma, psi_gamma = inner.estimates, inner.scores(vcov)
    for g in range(int(owner.max()) + 1):
        value, psi = np.zeros(values.shape[1]), np.zeros((full.n_rows, values.shape[1]))
        for place, column in enumerate(kept):
            if owner[column] == g:
                value = value + gamma[place] * beta[place]
                psi = psi + psi_gamma[:, [place]] * beta[place]
                psi = psi + gamma[place] * outer.scores(vcov, focus=place)
        parts.append((value, psi))
    return parts


def _std_error(psi: FloatArray, clusters: IntArray | None) -> FloatArray:
    return np.asarray(np.sqrt(np.diag(cross_product(psi, clusters))))
