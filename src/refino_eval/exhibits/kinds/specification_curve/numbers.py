"""Numbers of exhibits of kind `specification_curve`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.exhibits.kinds.specification_curve.model import SpecificationCurveExhibit
from refino_eval.exhibits.numbers.number_sources import Derived
from refino_eval.exhibits.numbers.result_rows import EFFECT
from refino_eval.exhibits.numbers.study import (
    Context,
    Row,
    cell,
    cells_of,
    controls_of,
    outcome_columns,
    own_controls,
    weighted,
    weighting,
    weights_of,
)

ALIKE = 0.001
"""Two samples are one choice, if those who are in only one of them are fewer than this share of the larger."""


def numbers(exhibit: SpecificationCurveExhibit, context: Context) -> Iterator[Row]:
    """Every variant: panel the specification, row the outcome, column the sample; and the summary of those that differ."""
    cohort, files, study = context.cohort, context.files, context.study
    values = outcome_columns(exhibit.columns, cohort, files)
    curves = []
    for sample in exhibit.samples or (exhibit.sample,):
        inside = cohort[f"sample_{sample}"].to_numpy(dtype=bool)
        people, own = cohort.loc[inside].reset_index(drop=True), values.loc[inside].reset_index(drop=True)
        for label in exhibit.specifications:
            part = _variants(exhibit, people, own, study.specifications[label])
            curves.append(part.assign(sample=sample, specification=label))
    estimates = pd.concat(curves, ignore_index=True)
    if exhibit.scale == "control_sd":
        for column in ("estimate", "std_error", "conf_low", "conf_high"):
            estimates[column] = estimates[column] / estimates["sd_control"]
        estimates["source"] = [
            source and source.times(1.0 / sd)
            for source, sd in zip(estimates["source"], estimates["sd_control"], strict=True)
        ]
    for one in estimates.itertuples(index=False):
        status = "not_estimable" if one.fault else ""
        for statistic in (*EFFECT, "n", "mean_control"):
            value = getattr(one, statistic)
            yield cell(
                str(one.outcome), str(one.sample), statistic, value, int(one.n), panel=str(one.specification),  # type: ignore[arg-type]
                status=status if statistic != "n" else "", source=one.source,  # type: ignore[arg-type]
            )  # fmt: skip
    repeated = _repeated(exhibit.samples, cohort)
    for sample in repeated:
        yield cell("repeated", sample, "value", 1.0, panel="summary")
    level = min(study.specifications[label].level for label in exhibit.specifications)
    distinct = estimates[~estimates["sample"].isin(repeated)]
    yield from _curve_summary(distinct[distinct["fault"] == ""], len(distinct), 1 - level)


def _repeated(samples: Sequence[str], cohort: pd.DataFrame) -> list[str]:
    """Return the samples that differ from an earlier one by next to nobody: their variants would count every choice twice."""
    kept: list[Any] = []
    repeated = []
    for sample in samples:
        inside = cohort[f"sample_{sample}"].to_numpy(dtype=bool)
        if any((inside ^ other).sum() < ALIKE * max(inside.sum(), other.sum()) for other in kept):
            repeated.append(sample)
        else:
            kept.append(inside)
    return repeated


def _variants(
    exhibit: SpecificationCurveExhibit, people: pd.DataFrame, values: pd.DataFrame, specification: d.Specification
) -> pd.DataFrame:
    """Estimate all outcomes under one specification on one sample, each on its own people."""
    people, values = _with_weights(people, values, specification)
    columns = {str(key): exhibit.columns[str(key)] for key in values}
    controls = controls_of(people, specification, columns)
    encoded = controls.to_frame() if controls.names else None
    vcov = specification.vcov
    curve = est.specification_curve(
        values,
        people["treated"].to_numpy(),
        est.all_variants(list(values.columns), controls=("these",), samples=("here",), vcovs=(vcov,)),
        cells=cells_of(people, specification),
        controls={"these": np.empty((len(people), 0)) if encoded is None else encoded},
        interacted=specification.adjustment == "interacted",
        own_controls=own_controls(specification, encoded, columns),
        absorbed=specification.absorb,
        samples={"here": controls.rows},
        level=specification.level,
        **weighting(people, vcov),
    )
    control = (people["treated"] == 0).to_numpy() & controls.rows
    weights = weights_of(people[control])
    spread = dict(zip(values, est.moments(values[control].to_numpy(), weights=weights).sd, strict=True))
    return curve.frame.drop(columns="sample").assign(
        sd_control=[spread[str(name)] or np.nan for name in curve.frame["outcome"]]
    )


def _with_weights(
    people: pd.DataFrame, values: pd.DataFrame, specification: d.Specification
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the people who have the specification's weights, and their outcomes."""
    numbered = people.assign(_row=np.arange(len(people)))
    chosen = weighted(numbered, specification)
    return chosen.drop(columns="_row"), values.iloc[chosen["_row"]].reset_index(drop=True)


def _summary(statistic: Callable[[FloatArray], Any], b: FloatArray, _: FloatArray) -> float:
    return float(statistic(b))


def _curve_summary(known: pd.DataFrame, variants: int, alpha: float) -> Iterator[Row]:
    effect, significant = known["estimate"], known["p_value"] < alpha
    yield cell("all", "variants", "count", variants, panel="summary")
    yield cell("all", "estimated", "count", len(known), panel="summary")
    summaries: dict[str, Callable[[FloatArray], Any]] = {"median": np.median, "lowest": np.min, "highest": np.max}
    for column, value in (("median", effect.median()), ("lowest", effect.min()), ("highest", effect.max())):
        source = (
            Derived(tuple(known["source"]), partial(_summary, summaries[column]))
            if known["source"].notna().all()
            else None
        )
        yield cell("all", column, "estimate", value, panel="summary", source=source)
    for column, shares in (
        ("positive", effect > 0),
        ("significant", significant),
        ("significant_positive", significant & (effect > 0)),
        ("significant_negative", significant & (effect < 0)),
    ):
        yield cell("all", column, "share", shares.mean() if len(shares) else np.nan, panel="summary")
