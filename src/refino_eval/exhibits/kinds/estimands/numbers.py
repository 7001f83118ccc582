"""Numbers of exhibits of kind `estimands`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.estimands.model import EstimandsExhibit
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.samples_of_exhibits import observed, sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: EstimandsExhibit, context: Context) -> Iterator[Row]:
    """One effect by several weightings of the cells, and the test that they are the same.

    The panel `small_cells` has the standard errors by the variance for cells with one person in an arm.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    inputs = inputs_of(people, specification, controls, missing=exhibit.missing)
    population = None
    if study.all_arms is not None:
        # Of several arms two are compared, and the saturated estimate weights cells by the people of all.
        elsewhere = ~study.all_arms["person_id"].isin(cohort["person_id"])
        others, other_values, _ = observed(exhibit, study.all_arms.loc[elsewhere], files, specification)
        inputs = _with_others(inputs, people, others, specification)
        values = pd.concat([values, other_values], ignore_index=True)
        population = np.ones(inputs.n_rows, dtype=bool)
    table = est.estimands(values, inputs, population=population, cells_are=exhibit.cells_are)
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            n, source = int(table.n[e, j]), table.sources[j] if e == 0 else Reason.CELLS
            for statistic in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n"):
                yield cell(key, estimand, statistic, getattr(table, statistic)[e, j], n, source=source)
            yield cell(key, estimand, "n_left_out", table.n_left_out[e, j], n)
        if population is not None:
            yield cell(key, "saturated", "n", inputs.n_rows, panel="population")
        yield cell(key, "equal", "p_value", table.equal[j].p_value, int(table.n[0, j]))
        yield cell(key, "cell_fixed_effects", "n_cells", table.n_small_cells[j], panel="small_cells")
        yield cell(key, "cell_fixed_effects", "n", table.n_in_small_cells[j], panel="small_cells")
    if table.n_small_cells.any() and inputs.weights is None and inputs.cluster is None:
        yield from _small_cells(exhibit, values, inputs, population)


def _with_others(
    inputs: est.RegressionInputs, people: pd.DataFrame, others: pd.DataFrame, specification: d.Specification
) -> est.RegressionInputs:
    """Add the people of other arms to the rows of the inputs, where they count in cells' weights alone."""
    both = inputs_of(pd.concat([people, others], ignore_index=True), specification, missing=inputs.missing)
    rows = np.arange(both.n_rows) < len(people)
    controls = np.full((both.n_rows, inputs.controls.shape[1]), np.nan)
    controls[rows] = inputs.controls
    return replace(both.adjusted_for(controls, inputs.control_names), rows=rows)


def _small_cells(
    exhibit: EstimandsExhibit, values: pd.DataFrame, inputs: est.RegressionInputs, population: np.ndarray | None
) -> Iterator[Row]:
    """Return the standard errors of the estimands that the small cells' variance is made for."""
    try:
        table = est.estimands(values, inputs, population=population, small_cells="hybrid", cells_are=exhibit.cells_are)
    except UserError:
        # Too few small cells to compare with each other: the residuals' variance stands alone.
        return
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            if estimand != "interacted":
                yield cell(
                    key,
                    estimand,
                    "std_error",
                    table.std_error[e, j],
                    int(table.n[e, j]),
                    panel="small_cells",
                    source=Reason.CELLS,
                )
