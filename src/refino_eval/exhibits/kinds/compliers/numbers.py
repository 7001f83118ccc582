"""Numbers of exhibits of kind `compliers`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.compliers.model import CompliersExhibit
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.participants import take_up_of
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, Study, cell, inputs_of, weighted, weighting


def numbers(exhibit: CompliersExhibit, context: Context) -> Iterator[Row]:
    """Shares and characteristics of the three types of people, and compliers' outcomes when drawn to either arm."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    taken = take_up_of(exhibit, cohort, files)
    observed = np.isfinite(taken)
    people, taken = cohort.loc[observed].reset_index(drop=True), taken[observed]
    table = est.complier_profile(
        people[list(exhibit.covariates)],
        taken,
        people["treated"].to_numpy(),
        cells=people["cell"],
        vcov=specification.vcov,
        weighting=exhibit.weighting,
        missing="available",
        **weighting(people, specification.vcov),
    )
    types = ("compliers", "always_takers", "never_takers")
    for t, kind in enumerate(types):
        for statistic, value in (("share", table.share[t]), ("std_error", table.share_std_error[t])):
            yield cell("types", kind, statistic, value, len(people), panel="characteristics", source=Reason.REWEIGHTED)
    for k, covariate in enumerate(table.covariates):
        n = int(table.n[k])
        for t, kind in enumerate(types):
            for statistic, part in (("mean", table.mean), ("std_error", table.std_error)):
                yield cell(covariate, kind, statistic, part[t, k], n, panel="characteristics", source=Reason.REWEIGHTED)
        yield cell(covariate, "all", "mean", table.sample_mean[k], n, panel="characteristics")
        yield cell(covariate, "all", "n", n, n, panel="characteristics")
        yield cell(covariate, "compliers", "ratio", table.ratio[0, k], n, panel="characteristics")
        yield cell(covariate, "compliers", "p_value", table.p_value[0, k], n, panel="characteristics")
    yield cell("types", "all", "n_left_out", table.n_left_out.max(), panel="characteristics")
    if exhibit.columns:
        yield from _complier_outcomes(exhibit, people, files, study)


def _complier_outcomes(
    exhibit: CompliersExhibit, cohort: pd.DataFrame, files: PersonFiles, study: Study
) -> Iterator[Row]:
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    table = est.complier_means(
        values[list(exhibit.columns)],
        take_up_of(exhibit, people, files),
        inputs_of(people, specification, controls, missing="common"),
    )
    for k, key in enumerate(table.outcomes):
        n = int(table.n[k])
        for column, mean, error, sources in (
            ("without", table.control, table.control_std_error, table.control_sources),
            ("with", table.treated, table.treated_std_error, table.treated_sources),
        ):
            yield cell(key, column, "mean", mean[k], n, panel="outcomes")
            yield cell(key, column, "std_error", error[k], n, panel="outcomes", source=sources[k])
        for statistic, values_of in (
            ("estimate", table.effect), ("std_error", table.effect_std_error), ("p_value", table.effect_p_value)
        ):  # fmt: skip
            source = table.effect_sources[k]
            yield cell(key, "effect", statistic, values_of[k], n, panel="outcomes", source=source)
        yield cell(key, study.control, "mean_control", table.sample_control[k], n, panel="outcomes")
        yield cell(key, "effect", "n", n, n, panel="outcomes")
