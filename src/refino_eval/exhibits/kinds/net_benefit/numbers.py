"""Numbers of exhibits of kind `net_benefit`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval.economics.break_even import net_benefit
from refino_eval.economics.programme_costs import outcome_values
from refino_eval.exhibits.kinds.net_benefit.model import NetBenefitExhibit
from refino_eval.exhibits.numbers.cost_comparison import published_of, weighed
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: NetBenefitExhibit, context: Context) -> Iterator[Row]:
    """Yield the net benefit a person drawn at values of an outcome from nothing to the highest; rows are kroner."""
    cohort, files, study = context.cohort, context.files, context.study
    level = study.specifications[exhibit.specification].level
    comparison = weighed(exhibit, cohort, files, study)
    values = outcome_values(study.costs[exhibit.costs], published_of(files))
    grid = [round(value) for value in np.linspace(0.0, exhibit.highest, exhibit.points)]
    for key, effect in comparison.effects.items():
        for value in grid:
            benefit = net_benefit(effect, comparison.costs["drawn"], value, covariance=comparison.covariances[key])
            for statistic, number in zip(
                ("estimate", "conf_low", "conf_high"), (benefit.value, *benefit.interval(level)), strict=True
            ):
                yield cell(str(value), "net_benefit", statistic, number, comparison.n, panel=key)
    for value in exhibit.values:
        yield cell("value", value, "value", values[value])
