"""Numbers of exhibits of kind `effects`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.covariances import COVARIANCES, is_clustered
from refino_eval.errors import UserError
from refino_eval.exhibits.keys import panel_of
from refino_eval.exhibits.kinds.effects.model import SHARED_CLUSTERS, EffectsExhibit
from refino_eval.exhibits.numbers.groups import Groups, groups_of
from refino_eval.exhibits.numbers.number_sources import Derived, Reason, joint_f
from refino_eval.exhibits.numbers.panels import FloatArray, states_of
from refino_eval.exhibits.numbers.result_rows import joint_test_rows
from refino_eval.exhibits.numbers.study import Context, Row, cell, controls_of, inputs_of, weighted
from refino_eval.seeds import derive_seed


def numbers(exhibit: EffectsExhibit, context: Context) -> Iterator[Row]:
    """Effects at every event time; by group with the test that they are the same in all groups."""
    cohort, files, study, name = context.cohort, context.files, context.study, context.name
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    groups = None if exhibit.by is None else groups_of(exhibit.by, cohort, study)
    if groups is not None:
        yield from groups.counts(cohort, study)
    controls = controls_of(cohort, specification)
    for state in exhibit.states:
        values, times = states_of(exhibit, state, cohort, files)
        path = partial(_path, exhibit, values, times, cohort, specification, controls)
        if groups is None:
            yield from _effect_rows(path(controls.rows, derive_seed(study.seed, name, state)), state)
            continue
        paths = []
        for place, key in enumerate(groups.keys):
            rows, panel = controls.rows & groups.rows(place), panel_of(state, key)
            try:
                paths.append(path(rows, derive_seed(study.seed, name, state, key)))
            except UserError:
                # A group whose treatment does not vary within cells has no effect of its own; the others still have.
                n = int(rows.sum())
                yield cell("group", "difference", "estimate", np.nan, n, panel=panel, status="not_estimable")
                continue
            yield from _effect_rows(paths[-1], panel)
        if is_clustered(specification.vcov) and _spans(cohort, groups):
            # Effects of groups that share clusters are dependent: the sum of variances would be wrong.
            yield cell("equal_path", "difference", "p_value", np.nan, panel=state, status=SHARED_CLUSTERS)
            continue
        yield from _equality(paths, state, cumulated=exhibit.cumulate_from is not None)


def _spans(cohort: pd.DataFrame, groups: Groups) -> bool:
    """Return whether a cluster has people in several groups."""
    among = groups.member >= 0
    return bool(pd.Series(groups.member[among]).groupby(cohort["cluster"].to_numpy()[among]).nunique().gt(1).any())


def _path(
    exhibit: EffectsExhibit,
    values: FloatArray,
    times: npt.NDArray[np.int64],
    cohort: pd.DataFrame,
    specification: d.Specification,
    controls: est.ControlMatrix,
    rows: npt.NDArray[np.bool_],
    seed: int,
) -> est.DynamicEffects:
    """Estimate the effects on some people, at the event times at which any of them is observed."""
    observed = np.isfinite(values[rows]).any(axis=0)
    matrix = controls.to_frame().loc[rows] if controls.names else None
    return est.dynamics(
        values[np.ix_(rows, observed)],
        inputs_of(cohort.loc[rows], specification, matrix, missing="available"),
        times=times[observed],
        onset=exhibit.cumulate_from if exhibit.cumulate_from is not None else 0,
        seed=seed,
    )


def _effect_rows(dynamics: est.DynamicEffects, panel: str) -> Iterator[Row]:
    frame = dynamics.to_frame().assign(source=dynamics.effects.sources)
    wanted = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "band_low", "band_high", "mean_control", "n")
    for row in frame.itertuples(index=False):
        for statistic in wanted:
            value = getattr(row, statistic)
            status = "" if np.isfinite(value) else "not_estimable"
            yield cell(
                str(row.time), "difference", statistic, value, int(row.n), panel=panel, status=status, source=row.source  # type: ignore[arg-type]
            )  # fmt: skip
    yield cell("critical_value", "sup_t", "value", dynamics.critical_value, panel=panel)
    if dynamics.placebo is not None:
        before = tuple(dynamics.effects.sources[dynamics.times < dynamics.onset])
        source = Derived(before, joint_f(np.eye(len(before))), (0,) * len(before), Reason.OUTCOMES)
        yield from joint_test_rows("placebo", "difference", dynamics.placebo, panel=panel, source=source)


def _equality(found: Sequence[est.DynamicEffects], state: str, *, cumulated: bool) -> Iterator[Row]:
    """Test that groups share their effects: over the whole path, and on average (or at the last time, when summed)."""
    shared = _shared_times(found) if len(found) > 1 else []
    if not shared:
        return
    places = [np.flatnonzero(np.isin(one.times, shared)) for one in found]
    freedoms = [float(one.effects.df[place].min()) for one, place in zip(found, places, strict=True)]
    # Estimated degrees of freedom are not added up: the group with the fewest may have most of the variance.
    estimated = COVARIANCES[found[0].effects.vcov].has_satterthwaite
    df = min(freedoms) if estimated else sum(freedoms)
    # Groups share nobody; each is estimated on rows of its own.
    sources = tuple(source for one, place in zip(found, places, strict=True) for source in one.effects.sources[place])
    people = tuple(np.repeat(np.arange(len(found)), len(shared)).tolist())
    apart = np.hstack((-np.ones((len(found) - 1, 1)), np.eye(len(found) - 1)))
    summary = np.eye(len(shared))[-1:] if cumulated else np.full((1, len(shared)), 1.0 / len(shared))
    for row, weights in (("equal_path", np.eye(len(shared))), ("equal_last" if cumulated else "equal_mean", summary)):
        effects_of = [weights @ one.effects.estimate[place] for one, place in zip(found, places, strict=True)]
        covs = [weights @ one.cov[np.ix_(place, place)] @ weights.T for one, place in zip(found, places, strict=True)]
        test = equal_effects(effects_of, covs, df=df, estimated=estimated)
        source = Derived(sources, joint_f(np.kron(apart, weights)), people, Reason.OUTCOMES)
        yield from joint_test_rows(row, "difference", test, panel=state, source=source)


def _shared_times(found: Sequence[est.DynamicEffects]) -> list[int]:
    """Return the event times from the onset that all groups have."""
    return sorted(set.intersection(*({int(t) for t in one.times if t >= one.onset} for one in found)))


def equal_effects(
    effects_of: Sequence[FloatArray], covs: Sequence[FloatArray], *, df: float, estimated: bool = False
) -> est.WaldTest:
    """Test that vectors of effects are the same in groups that share nobody.

    Parameters
    ----------
    effects_of
        One vector of shape (q,) a group.
    covs
        Their covariances, shape (q, q).
    df
        Denominator degrees of freedom.
    estimated
        Whether they are of the covariance itself, estimated: the test is then Hotelling's.
    """
    first, others = covs[0], covs[1:]
    size = first.shape[0]
    # Every difference is from the first group, whose noise is in all of them.
    cov: FloatArray = np.kron(np.ones((len(others), len(others))), first).astype(np.float64)
    for k, other in enumerate(others):
        cov[k * size : (k + 1) * size, k * size : (k + 1) * size] += other
    apart = np.concatenate([effect - effects_of[0] for effect in effects_of[1:]])
    return est.wald_test(apart, cov, df, freedom=(lambda _: df) if estimated else None)
