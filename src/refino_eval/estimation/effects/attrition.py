"""Attrition: whether assignment changes who is observed, and bounds on the effect if it does.

Three answers, from the fewest assumptions. Horowitz and Manski (2000): missing outcomes may lie anywhere in the outcome's
range. Lee (2009): assignment affects being observed in one direction only (monotonicity); the arm with more people observed
holds extra people, who are trimmed from the top or the bottom, and the bounds are for those observed in either arm. Groups
of people known before assignment tighten them, since extra people are then trimmed where they are.

Trimming compares the arms' distributions, so the arms must be comparable first: with an assignment share that differs
between cells, the pooled arms are not, and pooled bounds bound another effect. Here every share and mean is combined
cell by cell (`strata`), which is trimming with each person weighted by the inverse of the cell's share.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_vector,
    check_choice,
    check_length,
    check_level,
)
from refino_eval.estimation.core.influence import Estimate
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.strata import Arm, CellWeighting, Strata, build_strata
from refino_eval.estimation.effects.itt import EffectTable, itt

Ties = Literal["fractional", "keep"]
Direction = Literal["overall", "group"]


def attrition(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> EffectTable:
    """Test differential attrition: the effect of treatment on each outcome being observed.

    The table's means are the shares observed in each arm, its estimates the differences and its p-values the tests.

    Parameters
    ----------
    outcomes
        Shape (n, J), missing as NaN.
    treated, names, options
        As in `itt.itt`.
    """
    values, labels = as_columns(outcomes, None, what="outcomes", names=names)
    return itt(np.isfinite(values).astype(np.float64), treated, names=labels, **options)


@dataclass(frozen=True)
class Bounds:
    """Bounds on the effect on one outcome.

    Attributes
    ----------
    method
        ``lee``, ``lee_tightened`` or ``horowitz_manski``.
    low, high, low_std_error, high_std_error
        The bounds and their standard errors.
    conf_low, conf_high
        Interval of Imbens and Manski (2004), which covers the effect itself with probability ``level``.
    share_observed_treated, share_observed_control
        Shares observed, arms made comparable by cells.
    trimmed_arm, trimmed_share
        The arm with more people observed overall (1 treated; None when nothing is trimmed), and the share of its observed
        people that is trimmed, over all groups (of either arm, when the direction is by group).
    share_always
        Share of people for whom the bounds hold: those observed in either arm (1 for Horowitz-Manski).
    n, n_observed_treated, n_observed_control, n_left_out
        People in use; with an outcome in each arm; and people in cells with one arm.
    n_groups, n_groups_against
        Groups that tighten, and those among them where more are observed in the other arm.
    """

    outcome: str
    method: str
    low: float
    high: float
    low_std_error: float
    high_std_error: float
    conf_low: float
    conf_high: float
    share_observed_treated: float
    share_observed_control: float
    trimmed_arm: int | None
    trimmed_share: float
    share_always: float
    n: int
    n_observed_treated: int
    n_observed_control: int
    n_left_out: int
    n_groups: int
    n_groups_against: int
    level: float


def lee_bounds(
    outcome: Vector,
    treated: Vector | RegressionInputs,
    *,
    groups: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series | None = None,
    weighting: CellWeighting = "people",
    ties: Ties = "fractional",
    direction: Direction = "overall",
    name: str = "outcome",
    **options: Unpack[Options],
) -> Bounds:
    """Return the Lee (2009) bounds on the effect on people observed in either arm.

    Parameters
    ----------
    outcome
        Shape (n,), missing as NaN for people who are not observed (a wage without a job).
    treated, options
        As in `itt.itt`, without controls; standard errors are of the influence, summed in clusters with a clustered vcov.
    groups
        Groups by characteristics from before random assignment, to tighten the bounds, shape (n,).
    weighting
        Cells by their people, or by n_c p_c (1 - p_c) (``"precision"``).
    ties
        ``"fractional"`` cuts exactly the extra share, and people of one value at the edge are kept in part.
        ``"keep"`` keeps everybody at the edge, as published tables and programs with the rule y >= quantile do: bounds
        too narrow where values heap.
    direction
        Which arm is trimmed in each group: the one with more people observed ``"overall"`` (Lee's assumption; nothing is
        trimmed in a group where the other has more), or the one with more in the ``"group"`` (Semenova 2020).
    name
        Name of the outcome.

    Raises
    ------
    UserError
        When no cell has both arms, or an arm (of a group) has nobody observed.

    Notes
    -----
    The mean of the top share m / q of values is t + E[(Y - t)+ S] / m, with t the edge; the derivative in t is 0, so
    that the influence of the edge drops out and those of E[(Y - t)+ S] and of m remain. With one cell this is the
    variance of Lee (2009, proposition 3). It holds cells' composition as it is and takes ``direction`` as known.
    """
    check_choice(ties, Ties, what="rule for ties")
    check_choice(direction, Direction, what="direction of trimming")
    inputs, values, strata = _bounded(outcome, treated, weighting, name, options)
    n = inputs.n_rows
    member = np.zeros(n, dtype=np.int64) if groups is None else encode(groups, n, what="groups")
    names = ["all"] * n if groups is None else list(groups)
    data = _Observed.of(strata, values, member, names)
    # Which arm is trimmed is decided once, for both bounds; only the end that is cut differs.
    plan = _plan(data, direction)
    low, high = (_bound(data, plan, ties, upper) for upper in (False, True))
    extra, most = sum(g.extra for g in plan.groups), sum(g.most for g in plan.groups)
    trimmed = extra / most if most > 0 else 0.0
    return Bounds(
        outcome=name,
        method="lee" if groups is None else "lee_tightened",
        **_interval(low, high, inputs.level),
        share_observed_treated=plan.share[1],
        share_observed_control=plan.share[0],
        trimmed_arm=plan.arm if trimmed > 1e-12 else None,
        trimmed_share=trimmed,
        share_always=sum(g.always for g in plan.groups),
        **_counts(strata, data.observed),
        n_groups=len(plan.groups),
        n_groups_against=plan.n_against,
    )


def horowitz_manski_bounds(
    outcome: Vector,
    treated: Vector | RegressionInputs,
    *,
    lowest: float,
    highest: float,
    weighting: CellWeighting = "people",
    name: str = "outcome",
    **options: Unpack[Options],
) -> Bounds:
    """Return the Horowitz and Manski (2000) bounds: missing outcomes anywhere between ``lowest`` and ``highest``.

    Parameters
    ----------
    lowest, highest
        Range of the outcome by its definition (0 and 1 for a state), not as observed in the data.
    outcome, treated, weighting, name, options
        As in `lee_bounds`.

    Raises
    ------
    UserError
        When the range is empty or an observed value lies outside it, or no cell has both arms.
    """
    inputs, values, strata = _bounded(outcome, treated, weighting, name, options)
    used = strata.used(values)
    observed = np.isfinite(used)
    outside = int(np.count_nonzero((used[observed] < lowest) | (used[observed] > highest)))
    if lowest >= highest or outside:
        raise UserError(
            f"{name}: the range [{lowest:g}, {highest:g}] must be a range, and hold every observed value; {outside} of "
            f"{np.count_nonzero(observed)} lie outside. Give the range that the outcome's definition allows."
        )
    # Missing outcomes at the lowest value in one arm and the highest in the other give the extreme effects.
    filled = {edge: np.where(observed, used, edge)[:, None] for edge in (lowest, highest)}
    low = strata.arm_mean(filled[lowest], 1) - strata.arm_mean(filled[highest], 0)
    high = strata.arm_mean(filled[highest], 1) - strata.arm_mean(filled[lowest], 0)
    shares = [float(strata.arm_mean(observed[:, None].astype(np.float64), arm).value[0]) for arm in (0, 1)]
    return Bounds(
        outcome=name,
        method="horowitz_manski",
        **_interval(low, high, inputs.level),
        share_observed_treated=shares[1],
        share_observed_control=shares[0],
        trimmed_arm=None,
        trimmed_share=0.0,
        share_always=1.0,
        **_counts(strata, observed),
        n_groups=1,
        n_groups_against=0,
    )


def _bounded(
    outcome: Vector, treated: Vector | RegressionInputs, weighting: CellWeighting, name: str, options: Options
) -> tuple[RegressionInputs, FloatArray, Strata]:
    """Check what bounds are computed from: inputs, outcome, and the cells with both arms."""
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A table of bounds", "controls")
    values = as_vector(outcome, what=name)
    check_length(values.size, inputs.n_rows, what=name)
    return inputs, values, build_strata(inputs, weighting=weighting)


def _interval(low: Estimate, high: Estimate, level: float) -> dict[str, Any]:
    """Return the bounds, their standard errors and the interval that covers the effect."""
    ends = float(low.value[0]), float(high.value[0])
    errors = float(low.std_error[0]), float(high.std_error[0])
    interval = imbens_manski(*ends, *errors, level=level)
    return {
        "low": ends[0],
        "high": ends[1],
        "low_std_error": errors[0],
        "high_std_error": errors[1],
        "conf_low": interval[0],
        "conf_high": interval[1],
        "level": level,
    }


def imbens_manski(
    low: float, high: float, low_std_error: float, high_std_error: float, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval that covers a partially identified effect, wherever in [low, high] it lies.

    C solves Phi(C + (high - low) / max(se)) - Phi(-C) = level: the two-sided value when the bounds meet, the
    one-sided one when they are far apart (Imbens and Manski 2004). Bounds that crossed count as meeting.
    """
    from scipy import optimize

    check_level(level)
    largest = max(low_std_error, high_std_error)
    if not np.isfinite(low + high + largest):
        return float("nan"), float("nan")
    if largest == 0:
        return low, high
    width = max(high - low, 0.0) / largest

    def excess(c: float) -> float:
        return float(special.ndtr(c + width) - special.ndtr(-c) - level)

    c = float(optimize.brentq(excess, 0.0, special.ndtri(0.5 + level / 2) + 1.0, xtol=1e-12))
    return low - c * low_std_error, high + c * high_std_error


