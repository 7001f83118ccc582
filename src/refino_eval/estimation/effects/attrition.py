"""Outcomes not seen for everybody: whether the draw changes who is seen, and what can then still be said.

Three answers, from the least assumed. Horowitz and Manski (2000): the unseen may lie anywhere in the outcome's range.
Lee (2009): the draw changes being seen in one direction only; the arm that is seen more holds extra people, who are
trimmed from the top or the bottom, and the bounds are for those seen in either arm. Groups of people known before
the draw tighten them, since extra people are then trimmed where they are.

Trimming compares the arms' distributions, so the arms must be comparable first: with a draw share that differs
between cells, the pooled arms are not, and pooled bounds are about something else. Here every share and mean is put
together cell by cell (`strata`), which is trimming with each person weighted by the inverse of the cell's share.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

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
    Labels,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
    check_choice,
    check_length,
    check_level,
)
from refino_eval.estimation.core.influence import Estimate
from refino_eval.estimation.core.strata import CellWeighting, Strata, build_strata
from refino_eval.estimation.effects.itt import EffectTable, itt

Ties = Literal["fractional", "keep"]
Direction = Literal["overall", "group"]
Arm = Literal[0, 1]


def attrition(
    outcomes: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> EffectTable:
    """Test whether the draw changes who is seen: the effect of the draw on each outcome not being missing.

    The table's means are the shares seen in each arm, its estimates the differential and its p-values the tests.

    Parameters
    ----------
    outcomes
        Shape (n, J), missing as NaN.
    treated, cells, controls, cluster, vcov, singletons, rows, level, names
        As in `itt.itt`.
    """
    values, found = as_columns(outcomes, None, what="outcomes", names=names)
    seen = np.isfinite(values).astype(np.float64)
    return itt(
        seen, treated, cells=cells, controls=controls, cluster=cluster, vcov=vcov, singletons=singletons, rows=rows,
        level=level, names=found,
    )  # fmt: skip


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
    share_seen_treated, share_seen_control
        Shares with an outcome, arms made comparable by cells.
    trimmed_arm, trimmed_share
        The arm seen more over all (1 treated; None when nothing is trimmed), and the share of seen people cut off,
        over all groups (of either arm, when the direction is by group).
    share_always
        Share of people whom the bounds are about: those seen in either arm (1 for Horowitz-Manski).
    n, n_seen_treated, n_seen_control, n_left_out
        People in use; with an outcome in each arm; and people in cells with one arm.
    n_groups, n_groups_against
        Groups that tighten, and those among them where the other arm is seen more.
    std_errors
        ``influence`` or ``bootstrap``.
    """

    outcome: str
    method: str
    low: float
    high: float
    low_std_error: float
    high_std_error: float
    conf_low: float
    conf_high: float
    share_seen_treated: float
    share_seen_control: float
    trimmed_arm: int | None
    trimmed_share: float
    share_always: float
    n: int
    n_seen_treated: int
    n_seen_control: int
    n_left_out: int
    n_groups: int
    n_groups_against: int
    std_errors: str
    level: float


