"""Balance of covariates measured before random assignment, in two forms.

One form regresses treatment on each covariate alone, then on all together, with cells absorbed. The other shows arm
means, the difference adjusted for cells, and the normalised difference, which does not grow with n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import COVARIANCES, Vcov
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    check_finite,
    object_array,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.effects.itt import EffectTable, itt


@dataclass(frozen=True, eq=False)
class TreatmentRegression:
    """Treatment regressed on covariates: every array of shape (k,), NaN where a covariate does not vary within cells.

    ``n`` and ``r_squared`` (cells included) belong to each covariate's regression; ``sources`` says where each estimate comes from.
    """

    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    r_squared: FloatArray
    n: IntArray
    sources: npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class BalanceTable:
    """Balance of covariates between the arms.

    Attributes
    ----------
    covariates
        Their names, k of them.
    alone, together
        Treatment on each covariate by itself, and on all at once.
    joint_test
        Wald test that all coefficients of ``together`` are 0.
    differences
        Each covariate on treatment, cells absorbed: the adjusted difference, with arm means and standard deviations.
    balanced
        Covariates whose difference is 0 by design, with no sampling variation (the same values in every cluster): there is
        nothing to test, and they are left out of ``together``.
    unsupported
        Covariates whose coefficient rests on people fitted exactly (a trait of a single person): under a robust covariance
        their residual is 0 whatever the outcome, so nothing estimates the variance. They have no standard error and are left
        out of ``together``.
    dropped
        Covariates left out of ``together`` as collinear with cells or earlier covariates, among all people or among those
        who are not fitted exactly.
    """

    covariates: tuple[str, ...]
    alone: TreatmentRegression
    together: TreatmentRegression
    joint_test: WaldTest
    differences: EffectTable
    balanced: tuple[str, ...]
    unsupported: tuple[str, ...]
    dropped: tuple[str, ...]
    vcov: Vcov

    @property
    def normalised_difference(self) -> FloatArray:
        """(mean_1 - mean_0) / sqrt((s_1^2 + s_0^2) / 2), Imbens and Rubin (2015, eq. 14.1), shape (k,)."""
        spread = np.sqrt((self.differences.sd_treated**2 + self.differences.sd_control**2) / 2)
        gap = self.differences.mean_treated - self.differences.mean_control
        return ratio(gap, spread)

    def to_frame(self) -> pd.DataFrame:
        """One row per covariate; the regressions of treatment carry the suffixes ``_alone`` and ``_together``."""
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
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> BalanceTable:
    """Test whether assignment is related to covariates within cells.

    Parameters
    ----------
    covariates
        Shape (n, k), all measured before random assignment.
    treated, names, options
        As in `itt`, without controls; the regression on all covariates always uses the people observed in each of them.

    Raises
    ------
    UserError
        As `itt`.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A balance table", "controls")
    values, labels = as_columns(covariates, inputs.n_rows, what="covariates", names=names)
    if inputs.missing == "error":
        check_finite(values[inputs.rows], labels, what="Covariates", remedy="Choose missing='common' or 'available'.")
    complete: BoolArray = np.asarray(np.isfinite(values).all(axis=1))
    alone, unsupported = [], []
    for k, name in enumerate(labels):
        observed: BoolArray = np.isfinite(values[:, k]) if inputs.missing == "available" else complete
        design = design_of(inputs.among(observed), values[:, [k]], (name,), collinear="drop")
        regression = _regress_treatment(design, inputs, [name])[0]
        if COVARIANCES[inputs.vcov].is_robust and not design.supported.all():
            unsupported.append(name)
        alone.append(regression)
    # Covariates without sampling variation would enter the joint test as rounding errors.
    stacked = _stack(alone)
    balanced = (stacked.std_error == 0) & (stacked.estimate == 0)
    tested = np.flatnonzero(~balanced & ~np.isin(labels, unsupported))
    everything = _all_at_once(inputs.among(complete), values, tested, labels)
    together, joint_test = _regress_treatment(everything, inputs, labels)
    return BalanceTable(
        covariates=labels,
        alone=stacked,
        together=together,
        joint_test=joint_test,
        differences=itt(values, inputs, names=labels),
        balanced=tuple(name for k, name in enumerate(labels) if balanced[k]),
        unsupported=tuple(unsupported),
        dropped=tuple(labels[k] for k in tested if labels[k] not in everything.focus),
        vcov=inputs.vcov,
    )


def _all_at_once(inputs: RegressionInputs, values: FloatArray, tested: IntArray, labels: Sequence[str]) -> Design:
    """Prepare the regression on all covariates tested, leaving out those that nobody but people fitted exactly tell apart.

    Where one person alone is outside the other categories of a trait, the categories' coefficients are differences from that
    person: the last of them is left out, so that the person joins it in the reference category.
    """
    columns = [int(k) for k in tested]
    while True:
        design = design_of(inputs, values[:, columns], tuple(labels[k] for k in columns), collinear="drop")
        if not COVARIANCES[inputs.vcov].is_robust or design.supported.all():
            return design
        others = np.zeros(inputs.n_rows, dtype=bool)
        others[design.rows[design.inverse_slack > 0]] = True
        names = tuple(labels[k] for k in columns)
        kept = (
            design_of(inputs.among(others), values[:, columns], names, collinear="drop").focus if others.any() else ()
        )
        columns = [k for k in columns if labels[k] in kept]


def _regress_treatment(
    design: Design, inputs: RegressionInputs, names: Sequence[str]
) -> tuple[TreatmentRegression, WaldTest]:
    """Regress treatment on a design's columns, with NaN for covariates the design lacks."""
    fit, vcov = design.fit(inputs.treated), inputs.vcov
    cov = fit.coefficient_cov(0, vcov)
    where = [names.index(name) for name in design.focus]
    estimate, std_error = np.full(len(names), np.nan), np.full(len(names), np.nan)
    sources = np.full(len(names), None, dtype=object)
    errors = np.sqrt(np.diag(cov))
    estimate[where], std_error[where] = fit.cleared(errors[:, None])[:, 0], errors
    sources[where] = object_array(fit.source(vcov, focus=k) for k in range(len(where)))
    known_df = np.full(len(names), np.nan)
    known_df[where] = design.dfs(vcov)
    inference = t_inference(estimate, std_error, known_df)
    regression = TreatmentRegression(
        estimate=estimate,
        std_error=std_error,
        t=inference.t,
        p_value=inference.p_value,
        r_squared=np.full(len(names), fit.r_squared[0]),
        n=np.full(len(names), design.n),
        sources=sources,
    )
    loadings = np.eye(len(where))
    source, freedom = fit.source(vcov, loadings=loadings), design.freedom(vcov, loadings)
    # All coefficients have the same n - K or clusters - 1 where the test does not estimate its degrees of freedom.
    df = design.df(vcov) if where else np.nan
    return regression, wald_test(fit.coefficients[:, 0], cov, df, source=source, freedom=freedom)


def _stack(parts: list[TreatmentRegression]) -> TreatmentRegression:
    return TreatmentRegression(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(TreatmentRegression)
        }
    )
