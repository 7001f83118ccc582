"""Numbers of exhibits of kind `itt`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.itt.control_coefficients import control_mean_errors, control_rows
from refino_eval.exhibits.kinds.itt.joint_arms import joint_effects
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.numbers.few_clusters import inference_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import one_by_one, sample_of
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, Study, cell, inputs_of, outcome_columns, pairs
from refino_eval.seeds import derive_seed

EFFECT_STATISTICS = {
    "estimate": "estimate",
    "std_error": "std_error",
    "p_value": "p_value",
    "conf_low": "conf_low",
    "conf_high": "conf_high",
    "df": "df",
    "mean": "mean",
    "mean_treated": "mean_treated",
    "mean_control": "mean_control",
    "sd_treated": "sd_treated",
    "sd_control": "sd_control",
    "percent_of_control_mean": "percent_of_control",
    "n": "n",
    "n_treated": "n_treated",
    "n_control": "n_control",
    "n_cells": "n_cells",
    "r_squared": "r_squared",
}
"""Columns of an effect table -> statistics of a tidy ITT exhibit."""


def numbers(exhibit: IttExhibit, context: Context) -> Iterator[Row]:
    """Estimate the effects of assignment, a panel for each specification."""
    cohort, files, study = context.cohort, context.files, context.study
    lost = est.common_sample(outcome_columns(exhibit.columns, cohort, files)).lost
    several = len(study.treated_arms) > 1
    for label in exhibit.specifications:
        specification = study.specifications[label]
        for part in one_by_one(exhibit, specification):
            if exhibit.comparison == "pairwise" or not several:
                for people, pair in pairs(cohort, study):
                    yield from _itt_of_pair(part, people, files, pair, label, context.name)
            if several:
                yield from joint_effects(part, cohort, files, study, label, specification)
            if exhibit.show_controls:
                yield from control_rows(part, cohort, files, study, label)
        for column, people_lost in lost.items():
            if people_lost and exhibit.missing == "common":
                yield cell("lost", column, "count", people_lost, people_lost, panel=label)


def _itt_of_pair(
    exhibit: IttExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study, label: str, name: str
) -> Iterator[Row]:
    specification = study.specifications[label]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    inputs = inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing)
    table = est.itt(values, inputs)
    errors = control_mean_errors(exhibit, people, values, specification)
    for k, column in enumerate(exhibit.columns):
        if errors is not None:
            yield cell(study.treated, column, "mean_control_std_error", errors[k], int(table.n_control[k]), panel=label)
        n, source = int(table.n[k]), table.sources[k]
        for field, statistic in EFFECT_STATISTICS.items():
            yield cell(study.treated, column, statistic, getattr(table, field)[k], n, panel=label, source=source)
        if exhibit.t_stat:
            yield cell(study.treated, column, "t_stat", table.t[k], n, panel=label, source=source)
    seed = derive_seed(study.seed, name, label, study.treated)
    # Weights for non-response depend on assignment: re-randomisation would need others.
    within_cells = not specification.absorb and not specification.options["nonresponse"]
    yield from inference_rows(table, values, people, inputs, study, panel=label, seed=seed, within_cells=within_cells)
