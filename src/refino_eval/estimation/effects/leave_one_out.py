"""The effect without each group of people (county) in turn: whether one of them carries the result."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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
    check_level,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.kernel import Fit, cross_product
from refino_eval.estimation.core.outcome_groups import Pass, prepare_passes
from refino_eval.estimation.effects.itt import EffectTable, effect_table


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Effects without each of G groups, arrays of shape (G, J).

    ``full`` is the estimate with everybody. ``change`` is the estimate without the group less the full one, and
    ``change_std_error`` counts that they share people (NaN under classical errors, which have no influence form);
    with as many changes as groups, the largest is no test.
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
    vcov: Vcov
    level: float

    @property
    def most_influential(self) -> tuple[str, ...]:
        """The group whose absence changes each outcome's effect most, one an outcome."""
        return tuple(self.groups[g] for g in np.nanargmax(abs(self.change), axis=0))

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and group."""
        index = pd.MultiIndex.from_product((self.outcomes, self.groups), names=("outcome", "without"))
        names = (
            "estimate", "std_error", "p_value", "conf_low", "conf_high", "change", "change_std_error", "n", "n_left_out",
        )  # fmt: skip
        return pd.DataFrame({name: getattr(self, name).T.ravel() for name in names}, index=index).reset_index()


def leave_one_out(
    outcomes: Columns,
    treated: Vector,
    groups: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series,
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
) -> LeaveOneOut:
    """Estimate the effect of the draw without each group of people in turn.

    Parameters
    ----------
    groups
        Label of each person (county), shape (n,), told in the order of their text.
    outcomes, treated, cells, controls, weights, cluster, vcov, singletons, missing, rows, level, names
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`, for any of the samples, naming the group left out; with fewer than two groups.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    member = encode(groups, drawn.size, what="groups")
    text = [str(label) for label in list(groups)]
    shown = {int(code): text[row] for row, code in enumerate(member.tolist())}
    order = sorted(np.unique(member[everyone]).tolist(), key=lambda code: shown[code])
    if len(order) < 2:
        raise UserError("Leaving one group out needs at least two groups among the people in use.")
    clusters = None if cluster is None else encode(cluster, drawn.size, what="cluster")

    def fitted(used: BoolArray) -> tuple[list[Pass], list[Fit]]:
        passes = prepare_passes(
            values, found, drawn, cells=cells, controls=controls, weights=weights, cluster=cluster,
            singletons=singletons, missing=missing, rows=used,
        )  # fmt: skip
        return passes, [one.fit(values) for one in passes]

    whole = fitted(everyone)
    full = effect_table(*whole, values, found, drawn, vcov=vcov, level=level)
    reference = None if vcov == "iid" else _scores(*whole, vcov)
    tables, errors = [], []
    for code in order:
        try:
            part = fitted(everyone & (member != code))
        except UserError as fault:
            raise UserError(*(f"Without '{shown[code]}': {line}" for line in fault.problems)) from fault
        tables.append(effect_table(*part, values, found, drawn, vcov=vcov, level=level))
        if reference is None:
            errors.append(np.full(len(found), np.nan))
        else:
            apart = _scores(*part, vcov) - reference
            errors.append(np.sqrt(np.diag(cross_product(apart, clusters if vcov == "CRV1" else None))))
    estimate, std_error = np.stack([t.estimate for t in tables]), np.stack([t.std_error for t in tables])
    told = t_inference(estimate, std_error, np.stack([t.df for t in tables]), level=level)
    n = np.stack([t.n for t in tables])
    return LeaveOneOut(
        groups=tuple(shown[code] for code in order), outcomes=found, full=full, estimate=estimate,
        std_error=std_error, p_value=told.p_value, conf_low=told.conf_low, conf_high=told.conf_high,
        change=estimate - full.estimate, change_std_error=np.stack(errors), n=n, n_left_out=full.n - n, vcov=vcov,
        level=level,
    )  # fmt: skip


def _scores(passes: list[Pass], fits: list[Fit], vcov: Vcov) -> FloatArray:
    """Scaled influences of all outcomes, shape (n_rows, J)."""
    scores = np.hstack([fit.scores(vcov) for fit in fits])
    ordered = np.empty_like(scores)
    ordered[:, np.concatenate([one.columns for one in passes])] = scores
    return ordered
