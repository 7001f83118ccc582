"""Participation: who has started by when, the first stage on every state of participation, and who starts.

Assignment rarely moves people from nothing into a programme. It moves them out of other programmes too, so that a LATE is an
effect against the mix of states that the compliers would have been in: `first_stage` measures that mix, and belongs next
to every LATE.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError, nearest
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Missing,
    Vector,
    as_columns,
    as_vector,
    check_length,
    object_array,
    ratio,
)
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.kernel import Fit
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, itt
from refino_eval.estimation.effects.monthly_paths import check_times


def ever_started(
    participation: Columns, times: Sequence[int] | IntArray, *, start: int = 0, within: Sequence[int]
) -> pd.DataFrame:
    """Return whether each person has participated by each horizon.

    Parameters
    ----------
    participation
        Shape (n, T), 0 or 1, missing as NaN.
    times
        Event times of the columns, increasing, shape (T,).
    start
        First event time that counts.
    within
        Horizons k: participated at any of the times start, ..., k (both included).

    Returns
    -------
    DataFrame
        Shape (n, K), columns ``by_<k>``: 1 when observed in the programme by k, 0 when observed outside it at every
        time, missing otherwise (somebody whose months are not all observed may have participated).

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
            f"participation must be 0 or 1, or missing; {wrong} values are not. Define it as participating or not."
        )
    columns = {}
    for k in within:
        inside = (moment >= start) & (moment <= k)
        if np.count_nonzero(inside) != k - start + 1 or k < start:
            raise UserError(
                f"Participation by event time {k} needs every time from {start} to {k}; the columns hold {np.count_nonzero(inside)} of them."
            )
        window = values[:, inside]
        # One month in the programme settles it; not having started needs every month observed.
        started, known = np.any(window == 1.0, axis=1), np.isfinite(window).all(axis=1)
        columns[f"by_{k}"] = np.where(started, 1.0, np.where(known, 0.0, np.nan))
    return pd.DataFrame(columns)


@dataclass(frozen=True, eq=False)
class FirstStage:
    """Effects of assignment on participation in each of S states, exclusive and exhaustive.

    Attributes
    ----------
    states
        Names, ``programme`` among them.
    effects
        Effect of assignment on being in each state, with arms' shares; estimates sum to 0.
    fall_back, fall_back_std_error, fall_back_conf_low, fall_back_conf_high
        -effect_s / effect_programme, shape (S,): of the compliers, the share who would have been in s without assignment
        to treatment; sums to 1 over the other states. NaN for the programme itself. It is a share when assignment moves
        nobody into s; a negative one says that it did.
    any_change
        Joint test that assignment moved nobody.
    moved_into
        Other states that assignment fills (effect above 0, p below 1 - level): the Wald ratio of the programme is then
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
        """One row per state: the columns of `EffectTable.to_frame` and the fall-back mix."""
        frame = self.effects.to_frame().rename(columns={"outcome": "state"})
        names = ("fall_back", "fall_back_std_error", "fall_back_conf_low", "fall_back_conf_high")
        return frame.assign(**{name: getattr(self, name) for name in names})


def first_stage(
    states: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series,
    treated: Vector | RegressionInputs,
    *,
    programme: str,
    **options: Unpack[Options],
) -> FirstStage:
    """Estimate the effect of assignment on every participation state, and the compliers' fall-back mix.

    Parameters
    ----------
    states
        State of each person, one label of a closed list (treatment programme, control programme, other, none),
        shape (n,).
    treated, options
        As in `itt.itt`.
    programme
        The state that assignment is meant to fill.

    Raises
    ------
    UserError
        As `itt`; when a state in use is missing; when nobody is in ``programme``.

    Notes
    -----
    The ratio's influence is (psi_s + fall_back_s psi_programme) / -effect_programme (delta method).
    """
    inputs = regression_inputs(treated, **options)
    column = pd.Series(list(states)) if not isinstance(states, pd.Series) else states.reset_index(drop=True)
    check_length(len(column), inputs.n_rows, what="states")
    absent = int(column[inputs.rows].isna().sum())
    if absent:
        raise UserError(
            f"states are missing for {absent} of {np.count_nonzero(inputs.rows)} people; name non-participation as a state of its own."
        )
    names = sorted(column[inputs.rows].map(str).unique().tolist())
    if programme not in names:
        raise UserError(f"Nobody in use is in '{programme}'.{nearest(programme, names)}")
    text = column.map(str).to_numpy()
    dummies = np.column_stack([(text == name).astype(np.float64) for name in names])
    effects = itt(dummies, inputs, names=names)
    cov = design_of(inputs).fit(dummies).joint_cov(inputs.vcov)
    own = names.index(programme)
    # People move out of a state as they move into the programme: the sign of the ratio is turned round.
    share, error = _fall_back(effects.estimate, cov, own)
    inference = t_inference(share, error, effects.df, level=inputs.level)
    filled = (effects.estimate > 0) & (effects.p_value < 1 - inputs.level)
    return FirstStage(
        programme=programme,
        states=tuple(names),
        effects=effects,
        fall_back=share,
        fall_back_std_error=error,
        fall_back_conf_low=inference.conf_low,
        fall_back_conf_high=inference.conf_high,
        any_change=wald_test(effects.estimate, cov, float(effects.df[0]), freedom=inputs.freedom(float(effects.df[0]))),
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
    """Which characteristics predict starting the programme one was assigned to, every array of shape (k,).

    One regression of having started on characteristics in each arm, treatment and cells: ``treated`` and ``control``
    are the arm's slopes, ``difference`` the treated's less the control's. ``joint_test`` is of all differences,
    ``joint_treated`` and ``joint_control`` of each arm's slopes. ``sources`` says where the estimates of each of the three
    come from.
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
    df: float
    r_squared: float
    dropped: tuple[str, ...]
    vcov: Vcov
    sources: Mapping[str, npt.NDArray[np.object_]]

    def to_frame(self) -> pd.DataFrame:
        """One row per characteristic."""
        names = [
            f"{side}{part}" for side in ("treated", "control", "difference") for part in ("", "_std_error", "_p_value")
        ]
        return pd.DataFrame({"characteristic": self.characteristics} | {name: getattr(self, name) for name in names})


