"""Numbers of exhibits of kind `model_inputs`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval.config.money.cost_benefit import INPUTS
from refino_eval.cost_benefit.programme_model import COMMON, quantile, within
from refino_eval.exhibits.kinds.model_inputs.model import ModelInputsExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell

TAILS = (0.05, 0.95)


def numbers(exhibit: ModelInputsExhibit, context: Context) -> Iterator[Row]:
    """Yield the value of each input (row) of all programmes and of each one (panel), and the quantiles of uncertain ones."""
    model = model_of(exhibit, context)
    groups = {COMMON: model.definition.inputs}
    groups |= {name: model.definition.programmes[name].inputs for name in exhibit.programmes}
    for panel, inputs in groups.items():
        for name in (name for name in INPUTS if name in inputs):
            entry = inputs[name]
            value = model.number(entry)
            yield cell(name, "assumed", "value", value, panel=panel)
            if entry.uncertainty is not None:
                low, high = within(name, quantile(entry, value, np.array(TAILS)))
                yield cell(name, "uncertain", "bound_low", low, panel=panel)
                yield cell(name, "uncertain", "bound_high", high, panel=panel)
