"""Numbers of exhibits of kind `net_value`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from refino_eval import estimation as est
from refino_eval.config.money.cost_benefit import PERSPECTIVES, Extrapolation
from refino_eval.cost_benefit.employment_paths import FloatArray, Values
from refino_eval.cost_benefit.estimated_effects import accounts, present_months
from refino_eval.cost_benefit.programme_model import Model, quantile, within
from refino_eval.economics.break_even import critical_value
from refino_eval.exhibits.kinds.net_value.model import NetValueExhibit
from refino_eval.exhibits.numbers.cost_comparison import cost_table_of, published_of, spent_on
from refino_eval.exhibits.numbers.number_sources import Derived, Reason, contrast
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.study import Context, Row, cell, controls_of, inputs_of, outcome_columns, weighted
from refino_eval.seeds import derive_seed

Loadings = Mapping[str, FloatArray]
"""Item or perspective -> weight of each estimate, shape (estimates, draws)."""
RULES = "extrapolation"


@dataclass(frozen=True)
class _Estimated:
    """Effects on work in each month and, last, on the cost of programmes before the cost of raising tax."""

    effects: est.EffectTable
    cov: FloatArray

    def rows(self, row: str, column: str, weights: FloatArray, level: float) -> Iterator[Row]:
        """Return the weighted sum of the effects, with its standard error and interval."""
        used = np.flatnonzero(weights)
        parts, chosen = tuple(self.effects.sources[used]), weights[used]
        value = float(weights @ self.effects.estimate)
        error = _root(float(weights @ self.cov @ weights))
        df, n = float(self.effects.df[used].min()), int(self.effects.n[used].max())
        margin = critical_value(df, level) * error
        for statistic, number in (("estimate", value), ("std_error", error)):
            # An estimate needs no covariances, which engines know within one sample only.
            people = () if statistic == "estimate" else (0,) * len(parts)
            source = Derived(parts, contrast(statistic, chosen.tolist()), people, Reason.OUTCOMES)
            yield cell(row, column, statistic, number, n, source=source)
        for statistic, number in (("conf_low", value - margin), ("conf_high", value + margin)):
            yield cell(row, column, statistic, number, n)

    def draws(self, number: int, seed: int) -> FloatArray:
        """Return joint normal draws of the effects, shape (effects, draws)."""
        scale = np.sqrt(np.diag(self.cov))
        scale = np.where(scale > 0, scale, 1.0)
        values, vectors = np.linalg.eigh(self.cov / np.outer(scale, scale))
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        normal = np.random.default_rng(seed).standard_normal((len(scale), number))
        return np.asarray(self.effects.estimate[:, None] + scale[:, None] * (root @ normal))


def _root(variance: float) -> float:
    """Return a standard error; rounding can make the variance of a nearly certain number negative."""
    return float(np.sqrt(variance)) if variance > 0 else 0.0


def numbers(exhibit: NetValueExhibit, context: Context) -> Iterator[Row]:
    """Yield net value and its parts by extrapolation (columns), for society and each perspective, and what drives it."""
    model = Model(context.study.cost_benefit[exhibit.model], published_of(context.files))
    estimated = _estimate(exhibit, context)
    values = model.values(exhibit.programme)
    level = context.study.specifications[exhibit.specification].level
    drawn_inputs = model.draws(exhibit.programme, exhibit.draws, context.study.seed)
    drawn_effects = estimated.draws(exhibit.draws, derive_seed(context.study.seed, context.name, "effects"))
    tails = (0.5 - exhibit.level / 2, 0.5 + exhibit.level / 2)
    for name, rule in exhibit.extrapolations.items():
        for row, weights in loadings(exhibit, rule, values, model).items():
            yield from estimated.rows(row, name, weights[:, 0], level)
        net = np.einsum("kd,kd->d", loadings(exhibit, rule, drawn_inputs, model)["total"], drawn_effects)
        low, high = np.quantile(net, tails)
        yield cell("total", name, "bound_low", low)
        yield cell("total", name, "bound_high", high)
    yield from _drivers(exhibit, model, estimated, values)


def _estimate(exhibit: NetValueExhibit, context: Context) -> _Estimated:
    """Estimate the effects on work in each month and on cost, with their joint covariance."""
    specification = context.study.specifications[exhibit.specification]
    cohort = weighted(context.cohort, specification)
    (_, state, times), *_ = panel_matrices([exhibit.state], "month", cohort, context.files)
    months = outcome_columns(exhibit.months, cohort, context.files)
    table = cost_table_of(exhibit.costs, exhibit.basis, context.files, context.study)
    cost = sum(spent_on(table.arms[arm], months[arm]) for arm in exhibit.months) / (1.0 + table.tax_cost)
    chosen = (times >= exhibit.first) & (times <= exhibit.last)
    outcomes = np.column_stack((state[:, chosen], np.asarray(cost, dtype=np.float64)))
    controls = controls_of(cohort, specification)
    rows = controls.rows
    matrix = controls.to_frame().loc[rows] if controls.names else None
    inputs = inputs_of(cohort.loc[rows], specification, matrix, missing="available")
    names = (*(f"month {time}" for time in times[chosen]), "cost")
    return _Estimated(*est.joint_effects(outcomes[rows], inputs, names=names))


def loadings(exhibit: NetValueExhibit, rule: Extrapolation, values: Values, model: Model) -> Loadings:
    """Return what a unit of each estimate adds to each item (to society) and to net value from each perspective."""
    conventions = model.definition.conventions
    months = present_months(
        values, rule, first=exhibit.first, last=exhibit.last, base=exhibit.base_months, conventions=conventions
    )
    work, saved, cost = accounts(values, conventions)
    none = np.zeros((1, months.shape[1]))

    def stacked(of_month: FloatArray | float, of_cost: FloatArray | float) -> FloatArray:
        return np.vstack((months * of_month, none + of_cost))

    items = {
        "value_creation": stacked(work["society"], 0.0),
        "saved_benefits": stacked(saved["society"], 0.0),
        "cost_nav": stacked(0.0, cost["society"]),
    }
    items["total"] = items["value_creation"] + items["saved_benefits"] + items["cost_nav"]
    for who in PERSPECTIVES[1:]:
        items[who] = stacked(work.get(who, 0.0) + saved.get(who, 0.0), cost.get(who, 0.0))
    return {name: weights for name, weights in items.items() if np.any(weights)}


def _drivers(exhibit: NetValueExhibit, model: Model, estimated: _Estimated, values: Values) -> Iterator[Row]:
    """Yield net value when one input, or one of the two estimates, is at either end of its interval; the widest first."""
    rule = next(iter(exhibit.extrapolations.values()))
    tails = np.array([0.5 - exhibit.level / 2, 0.5 + exhibit.level / 2])
    weights = loadings(exhibit, rule, values, model)["total"][:, 0]
    net = float(weights @ estimated.effects.estimate)
    ends: dict[str, tuple[float, float]] = {}
    for name, (_, entry) in model.uncertain(exhibit.programme).items():
        at = within(name, quantile(entry, model.number(entry), tails))
        changed = {key: np.repeat(value, 2) for key, value in values.items()} | {name: at}
        low, high = estimated.effects.estimate @ loadings(exhibit, rule, changed, model)["total"]
        ends[name] = (float(low), float(high))
    months = len(weights) - 1
    for name, part in (("effect_on_work", slice(0, months)), ("effect_on_cost", slice(months, months + 1))):
        error = _root(float(weights[part] @ estimated.cov[part, part] @ weights[part]))
        reach = critical_value(float("inf"), exhibit.level) * error
        ends[name] = (net - reach, net + reach)
    width: Callable[[str], float] = lambda name: -abs(ends[name][1] - ends[name][0])  # noqa: E731
    for name in sorted(ends, key=width):
        for column, value in zip(("at_low_end", "at_high_end"), ends[name], strict=True):
            yield cell(name, column, "value", value, panel="drivers")
