"""Numbers of exhibits of kind `ever_started`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.ever_started.model import EverStartedExhibit
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.participants import FloatMatrix, share_rows
from refino_eval.exhibits.numbers.result_rows import effect_rows
from refino_eval.exhibits.numbers.study import Context, Row, controls_of, inputs_of, weighted


def numbers(exhibit: EverStartedExhibit, context: Context) -> Iterator[Row]:
    """Share of each arm that has started each programme by each horizon, and the draw's effect on it."""
    cohort, files, study = context.cohort, context.files, context.study
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
    matrix = controls.to_frame() if controls.names else None
    inputs = inputs_of(cohort, specification, matrix, missing="available").among(controls.rows)
    for key, values in columns.items():
        panel, _, row = key.partition("|")
        for arm, column in ((1, study.treated), (0, study.control)):
            yield from share_rows(row, column, values, drawn == arm, cohort, panel=panel, level=specification.level)
        effect = est.itt(values, inputs)
        yield from effect_rows(row, "difference", effect, 0, panel=panel)
