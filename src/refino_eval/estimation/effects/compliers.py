"""The people whose participation the draw decided: who they are, and whether their effect speaks for everybody.

Under monotonicity the people are compliers (take part when drawn, not otherwise), always-takers and never-takers.
Nobody's type is seen, but shares and mean characteristics are: always-takers are the control arm's participants,
never-takers the treatment arm's non-participants, and compliers the rest (Abadie 2003),

    E[kappa X] = E[X] - E[D (1 - Z) X / (1 - p)] - E[(1 - D) Z X / p].

p is the cell's draw share: with one p for everybody, people of cells with a high draw share crowd one arm, and
their characteristics are taken for those of a type. Here each term is put together cell by cell (`strata`), so that
shares times means add up to the sample's mean exactly.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

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
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
    check_length,
    check_level,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import t_inference
from refino_eval.estimation.core.influence import Estimate, stack
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
        """One row a covariate and type, and three rows ``share`` first."""
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
    treated: Vector,
    *,
    cells: Labels | None = None,
    weighting: CellWeighting = "people",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    names: Sequence[str] | None = None,
) -> ComplierTable:
    """Describe compliers, always-takers and never-takers by shares and means of covariates.

    Parameters
    ----------
    covariates
        Shape (n, k), measured before the draw.
    take_up
        Participation, 0 or 1, known for all in use, shape (n,).
    treated
        The draw, 0 or 1, shape (n,).
    weighting
        ``"people"`` describes the people drawn; ``"precision"`` weights cells by n_c p_c (1 - p_c), as two-stage
        least squares with cell fixed effects does.
    cells, missing, rows, names
        As in `itt.itt`. Shares are from everybody in use, whatever covariates they lack.

    Raises
    ------
    UserError
        When take-up is not 0/1 or missing, or no cell has both arms.

    Notes
    -----
    Standard errors are of the influence (delta method), with the people and their cells as a sample. A share or mean
    may come out beyond its range, since it is a difference: a sign of too few compliers, not of an error.
    """
    drawn = as_treated(treated)
    values, found = as_columns(covariates, drawn.size, what="covariates", names=names)
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    taken = _checked_take_up(take_up, everyone)
    codes = encode(cells, drawn.size)
    whole = build_strata(drawn, codes, rows=everyone, weighting=weighting)
    shares = _shares(whole, taken)
    k = len(found)
    mean, error, gap, gap_error = (np.full((3, k), np.nan) for _ in range(4))
    overall, n, left_out = np.full(k, np.nan), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    for sample in choose_samples(values, found, missing, among=everyone):
        strata = build_strata(drawn, codes, rows=sample.rows, weighting=weighting)
        means, average = _type_means(strata, values[:, sample.columns], taken)
        for row, one in enumerate(means):
            apart = one - average
            mean[row, sample.columns], error[row, sample.columns] = one.value, one.std_error
            gap[row, sample.columns], gap_error[row, sample.columns] = apart.value, apart.std_error
        overall[sample.columns], n[sample.columns] = average.value, strata.n
        left_out[sample.columns] = strata.n_left_out
    return ComplierTable(
        covariates=found,
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
            f"take_up must be 0 or 1 to tell types of people; {wrong} of {np.count_nonzero(everyone)} rows in use are not. "
            "Define participation as started or not, and code it 0 where the arm had no access."
        )
    return taken


def _shares(strata: Strata, taken: FloatArray) -> Estimate:
    d = strata.used(taken)[:, None]
    always = strata.arm_mean(d, 0, composition=True)
    never = strata.arm_mean(1 - d, 1, composition=True)
    shares = stack([1.0 - (always + never), always, never])
    # A type without people must not be left with the rounding of 1 - 1, which means would be divided by.
    return Estimate(np.where(np.abs(shares.value) < 1e-12, 0.0, shares.value), shares.psi)


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
    return Estimate(np.repeat(one.value, k), np.repeat(one.psi, k, axis=1))


@dataclass(frozen=True, eq=False)
class ComplierMeans:
    """Mean outcomes of compliers, drawn to either arm, every array of shape (J,).

    ``control`` is what compliers had without taking part, ``treated`` with it; ``treated - control`` is the effect of
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


def complier_means(outcomes: Columns, take_up: Vector, treated: Vector, **options: Any) -> ComplierMeans:
    """Estimate the outcome that compliers had when drawn to each arm.

    Parameters
    ----------
    outcomes
        Shape (n, J).
    take_up
        Participation, 0 or 1, shape (n,), known where an outcome is.
    treated
        The draw, 0 or 1, shape (n,).
    options
        As in `late.late`: cells, controls, weights, cluster, vcov, singletons, missing, rows, level.

    Raises
    ------
    UserError
        As `late`, and when take-up is other than 0 or 1.

    Notes
    -----
    With D take-up, two-stage least squares of Y (1 - D) on 1 - D gives E[Y(0) | complier], and of Y D on D
    E[Y(1) | complier] (Imbens and Rubin 1997; Abadie 2002), with the weights of the effect itself.
    """
    values, found = as_columns(outcomes, None, what="outcomes")
    taken = as_vector(take_up, what="take_up")
    rows = options.get("rows")
    everyone = np.ones(taken.size, dtype=bool) if rows is None else as_mask(rows, taken.size)
    _checked_take_up(taken, everyone & np.isfinite(taken))
    with_it = late(values * taken[:, None], taken, treated, names=found, **options)
    without = late(values * (1 - taken)[:, None], 1 - taken, treated, names=found, **options)
    effect = late(values, taken, treated, names=found, **options)
    drawn = as_treated(treated)
    weights = options.get("weights")
    weight = np.ones(drawn.size) if weights is None else as_vector(weights, what="weights")
    among: BoolArray = np.asarray(everyone & np.isfinite(taken) & (drawn == 0))
    used: BoolArray = np.asarray(np.isfinite(values)) & among[:, None]
    if options.get("missing") == "common":
        used &= used.all(axis=1, keepdims=True)
    mass = weight @ used
    return ComplierMeans(
        outcomes=found,
        control=without.estimate,
        control_std_error=without.std_error,
        treated=with_it.estimate,
        treated_std_error=with_it.std_error,
        effect=effect.estimate,
        effect_std_error=effect.std_error,
        effect_p_value=effect.p_value,
        sample_control=ratio(weight @ np.where(used, values, 0.0), mass),
        n=effect.n,
    )


