"""Numbers of exhibits of kind `overlap`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.estimation.effects.propensity import WEIGHTINGS
from refino_eval.exhibits.kinds.overlap.model import OverlapExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import people_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: OverlapExhibit, context: Context) -> Iterator[Row]:
    """Describe the score of both arms (panel `score`) and standardised differences of covariates (panel `balance`)."""
    study = context.study
    specification = study.specifications[exhibit.specification]
    people, controls = people_of(context.cohort, specification)
    table = est.overlap(inputs_of(people, specification, controls), thresholds=exhibit.thresholds)
    for arm, name in enumerate((study.control, study.treated)):
        n = int(table.n[arm])
        columns: dict[tuple[str, str], float] = {
            ("score", "n"): n,
            ("score", "n_left_out"): table.n_left_out[arm],
            ("score", "mean"): table.mean[arm],
            ("score", "sd"): table.sd[arm],
            ("first_percentile", "value"): table.low[arm],
            ("last_percentile", "value"): table.high[arm],
            ("outside_support", "share"): table.outside_support[arm],
        }
        columns |= {(_beyond(a), "share"): table.outside[k, arm] for k, a in enumerate(table.thresholds)}
        columns |= {(f"effective_{key}", "value"): table.effective_n[k, arm] for k, key in enumerate(WEIGHTINGS)}
        for (column, statistic), value in columns.items():
            yield cell(name, column, statistic, value, n, panel="score")
    everybody = int(table.n.sum())
    absorbed = np.array([est.control_term(name) in specification.absorb for name in table.covariates], dtype=bool)
    rows = {
        name: values
        for name, values, fixed in zip(table.covariates, table.standardised, absorbed, strict=True)
        if not fixed
    }
    effects = np.vstack((table.fixed_effects, np.abs(table.standardised[absorbed])))
    if np.isfinite(effects).any():
        rows["fixed_effects"] = np.nanmax(effects, axis=0)
    for row, values in rows.items():
        for k, key in enumerate(WEIGHTINGS):
            yield cell(row, key, "normalised_difference", values[k], everybody, panel="balance")


def _beyond(threshold: float) -> str:
    """Return the column of the share of people whose score is nearer to 0 or 1 than a threshold."""
    return f"beyond_{threshold:g}"
