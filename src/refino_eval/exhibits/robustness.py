"""From people to numbers, for the choices that could have been made otherwise: curve, leave-one-out, stepwise, card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config import exhibits as x
from refino_eval.errors import UserError
from refino_eval.exhibits.arm_names import arm_panel
from refino_eval.exhibits.groups import groups_of
from refino_eval.exhibits.inference import sample_of
from refino_eval.exhibits.people import PersonFiles, Row, Study, cell, controls_of, outcome_columns, weighting
from refino_eval.exhibits.splits import WITHOUT_GROUP
from refino_eval.exhibits.tidy import read_tidy

EFFECT = ("estimate", "std_error", "p_value", "conf_low", "conf_high")
MOST_LEFT_OUT = 60
"""More groups than this are not left out in turn: a table of so many rows shows nothing."""


def specification_curve(
    exhibit: x.SpecificationCurveExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Every variant: panel the specification, row the outcome, column the sample; and the summary of all."""
    values = outcome_columns(exhibit.columns, cohort, files)
    found = []
    for sample in exhibit.samples or (exhibit.sample,):
        inside = cohort[f"sample_{sample}"].to_numpy(dtype=bool)
        people, own = cohort.loc[inside].reset_index(drop=True), values.loc[inside].reset_index(drop=True)
        for label in exhibit.specifications:
            part = _variants(people, own, study.specifications[label])
            found.append(part.assign(sample=sample, specification=label))
    told = pd.concat(found, ignore_index=True)
    if exhibit.scale == "control_sd":
        for column in ("estimate", "std_error", "conf_low", "conf_high"):
            told[column] = told[column] / told["sd_control"]
    for one in told.itertuples(index=False):
        status = "not_estimable" if one.fault else ""
        for statistic in (*EFFECT, "n", "mean_control"):
            value = getattr(one, statistic)
            yield cell(
                str(one.outcome), str(one.sample), statistic, value, int(one.n), panel=str(one.specification),  # type: ignore[arg-type]
                status=status if statistic != "n" else "",
            )  # fmt: skip
    level = min(study.specifications[label].level for label in exhibit.specifications)
    yield from _curve_summary(told[told["fault"] == ""], len(told), 1 - level)


def _variants(people: pd.DataFrame, values: pd.DataFrame, specification: d.Specification) -> pd.DataFrame:
    """Estimate all outcomes under one specification on one sample, each on its own people."""
    controls = controls_of(people, specification)
    vcov = specification.vcov
    curve = est.specification_curve(
        values,
        people["treated"].to_numpy(),
        est.all_variants(list(values.columns), controls=("these",), samples=("here",), vcovs=(vcov,)),
        cells=people["cell"] if specification.strata else None,
        controls={"these": controls.to_frame() if controls.names else np.empty((len(people), 0))},
        samples={"here": controls.rows},
        level=specification.level,
        **weighting(people, vcov),
    )
    control = (people["treated"] == 0).to_numpy() & controls.rows
    spread = {str(name): float(values[name][control].std()) for name in values}
    return curve.frame.drop(columns="sample").assign(
        sd_control=[spread[str(name)] or np.nan for name in curve.frame["outcome"]]
    )


def _curve_summary(known: pd.DataFrame, variants: int, alpha: float) -> Iterator[Row]:
    effect, significant = known["estimate"], known["p_value"] < alpha
    yield cell("all", "variants", "count", variants, panel="summary")
    yield cell("all", "estimated", "count", len(known), panel="summary")
    for column, value in (("median", effect.median()), ("lowest", effect.min()), ("highest", effect.max())):
        yield cell("all", column, "estimate", value, panel="summary")
    for column, shares in (
        ("positive", effect > 0),
        ("significant", significant),
        ("significant_positive", significant & (effect > 0)),
        ("significant_negative", significant & (effect < 0)),
    ):
        yield cell("all", column, "share", shares.mean() if len(shares) else np.nan, panel="summary")


