"""Numbers of exhibits of kind `attrition`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.attrition.model import AttritionExhibit
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
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

BOUNDS: Mapping[str, str] = {
    "bound_low": "low",
    "bound_high": "high",
    "bound_low_std_error": "low_std_error",
    "bound_high_std_error": "high_std_error",
    "conf_low": "conf_low",
    "conf_high": "conf_high",
    "trimmed_share": "trimmed_share",
    "share_always": "share_always",
    "n": "n",
    "n_treated": "n_observed_treated",
    "n_control": "n_observed_control",
    "n_left_out": "n_left_out",
}
"""Statistics of a tidy exhibit -> attributes of `estimation.Bounds`."""


def numbers(exhibit: AttritionExhibit, context: Context) -> Iterator[Row]:
    """Shares seen by arm and their test, the effect among those seen, and bounds on the effect."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    controls = controls_of(cohort, specification)
    people = cohort.loc[controls.rows].reset_index(drop=True)
    values = seen_columns(exhibit, people, files)
    drawn = people["treated"].to_numpy()
    matrix = controls.to_frame().loc[controls.rows].reset_index(drop=True) if controls.names else None
    inputs = inputs_of(people, specification, matrix, missing="available")
    bare = inputs_of(people, specification)
    seen = est.attrition(values, inputs)
    for k, key in enumerate(seen.outcomes):
        yield from _effect(seen, k, key, panel="seen")
        for statistic, arm in (("n_treated", 1), ("n_control", 0)):
            count = int((values[key].notna() & (drawn == arm)).sum())
            yield cell(key, "draw", statistic, count, count, panel="seen")
    groups = None if exhibit.tighten is None else people[exhibit.tighten].map(str, na_action="ignore").fillna("missing")
    for key in exhibit.columns:
        column = values[key].to_numpy()
        among = est.itt(column, inputs)
        yield from _effect(among, 0, key, panel="among_seen")
        common: dict[str, Any] = {"weighting": exhibit.weighting, "name": key}
        yield from _bounds(est.lee_bounds(column, bare, ties=exhibit.ties, **common), key, panel="lee")
        if groups is not None:
            tight = est.lee_bounds(column, bare, ties=exhibit.ties, groups=groups, **common)
            yield from _bounds(tight, key, panel="lee_tightened")
        if key in exhibit.ranges:
            lowest, highest = exhibit.ranges[key]
            wide = est.horowitz_manski_bounds(column, bare, lowest=lowest, highest=highest, **common)
            yield from _bounds(wide, key, panel="horowitz_manski")


def seen_columns(exhibit: AttritionExhibit, people: pd.DataFrame, files: PersonFiles) -> pd.DataFrame:
    """Read the outcomes, missing where what they depend on is missing or 0."""
    values = outcome_columns(exhibit.columns, people, files)
    if exhibit.observed:
        conditions = outcome_columns(exhibit.observed, people, files)
        for key in exhibit.observed:
            values[key] = values[key].where(conditions[key].notna() & (conditions[key] != 0))
    return values


def _effect(table: est.EffectTable, k: int, key: str, *, panel: str) -> Iterator[Row]:
    statistics = (*EFFECT, "mean_treated", "mean_control", "n")
    yield from effect_rows(key, "draw", table, k, statistics=statistics, panel=panel)


def _bounds(bounds: est.Bounds, key: str, *, panel: str) -> Iterator[Row]:
    for statistic, source in BOUNDS.items():
        yield cell(key, "bounds", statistic, getattr(bounds, source), bounds.n, panel=panel)
    yield cell(key, "seen_treated", "share", bounds.share_observed_treated, bounds.n, panel=panel)
    yield cell(key, "seen_control", "share", bounds.share_observed_control, bounds.n, panel=panel)
    trimmed = np.nan if bounds.trimmed_arm is None else float(bounds.trimmed_arm)
    yield cell(key, "trimmed_arm", "value", trimmed, panel=panel, status="nothing_trimmed" if np.isnan(trimmed) else "")
    if panel == "lee_tightened":
        yield cell(key, "groups", "count", bounds.n_groups, panel=panel)
        yield cell(key, "groups_against", "count", bounds.n_groups_against, panel=panel)