def _counts(strata: Strata, observed: BoolArray) -> dict[str, int]:
    return {
        "n": strata.n,
        "n_observed_treated": int(np.count_nonzero(observed & (strata.treated == 1))),
        "n_observed_control": int(np.count_nonzero(observed & (strata.treated == 0))),
        "n_left_out": strata.n_left_out,
    }


@dataclass(frozen=True, eq=False, repr=False)
class _Observed:
    """People in use: their outcomes (0 when missing), whether observed, groups, and weights within arms."""

    strata: Strata
    values: FloatArray
    observed: BoolArray
    member: IntArray
    labels: tuple[str, ...]
    weights: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, strata: Strata, values: FloatArray, member: IntArray, names: Sequence[Hashable]) -> _Observed:
        used = strata.used(values)
        observed = np.isfinite(used)
        _, first, dense = np.unique(member[strata.rows], return_index=True, return_inverse=True)
        return cls(
            strata=strata,
            values=np.where(observed, used, 0.0),
            observed=observed,
            member=dense,
            labels=tuple(str(names[strata.rows[row]]) for row in first),
            weights=(strata.person_weights(0), strata.person_weights(1)),
        )

    @property
    def n_groups(self) -> int:
        return int(self.member.max()) + 1


@dataclass(frozen=True)
class _Group:
    """One group: the arm to trim, and shares of all people: observed in either arm, extra, observed in the trimmed arm."""

    arm: Arm
    always: float
    extra: float
    most: float


