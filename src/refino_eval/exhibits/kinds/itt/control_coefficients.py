"""What tables of effects show on request: coefficients of controls, and the standard error of the control mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.exhibits.keys import COEFFICIENTS, panel_of
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import (
    PersonFiles,
    Row,
    Study,
    cell,
    cells_of,
    cluster_codes,
    controls_for,
    weighting,
    weights_of,
)


def control_rows(
    exhibit: IttExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, label: str
) -> Iterator[Row]:
    """Return the coefficient of each control, from the regression of the effects: the same columns, all of interest."""
    specification = study.specifications[label]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    several = len(study.treated_arms) > 1
    arms = pd.DataFrame(
        {
            f"arm {arm}": ((people["arm"] == arm) if several else people["treated"] == 1).astype(float)
            for arm in study.treated_arms
        }
    )
    panel, vcov = panel_of(label, COEFFICIENTS), specification.vcov
    for column in exhibit.columns:
        own = controls_for(column, controls, specification, exhibit.columns)
        if own is None:
            continue
        # Arms come first, so that of collinear columns a control is left out.
        design = est.prepare_columns(
            pd.concat([arms, own], axis=1),
            cells=cells_of(people, specification),
            rows=np.isfinite(values[column].to_numpy()),
            collinear="drop",
            absorbed=specification.absorb,
            **weighting(people, vcov),
        )
        fit = design.fit(values[[column]])
        error, df = fit.std_errors(vcov)[:, 0], design.dfs(vcov)
        inference = est.t_inference(fit.coefficients[:, 0], error, df, level=specification.level)
        for k, name in enumerate(design.focus):
            # Of several absorbed columns, all but the first are dummies in the regression; they are no controls.
            if name not in arms and name.partition("=")[0] not in specification.absorb:
                source = fit.source(vcov, focus=k)
                for statistic, value in (
                    ("estimate", fit.coefficients[k, 0]), ("std_error", error[k]), ("p_value", inference.p_value[k])
                ):  # fmt: skip
                    yield cell(name, column, statistic, value, design.n, panel=panel, source=source)


def control_mean_errors(
    exhibit: IttExhibit, people: pd.DataFrame, values: pd.DataFrame, specification: d.Specification
) -> npt.NDArray[np.float64] | None:
    """Return the standard error of each outcome's control mean; None when it is not asked for."""
    if not exhibit.control_mean_error:
        return None
    control = (people["treated"] == 0).to_numpy()
    return est.mean_std_error(
        values[list(exhibit.columns)].to_numpy(dtype=float)[control],
        specification.vcov,
        weights=weights_of(people[control]),
        cluster=cluster_codes(people[control]),
    )
