"""Numbers of exhibits of kind `switching_values`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.config.money.cost_benefit import AT_MOST_ONE, INPUTS
from refino_eval.cost_benefit.employment_paths import Values
from refino_eval.cost_benefit.programme_model import Model
from refino_eval.exhibits.kinds.switching_values.model import Switch, SwitchingValuesExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: SwitchingValuesExhibit, context: Context) -> Iterator[Row]:
    """Yield the switching value of each programme (row) and input (column); shares as shares."""
    model = model_of(exhibit, context)
    rows: dict[str, tuple[str, Values]] = {name: (name, model.values(name)) for name in exhibit.programmes}
    for name in exhibit.scenarios:
        scenario = model.definition.scenarios[name]
        rows[name] = (scenario.programme, model.changed(scenario))
    for row, (programme, values) in rows.items():
        for column, switch in exhibit.switches.items():
            if not set(switch.inputs) <= set(values):
                continue
            share = switch.show != "value" or INPUTS[switch.inputs[0]] in AT_MOST_ONE
            number = _switch(model, programme, values, switch)
            yield cell(row, column, "share" if share else "value", number)


def _switch(model: Model, programme: str, values: Values, switch: Switch) -> float:
    if switch.show == "value":
        low, high = switch.between
        name = switch.inputs[0]
        return model.switching_value(programme, name, low=low, high=high, without=switch.without, values=values)
    factor = model.switching_factor(programme, switch.inputs, values=values)
    return factor if switch.show == "share" else 1.0 - factor
