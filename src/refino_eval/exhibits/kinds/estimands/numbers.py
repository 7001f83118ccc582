"""Numbers of exhibits of kind `estimands`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.estimands.model import EstimandsExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: EstimandsExhibit, context: Context) -> Iterator[Row]:
    """One effect by several weightings of the cells, and the test that they are the same.

    The panel `small_cells` has the standard errors by the variance for cells with one person in an arm.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    treated = people["treated"].to_numpy()
    options: dict[str, Any] = {
        "cells": people["cell"] if specification.strata else None,
        "controls": controls,
        "missing": exhibit.missing,
        "level": specification.level,
    }
    table = est.estimands(values, treated, **options)
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            n = int(table.n[e, j])
            for statistic in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n"):
                yield cell(key, estimand, statistic, getattr(table, statistic)[e, j], n)
            yield cell(key, estimand, "n_left_out", table.n_left_out[e, j], n)
        yield cell(key, "equal", "p_value", table.equal[j].p_value, int(table.n[0, j]))
        yield cell(key, "cell_fixed_effects", "n_cells", table.n_small_cells[j], panel="small_cells")
        yield cell(key, "cell_fixed_effects", "n", table.n_in_small_cells[j], panel="small_cells")
    if table.n_small_cells.any():
        yield from _small_cells(values, treated, options)


def _small_cells(values: pd.DataFrame, treated: np.ndarray, options: Mapping[str, Any]) -> Iterator[Row]:
    """Give the standard errors of the estimands that the small cells' variance is made for."""
    try:
        table = est.estimands(values, treated, small_cells="hybrid", **options)
    except UserError:
        # Too few small cells to compare with each other: the residuals' variance stands alone.
        return
    for j, key in enumerate(table.outcomes):
        for e, estimand in enumerate(table.estimands):
            if estimand != "interacted":
                yield cell(key, estimand, "std_error", table.std_error[e, j], int(table.n[e, j]), panel="small_cells")
