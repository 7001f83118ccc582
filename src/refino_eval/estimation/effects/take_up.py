"""Who took part in what: participation over time, and what the draw moved people into and out of.

The draw rarely moves people from nothing into a programme. It moves them out of other programmes too, so that the
effect of taking part is an effect against the mix of states that the compliers would have been in: `first_stage`
measures that mix, and belongs beside every effect of take-up.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError, nearest
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
    as_vector,
    check_cluster,
    check_length,
    check_level,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import Inference, WaldTest, t_inference, wald_test
from refino_eval.estimation.core.preparation import prepare, prepare_columns
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, itt
from refino_eval.estimation.effects.monthly_paths import PathTable, check_times, paths


def take_up_paths(
    participation: Mapping[str, Columns],
    treated: Vector,
    *,
    times: Sequence[int] | IntArray | None = None,
    weights: Vector | None = None,
) -> dict[str, PathTable]:
    """Average participation in each programme by arm and event time.

    Parameters
    ----------
    participation
        For each programme a matrix of shape (n, T), 0 or 1, missing as NaN.
    treated, times, weights
        As in `paths.paths`.
    """
    return {name: paths(values, treated, times=times, weights=weights) for name, values in participation.items()}


def ever_started(
    participation: Columns, times: Sequence[int] | IntArray, *, start: int = 0, within: Sequence[int]
) -> pd.DataFrame:
    """Tell whether each person took part by each horizon.

    Parameters
    ----------
    participation
        Shape (n, T), 0 or 1, missing as NaN.
    times
        Event times of the columns, increasing, shape (T,).
    start
        First event time that counts.
    within
        Horizons k: took part at any of the times start, ..., k (both included).

    Returns
    -------
    DataFrame
        Shape (n, K), columns ``by_<k>``: 1 when seen in the programme by k, 0 when seen outside it at every time,
        missing otherwise (somebody whose months are not all seen may have taken part).

    Raises
    ------
    UserError
        When a horizon's times are not all there, or values are other than 0, 1 or missing.
    """
    values, _ = as_columns(participation, None, what="participation")
    moment = check_times(times, values.shape[1])
    wrong = int(np.count_nonzero(~(np.isin(values, (0.0, 1.0)) | np.isnan(values))))
    if wrong:
        raise UserError(
            f"participation must be 0 or 1, or missing; {wrong} values are not. Define it as taking part or not."
        )
    columns = {}
    for k in within:
        inside = (moment >= start) & (moment <= k)
        if np.count_nonzero(inside) != k - start + 1 or k < start:
            raise UserError(
                f"Taking part by event time {k} needs every time from {start} to {k}; the columns hold {np.count_nonzero(inside)} of them."
            )
        window = values[:, inside]
        seen, known = np.any(window == 1.0, axis=1), np.isfinite(window).all(axis=1)
        columns[f"by_{k}"] = np.where(seen, 1.0, np.where(known, 0.0, np.nan))
    return pd.DataFrame(columns)


@dataclass(frozen=True, eq=False)
class FirstStage:
    """What the draw does to participation in each of S states that exclude each other and leave nothing out.

    Attributes
    ----------
    states
        Names, ``programme`` among them.
    effects
        Effect of the draw on being in each state, with arms' shares; estimates sum to 0.
    fall_back, fall_back_std_error, fall_back_conf_low, fall_back_conf_high
        -effect_s / effect_programme, shape (S,): of the people whom the draw moved into the programme, the share who
        would have been in s without it; sums to 1 over the other states. NaN for the programme itself. It is a share
        when the draw moves nobody into s; a negative one says that it did.
    any_change
        Joint test that the draw moved nobody.
    moved_into
        Other states that the draw fills (effect above 0, p below 1 - level): the Wald ratio of the programme is then
        no effect of the programme.
    """

    programme: str
    states: tuple[str, ...]
    effects: EffectTable
    fall_back: FloatArray
    fall_back_std_error: FloatArray
    fall_back_conf_low: FloatArray
    fall_back_conf_high: FloatArray
    any_change: WaldTest
    moved_into: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a state: the columns of `EffectTable.to_frame` and the fall-back mix."""
        frame = self.effects.to_frame().rename(columns={"outcome": "state"})
        names = ("fall_back", "fall_back_std_error", "fall_back_conf_low", "fall_back_conf_high")
        return frame.assign(**{name: getattr(self, name) for name in names})


