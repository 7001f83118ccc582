"""Numbers of exhibits of kind `fall_back`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config.exhibit_base import Participation
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.fall_back.model import FallBackExhibit
from refino_eval.exhibits.numbers.number_sources import Derived, Reason, joint_f, ratio
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows, joint_test_rows
from refino_eval.exhibits.numbers.study import (
    Context,
    PersonFiles,
    Row,
    cell,
    controls_of,
    inputs_of,
    outcome_columns,
    weighted,
)

BESIDE = ("estimate", "std_error", "conf_low", "conf_high")


def numbers(exhibit: FallBackExhibit, context: Context) -> Iterator[Row]:
    """Effect of the draw on every state of participation, ever and in periods, and compliers' mix without it."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    controls = controls_of(cohort, specification)
    people = cohort.loc[controls.rows].reset_index(drop=True)
    matrix = controls.to_frame().loc[controls.rows].reset_index(drop=True) if controls.names else None
    ranked = ranked_participation(exhibit.participation, people, files)
    inputs = inputs_of(people, specification, matrix)
    yield from fall_back_rows(ranked, inputs, panel="ever")
    if not exhibit.participation.states:
        return
    seen = np.asarray(np.isfinite(ranked.periods).all(axis=1))
    among = inputs.among(seen)
    effects = est.itt(ranked.periods, among, names=ranked.states)
    for s, state in enumerate(ranked.states):
        yield from _draw_rows(effects, s, state, panel="periods")
    own = ranked.periods[:, 0]
    if not own[seen].any():
        return
    # The Wald ratio of periods elsewhere to periods in the programme, with the sign of a loss.
    moved = est.late(-ranked.periods[:, 1:], own, among, names=ranked.states[1:])
    for s, state in enumerate(moved.outcomes):
        yield from effect_rows(state, "fall_back", moved, s, statistics=BESIDE, panel="periods")


def ranked_participation(participation: Participation, people: pd.DataFrame, files: PersonFiles) -> est.RankedStates:
    """Read who took part in what, as states that exclude each other."""
    if participation.columns:
        values = outcome_columns(participation.columns, people, files)
        return est.rank_states({key: values[[key]].to_numpy() for key in participation.columns})
    if participation.window is None:
        raise ValueError("participation read from states has a window")
    low, high = participation.window
    matrices = {}
    for state, part, times in panel_matrices(participation.states, participation.clock, people, files):
        matrices[state] = part[:, (times >= low) & (times <= high)]
    return est.rank_states(matrices)


def fall_back_rows(ranked: est.RankedStates, inputs: est.RegressionInputs, *, panel: str) -> Iterator[Row]:
    """Return the first stage of every state, and the fall-back mix, of people whose state is known."""
    observed = np.array([state is not None for state in ranked.ever])
    if not observed.any():
        raise UserError("nobody's participation is known over the whole window; look at the register's coverage.")
    stage = est.first_stage(pd.Series(ranked.ever), inputs.among(observed), programme=ranked.states[0])
    own = stage.states.index(stage.programme)
    for state in (state for state in ranked.states if state in stage.states):
        s = stage.states.index(state)
        yield from _draw_rows(stage.effects, s, state, panel=panel)
        if s != own:
            for statistic in BESIDE:
                value = getattr(stage, "fall_back" if statistic == "estimate" else f"fall_back_{statistic}")[s]
                parts = (stage.effects.sources[s], stage.effects.sources[own])
                source = Derived(parts, ratio(statistic), () if statistic == "estimate" else (0, 0), Reason.RATIO)
                yield cell(state, "fall_back", statistic, value, int(stage.effects.n[s]), panel=panel, source=source)
    sources = tuple(stage.effects.sources)
    change = Derived(sources, joint_f(np.eye(len(sources))), (0,) * len(sources), Reason.OUTCOMES)
    yield from joint_test_rows("any_change", "draw", stage.any_change, panel=panel, source=change)
    yield cell("unknown", "draw", "count", int((~observed).sum()), panel=panel)


def _draw_rows(effects: est.EffectTable, s: int, state: str, *, panel: str) -> Iterator[Row]:
    statistics = (*EFFECT, "mean_treated", "mean_control", "n")
    yield from effect_rows(state, "draw", effects, s, statistics=statistics, panel=panel)