def lee_bounds(
    outcome: Vector,
    treated: Vector,
    *,
    cells: Labels | None = None,
    groups: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series | None = None,
    weighting: CellWeighting = "people",
    ties: Ties = "fractional",
    direction: Direction = "overall",
    rows: BoolArray | None = None,
    level: float = 0.95,
    bootstrap: int = 0,
    seed: int = 1,
    name: str = "outcome",
) -> Bounds:
    """Bound the effect on people seen in either arm, by trimming the arm that is seen more.

    Parameters
    ----------
    outcome
        Shape (n,), missing as NaN for people not seen (a wage without a job).
    treated
        The draw, 0 or 1, shape (n,).
    cells
        Labels within which the draw is random.
    groups
        Groups by characteristics from before the draw, to tighten the bounds, shape (n,).
    weighting
        Cells by their people, or by n_c p_c (1 - p_c) (``"precision"``).
    ties
        ``"fractional"`` cuts exactly the extra share, and people of one value at the edge are kept in part.
        ``"keep"`` keeps everybody at the edge, as printed tables and programs with the rule y >= quantile do: bounds
        too narrow where values heap.
    direction
        Which arm is trimmed in each group: the one seen more ``"overall"`` (Lee's assumption; nothing is trimmed in
        a group where the other is), or the one seen more in the ``"group"`` (Semenova 2020).
    level
        Confidence level.
    bootstrap, seed
        Draws (within cells and arms) for standard errors in place of the influence, and their seed; 0 means none, at
        least 2 otherwise. For a check: the influence holds in sparse cells too, and costs nothing.
    rows
        The people in question, boolean of shape (n,); None means all.
    name
        Name of the outcome.

    Raises
    ------
    UserError
        When no cell has both arms, or an arm (of a group) has nobody seen.

    Notes
    -----
    The mean of the top share m / q of values is t + E[(Y - t)+ S] / m, with t the edge; the derivative in t is 0, so
    that the influence of the edge drops out and those of E[(Y - t)+ S] and of m remain. With one cell this is the
    variance of Lee (2009, proposition 3). It holds cells' composition as it is and takes ``direction`` as known.
    """
    check_level(level)
    check_choice(ties, Ties, what="rule for ties")
    check_choice(direction, Direction, what="direction of trimming")
    if bootstrap < 0 or bootstrap == 1:
        raise UserError(
            f"bootstrap must be 0 (none) or at least 2 draws, and is {bootstrap}; several hundred tell a standard error."
        )
    drawn = as_treated(treated)
    values = as_vector(outcome, what=name)
    check_length(values.size, drawn.size, what=name)
    among = None if rows is None else as_mask(rows, drawn.size)
    strata = build_strata(drawn, encode(cells, drawn.size), rows=among, weighting=weighting)
    member = np.zeros(drawn.size, dtype=np.int64) if groups is None else encode(groups, drawn.size, what="groups")
    names = ["all"] * drawn.size if groups is None else list(groups)
    data = _Seen.of(strata, values, member, names)
    plan = _plan(data, direction)
    low, high = (_bound(data, plan, ties, upper) for upper in (False, True))
    errors = (float(low.std_error[0]), float(high.std_error[0]))
    if bootstrap:
        errors = _bootstrap_errors(data, plan, ties, bootstrap, seed)
    interval = imbens_manski(float(low.value[0]), float(high.value[0]), *errors, level=level)
    extra, most = sum(g.extra for g in plan.groups), sum(g.most for g in plan.groups)
    trimmed = extra / most if most > 0 else 0.0
    return Bounds(
        outcome=name,
        method="lee" if groups is None else "lee_tightened",
        low=float(low.value[0]),
        high=float(high.value[0]),
        low_std_error=errors[0],
        high_std_error=errors[1],
        conf_low=interval[0],
        conf_high=interval[1],
        share_seen_treated=plan.share[1],
        share_seen_control=plan.share[0],
        trimmed_arm=plan.arm if trimmed > 1e-12 else None,
        trimmed_share=trimmed,
        share_always=sum(g.always for g in plan.groups),
        **_counts(strata, data.seen),
        n_groups=len(plan.groups),
        n_groups_against=plan.n_against,
        std_errors="bootstrap" if bootstrap else "influence",
        level=level,
    )


def horowitz_manski_bounds(
    outcome: Vector,
    treated: Vector,
    *,
    lowest: float,
    highest: float,
    cells: Labels | None = None,
    weighting: CellWeighting = "people",
    rows: BoolArray | None = None,
    level: float = 0.95,
    name: str = "outcome",
) -> Bounds:
    """Bound the effect on everybody, the unseen being anywhere between ``lowest`` and ``highest``.

    Parameters
    ----------
    lowest, highest
        Range of the outcome by its definition (0 and 1 for a state), not as found in the data.
    outcome, treated, cells, weighting, rows, level, name
        As in `lee_bounds`.

    Raises
    ------
    UserError
        When the range is empty or a seen value lies outside it, or no cell has both arms.
    """
    check_level(level)
    drawn = as_treated(treated)
    values = as_vector(outcome, what=name)
    check_length(values.size, drawn.size, what=name)
    among = None if rows is None else as_mask(rows, drawn.size)
    strata = build_strata(drawn, encode(cells, drawn.size), rows=among, weighting=weighting)
    used = strata.used(values)
    seen = np.isfinite(used)
    outside = int(np.count_nonzero((used[seen] < lowest) | (used[seen] > highest)))
    if lowest >= highest or outside:
        raise UserError(
            f"{name}: the range [{lowest:g}, {highest:g}] must be a range, and hold every seen value; {outside} of "
            f"{np.count_nonzero(seen)} lie outside. Give the range that the outcome's definition allows."
        )
    filled = {edge: np.where(seen, used, edge)[:, None] for edge in (lowest, highest)}
    low = strata.arm_mean(filled[lowest], 1) - strata.arm_mean(filled[highest], 0)
    high = strata.arm_mean(filled[highest], 1) - strata.arm_mean(filled[lowest], 0)
    shares = [float(strata.arm_mean(seen[:, None].astype(np.float64), arm).value[0]) for arm in (0, 1)]
    errors = float(low.std_error[0]), float(high.std_error[0])
    interval = imbens_manski(float(low.value[0]), float(high.value[0]), *errors, level=level)
    return Bounds(
        outcome=name,
        method="horowitz_manski",
        low=float(low.value[0]),
        high=float(high.value[0]),
        low_std_error=errors[0],
        high_std_error=errors[1],
        conf_low=interval[0],
        conf_high=interval[1],
        share_seen_treated=shares[1],
        share_seen_control=shares[0],
        trimmed_arm=None,
        trimmed_share=0.0,
        share_always=1.0,
        **_counts(strata, seen),
        n_groups=1,
        n_groups_against=0,
        std_errors="influence",
        level=level,
    )


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


