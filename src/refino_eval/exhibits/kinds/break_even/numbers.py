"""Numbers of exhibits of kind `break_even`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from refino_eval.economics.break_even import Estimate, RatioSet, break_even_effect, fieller, net_benefit
from refino_eval.economics.programme_costs import outcome_values
from refino_eval.exhibits.kinds.break_even.model import BreakEvenExhibit
from refino_eval.exhibits.numbers.cost_comparison import UNITS, estimate_rows, published_of, weighed
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: BreakEvenExhibit, context: Context) -> Iterator[Row]:
    """Yield each effect with its interval, the difference in cost, the effect that repays it, and the net benefit."""
    cohort, files, study = context.cohort, context.files, context.study
    level = study.specifications[exhibit.specification].level
    comparison = weighed(exhibit, cohort, files, study)
    values = outcome_values(study.costs[exhibit.costs], published_of(files))
    for unit in UNITS:
        cost = comparison.costs[unit]
        n = comparison.n if cost.std_error else None
        yield from estimate_rows("cost", "difference", cost, level, n, panel=unit)
        for arm, mean in comparison.means[unit].items():
            yield cell("cost", arm, "mean", mean, n, panel=unit)
        for key, effect in comparison.effects.items():
            covariance = comparison.covariances[key] if unit == "drawn" else 0.0
            for value in exhibit.values:
                yield cell(key, value, "break_even", break_even_effect(cost.value, values[value]), panel=unit)
                benefit = net_benefit(effect, cost, values[value], covariance=covariance)
                yield from estimate_rows(key, value, benefit, level, comparison.n, panel=unit)
            yield from _ratio(key, cost, effect, covariance, level, unit)
    for key, effect in comparison.effects.items():
        yield from estimate_rows(key, study.treated, effect, level, comparison.n, panel="effect")
    for value in exhibit.values:
        yield cell("value", value, "value", values[value], panel="effect")


def _ratio(key: str, cost: Estimate, effect: Estimate, covariance: float, level: float, unit: str) -> Iterator[Row]:
    """Yield the values of an outcome at which the two programmes come out even, as a set."""
    comparison: RatioSet = fieller(cost, effect, covariance=covariance, level=level)
    status = "" if comparison.kind == "interval" else f"ratio_{comparison.kind}"
    yield cell(key, "ratio", "estimate", cost.value / effect.value if effect.value else math.nan, panel=unit)
    yield cell(key, "ratio", "conf_low", comparison.low, panel=unit, status=status)
    yield cell(key, "ratio", "conf_high", comparison.high, panel=unit, status=status)
