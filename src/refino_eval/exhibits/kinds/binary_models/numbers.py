"""Numbers of exhibits of kind `binary_models`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from refino_eval import estimation as est
from refino_eval.covariances import is_clustered
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.binary_models.model import BinaryModelsExhibit
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: BinaryModelsExhibit, context: Context) -> Iterator[Row]:
    """Row the outcome, columns `linear`, `logit` (average effect on the probability) and `log_odds`.

    An outcome that no logit can fit keeps its linear effect, and its logit is not estimable.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    if "weight" in people or is_clustered(specification.vcov):
        raise UserError("the logit takes neither weights nor clusters; choose a specification and evaluation without.")
    vcov: Literal["iid", "HC1"] = "iid" if specification.vcov == "iid" else "HC1"
    treated, cells = people["treated"].to_numpy(), people["cell"] if specification.strata else None
    for key in exhibit.columns:
        column = values[[key]]
        options = {"cells": cells, "controls": controls, "missing": "common", "level": specification.level}
        linear = est.itt(column, treated, vcov=vcov, **options)  # type: ignore[arg-type]
        n = int(linear.n[0])
        for statistic in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "mean_control", "n"):
            yield cell(key, "linear", statistic, getattr(linear, statistic)[0], n)
        try:
            told = est.logit(column, treated, vcov=vcov, **options)  # type: ignore[arg-type]
        except UserError:
            yield cell(key, "logit", "estimate", np.nan, n, status="not_estimable")
            yield cell(key, "log_odds", "estimate", np.nan, n, status="not_estimable")
            continue
        for statistic in ("estimate", "std_error", "p_value", "conf_low", "conf_high"):
            yield cell(key, "logit", statistic, getattr(told, statistic)[0], n)
        yield cell(key, "logit", "n", told.n_varying[0], int(told.n_varying[0]))
        yield cell(key, "logit", "n_left_out", told.n_separated[0], int(told.n_separated[0]))
        yield cell(key, "log_odds", "estimate", told.log_odds[0], n)
        yield cell(key, "log_odds", "std_error", told.log_odds_std_error[0], n)