def leave_one_out(
    exhibit: x.LeaveOneOutExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Tell the effect with everybody (row `all`) and without each group; panel `change` has the difference."""
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    groups = groups_of(exhibit.without, people, study, most=MOST_LEFT_OUT)
    told = est.leave_one_out(
        values,
        people["treated"].to_numpy(),
        [groups.names[place] if place >= 0 else WITHOUT_GROUP for place in groups.member],
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        missing=exhibit.missing,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    panel = exhibit.specification
    for j, key in enumerate(told.outcomes):
        for statistic in (*EFFECT, "n"):
            yield cell("all", key, statistic, getattr(told.full, statistic)[j], int(told.full.n[j]), panel=panel)
        for g, group in enumerate(told.groups):
            n = int(told.n[g, j])
            for statistic in (*EFFECT, "n", "n_left_out"):
                yield cell(group, key, statistic, getattr(told, statistic)[g, j], n, panel=panel)
            yield cell(group, key, "estimate", told.change[g, j], n, panel="change")
            yield cell(group, key, "std_error", told.change_std_error[g, j], n, panel="change")


def stepwise(
    exhibit: x.StepwiseExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Tell the effect without cells (`raw`), with cells, and as each group enters; panel `decomposition` has Gelbach's parts."""
    specification = study.specifications[exhibit.specification]
    people, values, _ = sample_of(exhibit, cohort, files, specification)
    if "weight" in people:
        raise UserError("the decomposition takes no weights, and the evaluation names some (person_table.weights).")
    terms = {term.covariate: term for term in specification.controls}
    groups: dict[str, Any] = {}
    for k, step in enumerate(exhibit.steps, start=1):
        part = specification.model_copy(update={"controls": tuple(terms[covariate] for covariate in step)})
        groups[f"step_{k}"] = controls_of(people, part).to_frame()
    options: dict[str, Any] = {
        "vcov": specification.vcov,
        "missing": exhibit.missing,
        "level": specification.level,
        **weighting(people, specification.vcov),
    }
    treated = people["treated"].to_numpy()
    cells = people["cell"] if specification.strata else None
    told = est.stepwise(values, treated, groups, cells=cells, **options)
    raw = est.itt(values, treated, cells=None, **options)
    steps = {"raw": raw, "cells": told.steps[0], **dict(zip(groups, told.steps[1:], strict=True))}
    for row, effects in steps.items():
        for j, key in enumerate(effects.outcomes):
            for statistic in (*EFFECT, "n"):
                yield cell(row, key, statistic, getattr(effects, statistic)[j], int(effects.n[j]), panel="steps")
    parts = told.decomposition_frame()
    for part_of in parts.itertuples(index=False):
        for statistic, value in (
            ("estimate", part_of.contribution), ("std_error", part_of.std_error), ("p_value", part_of.p_value)
        ):  # fmt: skip
            yield cell(str(part_of.group), str(part_of.outcome), statistic, value, panel="decomposition")


IN_PERCENT = ("estimate", "conf_low", "conf_high", "mde", "rejected_below", "rejected_above", "margin")
CARD = (
    "estimate", "std_error", "p_value", "conf_low", "conf_high", "mean_control", "mde", "rejected_below", "rejected_above",
    "margin", "p_value_equivalence", "p_value_ri", "p_value_fwer", "n",
)  # fmt: skip


def null_card(
    exhibit: x.NullCardExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, name: str
) -> Iterator[Row]:
    """Give the tests' numbers as they stand (panel `units`), and in per cent of the control mean (panel `percent`)."""
    tests = read_tidy(files.aggregates[exhibit.tests])
    panels = (exhibit.specification, arm_panel(study.treated, exhibit.specification))
    tests = tests[tests["panel"].isin(panels) & (tests["column"] == study.treated)]
    numbers: dict[tuple[str, str], tuple[float, int | None]] = {
        (str(record["row"]), str(record["statistic"])): (
            float(record["value"]), None if pd.isna(record["n_persons"]) else int(record["n_persons"])
        )
        for record in tests.to_dict("records")
    }  # fmt: skip
    for key in exhibit.columns:
        mean = numbers.get((key, "mean_control"), (np.nan, None))[0]
        for statistic in CARD:
            if (key, statistic) not in numbers:
                continue
            value, people = numbers[key, statistic]
            yield cell(key, study.treated, statistic, value, people, panel="units")
            if statistic in IN_PERCENT:
                # Per cent of nothing, or of a negative level, is no number that a reader can use.
                percent = 100.0 * value / mean if mean > 0 else np.nan
                yield cell(key, study.treated, statistic, percent, people, panel="percent")
