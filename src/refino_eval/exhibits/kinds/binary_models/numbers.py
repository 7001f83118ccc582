"""Numbers of exhibits of kind `binary_models`, and of `count_models` with the same models of other outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config.definitions import Specification
from refino_eval.errors import UserError
from refino_eval.estimation.core.likelihood import FittedResponse
from refino_eval.estimation.verification.likelihood_engine import ResponseAnswer, ask_response
from refino_eval.exhibits.keys import COEFFICIENTS, panel_of
from refino_eval.exhibits.kinds.binary_models.model import BinaryModelsExhibit, ResponseModelExhibit
from refino_eval.exhibits.numbers.number_sources import Refitted
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import Sample, one_by_one, sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: BinaryModelsExhibit, context: Context) -> Iterator[Row]:
    """Row the outcome, columns `linear`, the model (effect on the probability), its coefficient, and the odds ratio if asked for."""
    yield from response_numbers(exhibit, context)


def response_numbers(exhibit: ResponseModelExhibit, context: Context, exposure: str | None = None) -> Iterator[Row]:
    """Return the effects of each outcome by the linear model and the exhibit's.

    An outcome that the model cannot fit keeps its linear effect, and its other numbers are not estimable.
    """
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    for part in one_by_one(exhibit, specification):
        yield from _of_sample(part, sample_of(part, cohort, files, specification), specification, exposure)


def _of_sample(
    exhibit: ResponseModelExhibit, sample: Sample, specification: Specification, exposure: str | None
) -> Iterator[Row]:
    people, values, controls = sample
    every = inputs_of(people, specification, controls, columns=exhibit.columns, missing="common")
    exposed = None if exposure is None else _exposure(people, exposure)
    for key in exhibit.columns:
        column, inputs = values[[key]], every.with_columns(every.of_outcome(key))
        linear = est.itt(column, inputs)
        n = int(linear.n[0])
        yield from effect_rows(key, "linear", linear, 0, statistics=(*EFFECT, "mean_control", "n"))
        try:
            table = est.response_model(column, inputs, family=exhibit.model, at=exhibit.effect_at, exposure=exposed)
        except UserError:
            for name in filter(None, (exhibit.model, exhibit.coefficient, exhibit.ratio)):
                yield cell(key, name, "estimate", np.nan, n, status="not_estimable")
            continue
        yield from _outcome_rows(exhibit, key, table, n, specification.absorb)


def _exposure(people: pd.DataFrame, name: str) -> np.ndarray:
    """Return the exposure of these people.

    Raises
    ------
    UserError
        When somebody has none.
    """
    values = people[name].to_numpy(dtype=np.float64)
    without = int(np.count_nonzero(~(values > 0)))
    if without:
        raise UserError(
            f"the exposure '{name}' must be above 0, and {without:,} of {len(people):,} people have none. Choose a `sample` of people who "
            "have one."
        )
    return values


def _outcome_rows(
    exhibit: ResponseModelExhibit, key: str, table: est.ResponseTable, n: int, absorbed: Sequence[str]
) -> Iterator[Row]:
    """Return the numbers of one outcome's model; statsmodels is asked for each of them when they are verified."""
    ask = _asking(table.fitted[0])
    effect, b, error = float(table.estimate[0]), float(table.coefficient[0]), float(table.coefficient_std_error[0])
    of_effect = {
        "estimate": Refitted("statsmodels", lambda: ask().effect, float(table.std_error[0])),
        "std_error": Refitted("statsmodels", lambda: ask().effect_std_error),
    }
    for statistic in EFFECT:
        value = effect if statistic == "estimate" else getattr(table, statistic)[0]
        yield cell(key, exhibit.model, statistic, value, n, source=of_effect.get(statistic))
    n_inside, n_outside = int(table.n_varying[0]), int(table.n_separated[0])
    yield cell(key, exhibit.model, "n", n_inside, n_inside)
    yield cell(key, exhibit.model, "n_left_out", n_outside, n_outside)
    yield from _coefficient_rows(key, exhibit.coefficient, b, error, n, ask, 0)
    if np.isfinite(table.dispersion[0]):
        source = Refitted("statsmodels", lambda: ask().dispersion)
        yield cell(key, "dispersion", "estimate", table.dispersion[0], n, source=source)
    if exhibit.ratio is not None:
        yield from _ratio_rows(key, exhibit.ratio, table, n, ask)
    for k, control in enumerate(table.coefficients[0] if exhibit.show_controls else ()):
        # Of several absorbed columns, all but one are dummies in the regression; they are no controls.
        if control.name.partition("=")[0] in absorbed:
            continue
        panel = panel_of(key, COEFFICIENTS)
        yield from _coefficient_rows(
            control.name, exhibit.coefficient, control.estimate, control.std_error, n, ask, k + 1, panel
        )


Ask = Callable[[], ResponseAnswer]


def _asking(fitted: FittedResponse | None) -> Ask:
    """Return what asks another program about a model, once for all its numbers."""

    @cache
    def ask() -> ResponseAnswer:
        assert fitted is not None
        return ask_response(fitted)

    return ask


def _coefficient_rows(
    row: str, column: str, b: float, error: float, n: int, ask: Ask, place: int, panel: str = ""
) -> Iterator[Row]:
    """Return a coefficient with its standard error."""
    source = Refitted("statsmodels", lambda: float(ask().coefficients[place]), error)
    yield cell(row, column, "estimate", b, n, panel=panel, source=source)
    source = Refitted("statsmodels", lambda: float(ask().std_errors[place]))
    yield cell(row, column, "std_error", error, n, panel=panel, source=source)


def _ratio_rows(row: str, column: str, table: est.ResponseTable, n: int, ask: Ask) -> Iterator[Row]:
    """Return exp(b): its error by the delta method, its interval and p-value those of b."""
    b, error = table.coefficient[:1], table.coefficient_std_error[:1]
    inference, ratio = est.t_inference(b, error, np.inf, level=table.level), float(np.exp(b[0]))
    for statistic, value, ours in (
        ("estimate", ratio, lambda: float(np.exp(ask().coefficients[0]))),
        ("std_error", ratio * error[0], lambda: float(np.exp(ask().coefficients[0]) * ask().std_errors[0])),
    ):
        yield cell(row, column, statistic, value, n, source=Refitted("statsmodels", ours, ratio * float(error[0])))
    for statistic, value in (
        ("p_value", inference.p_value[0]),
        ("conf_low", np.exp(inference.conf_low[0])),
        ("conf_high", np.exp(inference.conf_high[0])),
    ):
        yield cell(row, column, statistic, value, n)
