"""From outcomes to kernel passes: one design for each group of outcomes observed for the same people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refino_eval.errors import UserError
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
    as_mask,
)
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.preparation import prepare
from refino_eval.estimation.core.samples import choose_samples


@dataclass(frozen=True, eq=False, repr=False)
class Pass:
    """A design, and the numbers of the outcomes that it is for."""

    columns: IntArray
    design: Design

    def take(self, values: FloatArray) -> FloatArray:
        """Return this pass' columns of all outcomes, without a copy when it has them all."""
        return values if self.columns.size == values.shape[1] else values[:, self.columns]

    def fit(self, values: FloatArray) -> Fit:
        """Fit this pass' columns of all outcomes, shape (n, J)."""
        return self.design.fit(self.take(values))


def prepare_passes(
    values: FloatArray,
    names: tuple[str, ...],
    drawn: FloatArray,
    *,
    cells: Labels | None,
    controls: Columns | None,
    weights: Vector | None,
    cluster: Labels | None,
    singletons: Singletons,
    missing: Missing,
    rows: BoolArray | None = None,
) -> list[Pass]:
    """Prepare one design for all outcomes that are observed for the same people.

    Parameters
    ----------
    values
        Outcomes, shape (n, J), missing as NaN.
    names
        Their names.
    drawn
        The draw, shape (n,).
    rows
        The people in question, boolean of shape (n,); None means all.
    cells, controls, weights, cluster, singletons, missing
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `preparation.prepare`, naming the outcomes concerned when some have another sample than the rest.
    """
    among = None if rows is None else as_mask(rows, drawn.size)
    samples = choose_samples(values, names, missing, among=among)
    passes = []
    for sample in samples:
        try:
            design = prepare(
                drawn,
                cells=cells,
                controls=controls,
                weights=weights,
                cluster=cluster,
                singletons=singletons,
                rows=sample.rows,
            )
        except UserError as fault:
            if len(samples) == 1:
                raise
            concerned = _listed([names[k] for k in sample.columns])
            raise UserError(*(f"Outcomes {concerned}: {line}" for line in fault.problems)) from fault
        passes.append(Pass(sample.columns, design))
    return passes


def joint_cov(passes: list[Pass], fits: list[Fit], vcov: Vcov, cluster: IntArray | None) -> FloatArray:
    """Return the covariance of all outcomes' effects across passes, shape (J, J), in the outcomes' own order.

    People in both samples tie two passes together; classical errors have no such form and need one sample.
    """
    order = np.concatenate([one.columns for one in passes])
    if len(passes) == 1:
        cov = fits[0].joint_cov(vcov)
    else:
        scores = np.hstack([fit.scores(vcov) for fit in fits])
        cov = cross_product(scores, cluster if vcov == "CRV1" else None)
    ordered = np.empty_like(cov)
    ordered[np.ix_(order, order)] = cov
    return ordered


def _listed(names: list[str], *, most: int = 5) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown + (", ..." if len(names) > most else "")
