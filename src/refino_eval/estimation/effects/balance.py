"""Was the draw balanced on what was known before it? Both forms a reader may ask for.

The report's form regresses the draw on each covariate alone, then on all together, with cells absorbed; the modern
form shows arm means, the difference adjusted for cells, and the normalised difference, which does not grow with n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

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
    as_mask,
    as_treated,
    check_cluster,
    check_finite,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.preparation import prepare_columns
from refino_eval.estimation.effects.itt import EffectTable, itt


@dataclass(frozen=True, eq=False)
class DrawRegression:
    """The draw regressed on covariates: every array of shape (k,), NaN where a covariate does not vary within cells.

    ``n`` and ``r_squared`` (cells included) belong to each covariate's regression.
    """

    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    r_squared: FloatArray
    n: IntArray


@dataclass(frozen=True, eq=False)
class BalanceTable:
    """Balance of covariates between the arms.

    Attributes
    ----------
    covariates
        Their names, k of them.
    alone, together
        The draw on each covariate by itself, and on all at once.
    joint_test
        Wald test that all coefficients of ``together`` are 0.
    differences
        Each covariate on the draw, cells absorbed: the adjusted difference, with arm means and standard deviations.
    dropped
        Covariates left out of ``together`` as collinear with cells or earlier covariates.
    """

    covariates: tuple[str, ...]
    alone: DrawRegression
    together: DrawRegression
    joint_test: WaldTest
    differences: EffectTable
    dropped: tuple[str, ...]
    vcov: Vcov

    @property
    def normalised_difference(self) -> FloatArray:
        """(mean_1 - mean_0) / sqrt((s_1^2 + s_0^2) / 2), Imbens and Rubin (2015, eq. 14.1), shape (k,)."""
        spread = np.sqrt((self.differences.sd_treated**2 + self.differences.sd_control**2) / 2)
        gap = self.differences.mean_treated - self.differences.mean_control
        return ratio(gap, spread)

    def to_frame(self) -> pd.DataFrame:
        """One row a covariate; the draw's regressions carry the suffixes ``_alone`` and ``_together``."""
        gap = self.differences
        parts = {
            "covariate": self.covariates,
            "mean": gap.mean,
            "mean_treated": gap.mean_treated,
            "mean_control": gap.mean_control,
            "difference": gap.estimate,
            "std_error": gap.std_error,
            "p_value": gap.p_value,
            "normalised_difference": self.normalised_difference,
            "n": gap.n,
        }
        for suffix, part in (("alone", self.alone), ("together", self.together)):
            for name in ("estimate", "std_error", "p_value", "r_squared", "n"):
                parts[f"{name}_{suffix}"] = getattr(part, name)
        return pd.DataFrame(parts)


def balance(
    covariates: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> BalanceTable:
    """Test whether the draw is related to covariates within cells.

    Parameters
    ----------
    covariates
        Shape (n, k), all measured before the draw.
    treated
        The draw, 0 or 1, shape (n,).
    missing
        As in `itt`; the regression on all together always uses the people observed in every covariate.
    cells, weights, cluster, vcov, singletons, rows, level, names
        As in `itt`.

    Raises
    ------
    UserError
        As `itt`.
    """
    check_cluster(cluster, vcov)
    drawn = as_treated(treated)
    values, found = as_columns(covariates, drawn.size, what="covariates", names=names)
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    if missing == "error":
        check_finite(values[everyone], found, what="Covariates", remedy="Choose missing='common' or 'available'.")
    complete = everyone & np.isfinite(values).all(axis=1)
    design_of = partial(
        prepare_columns, cells=cells, weights=weights, cluster=cluster, singletons=singletons, collinear="drop"
    )
    singles = []
    for k, name in enumerate(found):
        known = everyone & np.isfinite(values[:, k]) if missing == "available" else complete
        singles.append(_regress_draw(design_of(values[:, [k]], names=[name], rows=known), drawn, [name], vcov)[0])
    everything = design_of(values, names=found, rows=complete)
    together, joint_test = _regress_draw(everything, drawn, found, vcov)
    return BalanceTable(
        covariates=found,
        alone=_stack(singles),
        together=together,
        joint_test=joint_test,
        differences=itt(
            values, drawn, cells=cells, weights=weights, cluster=cluster, vcov=vcov, singletons=singletons,
            missing=missing, rows=rows, level=level, names=found,
        ),
        dropped=everything.dropped,
        vcov=vcov,
    )  # fmt: skip


def _regress_draw(
    design: Design, drawn: FloatArray, names: Sequence[str], vcov: Vcov
) -> tuple[DrawRegression, WaldTest]:
    """Regress the draw on a design's columns, with NaN for covariates the design dropped."""
    fit = design.fit(drawn)
    cov = fit.coefficient_cov(0, vcov)
    where = [names.index(name) for name in design.focus]
    estimate, std_error = np.full(len(names), np.nan), np.full(len(names), np.nan)
    estimate[where], std_error[where] = fit.coefficients[:, 0], np.sqrt(np.diag(cov))
    told = t_inference(estimate, std_error, design.df(vcov))
    regression = DrawRegression(
        estimate=estimate,
        std_error=std_error,
        t=told.t,
        p_value=told.p_value,
        r_squared=np.full(len(names), fit.r_squared[0]),
        n=np.full(len(names), design.n),
    )
    return regression, wald_test(fit.coefficients[:, 0], cov, design.df(vcov))


def _stack(parts: list[DrawRegression]) -> DrawRegression:
    return DrawRegression(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(DrawRegression)
        }
    )
