"""Numbers of exhibits of kind `value_intervals`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval.exhibits.kinds.value_intervals.model import ValueIntervalsExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: ValueIntervalsExhibit, context: Context) -> Iterator[Row]:
    """Yield net value as assumed, its quantiles over joint draws, and how many inputs are uncertain."""
    model = model_of(exhibit, context)
    tails = (0.5 - exhibit.level / 2, 0.5, 0.5 + exhibit.level / 2)
    for programme in exhibit.programmes:
        drawn = model.worth(programme, model.draws(programme, exhibit.draws, context.study.seed)).total()
        low, middle, high = np.quantile(drawn, tails)
        yield cell(programme, "as_assumed", "value", model.worth(programme).total()[0])
        yield cell(programme, "median", "value", middle)
        yield cell(programme, "interval", "bound_low", low)
        yield cell(programme, "interval", "bound_high", high)
        yield cell(programme, "uncertain_inputs", "count", len(model.uncertain(programme)))
