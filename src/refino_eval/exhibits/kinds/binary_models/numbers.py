"""Numbers of exhibits of kind `binary_models`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.keys import COEFFICIENTS, panel_of
from refino_eval.exhibits.kinds.binary_models.model import BinaryModelsExhibit
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: BinaryModelsExhibit, context: Context) -> Iterator[Row]:
    """Row the outcome, columns `linear`, the model (effect on the probability) and its coefficient.

    An outcome that the model cannot fit keeps its linear effect, and its other numbers are not estimable.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    every = inputs_of(people, specification, controls, columns=exhibit.columns, missing="common")
    for key in exhibit.columns:
        column, inputs = values[[key]], every.with_columns(every.of_outcome(key))
        linear = est.itt(column, inputs)
        n = int(linear.n[0])
        yield from effect_rows(key, "linear", linear, 0, statistics=(*EFFECT, "mean_control", "n"))
        try:
            fitted = est.binary_response(column, inputs, link=exhibit.model, at=exhibit.effect_at)
        except UserError:
            yield cell(key, exhibit.model, "estimate", np.nan, n, status="not_estimable")
            yield cell(key, exhibit.coefficient, "estimate", np.nan, n, status="not_estimable")
            continue
        for statistic in EFFECT:
            yield cell(key, exhibit.model, statistic, getattr(fitted, statistic)[0], n, source=Reason.LIKELIHOOD)
        yield cell(key, exhibit.model, "n", fitted.n_varying[0], int(fitted.n_varying[0]))
        yield cell(key, exhibit.model, "n_left_out", fitted.n_separated[0], int(fitted.n_separated[0]))
        yield cell(key, exhibit.coefficient, "estimate", fitted.coefficient[0], n, source=Reason.LIKELIHOOD)
        yield cell(key, exhibit.coefficient, "std_error", fitted.coefficient_std_error[0], n, source=Reason.LIKELIHOOD)
        for control in fitted.coefficients[0] if exhibit.show_controls else ():
            panel = panel_of(key, COEFFICIENTS)
            yield cell(
                control.name,
                exhibit.coefficient,
                "estimate",
                control.estimate,
                n,
                panel=panel,
                source=Reason.LIKELIHOOD,
            )
            yield cell(
                control.name,
                exhibit.coefficient,
                "std_error",
                control.std_error,
                n,
                panel=panel,
                source=Reason.LIKELIHOOD,
            )
