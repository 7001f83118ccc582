"""From people to numbers, for exhibits of who took part in what: take-up, stays, the fall-back mix, effects of taking part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config import exhibits as x
from refino_eval.errors import UserError
from refino_eval.exhibits.inference import sample_of
from refino_eval.exhibits.people import (
    PersonFiles,
    Row,
    Study,
    cell,
    controls_of,
    of_arm,
    outcome_columns,
    weighted,
    weighting,
)

EFFECT = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "mean_treated", "mean_control")
BESIDE = ("estimate", "std_error", "conf_low", "conf_high")
FloatMatrix = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
Times = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]


def take_up(
    exhibit: x.TakeUpExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Share of each arm in each programme at each event time."""
    for state, values, times in panel_matrices(exhibit.states, exhibit.clock, cohort, files):
        low = exhibit.first if exhibit.first is not None else int(times[0])
        high = exhibit.last if exhibit.last is not None else int(times[-1])
        for arm in (*study.treated_arms, study.control):
            mine = of_arm(cohort, arm, study)
            for time in range(low, high + 1):
                yield from share_rows(str(time), arm, values[mine, int(time - times[0])], panel=state)


def share_rows(row: str, column: str, values: FloatMatrix, *, panel: str, level: float = 0.95) -> Iterator[Row]:
    """Return the share of people with a 1 among those seen, with Wilson's interval and the number of people."""
    seen = values[np.isfinite(values)]
    n, count = seen.size, float(seen.sum())
    if n == 0:
        yield cell(row, column, "share", np.nan, 0, panel=panel, status="no_data")
        return
    low, high = est.share_interval(count, n, level=level)
    for statistic, value in (
        ("share", count / n), ("count", count), ("n", n), ("conf_low", low), ("conf_high", high)
    ):  # fmt: skip
        yield cell(row, column, statistic, value, n, panel=panel)


