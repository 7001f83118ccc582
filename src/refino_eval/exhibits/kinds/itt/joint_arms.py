"""Several treated arms: effects of all from one regression."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.estimation.core.recording import Source
from refino_eval.exhibits.keys import ALL_ARMS, difference_row
from refino_eval.exhibits.kinds.itt.control_coefficients import control_mean_errors
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.numbers.result_rows import joint_test_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import (
    PersonFiles,
    Row,
    Study,
    cell,
    cells_of,
    controls_for,
    weighting,
    weights_of,
)


def joint_effects(
    exhibit: IttExhibit,
    cohort: pd.DataFrame,
    files: PersonFiles,
    study: Study,
    panel: str,
    specification: d.Specification,
) -> Iterator[Row]:
    """Regress each outcome on all treated arms at once, within cells: effects, their joint test, differences between arms."""
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    assigned = pd.DataFrame({arm: (people["arm"] == arm).astype(float) for arm in study.treated_arms})
    errors = control_mean_errors(exhibit, people, values, specification)
    for place, column in enumerate(exhibit.columns):
        observed = np.isfinite(values[column].to_numpy())
        design = est.prepare_columns(
            assigned,
            cells=cells_of(people, specification),
            controls=controls_for(column, controls, specification, exhibit.columns),
            interacted=specification.adjustment == "interacted",
            rows=observed,
            absorbed=specification.absorb,
            **weighting(people, specification.vcov),
        )
        fit = design.fit(values[[column]])
        if exhibit.comparison == "joint":
            rows = _contrasts(fit, np.eye(len(design.focus)), specification)
            for arm, (source, statistics) in zip(design.focus, rows, strict=True):
                statistics |= t_statistic(exhibit, statistics)
                statistics |= _moments(people, values[column], observed, arm, study, design)
                if errors is not None:
                    statistics["mean_control_std_error"] = float(errors[place])
                for statistic, value in statistics.items():
                    yield cell(arm, column, statistic, value, int(statistics["n"]), panel=panel, source=source)
        test = _joint_test(fit, specification)
        yield from joint_test_rows(ALL_ARMS, column, test, n=design.n, panel=panel)
        yield cell(ALL_ARMS, column, "n", design.n, design.n, panel=panel, source=test.source)
        if exhibit.between_arms:
            yield from _between(exhibit, fit, column, specification, panel)


def t_statistic(exhibit: IttExhibit, statistics: dict[str, float]) -> dict[str, float]:
    """Return the t statistic of an effect, if the exhibit shows it."""
    return {"t_stat": statistics["estimate"] / statistics["std_error"]} if exhibit.t_stat else {}


def _between(
    exhibit: IttExhibit, fit: est.Fit, column: str, specification: d.Specification, panel: str
) -> Iterator[Row]:
    names = fit.design.focus
    pairs_of = list(combinations(range(len(names)), 2))
    loadings = np.eye(len(names))[[i for i, _ in pairs_of]] - np.eye(len(names))[[j for _, j in pairs_of]]
    for (i, j), (source, statistics) in zip(pairs_of, _contrasts(fit, loadings, specification), strict=True):
        for statistic, value in (statistics | t_statistic(exhibit, statistics)).items():
            row = difference_row(names[i], names[j])
            yield cell(row, column, statistic, value, fit.design.n, panel=panel, source=source)


def _contrasts(
    fit: est.Fit, loadings: np.ndarray, specification: d.Specification
) -> list[tuple[Source, dict[str, float]]]:
    """Return weighted sums of the arms' effects, one per row of the loadings, and where they come from."""
    vcov = specification.vcov
    df = np.array([fit.design.df(vcov, loadings=row[None]) for row in loadings])
    estimate = loadings @ fit.cleared(fit.std_errors(vcov))[:, 0]
    error = fit.combination_errors(loadings, 0, vcov)
    inference = est.t_inference(estimate, error, df, level=specification.level)
    return [
        (
            fit.source(vcov, loadings=loadings[[k]]),
            {
                "estimate": float(estimate[k]),
                "std_error": float(error[k]),
                "p_value": float(inference.p_value[k]),
                "conf_low": float(inference.conf_low[k]),
                "conf_high": float(inference.conf_high[k]),
                "df": float(df[k]),
            },
        )
        for k in range(len(loadings))
    ]


def _joint_test(fit: est.Fit, specification: d.Specification) -> est.WaldTest:
    """Test that no arm has an effect."""
    vcov = specification.vcov
    design, loadings = fit.design, np.eye(len(fit.design.focus))
    return est.wald_test(
        fit.coefficients[:, 0],
        fit.coefficient_cov(0, vcov),
        design.df(vcov),
        source=fit.source(vcov, loadings=loadings),
        freedom=design.freedom(vcov, loadings),
    )


def _moments(
    people: pd.DataFrame, values: pd.Series, known: np.ndarray, arm: str, study: Study, design: est.Design
) -> dict[str, float]:
    weights = weights_of(people)
    parts: dict[str, Any] = {}
    for name, of in (("control", study.control), ("treated", arm)):
        rows = known & (people["arm"] == of).to_numpy()
        parts[name] = est.moments(
            values.to_numpy(dtype=float)[rows, None], weights=None if weights is None else weights[rows]
        )
    return {
        "mean_treated": float(parts["treated"].mean[0]),
        "mean_control": float(parts["control"].mean[0]),
        "sd_control": float(parts["control"].sd[0]),
        "n": design.n,
        "n_treated": int(parts["treated"].n[0]),
        "n_control": int(parts["control"].n[0]),
        "n_cells": design.cells.n_cells,
    }
