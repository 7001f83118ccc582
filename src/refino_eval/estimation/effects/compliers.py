"""Compliers: shares, characteristics and outcomes of compliers, always-takers and never-takers.

Under monotonicity people are compliers (they participate when assigned to treatment, not otherwise), always-takers and
never-takers. Nobody's type is observed, but shares and mean characteristics are: always-takers are the control arm's
participants, never-takers the treatment arm's non-participants, and compliers the rest (Abadie 2003),

    E[kappa X] = E[X] - E[D (1 - Z) X / (1 - p)] - E[(1 - D) Z X / p].

p is the cell's assignment share: with one p for everybody, people of cells with a high share crowd one arm, and
their characteristics are taken for those of a type. Here each term is combined cell by cell (`strata`), so that
shares times means add up to the sample's mean exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_vector,
    check_length,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.influence import Estimate, stack
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.core.strata import CellWeighting, Strata, build_strata
from refino_eval.estimation.effects.late import late

TYPES = ("compliers", "always_takers", "never_takers")


@dataclass(frozen=True, eq=False)
class ComplierTable:
    """Shares and characteristics of the three types, for k covariates.

    Attributes
    ----------
    share, share_std_error
        Of compliers, always-takers and never-takers among all people in cells with both arms, shape (3,).
    mean, std_error
        Mean of each covariate in each type, shape (3, k); NaN for a type without people.
    sample_mean
        Mean of all, shape (k,).
    difference, difference_std_error, p_value
        Each type's mean less the sample's, shape (3, k); the p-value is normal.
    ratio
        Each type's mean over the sample's, shape (3, k).
    n, n_left_out
        People in use, and people in cells with one arm, shape (k,).
    """

    covariates: tuple[str, ...]
    share: FloatArray
    share_std_error: FloatArray
    mean: FloatArray
    std_error: FloatArray
    sample_mean: FloatArray
    difference: FloatArray
    difference_std_error: FloatArray
    p_value: FloatArray
    ratio: FloatArray
    n: IntArray
    n_left_out: IntArray
    weighting: CellWeighting

    def to_frame(self) -> pd.DataFrame:
        """One row per covariate and type, and three rows ``share`` first."""
        shares = pd.DataFrame(
            {"covariate": "share", "type": TYPES, "mean": self.share, "std_error": self.share_std_error}
        )
        index = pd.MultiIndex.from_product((self.covariates, TYPES), names=("covariate", "type"))
        columns = {
            name: getattr(self, name).T.ravel()
            for name in ("mean", "std_error", "difference", "difference_std_error", "p_value", "ratio")
        }
        frame = pd.DataFrame(columns, index=index).reset_index()
        for name in ("sample_mean", "n", "n_left_out"):
            frame[name] = np.repeat(getattr(self, name), len(TYPES))
        return pd.concat((shares, frame), ignore_index=True)


def complier_profile(
    covariates: Columns,
    take_up: Vector,
    treated: Vector | RegressionInputs,
    *,
    weighting: CellWeighting = "people",
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> ComplierTable:
    """Estimate shares and mean covariates of compliers, always-takers and never-takers.

    Parameters
    ----------
    covariates
        Shape (n, k), measured before random assignment.
    take_up
        Participation, 0 or 1, known for all in use, shape (n,).
    weighting
        ``"people"`` describes the people assigned; ``"precision"`` weights cells by n_c p_c (1 - p_c), as two-stage
        least squares with cell fixed effects does.
    treated, names, options
        As in `itt.itt`, without controls. Shares are from everybody in use, whatever covariates they lack.

    Raises
    ------
    UserError
        When take-up is not 0/1 or missing, or no cell has both arms.

    Notes
    -----
    Standard errors are of the influence (delta method), with the people and their cells as a sample; with a clustered vcov
    influences are summed in clusters, and they have the small-sample factor of its regression. A share or mean
    may come out beyond its range, since it is a difference: a sign of too few compliers, not of an error.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A profile of compliers", "controls")
    values, labels = as_columns(covariates, inputs.n_rows, what="covariates", names=names)
    taken = _checked_take_up(take_up, inputs.rows)
    whole = build_strata(inputs, weighting=weighting)
    shares = _shares(whole, taken)
    k = len(labels)
    mean, error, gap, gap_error = (np.full((3, k), np.nan) for _ in range(4))
    overall, n, left_out = np.full(k, np.nan), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    # Shares come from everybody, means of a covariate from those who have it: each has its own cells.
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        strata = build_strata(replace(inputs, rows=sample.rows), weighting=weighting)
        means, average = _type_means(strata, values[:, sample.columns], taken)
        for row, type_mean in enumerate(means):
            apart = type_mean - average
            mean[row, sample.columns], error[row, sample.columns] = type_mean.value, type_mean.std_error
            gap[row, sample.columns], gap_error[row, sample.columns] = apart.value, apart.std_error
        overall[sample.columns], n[sample.columns] = average.value, strata.n
        left_out[sample.columns] = strata.n_left_out
    return ComplierTable(
        covariates=labels,
        share=shares.value,
        share_std_error=shares.std_error,
        mean=mean,
        std_error=error,
        sample_mean=overall,
        difference=gap,
        difference_std_error=gap_error,
        p_value=t_inference(gap, gap_error, np.inf).p_value,
        ratio=ratio(mean, overall),
        n=n,
        n_left_out=left_out,
        weighting=weighting,
    )