def ever_started(
    exhibit: x.EverStartedExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Share of each arm that has started each programme by each horizon, and the draw's effect on it."""
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    drawn = cohort["treated"].to_numpy()
    columns: dict[str, FloatMatrix] = {}
    started: dict[str, pd.DataFrame] = {}
    for state, values, times in panel_matrices(exhibit.states_read[exhibit.clock], exhibit.clock, cohort, files):
        started[state] = est.ever_started(values, times, start=exhibit.first, within=exhibit.within)
    for k in exhibit.within:
        if exhibit.programmes:
            own, other = (started[exhibit.programmes[arm]][f"by_{k}"] for arm in (study.treated, study.control))
            columns[f"own|by_{k}"] = np.where(drawn == 1, own, other)
            if k == exhibit.last:
                columns[f"own|not_by_{k}"] = 1 - columns[f"own|by_{k}"]
    for state in exhibit.states:
        columns |= {f"{state}|by_{k}": started[state][f"by_{k}"].to_numpy() for k in exhibit.within}
    controls = controls_of(cohort, specification)
    rows = controls.rows
    for key, values in columns.items():
        panel, _, row = key.partition("|")
        for arm, column in ((1, study.treated), (0, study.control)):
            yield from share_rows(row, column, values[drawn == arm], panel=panel, level=specification.level)
        effect = est.itt(
            values,
            drawn,
            rows=rows,
            missing="available",
            **_options(cohort, specification, controls if controls.names else None),
        )
        for statistic in (*EFFECT[:5], "n"):
            yield cell(row, "difference", statistic, getattr(effect, statistic)[0], int(effect.n[0]), panel=panel)


def starters(
    exhibit: x.StartersExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Slopes of having started one's own programme on characteristics, in each arm, and their differences."""
    unweighted(cohort)
    known = outcome_columns(exhibit.started, cohort, files)
    drawn = cohort["treated"].to_numpy()
    own = np.where(drawn == 1, known[study.treated], known[study.control])
    table = est.starters(
        own,
        cohort[list(exhibit.covariates)],
        drawn,
        cells=cohort["cell"],
        vcov=exhibit.vcov,
        missing="common",
        **weighting(cohort, exhibit.vcov),
    )
    sides = {study.treated: "treated", study.control: "control", "difference": "difference"}
    for column, side in sides.items():
        for k, covariate in enumerate(table.characteristics):
            for statistic, part in (("estimate", ""), ("std_error", "_std_error"), ("p_value", "_p_value")):
                yield cell(covariate, column, statistic, getattr(table, f"{side}{part}")[k], table.n)
        test = table.joint_test if side == "difference" else getattr(table, f"joint_{side}")
        yield from joint_rows("joint_test", column, test)
        if side != "difference":
            yield cell("started", column, "share", getattr(table, f"share_started_{side}"), table.n)
    yield cell("regression", "all", "n", table.n, table.n)
    yield cell("regression", "all", "r_squared", table.r_squared, table.n)


def joint_rows(row: str, column: str, test: est.WaldTest, *, panel: str = "") -> Iterator[Row]:
    """Return a joint test."""
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell(row, column, statistic, value, panel=panel)


def spell_survival(
    exhibit: x.SpellSurvivalExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Share still in each programme by time since the start, with the number who can still be seen."""
    for state, values, times in panel_matrices(exhibit.states, exhibit.clock, cohort, files):
        first = int(exhibit.first - times[0])
        last = int((times[-1] if exhibit.last is None else exhibit.last) - times[0])
        found = est.stays(values, first=first, last=last, gap=exhibit.gap)
        n = int(found.started.sum())
        yield cell("starters", state, "count", n, n)
        if n == 0:
            yield cell("0", state, "share", np.nan, 0, status="no_data")
            continue
        longest = int(np.floor(np.nanmax(found.duration)))
        shown = np.arange(0, min(longest, exhibit.horizon or longest) + 1)
        table = est.survival_shares(
            found.duration, found.ended, times=shown.astype(np.float64), rows=found.started, level=exhibit.level
        )
        for k, time in enumerate(shown):
            at_risk = int(table.at_risk[0, k])
            if not np.isfinite(table.share[0, k]):
                continue
            for statistic in ("share", "std_error", "conf_low", "conf_high"):
                yield cell(str(time), state, statistic, getattr(table, statistic)[0, k], at_risk)
            yield cell(str(time), state, "n", at_risk, at_risk)
        yield cell(
            "median", state, "value", table.median[0], n, status="" if np.isfinite(table.median[0]) else "not_reached"
        )
        for row, flags in (("ended", found.ended == 1), ("bridged", found.bridged), ("returned", found.returned)):
            yield cell(row, state, "count", int(flags[found.started].sum()), n)
        yield cell("already", state, "count", int(found.already.sum()), len(cohort))


def fall_back(
    exhibit: x.FallBackExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Effect of the draw on every state of participation, ever and in periods, and compliers' mix without it."""
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    controls = controls_of(cohort, specification)
    people = cohort.loc[controls.rows].reset_index(drop=True)
    matrix = controls.to_frame().loc[controls.rows].reset_index(drop=True) if controls.names else None
    ranked = ranked_participation(exhibit.participation, people, files)
    options = _options(people, specification, matrix)
    yield from fall_back_rows(ranked, people, options, panel="ever")
    if not exhibit.participation.states:
        return
    seen = np.asarray(np.isfinite(ranked.periods).all(axis=1))
    drawn = people["treated"].to_numpy()
    effects = est.itt(ranked.periods, drawn, rows=seen, names=ranked.states, **options)
    for s, state in enumerate(ranked.states):
        yield from _draw_rows(effects, s, state, panel="periods")
    own = ranked.periods[:, 0]
    if not own[seen].any():
        return
    # The Wald ratio of periods elsewhere to periods in the programme, with the sign of a loss.
    moved = est.late(-ranked.periods[:, 1:], own, drawn, rows=seen, names=ranked.states[1:], **options)
    for s, state in enumerate(moved.outcomes):
        for statistic in BESIDE:
            yield cell(state, "fall_back", statistic, getattr(moved, statistic)[s], int(moved.n[s]), panel="periods")


def ranked_participation(participation: x.Participation, people: pd.DataFrame, files: PersonFiles) -> est.RankedStates:
    """Read who took part in what, as states that exclude each other."""
    if participation.columns:
        values = outcome_columns(participation.columns, people, files)
        return est.rank_states({key: values[[key]].to_numpy() for key in participation.columns})
    if participation.window is None:
        raise ValueError("participation read from states has a window")
    low, high = participation.window
    found = {}
    for state, part, times in panel_matrices(participation.states, participation.clock, people, files):
        found[state] = part[:, (times >= low) & (times <= high)]
    return est.rank_states(found)


def fall_back_rows(
    ranked: est.RankedStates, people: pd.DataFrame, options: Mapping[str, Any], *, panel: str
) -> Iterator[Row]:
    """Return the first stage of every state, and the fall-back mix, of people whose state is known."""
    known = np.array([state is not None for state in ranked.ever])
    if not known.any():
        raise UserError("nobody's participation is known over the whole window; look at the register's coverage.")
    stage = est.first_stage(
        pd.Series(ranked.ever), people["treated"].to_numpy(), programme=ranked.states[0], rows=known, **options
    )
    for state in (state for state in ranked.states if state in stage.states):
        s = stage.states.index(state)
        yield from _draw_rows(stage.effects, s, state, panel=panel)
        if s != stage.states.index(stage.programme):
            for statistic in BESIDE:
                value = getattr(stage, "fall_back" if statistic == "estimate" else f"fall_back_{statistic}")[s]
                yield cell(state, "fall_back", statistic, value, int(stage.effects.n[s]), panel=panel)
    yield from joint_rows("any_change", "draw", stage.any_change, panel=panel)
    yield cell("unknown", "draw", "count", int((~known).sum()), panel=panel)


def _draw_rows(effects: est.EffectTable, s: int, state: str, *, panel: str) -> Iterator[Row]:
    for statistic in (*EFFECT, "n"):
        yield cell(state, "draw", statistic, getattr(effects, statistic)[s], int(effects.n[s]), panel=panel)


def late(exhibit: x.LateExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str) -> Iterator[Row]:
    """Reduced form, first stage, the effect of taking part for those whom the draw moved, and what it was against."""
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    values = values[list(exhibit.columns)]
    taken = take_up_of(exhibit, people, files)
    known = np.isfinite(taken)
    people = people.loc[known].reset_index(drop=True)
    matrix = None if controls is None else controls.loc[known].reset_index(drop=True)
    options = _options(people, specification, matrix)
    drawn = people["treated"].to_numpy()
    table = est.late(values.loc[known].reset_index(drop=True), taken[known], drawn, missing=exhibit.missing, **options)
    panel = exhibit.specification
    for k, key in enumerate(table.outcomes):
        yield from _late_rows(table, k, key, panel)
    if exhibit.participation is not None:
        ranked = ranked_participation(exhibit.participation, people, files)
        yield from fall_back_rows(ranked, people, options, panel="fall_back")
        inside = np.array([state == ranked.states[0] for state in ranked.ever], dtype=float)
        apart = int(np.count_nonzero(inside != taken[known]))
        yield cell("other_take_up", "draw", "count", apart, panel="fall_back")


def _late_rows(table: est.LateTable, k: int, key: str, panel: str) -> Iterator[Row]:
    n = int(table.n[k])
    parts: Mapping[str, Mapping[str, Any]] = {
        "draw": {"estimate": table.reduced_form, "std_error": table.reduced_form_std_error},
        "first_stage": {
            "estimate": table.first_stage,
            "std_error": table.first_stage_std_error,
            "f_stat": table.first_stage_f,
            "mean_treated": table.take_up_treated,
            "mean_control": table.take_up_control,
        },
        "take_up": {
            name: getattr(table, name) for name in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n")
        },
    }
    for part, statistics in parts.items():
        for statistic, values in statistics.items():
            # Where everybody does as drawn, nothing is left for the first stage to miss.
            status = "infinite" if np.isposinf(values[k]) else ""
            yield cell(part, key, statistic, values[k], n, panel=panel, status=status)
    found = table.ar_set[k]
    shape = "" if found.kind == "interval" else f"ar_{found.kind}"
    for statistic, bound in (("ar_low", found.low), ("ar_high", found.high)):
        yield cell("take_up", key, statistic, bound, n, panel=panel, status=shape)


def compliers(
    exhibit: x.CompliersExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Shares and characteristics of the three types of people, and compliers' outcomes when drawn to either arm."""
    cohort = weighted(cohort, study.specifications[exhibit.specification])
    unweighted(cohort)
    taken = take_up_of(exhibit, cohort, files)
    known = np.isfinite(taken)
    people, taken = cohort.loc[known].reset_index(drop=True), taken[known]
    table = est.complier_profile(
        people[list(exhibit.covariates)],
        taken,
        people["treated"].to_numpy(),
        cells=people["cell"],
        weighting=exhibit.weighting,
        missing="available",
    )
    types = ("compliers", "always_takers", "never_takers")
    for t, kind in enumerate(types):
        for statistic, value in (("share", table.share[t]), ("std_error", table.share_std_error[t])):
            yield cell("types", kind, statistic, value, len(people), panel="characteristics")
    for k, covariate in enumerate(table.covariates):
        n = int(table.n[k])
        for t, kind in enumerate(types):
            for statistic, part in (("mean", table.mean), ("std_error", table.std_error)):
                yield cell(covariate, kind, statistic, part[t, k], n, panel="characteristics")
        yield cell(covariate, "all", "mean", table.sample_mean[k], n, panel="characteristics")
        yield cell(covariate, "all", "n", n, n, panel="characteristics")
        yield cell(covariate, "compliers", "ratio", table.ratio[0, k], n, panel="characteristics")
        yield cell(covariate, "compliers", "p_value", table.p_value[0, k], n, panel="characteristics")
    yield cell("types", "all", "n_left_out", table.n_left_out.max(), panel="characteristics")
    if exhibit.columns:
        yield from _complier_outcomes(exhibit, people, files, study)


def _complier_outcomes(
    exhibit: x.CompliersExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study
) -> Iterator[Row]:
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    table = est.complier_means(
        values[list(exhibit.columns)],
        take_up_of(exhibit, people, files),
        people["treated"].to_numpy(),
        missing="common",
        **_options(people, specification, controls),
    )
    for k, key in enumerate(table.outcomes):
        n = int(table.n[k])
        for column, mean, error in (
            ("without", table.control, table.control_std_error),
            ("with", table.treated, table.treated_std_error),
        ):
            yield cell(key, column, "mean", mean[k], n, panel="outcomes")
            yield cell(key, column, "std_error", error[k], n, panel="outcomes")
        for statistic, values_of in (
            ("estimate", table.effect), ("std_error", table.effect_std_error), ("p_value", table.effect_p_value)
        ):  # fmt: skip
            yield cell(key, "effect", statistic, values_of[k], n, panel="outcomes")
        yield cell(key, study.control, "mean_control", table.sample_control[k], n, panel="outcomes")
        yield cell(key, "effect", "n", n, n, panel="outcomes")


def take_up_of(exhibit: x.LateExhibit | x.CompliersExhibit, people: pd.DataFrame, files: PersonFiles) -> FloatMatrix:
    """Return who took part, in the people's order."""
    if exhibit.take_up is not None:
        return outcome_columns({"take_up": exhibit.take_up}, people, files)["take_up"].to_numpy()
    if "take_up" not in people:
        raise UserError(
            "names no take_up, and neither does the evaluation (person_table.take_up). Name the outcome or the column."
        )
    return people["take_up"].to_numpy(dtype=float)


def panel_matrices(
    states: Sequence[str], clock: str, cohort: pd.DataFrame, files: PersonFiles
) -> Iterator[tuple[str, FloatMatrix, Times]]:
    """Read states as people (in the cohort's order) x event times, one after the other, with the event times."""
    panel = pd.read_parquet(files.panels[clock], columns=["person_id", "event_time", *dict.fromkeys(states)])
    for state in states:
        wide = est.widen(panel, person="person_id", time="event_time", value=state).reindex(cohort["person_id"])
        yield state, wide.to_numpy(dtype=np.float64), wide.columns.to_numpy(dtype=np.int64)


def unweighted(cohort: pd.DataFrame) -> None:
    """Refuse weights where the method has none, rather than leave them out in silence."""
    if "weight" in cohort:
        raise UserError(
            "this kind of exhibit takes no probability weights, and the evaluation names some (person_table.weights). Choose a "
            "specification with `weights: false`, and say in the exhibit's note that it is unweighted."
        )


def _options(
    people: pd.DataFrame, specification: d.Specification, controls: pd.DataFrame | est.ControlMatrix | None
) -> dict[str, Any]:
    """Return what a specification says of a regression on these people."""
    return {
        "cells": people["cell"] if specification.strata else None,
        "controls": controls.to_frame() if isinstance(controls, est.ControlMatrix) else controls,
        "vcov": specification.vcov,
        "level": specification.level,
        **weighting(people, specification.vcov),
    }