def starters(
    started: Vector,
    characteristics: Columns,
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> StarterTable:
    """Regress having started the assigned programme on characteristics, with slopes for each arm.

    Parameters
    ----------
    started
        Whether the person started the programme they were assigned to, 0 or 1, shape (n,).
    characteristics
        Shape (n, k), measured before random assignment.
    treated, names, options
        As in `itt.itt`, without controls. ``missing`` ``"common"`` leaves out people who lack any value;
        ``"available"`` is the same here.

    Raises
    ------
    UserError
        As `itt`.
    """
    inputs = regression_inputs(treated, **options)
    inputs.refuse("A table of starters", "controls")
    values, labels = as_columns(characteristics, inputs.n_rows, what="characteristics", names=names)
    outcome = as_vector(started, what="started")
    check_length(outcome.size, inputs.n_rows, what="started")
    rule: Missing = "common" if inputs.missing == "available" else inputs.missing
    everything = np.column_stack((outcome, values))
    used = choose_samples(everything, ("started", *labels), rule, among=inputs.rows)[0].rows
    filled, z = np.where(used[:, None], values, 0.0), inputs.treated
    columns = np.hstack((filled * z[:, None], filled * (1 - z[:, None])))
    slopes = tuple(f"{name} x {arm}" for arm in ("treated", "control") for name in labels)
    given = replace(inputs.adjusted_for(z[:, None], ("control",)), rows=used)
    design = design_of(given, columns, slopes, collinear="drop")
    fit = design.fit(np.where(used, outcome, 0.0))
    k, df = len(labels), design.df(inputs.vcov)
    # A slope that cannot be estimated is NaN, with everything that is computed from it.
    where = [slopes.index(name) for name in design.focus]
    slope, cov, loadings = np.full(2 * k, np.nan), np.full((2 * k, 2 * k), np.nan), np.full((2 * k, len(where)), np.nan)
    slope[where], cov[np.ix_(where, where)] = fit.coefficients[:, 0], fit.coefficient_cov(0, inputs.vcov)
    loadings[where] = np.eye(len(where))
    # Variance of a difference of slopes of one regression, which covary.
    gap = cov[:k, :k] + cov[k:, k:] - cov[:k, k:] - cov[k:, :k]
    results = {
        side: _side(estimate, joint, weights, fit, inputs.vcov)
        for side, estimate, joint, weights in (
            ("treated", slope[:k], cov[:k, :k], loadings[:k]),
            ("control", slope[k:], cov[k:, k:], loadings[k:]),
            ("difference", slope[:k] - slope[k:], gap, loadings[:k] - loadings[k:]),
        )
    }
    weight = np.ones(inputs.n_rows) if inputs.weights is None else inputs.weights
    share = [float(np.average(outcome[used & (z == arm)], weights=weight[used & (z == arm)])) for arm in (0, 1)]
    return StarterTable(
        characteristics=labels,
        **{f"{side}{part}": results[side][part] for side in results for part in ("", "_std_error", "_p_value")},
        joint_treated=results["treated"]["test"], joint_control=results["control"]["test"],
        joint_test=results["difference"]["test"], share_started_treated=share[1], share_started_control=share[0],
        n=design.n, df=df, r_squared=float(fit.r_squared[0]), dropped=design.dropped, vcov=inputs.vcov,
        sources={side: results[side]["sources"] for side in results},
    )  # fmt: skip


def _side(estimate: FloatArray, cov: FloatArray, loadings: FloatArray, fit: Fit, vcov: Vcov) -> dict[str, Any]:
    """Return estimates, errors, p-values, their joint test and sources of one arm's slopes, or of the differences."""
    known, df = np.isfinite(estimate), _freedoms(fit, vcov, loadings)
    error = np.sqrt(np.diag(cov))
    source = fit.source(vcov, loadings=loadings[known])
    return {
        "": estimate,
        "_std_error": error,
        "_p_value": t_inference(estimate, error, df).p_value,
        "test": wald_test(
            estimate[known],
            cov[np.ix_(known, known)],
            fit.design.df(vcov),
            source=source,
            freedom=fit.design.freedom(vcov, loadings[known]),
        ),
        "sources": object_array(
            fit.source(vcov, loadings=loadings[[row]]) if known[row] else None for row in range(estimate.size)
        ),
    }


def _freedoms(fit: Fit, vcov: Vcov, loadings: FloatArray) -> FloatArray:
    """Return the degrees of freedom of each combination of coefficients, NaN for those that cannot be estimated."""
    return np.array([fit.design.df(vcov, loadings=row[None]) if np.isfinite(row).all() else np.nan for row in loadings])
