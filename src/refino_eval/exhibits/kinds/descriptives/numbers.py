"""Numbers of exhibits of kind `descriptives`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.descriptives.model import DescriptivesExhibit
from refino_eval.exhibits.numbers.study import Context, Row, cell, of_arm, weights_of


def numbers(exhibit: DescriptivesExhibit, context: Context) -> Iterator[Row]:
    """Return (weighted) means and standard deviations of covariates by arm, and numbers of people."""
    cohort, study = context.cohort, context.study
    values = np.ascontiguousarray(cohort[list(exhibit.covariates)].to_numpy(dtype=np.float64))
    for column in ("all", *study.treated_arms, study.control):
        rows = of_arm(cohort, column, study) if column != "all" else np.ones(len(cohort), dtype=bool)
        moments = est.moments(values[rows], weights=weights_of(cohort[rows]))
        for k, covariate in enumerate(exhibit.covariates):
            yield from _moments(covariate, column, moments, k)
        yield cell("all", column, "n", int(rows.sum()))


def _moments(row: str, column: str, moments: est.Moments, k: int) -> Iterator[Row]:
    n = int(moments.n[k])
    yield cell(row, column, "mean", moments.mean[k], n)
    yield cell(row, column, "sd", moments.sd[k], n)
    yield cell(row, column, "n", n, n)