def _counts(strata: Strata, seen: BoolArray) -> dict[str, int]:
    return {
        "n": strata.n,
        "n_seen_treated": int(np.count_nonzero(seen & (strata.drawn == 1))),
        "n_seen_control": int(np.count_nonzero(seen & (strata.drawn == 0))),
        "n_left_out": strata.n_left_out,
    }


@dataclass(frozen=True, eq=False, repr=False)
class _Seen:
    """People in use: their outcomes (0 when unseen), whether seen, groups, and weights within arms."""

    strata: Strata
    values: FloatArray
    seen: BoolArray
    member: IntArray
    labels: tuple[str, ...]
    weights: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, strata: Strata, values: FloatArray, member: IntArray, names: Sequence[Hashable]) -> _Seen:
        used = strata.used(values)
        seen = np.isfinite(used)
        _, first, dense = np.unique(member[strata.rows], return_index=True, return_inverse=True)
        return cls(
            strata=strata,
            values=np.where(seen, used, 0.0),
            seen=seen,
            member=dense,
            labels=tuple(str(names[strata.rows[row]]) for row in first),
            weights=(strata.person_weights(0), strata.person_weights(1)),
        )

    @property
    def n_groups(self) -> int:
        return int(self.member.max()) + 1


@dataclass(frozen=True)
class _Group:
    """One group: the arm to trim, shares of all people seen in it always, extra, and in its trimmed arm."""

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


def _plan(data: _Seen, direction: Direction) -> _Plan:
    """Decide which arm to trim in each group."""
    share = tuple(float(weight @ data.seen) for weight in data.weights)
    overall: Arm = 1 if share[1] >= share[0] else 0
    faults, groups, against = [], [], 0
    people = _person_share(data)
    for g in range(data.n_groups):
        mine = data.member == g
        masses = [float(weight @ mine) for weight in data.weights]
        counts = [int(np.count_nonzero(mine & data.seen & (data.strata.drawn == arm))) for arm in (0, 1)]
        if not all(counts):
            faults.append(
                f"Bounds need people seen in both arms of every group: '{data.labels[g]}' has {counts[1]} seen in the "
                f"treated arm and {counts[0]} in the control arm ({np.count_nonzero(mine)} people). Use coarser groups."
            )
            continue
        seen = [float(weight @ (mine & data.seen)) / mass for weight, mass in zip(data.weights, masses, strict=True)]
        size = float(people @ mine)
        more: Arm = 1 if seen[1] >= seen[0] else 0
        against += more != overall and seen[0] != seen[1]
        arm = more if direction == "group" else overall
        rest: Arm = 0 if arm else 1
        extra = max(seen[arm] - seen[rest], 0.0)
        groups.append(_Group(arm, size * min(seen[rest], seen[arm]), size * extra, size * seen[arm]))
    if faults:
        raise UserError(*faults)
    return _Plan(overall, (share[0], share[1]), tuple(groups), against)


def _person_share(data: _Seen) -> FloatArray:
    """Weight of each person, arms together, sums to 1, shape (n,)."""
    cells = data.strata.cells
    return np.asarray((data.strata.weight / cells.sizes)[cells.codes])


def _bound(data: _Seen, plan: _Plan, ties: Ties, upper: bool) -> Estimate:
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


