"""From people to numbers, for exhibits of who took part in what: take-up, stays, the fall-back mix, effects of taking part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.compliers.model import CompliersExhibit
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.numbers.study import PersonFiles, Row, cell, outcome_columns, weighting

FloatMatrix = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]


Times = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]


def share_rows(row: str, column: str, values: FloatMatrix, *, panel: str, level: float = 0.95) -> Iterator[Row]:
    """Return the share of people with a 1 among those seen, with Wilson's interval and the number of people."""
    seen = values[np.isfinite(values)]
    n, count = seen.size, float(seen.sum())
    if n == 0:
        yield cell(row, column, "share", np.nan, 0, panel=panel, status="no_data")
        return
    low, high = est.share_interval(count, n, level=level)
    for statistic, value in (
        ("share", count / n), ("count", count), ("n", n), ("conf_low", low), ("conf_high", high)
    ):  # fmt: skip
        yield cell(row, column, statistic, value, n, panel=panel)


def joint_rows(row: str, column: str, test: est.WaldTest, *, panel: str = "") -> Iterator[Row]:
    """Return a joint test."""
    for statistic, value in (
        ("f_stat", test.f_stat), ("df", test.df_num), ("df_residual", test.df_den), ("p_value", test.p_value)
    ):  # fmt: skip
        yield cell(row, column, statistic, value, panel=panel)


def take_up_of(exhibit: LateExhibit | CompliersExhibit, people: pd.DataFrame, files: PersonFiles) -> FloatMatrix:
    """Return who took part, in the people's order."""
    if exhibit.take_up is not None:
        return outcome_columns({"take_up": exhibit.take_up}, people, files)["take_up"].to_numpy()
    if "take_up" not in people:
        raise UserError(
            "names no take_up, and neither does the evaluation (person_table.take_up). Name the outcome or the column."
        )
    return people["take_up"].to_numpy(dtype=float)


def regression_options(
    people: pd.DataFrame, specification: d.Specification, controls: pd.DataFrame | est.ControlMatrix | None
) -> dict[str, Any]:
    """Return what a specification says of a regression on these people."""
    return {
        "cells": people["cell"] if specification.strata else None,
        "controls": controls.to_frame() if isinstance(controls, est.ControlMatrix) else controls,
        "vcov": specification.vcov,
        "level": specification.level,
        **weighting(people, specification.vcov),
    }
