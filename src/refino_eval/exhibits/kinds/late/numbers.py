"""Numbers of exhibits of kind `late`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.fall_back.numbers import fall_back_rows, ranked_participation
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.numbers.participants import take_up_of
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: LateExhibit, context: Context) -> Iterator[Row]:
    """Reduced form, first stage, the effect of taking part for those whom the draw moved, and what it was against."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    values = values[list(exhibit.columns)]
    taken = take_up_of(exhibit, people, files)
    known = np.isfinite(taken)
    people = people.loc[known].reset_index(drop=True)
    matrix = None if controls is None else controls.loc[known].reset_index(drop=True)
    inputs = inputs_of(people, specification, matrix, columns=exhibit.columns, missing=exhibit.missing)
    table = est.late(values.loc[known].reset_index(drop=True), taken[known], inputs)
    panel = exhibit.specification
    for k, key in enumerate(table.outcomes):
        yield from _late_rows(table, k, key, panel)
    if exhibit.participation is not None:
        ranked = ranked_participation(exhibit.participation, people, files)
        yield from fall_back_rows(ranked, inputs, panel="fall_back")
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
    sources = {"draw": table.reduced_form_sources, "first_stage": table.first_stage_sources, "take_up": table.sources}
    for part, statistics in parts.items():
        for statistic, values in statistics.items():
            # Where everybody does as drawn, nothing is left for the first stage to miss.
            status = "infinite" if np.isposinf(values[k]) else ""
            yield cell(part, key, statistic, values[k], n, panel=panel, status=status, source=sources[part][k])
    found = table.ar_set[k]
    shape = "" if found.kind == "interval" else f"ar_{found.kind}"
    for statistic, bound in (("ar_low", found.low), ("ar_high", found.high)):
        yield cell("take_up", key, statistic, bound, n, panel=panel, status=shape)
