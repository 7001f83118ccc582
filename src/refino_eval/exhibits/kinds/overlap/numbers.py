"""Numbers of exhibits of kind `overlap`."""

from __future__ import annotations

from collections.abc import Iterator

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
            ("first_percentile", "mean"): table.low[arm],
            ("last_percentile", "mean"): table.high[arm],
            ("outside_support", "share"): table.outside_support[arm],
        }
        columns |= {(_beyond(a), "share"): table.outside[k, arm] for k, a in enumerate(table.thresholds)}
        columns |= {(f"effective_{key}", "count"): table.effective_n[k, arm] for k, key in enumerate(WEIGHTINGS)}
        for (column, statistic), value in columns.items():
            yield cell(name, column, statistic, value, n, panel="score")
    everybody = int(table.n.sum())
    rows = dict(zip(table.covariates, table.standardised, strict=True))
    if table.fixed_effects.size and table.fixed_effects[0] == table.fixed_effects[0]:
        rows["fixed_effects"] = table.fixed_effects
    for row, values in rows.items():
        for k, key in enumerate(WEIGHTINGS):
            yield cell(row, key, "normalised_difference", values[k], everybody, panel="balance")


def _beyond(threshold: float) -> str:
    """Return the column of the share of people whose score is nearer to 0 or 1 than a threshold."""
    return f"beyond_{threshold:g}"
