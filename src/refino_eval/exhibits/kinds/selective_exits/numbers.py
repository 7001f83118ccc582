"""Numbers of exhibits of kind `selective_exits`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.economics.provider_payments import first_participations
from refino_eval.economics.spells import Spell, add_months
from refino_eval.exhibits.kinds.selective_exits.model import SelectiveExitsExhibit
from refino_eval.exhibits.numbers.participants import share_rows
from refino_eval.exhibits.numbers.study import Context, Row, cell, outcome_columns, weighting, weights_of
from refino_eval.seeds import derive_seed


def numbers(exhibit: SelectiveExitsExhibit, context: Context) -> Iterator[Row]:
    """Yield early exits by group of predicted outcome (row) and arm (column), and the slope in each arm and its difference."""
    cohort, study = context.cohort, context.study
    outcome = outcome_columns({"predicted": exhibit.predicted}, cohort, context.files)["predicted"]
    predicted = est.predicted_without_treatment(
        outcome,
        cohort[list(exhibit.covariates)],
        cohort["treated"],
        folds=exhibit.folds,
        seed=derive_seed(study.seed, context.name),
        weights=weights_of(cohort),
    )
    left = _left_early(exhibit, context)
    group = pd.qcut(pd.Series(predicted).rank(method="first"), exhibit.groups, labels=False).to_numpy()
    for arm in exhibit.programmes:
        own = (cohort["treated"] == int(arm == study.treated)).to_numpy() & np.isfinite(left)
        for number in range(exhibit.groups):
            yield from share_rows(f"group_{number + 1}", arm, left, own & (group == number), cohort, panel="exits")
        yield from share_rows("all", arm, left, own, cohort, panel="exits")
    used = np.isfinite(left) & np.isfinite(predicted)
    people = cohort.loc[used].reset_index(drop=True)
    sides = {study.treated: "treated", study.control: "control", "difference": "difference"}
    if people["treated"].nunique() < 2:
        for column in sides:
            yield cell("slope", column, "estimate", np.nan, len(people), panel="slopes", status="no_data")
        return
    spread = float(np.nanstd(predicted))
    table = est.starters(
        left[used],
        pd.DataFrame({"predicted": predicted[used] / spread if spread > 0 else predicted[used]}),
        people["treated"].to_numpy(),
        cells=people["cell"],
        vcov=exhibit.vcov,
        **weighting(people, exhibit.vcov),
    )
    for column, side in sides.items():
        for statistic, part in (("estimate", ""), ("std_error", "_std_error"), ("p_value", "_p_value")):
            value, source = getattr(table, f"{side}{part}")[0], table.sources[side][0]
            yield cell("slope", column, statistic, value, table.n, panel="slopes", source=source)
    yield cell("slope", "all", "n", table.n, table.n, panel="slopes")


def _left_early(exhibit: SelectiveExitsExhibit, context: Context) -> np.ndarray:
    """Return 1 for participants who left within the months, 0 for those who stayed, missing for all others.

    Whoever has not been in the programme so long when the registers end is missing, also if they have left: counting only
    exits of the last starters would give them a rate of 1.
    """
    cohort, study = context.cohort, context.study
    programmes = pd.read_parquet(
        context.files.clean[exhibit.registers.programmes], columns=["person_id", "start", "stop", "programme"]
    )
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    left = np.full(len(cohort), np.nan)
    for arm, codes in exhibit.programmes.items():
        own = cohort["treated"] == int(arm == study.treated)
        spells = first_participations(cohort.loc[own, ["person_id", "draw_date"]], programmes, codes)
        for row, spell in spells.items():
            left[cohort.index.get_loc(row)] = _left(spell, exhibit.within_months, observed_to)
    return left


def _left(spell: Spell, months: int, observed_to: dt.date) -> float:
    limit = add_months(spell.start, months)
    if limit > observed_to:
        return np.nan
    return float(spell.stop is not None and spell.stop < limit)