@dataclass(frozen=True, eq=False)
class ReweightedLate:
    """The effect of take-up, reweighted from compliers to everybody over G groups of characteristics.

    Attributes
    ----------
    outcomes
        J outcomes.
    estimate, std_error, t, p_value, conf_low, conf_high
        sum_g share_g late_g, shape (J,); NaN when not ``feasible``.
    late, late_std_error
        The usual, complier-weighted one, shape (J,).
    groups, share, first_stage, first_stage_f, group_n
        Share of all people, and the draw's effect on take-up, of each group, shape (G,).
    group_late, group_std_error
        Shape (G, J); NaN for a group that has none.
    group_fault
        Why a group has no effect of its own (nobody takes part, one arm), else empty, one a group.
    feasible
        Whether every group's first stage reaches ``min_f``.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    late: FloatArray
    late_std_error: FloatArray
    groups: tuple[str, ...]
    share: FloatArray
    first_stage: FloatArray
    first_stage_f: FloatArray
    group_n: IntArray
    group_late: FloatArray
    group_std_error: FloatArray
    group_fault: tuple[str, ...]
    feasible: bool
    min_f: float
    vcov: Vcov
    level: float


def late_reweighted(
    outcomes: Columns,
    take_up: Vector,
    treated: Vector,
    *,
    groups: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series,
    cells: Labels | None = None,
    vcov: Vcov = "HC1",
    rows: BoolArray | None = None,
    min_f: float = 10.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> ReweightedLate:
    """Reweight the effect on compliers to the characteristics of everybody.

    Parameters
    ----------
    outcomes, take_up, treated, cells, rows, level, names
        As in `late.late`, without missing values in use.
    groups
        Group of each person by characteristics from before the draw, shape (n,).
    vcov
        ``iid`` or ``HC0`` to ``HC3``.
    min_f
        First-stage F that each group must reach; a group the draw hardly moved has no effect to weight up.

    Raises
    ------
    UserError
        As `late`, for everybody. A group that has no effect of its own makes the whole not feasible instead.

    Notes
    -----
    It is everybody's average effect when, within groups, compliers' effects are like others' (Angrist and
    Fernandez-Val 2013). Groups are disjoint people, so their variances add; the groups' shares add
    sum_g share_g (late_g - estimate)^2 / n.
    """
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    taken = as_vector(take_up, what="take_up")
    everyone = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    member = encode(groups, drawn.size, what="groups")
    label = pd.Series(list(groups))
    order = sorted(np.unique(member[everyone]).tolist(), key=lambda g: str(label[np.flatnonzero(member == g)[0]]))
    plain = late(values, taken, drawn, cells=cells, vcov=vcov, rows=everyone, names=found)
    faults: list[str] = []
    facts: dict[str, list[FloatArray]] = {
        name: [] for name in ("estimate", "std_error", "first_stage", "first_stage_f", "df")
    }
    for g in order:
        try:
            one = late(values, taken, drawn, cells=cells, vcov=vcov, rows=everyone & (member == g), names=found)
        except UserError as fault:
            faults.append(" ".join(fault.problems))
            for name, listed in facts.items():
                listed.append(np.full(len(found), 0.0 if name.startswith("first_stage") else np.nan))
        else:
            faults.append("")
            for name, listed in facts.items():
                listed.append(np.asarray(getattr(one, name), dtype=np.float64))
    size = np.array([np.count_nonzero(everyone & (member == g)) for g in order])
    share = size / size.sum()
    effect, error = np.stack(facts["estimate"]), np.stack(facts["std_error"])
    f_stat = np.stack(facts["first_stage_f"])[:, 0]
    feasible = bool(np.all(f_stat >= min_f))
    estimate = share @ effect if feasible else np.full(len(found), np.nan)
    variance = share**2 @ error**2 + share @ (effect - share @ effect) ** 2 / size.sum()
    std_error = np.sqrt(variance) if feasible else np.full(len(found), np.nan)
    told = t_inference(estimate, std_error, np.sum(facts["df"], axis=0), level=level)
    return ReweightedLate(
        outcomes=found, estimate=estimate, std_error=std_error, t=told.t, p_value=told.p_value,
        conf_low=told.conf_low, conf_high=told.conf_high, late=plain.estimate, late_std_error=plain.std_error,
        groups=tuple(str(label[np.flatnonzero(member == g)[0]]) for g in order), share=share,
        first_stage=np.stack(facts["first_stage"])[:, 0], first_stage_f=f_stat, group_n=size,
        group_late=effect, group_std_error=error, group_fault=tuple(faults), feasible=feasible, min_f=min_f, vcov=vcov, level=level,
    )  # fmt: skip
