"""Numbers of exhibits of kind `unobserved_confounding`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.unobserved_confounding.model import (
    ALL_CONTROLS,
    ConfoundingExhibit,
    UnobservedConfoundingExhibit,
)
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: UnobservedConfoundingExhibit, context: Context) -> Iterator[Row]:
    """Return differences, robustness values, bounds by benchmark, Oster's delta, and differences in negative controls."""
    for key, table in confounding_tables(exhibit, context, exhibit.r_max):
        yield from difference_rows(key, table)
        yield from bound_rows(key, table)
        n = int(table.n[0])
        for k, rule in enumerate(table.r_max):
            row = "r_max_1" if np.isinf(rule) else f"r_max_{rule:g}_times"
            yield cell(row, key, "r_squared", min(rule * table.r_squared[0], 1.0), n, panel="oster")
            yield cell(row, key, "ratio", table.delta[k, 0], n, panel="oster")
            yield cell(row, key, "estimate", table.adjusted[k, 0], n, panel="oster", source=Reason.CONFOUNDING)
    if exhibit.negative_controls:
        yield from _negative_controls(exhibit, context)


def confounding_tables(
    exhibit: ConfoundingExhibit, context: Context, r_max: tuple[float, ...]
) -> Iterator[tuple[str, est.ConfoundingTable]]:
    """Yield the analysis of each outcome, on the people who have every outcome or this one."""
    groups = [exhibit.columns] if exhibit.missing == "common" else [{key: of} for key, of in exhibit.columns.items()]
    specification = context.study.specifications[exhibit.specification]
    for columns in groups:
        one = exhibit.model_copy(update={"columns": columns, "missing": "common"})
        people, values, controls = sample_of(one, context.cohort, context.files, specification)
        inputs = inputs_of(people, specification, controls, missing="common")
        benchmarks = {
            name: [column for column in inputs.control_names if est.control_term(column) == name]
            for name in exhibit.benchmarks
        }
        # Absorbed columns are no controls here: their dummies are many, and each is weak.
        benchmarks[ALL_CONTROLS] = [
            column for column in inputs.control_names if est.control_term(column) not in specification.absorb
        ]
        for key in columns:
            yield (
                key,
                est.unobserved_confounding(
                    values[[key]],
                    inputs,
                    benchmarks,
                    multiples=exhibit.multiples,
                    r_max=(*r_max, np.inf),
                    cells_are_observed=bool(specification.absorb),
                ),
            )


def difference_rows(key: str, table: est.ConfoundingTable) -> Iterator[Row]:
    """Return the short and the full regression of one outcome, and what its robustness rests on."""
    n = int(table.n[0])
    inference = est.t_inference(table.estimate, table.std_error, table.df, level=table.level)
    statistics = {
        "estimate": table.estimate[0], "std_error": table.std_error[0], "p_value": inference.p_value[0],
        "conf_low": inference.conf_low[0], "conf_high": inference.conf_high[0], "df": table.df[0],
        "r_squared": table.r_squared[0], "n": n,
    }  # fmt: skip
    source = table.short_sources[0]
    for statistic, value in (("estimate", table.short_estimate[0]), ("r_squared", table.short_r_squared[0])):
        yield cell("short", key, statistic, value, n, panel="difference", source=source)  # type: ignore[arg-type]
    for statistic, value in statistics.items():
        yield cell("full", key, statistic, value, n, panel="difference", source=table.sources[0])  # type: ignore[arg-type]
    strengths = {
        "extreme": table.partial_r_squared, "robustness_value": table.robustness_value,
        "robustness_value_interval": table.robustness_value_interval,
    }  # fmt: skip
    for row, value in strengths.items():
        yield cell(row, key, "r_squared", value[0], n, panel="robustness")
    yield cell("bias_scale", key, "value", table.scale[0], n, panel="robustness")
    yield cell("interval_scale", key, "value", (table.critical * table.adjusted_std_error)[0], n, panel="robustness")


def bound_rows(key: str, table: est.ConfoundingTable) -> Iterator[Row]:
    """Return the bounds on a trait k times as strong as each benchmark, the row being k, and the k that explains the difference."""
    n = int(table.n[0])
    for one in table.benchmarks:
        panel = f"bounds:{one.name}"
        for k, times in enumerate(table.multiples):
            row = f"{times:g}"
            for part, value in (("treatment", one.with_treatment), ("outcome", one.with_outcome)):
                yield cell(f"{row}:{part}", key, "r_squared", value[k, 0], n, panel=panel)
            for statistic in ("estimate", "conf_low", "conf_high"):
                yield cell(
                    row, key, statistic, getattr(one, statistic)[k, 0], n, panel=panel, source=Reason.CONFOUNDING
                )
        for row in ("times_to_zero", "times_to_insignificance"):
            yield cell(row, key, "ratio", getattr(one, row)[0], n, panel=panel)


def _negative_controls(exhibit: UnobservedConfoundingExhibit, context: Context) -> Iterator[Row]:
    """Return the adjusted difference in outcomes that treatment cannot affect, with Holm's p-values of all of them."""
    specification = context.study.specifications[exhibit.specification]
    one = exhibit.model_copy(update={"columns": exhibit.negative_controls})
    people, values, controls = sample_of(one, context.cohort, context.files, specification)
    table = est.itt(values, inputs_of(people, specification, controls, missing=exhibit.missing))
    holm = est.multiplicity(table.p_value, names=table.outcomes).p_holm
    for j, key in enumerate(table.outcomes):
        yield from effect_rows(key, "difference", table, j, panel="negative_controls", statistics=(*EFFECT, "n"))
        yield cell(key, "difference", "p_value_holm", holm[j], int(table.n[j]), panel="negative_controls")