def first_stage(
    states: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series,
    treated: Vector,
    *,
    programme: str,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    rows: BoolArray | None = None,
    level: float = 0.95,
) -> FirstStage:
    """Estimate the draw's effect on every participation state, and the compliers' fall-back mix.

    Parameters
    ----------
    states
        State of each person, one label of a closed list (treatment programme, control programme, other, none),
        shape (n,).
    treated
        The draw, 0 or 1, shape (n,).
    programme
        The state that the draw is meant to fill.
    cells, controls, weights, cluster, vcov, singletons, rows, level
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`; when a state in use is missing; when nobody is in ``programme``.

    Notes
    -----
    The ratio's influence is (psi_s + fall_back_s psi_programme) / -effect_programme (delta method).
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    column = pd.Series(list(states)) if not isinstance(states, pd.Series) else states.reset_index(drop=True)
    check_length(len(column), drawn.size, what="states")
    used = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    absent = int(column[used].isna().sum())
    if absent:
        raise UserError(
            f"states are missing for {absent} of {np.count_nonzero(used)} people; name not taking part as a state of its own."
        )
    names = sorted(column[used].map(str).unique().tolist())
    if programme not in names:
        raise UserError(f"Nobody in use is in '{programme}'.{nearest(programme, names)}")
    text = column.map(str).to_numpy()
    dummies = np.column_stack([(text == name).astype(np.float64) for name in names])
    options = {"cells": cells, "controls": controls, "weights": weights, "cluster": cluster, "singletons": singletons}
    design = prepare(drawn, rows=used, **options)  # type: ignore[arg-type]
    effects = itt(dummies, drawn, rows=used, vcov=vcov, level=level, names=names, **options)  # type: ignore[arg-type]
    cov = design.fit(dummies).joint_cov(vcov)
    own = names.index(programme)
    share, error = _fall_back(effects.estimate, cov, own)
    told = t_inference(share, error, effects.df, level=level)
    filled = (effects.estimate > 0) & (effects.p_value < 1 - level)
    return FirstStage(
        programme=programme,
        states=tuple(names),
        effects=effects,
        fall_back=share,
        fall_back_std_error=error,
        fall_back_conf_low=told.conf_low,
        fall_back_conf_high=told.conf_high,
        any_change=wald_test(effects.estimate, cov, float(effects.df[0])),
        moved_into=tuple(name for s, name in enumerate(names) if filled[s] and s != own),
    )


def _fall_back(effect: FloatArray, cov: FloatArray, own: int) -> tuple[FloatArray, FloatArray]:
    share = ratio(-effect, effect[own])
    variance = np.diag(cov) + 2 * share * cov[own] + share**2 * cov[own, own]
    error = ratio(np.sqrt(np.maximum(variance, 0.0)), abs(effect[own]))
    share[own] = error[own] = np.nan
    return share, error


@dataclass(frozen=True, eq=False)
class StarterTable:
    """Which characteristics go with starting one's own arm's programme, every array of shape (k,).

    One regression of having started on characteristics in each arm, the draw and cells: ``treated`` and ``control``
    are the arm's slopes, ``difference`` the treated's less the control's. ``joint_test`` is of all differences,
    ``joint_treated`` and ``joint_control`` of each arm's slopes.
    """

    characteristics: tuple[str, ...]
    treated: FloatArray
    treated_std_error: FloatArray
    treated_p_value: FloatArray
    control: FloatArray
    control_std_error: FloatArray
    control_p_value: FloatArray
    difference: FloatArray
    difference_std_error: FloatArray
    difference_p_value: FloatArray
    joint_test: WaldTest
    joint_treated: WaldTest
    joint_control: WaldTest
    share_started_treated: float
    share_started_control: float
    n: int
    df: int
    r_squared: float
    dropped: tuple[str, ...]
    vcov: Vcov

    def to_frame(self) -> pd.DataFrame:
        """One row a characteristic."""
        names = [
            f"{side}{part}" for side in ("treated", "control", "difference") for part in ("", "_std_error", "_p_value")
        ]
        return pd.DataFrame({"characteristic": self.characteristics} | {name: getattr(self, name) for name in names})


def starters(
    started: Vector,
    characteristics: Columns,
    treated: Vector,
    *,
    cells: Labels | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    names: Sequence[str] | None = None,
) -> StarterTable:
    """Regress having started one's own programme on characteristics, with slopes for each arm.

    Parameters
    ----------
    started
        Whether the person started the programme they were drawn to, 0 or 1, shape (n,).
    characteristics
        Shape (n, k), measured before the draw.
    missing
        ``"common"`` leaves out people who lack any value; ``"available"`` is the same here.
    treated, cells, cluster, vcov, rows, names
        As in `itt.itt`.

    Raises
    ------
    UserError
        As `itt`.
    """
    check_cluster(cluster, vcov)
    drawn = as_treated(treated)
    values, found = as_columns(characteristics, drawn.size, what="characteristics", names=names)
    outcome = as_vector(started, what="started")
    check_length(outcome.size, drawn.size, what="started")
    among = None if rows is None else as_mask(rows, drawn.size)
    rule: Missing = "common" if missing == "available" else missing
    used = choose_samples(np.column_stack((outcome, values)), ("started", *found), rule, among=among)[0].rows
    filled = np.where(used[:, None], values, 0.0)
    columns = np.hstack((filled * drawn[:, None], filled * (1 - drawn[:, None])))
    labels = [f"{name} x treated" for name in found] + [f"{name} x control" for name in found]
    design = prepare_columns(
        columns, names=labels, cells=cells, controls=drawn, cluster=cluster, rows=used, collinear="drop"
    )
    fit = design.fit(np.where(used, outcome, 0.0))
    k, df = len(found), design.df(vcov)
    # A slope that cannot be told is NaN, with all that stands on it.
    where = [labels.index(name) for name in design.focus]
    slope, cov = np.full(2 * k, np.nan), np.full((2 * k, 2 * k), np.nan)
    slope[where], cov[np.ix_(where, where)] = fit.coefficients[:, 0], fit.coefficient_cov(0, vcov)
    gap_cov = cov[:k, :k] + cov[k:, k:] - cov[:k, k:] - cov[k:, :k]
    sides = [(slope[:k], cov[:k, :k]), (slope[k:], cov[k:, k:]), (slope[:k] - slope[k:], gap_cov)]
    errors = [np.sqrt(np.diag(part)) for _, part in sides]
    told: list[Inference] = [t_inference(b, error, df) for (b, _), error in zip(sides, errors, strict=True)]
    tests = [_tested(b, part, df) for b, part in sides]
    arm = drawn[used] == 1
    return StarterTable(
        characteristics=found,
        treated=sides[0][0], treated_std_error=errors[0], treated_p_value=told[0].p_value,
        control=sides[1][0], control_std_error=errors[1], control_p_value=told[1].p_value,
        difference=sides[2][0], difference_std_error=errors[2], difference_p_value=told[2].p_value,
        joint_treated=tests[0], joint_control=tests[1], joint_test=tests[2],
        share_started_treated=float(outcome[used][arm].mean()), share_started_control=float(outcome[used][~arm].mean()),
        n=design.n, df=df, r_squared=float(fit.r_squared[0]), dropped=design.dropped, vcov=vcov,
    )  # fmt: skip


def _tested(slope: FloatArray, cov: FloatArray, df: int) -> WaldTest:
    known = np.isfinite(slope)
    return wald_test(slope[known], cov[np.ix_(known, known)], df)