@dataclass(frozen=True)
class _Plan:
    arm: Arm
    share: tuple[float, float]
    groups: tuple[_Group, ...]
    n_against: int


def _plan(data: _Observed, direction: Direction) -> _Plan:
    """Decide which arm to trim in each group."""
    share = tuple(float(weight @ data.observed) for weight in data.weights)
    overall: Arm = 1 if share[1] >= share[0] else 0
    faults, groups, against = [], [], 0
    people = data.strata.even
    for g in range(data.n_groups):
        mine = data.member == g
        masses = [float(weight @ mine) for weight in data.weights]
        counts = [int(np.count_nonzero(mine & data.observed & (data.strata.treated == arm))) for arm in (0, 1)]
        if not all(counts):
            faults.append(
                f"Bounds need people observed in both arms of every group: '{data.labels[g]}' has {counts[1]} observed in the "
                f"treated arm and {counts[0]} in the control arm ({np.count_nonzero(mine)} people). Use coarser groups."
            )
            continue
        observed = [
            float(weight @ (mine & data.observed)) / mass for weight, mass in zip(data.weights, masses, strict=True)
        ]
        size = float(people @ mine)
        more: Arm = 1 if observed[1] >= observed[0] else 0
        against += more != overall and observed[0] != observed[1]
        arm = more if direction == "group" else overall
        rest: Arm = 0 if arm else 1
        extra = max(observed[arm] - observed[rest], 0.0)
        groups.append(_Group(arm, size * min(observed[rest], observed[arm]), size * extra, size * observed[arm]))
    if faults:
        raise UserError(*faults)
    return _Plan(overall, (share[0], share[1]), tuple(groups), against)


