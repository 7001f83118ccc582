"""Numbers of exhibits of kind `adjusted_differences`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.adjusted_differences.model import AdjustedDifferencesExhibit
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of
from refino_eval.seeds import derive_seed


def numbers(exhibit: AdjustedDifferencesExhibit, context: Context) -> Iterator[Row]:
    """Return the raw difference and the regression (panel `regression`), and each method for each population (its panel)."""
    study = context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, context.cohort, context.files, specification)
    inputs = inputs_of(people, specification, controls, missing=exhibit.missing)
    raw = replace(inputs.adjusted_for(np.empty((inputs.n_rows, 0)), ()), cells=np.zeros_like(inputs.cells))
    seed = derive_seed(study.seed, context.name, study.treated)
    for row, of in (("raw", raw), ("regression", inputs)):
        table = est.itt(values, of)
        for j, key in enumerate(table.outcomes):
            yield from effect_rows(row, key, table, j, panel="regression", statistics=(*EFFECT, "df", "n"))
            if row == "raw":
                yield cell(row, key, "mean_control", table.mean_control[j], int(table.n[j]), panel="regression")
    if exhibit.wild_bootstrap is not None:
        wild = est.wild_cluster_p_values(values, inputs, draws=exhibit.wild_bootstrap, seed=seed)
        for j, key in enumerate(exhibit.columns):
            yield cell("regression", key, "p_value_wild", wild[j], panel="regression")
    adjusted = est.adjusted_differences(
        values, inputs, methods=exhibit.methods, populations=exhibit.populations, trim=exhibit.trim,
        folds=exhibit.cross_fitting or 0, seed=seed,
    )  # fmt: skip
    yield from _adjusted_rows(adjusted)


def _adjusted_rows(table: est.AdjustedDifferences) -> Iterator[Row]:
    for j, key in enumerate(table.outcomes):
        n = int(table.n[j])
        for p, population in enumerate(table.populations):
            for m, method in enumerate(table.methods):
                for statistic in EFFECT:
                    same = table.sources[m, p, j] if statistic == "estimate" else None
                    value, source = getattr(table, statistic)[m, p, j], same or Reason.INFLUENCE
                    yield cell(method, key, statistic, value, n, panel=population, source=source)
        yield cell("people", key, "n", n, n, panel="people")
        yield cell("people", key, "df", table.df[j], n, panel="people")
        for row, counts in (("without_counterpart", table.n_left_out), ("trimmed", table.n_trimmed)):
            for arm, statistic in enumerate(("n_control", "n_treated")):
                yield cell(row, key, statistic, counts[j, arm], n, panel="people")