def _group_bound(data: _Seen, mine: FloatArray, arm: Arm, ties: Ties, upper: bool) -> tuple[Estimate, Estimate]:
    """Effect within one group, and the share of the group seen in either arm."""
    strata, seen, y = data.strata, data.seen[:, None] * mine, data.values[:, None]
    rest: Arm = 0 if arm else 1
    # A treated arm trimmed from below gives the upper bound; a control arm trimmed from below the lower one.
    keep_top = upper == (arm == 1)
    sign = 1.0 if keep_top else -1.0
    shares = [strata.arm_mean(seen, one) / strata.arm_mean(mine, one) for one in (0, 1)]
    other = strata.arm_mean(seen * y, rest) / strata.arm_mean(seen, rest)
    inside = (seen[:, 0] > 0) & (strata.drawn == arm)
    weight = data.weights[arm] / float(data.weights[arm] @ mine[:, 0])
    mass = float(shares[rest].value[0])
    if mass >= float(shares[arm].value[0]):
        kept = strata.arm_mean(seen * y, arm) / strata.arm_mean(seen, arm)
        always = shares[arm]
    else:
        value, edge = _trimmed_mean(sign * data.values[inside], weight[inside], mass, ties)
        above = np.maximum(sign * y - edge, 0.0) * seen
        excess = strata.arm_mean(above, arm) / strata.arm_mean(mine, arm)
        kept = excess / shares[rest] + edge
        kept = Estimate(np.array([value]), kept.psi) * sign
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


def _bootstrap_errors(data: _Seen, plan: _Plan, ties: Ties, draws: int, seed: int) -> tuple[float, float]:
    """Resample people within cells and arms, m - 1 of m and each counted m / (m - 1) times (Rao and Wu 1988).

    Drawing m of m would make the variance too small by (m - 1) / m, which in small cells is much. People alone of their
    arm in a cell are resampled among each other.
    """
    strata = data.strata
    blocks = strata.cells.codes * 2 + strata.drawn.astype(np.int64)
    alone = np.bincount(blocks)[blocks] == 1
    blocks = np.where(alone, 2 * strata.cells.n_cells + strata.drawn.astype(np.int64), blocks)
    order = np.argsort(blocks, kind="stable")
    _, starts, sizes = np.unique(blocks[order], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    slots = np.ones(strata.n, dtype=bool)
    slots[starts[sizes > 1]] = False
    start, size = start[slots], size[slots]
    scale = np.empty(strata.n)
    scale[order] = np.repeat(sizes / np.maximum(sizes - 1, 1), sizes)
    rng = np.random.default_rng(seed)
    found = np.empty((draws, 2))
    for r in range(draws):
        picked = order[start + np.floor(rng.random(size.size) * size).astype(np.int64)]
        times = scale * np.bincount(picked, minlength=strata.n)
        found[r] = [_point(data, plan, ties, upper, times) for upper in (False, True)]
    low, high = np.nanstd(found, axis=0, ddof=1)
    return float(low), float(high)


def _point(data: _Seen, plan: _Plan, ties: Ties, upper: bool, times: FloatArray) -> float:
    """Return one bound with every person counted ``times`` times; the plain counterpart of `_bound`."""
    people, total, weight = _person_share(data) * times, 0.0, 0.0
    weights = [one * times for one in data.weights]
    for g, group in enumerate(plan.groups):
        mine = data.member == g
        arm, rest = group.arm, 1 - group.arm
        share, inside = [], []
        for one in (0, 1):
            inside.append(mine & data.seen & (weights[one] > 0))
            share.append(float(weights[one] @ (mine & data.seen)) / max(float(weights[one] @ mine), 1e-300))
        if not (inside[0].any() and inside[1].any()):
            continue
        other = float(np.average(data.values[inside[rest]], weights=weights[rest][inside[rest]]))
        sign = 1.0 if upper == (arm == 1) else -1.0
        if share[rest] >= share[arm]:
            kept = float(np.average(data.values[inside[arm]], weights=weights[arm][inside[arm]]))
        else:
            scaled = weights[arm][inside[arm]] / float(weights[arm] @ mine)
            kept = sign * _trimmed_mean(sign * data.values[inside[arm]], scaled, share[rest], ties)[0]
        size = float(people @ mine) * min(share)
        total += size * (kept - other if arm == 1 else other - kept)
        weight += size
    return total / weight if weight > 0 else float("nan")
