"""From people to numbers, by event time: arms' paths and effects of the draw, for everybody or group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval import estimation as est
from refino_eval.config import exhibits as x
from refino_eval.errors import UserError
from refino_eval.exhibits.groups import groups_of
from refino_eval.exhibits.people import PersonFiles, Row, Study, cell, controls_of, of_arm, weighted, weighting
from refino_eval.exhibits.splits import panel_of
from refino_eval.seeds import derive_seed

FloatArray = npt.NDArray[np.float64]


def paths(exhibit: x.PathsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Arm means by event time, over the people seen then."""
    groups = None if exhibit.by is None else groups_of(exhibit.by, cohort, study)
    if groups is not None:
        yield from groups.counts(cohort, study)
    for state in exhibit.states:
        values, times = states_of(exhibit, state, cohort, files)
        if groups is None:
            yield from _paths_of(values, times, cohort, study, state)
            continue
        for place, key in enumerate(groups.keys):
            rows = groups.rows(place)
            yield from _paths_of(values[rows], times, cohort.loc[rows], study, panel_of(state, key))


def _paths_of(
    values: FloatArray, times: npt.NDArray[np.int64], cohort: pd.DataFrame, study: Study, panel: str
) -> Iterator[Row]:
    for column in (*study.treated_arms, study.control):
        arm = int(column != study.control)
        in_pair = of_arm(cohort, column, study) | (cohort["treated"] == 0).to_numpy()
        told = est.paths(values[in_pair], cohort.loc[in_pair, "treated"].to_numpy(), times=times)
        for k, time in enumerate(told.times):
            n = int(told.n[0, arm, k])
            if n == 0:
                yield cell(str(time), column, "mean", np.nan, 0, panel=panel, status="no_data")
                continue
            mean, error = float(told.mean[0, arm, k]), float(told.std_error[0, arm, k])
            reach = error * float(special.stdtrit(max(n - 1, 1), 0.975))
            yield cell(str(time), column, "mean", mean, n, panel=panel)
            yield cell(str(time), column, "n", n, n, panel=panel)
            if n > 1:
                yield cell(str(time), column, "sd", told.sd[0, arm, k], n, panel=panel)
                yield cell(str(time), column, "conf_low", mean - reach, n, panel=panel)
                yield cell(str(time), column, "conf_high", mean + reach, n, panel=panel)


