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
    inputs = inputs_of(people, specification, controls, missing=exhibit.missing)
    if exhibit.method == "regression":
        table = est.quantile_regression(values, inputs, quantiles=exhibit.quantiles)
    else:
        seed = derive_seed(study.seed, context.name, exhibit.specification, study.treated)
        table = est.quantile_differences(values, inputs, quantiles=exhibit.quantiles, draws=exhibit.draws, seed=seed)
    linear = est.itt(values, inputs)
    for j, key in enumerate(table.outcomes):
        yield from effect_rows(MEAN, key, linear, j, statistics=(*EFFECT, "n"))
        n = int(table.n[j])
        for k, point in enumerate(table.quantiles):
            sources = _sources(table, j, k)
            for statistic in EFFECT:
                value = getattr(table, statistic)[j, k]
                yield cell(quantile_row(point), key, statistic, value, n, source=sources.get(statistic))
        if table.n_left_out[j]:
            yield cell("one_arm_cells", key, "n_left_out", table.n_left_out[j], int(table.n_left_out[j]))


def _sources(table: est.QuantileTable, j: int, k: int) -> dict[str, NumberSource]:
    """Return what is asked of an effect at a quantile, and of its standard error."""
    sample, point, error = table.samples[j], table.quantiles[k], float(table.std_error[j, k])
    if not table.coefficients[j]:
        ask = Refitted("within", lambda: ask_difference(sample, point), error)
        return {"estimate": ask, "std_error": Reason.BOOTSTRAP}
    beta = table.coefficients[j][k]
    return {
        "estimate": Refitted("textbook", lambda: ask_coefficient(sample, point, beta), error),
        "std_error": Refitted("textbook", lambda: ask_error(sample, point, beta)),
    }
