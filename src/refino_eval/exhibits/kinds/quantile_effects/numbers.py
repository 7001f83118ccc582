"""Numbers of exhibits of kinds `quantile_effects` and `quantile_curve`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.estimation.verification.quantile_engine import ask_coefficient, ask_difference, ask_error
from refino_eval.exhibits.keys import MEAN, quantile_row
from refino_eval.exhibits.kinds.quantile_effects.model import QuantilesExhibit
from refino_eval.exhibits.numbers.number_sources import NumberSource, Reason, Refitted
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of
from refino_eval.seeds import derive_seed


def numbers(exhibit: QuantilesExhibit, context: Context) -> Iterator[Row]:
    """Row the quantile in per cent, column the outcome; the row `mean` has the ITT."""
    study = context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, context.cohort, context.files, specification)
    every = inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing)
    seed = derive_seed(study.seed, context.name, exhibit.specification, study.treated)
    for key in exhibit.columns:
        column, inputs = values[[key]], every.with_columns(every.of_outcome(key))
        if exhibit.method == "regression":
            table = est.quantile_regression(column, inputs, quantiles=exhibit.quantiles)
        else:
            table = est.quantile_differences(
                column, inputs, quantiles=exhibit.quantiles, draws=exhibit.draws, seed=seed
            )
        yield from effect_rows(MEAN, key, est.itt(column, inputs), 0, statistics=(*EFFECT, "n"))
        n, lost = int(table.n[0]), int(table.n_left_out[0])
        for k, point in enumerate(table.quantiles):
            sources = _sources(table, k)
            for statistic in EFFECT:
                value = getattr(table, statistic)[0, k]
                yield cell(quantile_row(point), key, statistic, value, n, source=sources.get(statistic))
        if lost:
            yield cell("one_arm_cells", key, "n_left_out", lost, lost)


def _sources(table: est.QuantileTable, k: int) -> dict[str, NumberSource]:
    """Return what is asked of an effect at a quantile, and of its standard error."""
    sample, point, error = table.samples[0], table.quantiles[k], float(table.std_error[0, k])
    if not table.coefficients[0]:
        ask = Refitted("within", lambda: ask_difference(sample, point), error)
        return {"estimate": ask, "std_error": Reason.BOOTSTRAP}
    beta = table.coefficients[0][k]
    return {
        "estimate": Refitted("textbook", lambda: ask_coefficient(sample, point, beta), error),
        "std_error": Refitted("textbook", lambda: ask_error(sample, point, beta)),
    }