def effects(
    exhibit: x.EffectsExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Effects at every event time; by group with the test that they are the same in all groups."""
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    groups = None if exhibit.by is None else groups_of(exhibit.by, cohort, study)
    if groups is not None:
        yield from groups.counts(cohort, study)
    controls = controls_of(cohort, specification)
    beside = controls.to_frame() if controls.names else None
    for state in exhibit.states:
        values, times = states_of(exhibit, state, cohort, files)

        def told(rows: npt.NDArray[np.bool_], *names: str) -> est.DynamicEffects:
            people = cohort.loc[rows]
            seen = np.isfinite(values[rows]).any(axis=0)  # noqa: B023 (used within the turn of the loop)
            return est.dynamics(
                values[np.ix_(rows, seen)],  # noqa: B023
                people["treated"].to_numpy(),
                times=times[seen],  # noqa: B023
                cells=people["cell"] if specification.strata else None,
                controls=None if beside is None else beside.loc[rows],
                vcov=specification.vcov,
                level=specification.level,
                onset=exhibit.cumulate_from if exhibit.cumulate_from is not None else 0,
                seed=derive_seed(study.seed, name, *names),
                **weighting(people, specification.vcov),
            )

        if groups is None:
            yield from _effect_rows(told(controls.rows, state), state)
            continue
        found = []
        for place, key in enumerate(groups.keys):
            rows, panel = controls.rows & groups.rows(place), panel_of(state, key)
            try:
                found.append(told(rows, state, key))
            except UserError:
                # A group whose draw does not vary within cells has no effect of its own; the others still have.
                yield cell(
                    "group", "difference", "estimate", np.nan, int(rows.sum()), panel=panel, status="not_estimable"
                )
                continue
            yield from _effect_rows(found[-1], panel)
        if specification.vcov == "CRV1":
            # Clusters may span groups, which makes their effects dependent: the sum of variances would be wrong.
            continue
        yield from _equality(found, state, cumulated=exhibit.cumulate_from is not None)


def _effect_rows(told: est.DynamicEffects, panel: str) -> Iterator[Row]:
    frame = told.to_frame()
    wanted = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "band_low", "band_high", "mean_control", "n")
    for row in frame.itertuples(index=False):
        for statistic in wanted:
            value = getattr(row, statistic)
            status = "" if np.isfinite(value) else "not_estimable"
            yield cell(str(row.time), "difference", statistic, value, int(row.n), panel=panel, status=status)  # type: ignore[arg-type]
    yield cell("critical_value", "sup_t", "value", told.critical_value, panel=panel)
    if told.placebo is not None:
        yield from _test("placebo", told.placebo, panel)


def _test(row: str, test: est.WaldTest, panel: str) -> Iterator[Row]:
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell(row, "difference", statistic, value, panel=panel)


def _equality(found: Sequence[est.DynamicEffects], state: str, *, cumulated: bool) -> Iterator[Row]:
    """Test that groups share their effects: over the whole path, and on average (or at the last time, when summed)."""
    if len(found) < 2:
        return
    shared = sorted(set.intersection(*({int(t) for t in one.times if t >= one.onset} for one in found)))
    if not shared:
        return
    parts = []
    for one in found:
        place = np.flatnonzero(np.isin(one.times, shared))
        parts.append((one.effects.estimate[place], one.cov[np.ix_(place, place)], float(one.effects.df[place].min())))
    summary = np.eye(len(shared))[-1:] if cumulated else np.full((1, len(shared)), 1.0 / len(shared))
    for row, weights in (("equal_path", np.eye(len(shared))), ("equal_last" if cumulated else "equal_mean", summary)):
        effects_of = [weights @ effect for effect, _, _ in parts]
        covs = [weights @ cov @ weights.T for _, cov, _ in parts]
        yield from _test(row, equal_effects(effects_of, covs, df=sum(df for _, _, df in parts)), state)


def equal_effects(effects_of: Sequence[FloatArray], covs: Sequence[FloatArray], *, df: float) -> est.WaldTest:
    """Test that vectors of effects are the same in groups that share nobody.

    Parameters
    ----------
    effects_of
        One vector of shape (q,) a group.
    covs
        Their covariances, shape (q, q).
    df
        Denominator degrees of freedom.
    """
    first, others = covs[0], covs[1:]
    size = first.shape[0]
    # Every difference is from the first group, whose noise is in all of them.
    cov: FloatArray = np.kron(np.ones((len(others), len(others))), first).astype(np.float64)
    for k, other in enumerate(others):
        cov[k * size : (k + 1) * size, k * size : (k + 1) * size] += other
    apart = np.concatenate([effect - effects_of[0] for effect in effects_of[1:]])
    return est.wald_test(apart, cov, df)


def states_of(
    exhibit: Any, state: str, cohort: pd.DataFrame, files: PersonFiles
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Read a state as people (in the cohort's order) x event times; summed when the exhibit asks for it."""
    panel = pd.read_parquet(files.panels[exhibit.clock], columns=["person_id", "event_time", state])
    wide = est.widen(panel, person="person_id", time="event_time", value=state).reindex(cohort["person_id"])
    times = wide.columns.to_numpy(dtype=np.int64)
    values = wide.to_numpy(dtype=np.float64)
    if exhibit.cumulate_from is not None:
        values, times = est.cumulate(values, times, start=exhibit.cumulate_from)
    low = exhibit.first if exhibit.first is not None else int(times[0])
    high = exhibit.last if exhibit.last is not None else int(times[-1])
    chosen = (times >= low) & (times <= high)
    return values[:, chosen], times[chosen]
