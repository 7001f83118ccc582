"""Numbers of exhibits of kind `cost_per_outcome`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from refino_eval.economics.break_even import fieller
from refino_eval.exhibits.kinds.cost_per_outcome.model import CostPerOutcomeExhibit
from refino_eval.exhibits.numbers.cost_comparison import UNITS, estimate_rows, weighed
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: CostPerOutcomeExhibit, context: Context) -> Iterator[Row]:
    """Yield the difference in cost, in each outcome, and their ratio with Fieller's set.

    The panel `drawn` has the cost of the months that the registers show, for everybody of the sample; its covariance with the
    difference in the outcome is in the set. The panel `participant` has the stated cost of a participant, taken as known.
    """
    level = context.study.specifications[exhibit.specification].level
    compared = weighed(exhibit, context.cohort, context.files, context.study)
    for key, effect in compared.effects.items():
        yield from estimate_rows(key, "effect", effect, level, compared.n, panel="effect")
    for unit in UNITS:
        cost = compared.costs[unit]
        n = compared.n if cost.std_error else None
        yield from estimate_rows("cost", "difference", cost, level, n, panel=unit)
        for key, effect in compared.effects.items():
            covariance = compared.covariances[key] if unit == "drawn" else 0.0
            ratio = cost.value / effect.value if effect.value else math.nan
            yield cell(key, "ratio", "estimate", ratio, compared.n, panel=unit)
            limits = fieller(cost, effect, covariance=covariance, level=level)
            status = "" if limits.kind == "interval" else f"ratio_{limits.kind}"
            for statistic, value in (("conf_low", limits.low), ("conf_high", limits.high)):
                yield cell(key, "ratio", statistic, value, compared.n, panel=unit, status=status)
