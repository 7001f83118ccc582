"""Several treated arms: effects of all from one regression."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.estimation.core.recording import note_combination
from refino_eval.exhibits.keys import ALL_ARMS, difference_row
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import PersonFiles, Row, Study, cell, weighting


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
    drawn = pd.DataFrame({arm: (people["arm"] == arm).astype(float) for arm in study.treated_arms})
    for column in exhibit.columns:
        known = np.isfinite(values[column].to_numpy())
        design = est.prepare_columns(
            drawn,
            cells=people["cell"] if specification.strata else None,
            controls=controls,
            rows=known,
            **weighting(people, specification.vcov),
        )
        fit = design.fit(values[[column]])
        estimate, cov = fit.coefficients[:, 0], fit.coefficient_cov(0, specification.vcov)
        df = design.df(specification.vcov)
        if exhibit.comparison == "joint":
            told = _inference(np.eye(len(estimate)), estimate, cov, df, specification.level)
            for k, arm in enumerate(design.focus):
                moments = _moments(people, values[column], known, arm, study, design)
                for statistic, value in ({**{key: of[k] for key, of in told.items()}, **moments}).items():
                    yield cell(arm, column, statistic, value, int(moments["n"]), panel=panel)
        test = est.wald_test(estimate, cov, df)
        for statistic, value in (
            ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value),
            ("n", design.n),
        ):  # fmt: skip
            yield cell(ALL_ARMS, column, statistic, value, design.n, panel=panel)
        if exhibit.between_arms:
            yield from _between(design.focus, column, estimate, cov, df, specification.level, design.n, panel)


def _between(
    names: tuple[str, ...],
    column: str,
    estimate: np.ndarray,
    cov: np.ndarray,
    df: int,
    level: float,
    n: int,
    panel: str,
) -> Iterator[Row]:
    for i, j in combinations(range(len(names)), 2):
        contrast = np.zeros((1, len(names)))
        contrast[0, i], contrast[0, j] = 1.0, -1.0
        for statistic, value in _inference(contrast, estimate, cov, df, level).items():
            yield cell(difference_row(names[i], names[j]), column, statistic, value[0], n, panel=panel)


def _inference(
    contrasts: np.ndarray, estimate: np.ndarray, cov: np.ndarray, df: int, level: float
) -> dict[str, np.ndarray]:
    combined = contrasts @ estimate
    error = np.sqrt(np.einsum("ki,ij,kj->k", contrasts, cov, contrasts))
    for k, weights in enumerate(contrasts):
        note_combination(estimate, weights, float(combined[k]), float(error[k]))
    told = est.t_inference(combined, error, df, level=level)
    return {
        "estimate": combined,
        "std_error": error,
        "p_value": told.p_value,
        "conf_low": told.conf_low,
        "conf_high": told.conf_high,
        "df": np.full(len(combined), df),
    }


def _moments(
    people: pd.DataFrame, values: pd.Series, known: np.ndarray, arm: str, study: Study, design: est.Design
) -> dict[str, float]:
    weights = people["weight"].to_numpy() if "weight" in people else None
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
