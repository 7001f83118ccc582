"""Numbers of exhibits of kind `stepwise`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.numbers.number_sources import Derived, NumberSource, Reason, contrast
from refino_eval.exhibits.numbers.result_rows import effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, controls_of, inputs_of


def numbers(exhibit: StepwiseExhibit, context: Context) -> Iterator[Row]:
    """Return the effect without cells (`raw`), with cells, and as each group enters; panel `decomposition` has Gelbach's parts."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, _ = sample_of(exhibit, cohort, files, specification)
    terms = {term.covariate: term for term in specification.controls}
    groups: dict[str, Any] = {}
    for k, step in enumerate(exhibit.steps, start=1):
        part = specification.model_copy(update={"controls": tuple(terms[covariate] for covariate in step)})
        groups[f"step_{k}"] = controls_of(people, part).to_frame()
    inputs = inputs_of(people, specification, missing=exhibit.missing)
    stepped = est.stepwise(values, inputs, groups)
    raw = est.itt(values, replace(inputs, cells=np.zeros_like(inputs.cells)))
    steps = {"raw": raw, "cells": stepped.steps[0], **dict(zip(groups, stepped.steps[1:], strict=True))}
    for row, effects in steps.items():
        for j, key in enumerate(effects.outcomes):
            yield from effect_rows(row, key, effects, j, panel="steps")
    parts = stepped.decomposition_frame()
    for part_of in parts.itertuples(index=False):
        for statistic, value in (
            ("estimate", part_of.contribution), ("std_error", part_of.std_error), ("p_value", part_of.p_value)
        ):  # fmt: skip
            source: NumberSource = Reason.DECOMPOSITION
            if part_of.group == "total" and statistic == "estimate":
                j = stepped.outcomes.index(str(part_of.outcome))
                ends = (stepped.steps[0].sources[j], stepped.steps[-1].sources[j])
                source = Derived(ends, contrast("estimate", (1.0, -1.0)))
            yield cell(str(part_of.group), str(part_of.outcome), statistic, value, panel="decomposition", source=source)