def _bound(data: _Observed, plan: _Plan, ties: Ties, upper: bool) -> Estimate:
    """Return one bound on the effect, over groups, with its influence."""
    strata = data.strata
    top: Estimate | None = None
    bottom: Estimate | None = None
    for g, group in enumerate(plan.groups):
        mine = (data.member == g).astype(np.float64)[:, None]
        effect, always = _group_bound(data, mine, group.arm, ties, upper)
        size = strata.all_mean(mine)
        part = size * always
        top = part * effect if top is None else top + part * effect
        bottom = part if bottom is None else bottom + part
    if top is None or bottom is None:
        raise ValueError("a plan holds at least one group")
    return top / bottom


def _group_bound(data: _Observed, mine: FloatArray, arm: Arm, ties: Ties, upper: bool) -> tuple[Estimate, Estimate]:
    """Return the effect within one group, and the share of the group observed in either arm."""
    strata, observed, y = data.strata, data.observed[:, None] * mine, data.values[:, None]
    rest: Arm = 0 if arm else 1
    # A treated arm trimmed from below gives the upper bound; a control arm trimmed from below the lower one.
    keep_top = upper == (arm == 1)
    sign = 1.0 if keep_top else -1.0
    shares = [strata.arm_mean(observed, one) / strata.arm_mean(mine, one) for one in (0, 1)]
    other = strata.arm_mean(observed * y, rest) / strata.arm_mean(observed, rest)
    inside = (observed[:, 0] > 0) & (strata.treated == arm)
    weight = data.weights[arm] / float(data.weights[arm] @ mine[:, 0])
    # Always-observed people are as many as the other arm shows observed: monotonicity (Lee 2009, assumption 2).
    mass = float(shares[rest].value[0])
    if mass >= float(shares[arm].value[0]):
        kept = strata.arm_mean(observed * y, arm) / strata.arm_mean(observed, arm)
        always = shares[arm]
    else:
        # The lower tail is kept by keeping the upper one of -y.
        value, edge = _trimmed_mean(sign * data.values[inside], weight[inside], mass, ties)
        above = np.maximum(sign * y - edge, 0.0) * observed
        excess = strata.arm_mean(above, arm) / strata.arm_mean(mine, arm)
        kept = excess / shares[rest] + edge
        # With ties kept whole the value is that of the published rule; the influence is that of the fractional rule.
        kept = replace(kept, value=np.array([value])) * sign
        always = shares[rest]
    effect = kept - other if arm == 1 else other - kept
    return effect, always


def _trimmed_mean(values: FloatArray, weights: FloatArray, mass: float, ties: Ties) -> tuple[float, float]:
    """Return the mean of the largest values that weigh ``mass`` together, and the value at the edge."""
    order = np.argsort(-values, kind="stable")
    y, w = values[order], weights[order]
    reached = np.cumsum(w)
    # Rounding in the sum must not push the edge past the person who completes the mass.
    last = min(int(np.searchsorted(reached, mass * (1 - 1e-12))), y.size - 1)
    edge = float(y[last])
    if ties == "keep":
        kept = y >= edge
        return float(w[kept] @ y[kept] / w[kept].sum()), edge
    return float(edge + w @ np.maximum(y - edge, 0.0) / mass), edge
