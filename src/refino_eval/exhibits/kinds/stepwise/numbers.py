"""Numbers of exhibits of kind `stepwise`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.numbers.number_sources import Derived, NumberSource, Reason, contrast
from refino_eval.exhibits.numbers.result_rows import effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import MOST_DUMMIES, Context, Row, cell, controls_of, inputs_of
from refino_eval.seeds import derive_seed


def numbers(exhibit: StepwiseExhibit, context: Context) -> Iterator[Row]:
    """Return the effect without cells (`raw`), with cells, and as each group enters; panel `decomposition` has Gelbach's parts.

    Absorbed columns enter with their step as a dummy for each value, so that their whole block has a part and its standard error.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, _ = sample_of(exhibit, cohort, files, specification)
    groups = {f"step_{k}": _columns(step, people, specification) for k, step in enumerate(exhibit.steps, start=1)}
    inputs = inputs_of(people, specification, missing=exhibit.missing)
    without = replace(inputs, cells=np.zeros_like(inputs.cells))
    if specification.absorb:
        inputs = without
    stepped = est.stepwise(values, inputs, groups)
    steps = dict(zip(groups, stepped.steps[1:], strict=True))
    within = bool(inputs.cells.max() > 0)
    raw = {"raw": est.itt(values, without), "cells": stepped.steps[0]} if within else {"raw": stepped.steps[0]}
    regressions = _regressions(within, inputs, without, groups)
    for row, effects in {**raw, **steps}.items():
        wild = None
        if exhibit.wild_bootstrap is not None:
            seed = derive_seed(study.seed, context.name, row)
            wild = est.wild_cluster_p_values(values, regressions[row], draws=exhibit.wild_bootstrap, seed=seed)
        for j, key in enumerate(effects.outcomes):
            yield from effect_rows(row, key, effects, j, panel="steps")
            yield cell(row, key, "r_squared", effects.r_squared[j], int(effects.n[j]), panel="steps")
            if wild is not None:
                yield cell(row, key, "p_value_wild", wild[j], int(effects.n[j]), panel="steps")
    yield from _parts(stepped)


def _columns(step: tuple[str, ...], people: pd.DataFrame, specification: d.Specification) -> pd.DataFrame:
    """Return the columns of a step: controls in their encoding, and a dummy for each value of an absorbed column but one."""
    terms = {term.covariate: term for term in specification.controls}
    for name in set(step) & set(specification.absorb):
        if (count := people[name].nunique()) > MOST_DUMMIES:
            raise UserError(
                f"absorb: '{name}' has {count:,} values, and a step may have {MOST_DUMMIES:,} at most, since each has a part in the "
                "decomposition. Use coarser groups."
            )
    listed = [terms[name] if name in terms else d.ControlTerm(covariate=name, encoding="categories") for name in step]
    alone = specification.model_copy(update={"controls": tuple(listed), "absorb": (), "interact": ()})
    return controls_of(people, alone).to_frame()


def _regressions(
    within: bool, inputs: est.RegressionInputs, without: est.RegressionInputs, groups: dict[str, pd.DataFrame]
) -> dict[str, est.RegressionInputs]:
    """Return the regression of each row: without cells, with cells, and with the groups up to each step."""
    regressions = {"raw": without, "cells": inputs} if within else {"raw": without}
    entered = pd.DataFrame(index=range(inputs.n_rows))
    for row, columns in groups.items():
        entered = pd.concat([entered, columns.add_prefix(f"{row}: ")], axis=1)
        regressions[row] = inputs.adjusted_for(entered.to_numpy(dtype=np.float64), tuple(entered.columns))
    return regressions


def _parts(stepped: est.Stepwise) -> Iterator[Row]:
    """Return Gelbach's decomposition: each group's part of the change, and the whole change."""
    groups = {group: g for g, group in enumerate(stepped.groups)}
    for part in stepped.decomposition_frame().itertuples(index=False):
        j = stepped.outcomes.index(str(part.outcome))
        if part.group == "total":
            ends = (stepped.steps[0].sources[j], stepped.steps[-1].sources[j])
            derived = Derived(ends, contrast("estimate", (1.0, -1.0)))
        else:
            derived = Derived(stepped.contribution_sources[groups[str(part.group)]][j], _sum_of_products)
        for statistic, value in (
            ("estimate", part.contribution), ("std_error", part.std_error), ("p_value", part.p_value)
        ):  # fmt: skip
            source: NumberSource = derived if statistic == "estimate" and derived.parts else Reason.DECOMPOSITION
            yield cell(str(part.group), str(part.outcome), statistic, value, panel="decomposition", source=source)


def _sum_of_products(coefficients: FloatArray, _: FloatArray) -> float:
    """Return sum gamma_k beta_k of coefficients listed as all gamma, then all beta."""
    half = coefficients.size // 2
    return float(coefficients[:half] @ coefficients[half:])