def _checked_take_up(take_up: Vector, everyone: BoolArray) -> FloatArray:
    taken = as_vector(take_up, what="take_up")
    check_length(taken.size, everyone.size, what="take_up")
    wrong = int(np.count_nonzero(~np.isin(taken[everyone], (0.0, 1.0))))
    if wrong:
        raise UserError(
            f"take_up must be 0 or 1 to identify types of people; {wrong} of {np.count_nonzero(everyone)} rows in use are not. "
            "Define participation as started or not, and code it 0 where the arm had no access."
        )
    return taken


def _shares(strata: Strata, taken: FloatArray) -> Estimate:
    d = strata.used(taken)[:, None]
    always = strata.arm_mean(d, 0, composition=True)
    never = strata.arm_mean(1 - d, 1, composition=True)
    shares = stack([1.0 - (always + never), always, never])
    # A type without people must not be left with the rounding of 1 - 1, which means would be divided by.
    return replace(shares, value=np.where(np.abs(shares.value) < 1e-12, 0.0, shares.value))


def _type_means(strata: Strata, covariates: FloatArray, taken: FloatArray) -> tuple[list[Estimate], Estimate]:
    """Means of covariates among compliers, always- and never-takers, and among all."""
    x, d = strata.used(covariates), strata.used(taken)[:, None]
    shares = _shares(strata, taken)
    always = strata.arm_mean(x * d, 0, composition=True)
    never = strata.arm_mean(x * (1 - d), 1, composition=True)
    everyone = strata.all_mean(x, composition=True)
    tops = (everyone - always - never, always, never)
    means = [top / _broad(shares.take([row]), x.shape[1]) for row, top in enumerate(tops)]
    return means, everyone


def _broad(one: Estimate, k: int) -> Estimate:
    return replace(one, value=np.repeat(one.value, k), psi=np.repeat(one.psi, k, axis=1))


@dataclass(frozen=True, eq=False)
class ComplierMeans:
    """Mean outcomes of compliers, by arm, every array of shape (J,).

    ``control`` is the compliers' outcome without participation, ``treated`` with it; ``treated - control`` is the LATE of
    two-stage least squares, exactly. ``sample_control`` is the control arm's plain mean, compliers or not.
    """

    outcomes: tuple[str, ...]
    control: FloatArray
    control_std_error: FloatArray
    treated: FloatArray
    treated_std_error: FloatArray
    effect: FloatArray
    effect_std_error: FloatArray
    effect_p_value: FloatArray
    sample_control: FloatArray
    n: IntArray
    control_sources: npt.NDArray[np.object_]
    treated_sources: npt.NDArray[np.object_]
    effect_sources: npt.NDArray[np.object_]


def complier_means(
    outcomes: Columns, take_up: Vector, treated: Vector | RegressionInputs, **options: Unpack[Options]
) -> ComplierMeans:
    """Estimate the mean outcome of compliers in each arm.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    take_up
        Participation, 0 or 1, shape (n,), known where an outcome is.
    treated, options
        As in `late.late`.

    Raises
    ------
    UserError
        As `late`, and when take-up is other than 0 or 1.

    Notes
    -----
    With D take-up, two-stage least squares of Y (1 - D) on 1 - D gives E[Y(0) | complier], and of Y D on D
    E[Y(1) | complier] (Imbens and Rubin 1997; Abadie 2002), with the weights of the effect itself.
    """
    inputs = regression_inputs(treated, **options)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes")
    taken = as_vector(take_up, what="take_up")
    check_length(taken.size, inputs.n_rows, what="take_up")
    observed = inputs.rows & np.isfinite(taken)
    _checked_take_up(taken, observed)
    # Y D is the treated outcome of participants, so its LATE is the compliers' mean with participation.
    with_it = late(values * taken[:, None], taken, inputs, names=labels)
    without = late(values * (1 - taken)[:, None], 1 - taken, inputs, names=labels)
    effect = late(values, taken, inputs, names=labels)
    weight = np.ones(inputs.n_rows) if inputs.weights is None else inputs.weights
    used: BoolArray = np.isfinite(values) & (observed & (inputs.treated == 0))[:, None]
    if inputs.missing == "common":
        used &= used.all(axis=1, keepdims=True)
    return ComplierMeans(
        outcomes=labels,
        control=without.estimate,
        control_std_error=without.std_error,
        treated=with_it.estimate,
        treated_std_error=with_it.std_error,
        effect=effect.estimate,
        effect_std_error=effect.std_error,
        effect_p_value=effect.p_value,
        sample_control=ratio(weight @ np.where(used, values, 0.0), weight @ used),
        n=effect.n,
        control_sources=without.sources,
        treated_sources=with_it.sources,
        effect_sources=effect.sources,
    )
