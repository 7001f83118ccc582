"""Numbers of exhibits of kind `late`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.covariances import is_clustered
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.exhibits.keys import panel_of
from refino_eval.exhibits.kinds.effects.numbers import equal_effects
from refino_eval.exhibits.kinds.fall_back.numbers import fall_back_rows, ranked_participation
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.number_sources import equality_of_groups
from refino_eval.exhibits.numbers.participants import take_up_of
from refino_eval.exhibits.numbers.result_rows import joint_test_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, Study, cell, inputs_of


def numbers(exhibit: LateExhibit, context: Context) -> Iterator[Row]:
    """Reduced form, first stage, the effect of taking part for those whom the draw moved, and what it was against."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    values = values[list(exhibit.columns)]
    taken = take_up_of(exhibit, people, files)
    observed = np.isfinite(taken)
    people = people.loc[observed].reset_index(drop=True)
    matrix = None if controls is None else controls.loc[observed].reset_index(drop=True)
    inputs = inputs_of(people, specification, matrix, columns=exhibit.columns, missing=exhibit.missing)
    values = values.loc[observed].reset_index(drop=True)
    if exhibit.by is not None:
        yield from _by_group(exhibit, values, taken[observed], people, inputs, study)
        return
    table = est.late(values, taken[observed], inputs)
    for k, key in enumerate(table.outcomes):
        yield from _late_rows(table, k, key, exhibit.specification)
    if exhibit.participation is not None:
        ranked = ranked_participation(exhibit.participation, people, files)
        yield from fall_back_rows(ranked, inputs, panel="fall_back")
        inside = np.array([state == ranked.states[0] for state in ranked.ever], dtype=float)
        apart = int(np.count_nonzero(inside != taken[observed]))
        yield cell("other_take_up", "draw", "count", apart, panel="fall_back")


def _by_group(
    exhibit: LateExhibit,
    values: pd.DataFrame,
    taken: FloatArray,
    people: pd.DataFrame,
    inputs: est.RegressionInputs,
    study: Study,
) -> Iterator[Row]:
    """Return the effects in each group, with its cells and controls, and the test that they are the same in all groups."""
    assert exhibit.by is not None
    groups = groups_of(exhibit.by, people, study)
    yield from groups.counts(people, study)
    tables = []
    for place, group in enumerate(groups.keys):
        panel, rows = panel_of(exhibit.specification, group), groups.rows(place)
        try:
            table = est.late(values, taken, inputs.among(rows))
        except UserError:
            # A group in which the draw moves nobody, or does not vary within cells, has no effect of its own.
            for key in exhibit.columns:
                yield cell("take_up", key, "estimate", np.nan, int(rows.sum()), panel=panel, status="not_estimable")
            continue
        for k, key in enumerate(table.outcomes):
            yield from _late_rows(table, k, key, panel)
        tables.append(table)
    if len(tables) < 2 or is_clustered(inputs.vcov):
        # Clusters may span groups, which makes their effects dependent: the sum of variances would be wrong.
        return
    for k, key in enumerate(exhibit.columns):
        effects = [table.estimate[[k]] for table in tables]
        covs = [table.std_error[[k], None] ** 2 for table in tables]
        test = equal_effects(effects, covs, df=float(sum(table.df[k] for table in tables)))
        source = equality_of_groups([table.sources[k] for table in tables], independent=True)
        source = equality_of_groups([table.sources[k] for table in tables], independent=True)
        yield from joint_test_rows("equal", key, test, panel=exhibit.specification, source=source)


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
    sources = {"draw": table.reduced_form_sources, "first_stage": table.first_stage_sources, "take_up": table.sources}
    for part, statistics in parts.items():
        for statistic, values in statistics.items():
            # Where everybody does as drawn, nothing is left for the first stage to miss.
            status = "infinite" if np.isposinf(values[k]) else ""
            yield cell(part, key, statistic, values[k], n, panel=panel, status=status, source=sources[part][k])
    confidence_set = table.ar_set[k]
    shape = "" if confidence_set.kind == "interval" else f"ar_{confidence_set.kind}"
    for statistic, bound in (("ar_low", confidence_set.low), ("ar_high", confidence_set.high)):
        yield cell("take_up", key, statistic, bound, n, panel=panel, status=shape)
