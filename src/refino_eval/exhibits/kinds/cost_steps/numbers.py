"""Numbers of exhibits of kind `cost_steps`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.cost_benefit.employment_paths import FloatArray, Values
from refino_eval.cost_benefit.valuation import adviser_per_month, allowance_per_month, leisure_per_month
from refino_eval.exhibits.kinds.cost_steps.model import CostStepsExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: CostStepsExhibit, context: Context) -> Iterator[Row]:
    """Yield the months, the cost a month and the cost to society of each programme, and hours for advisers' time."""
    model = model_of(exhibit, context)
    for programme in exhibit.programmes:
        values = model.values(programme)
        yield cell(programme, "duration", "value", values["duration"][0])
        if exhibit.item == "adviser_time":
            yield cell(programme, "adviser_hours_per_month", "value", values["adviser_hours"][0])
        yield cell(programme, "cost_per_month", "value", per_month(exhibit.item, values)[0])
        yield cell(programme, "economic_cost", "value", -model.worth(programme).of(exhibit.item)[0])


def per_month(item: str, values: Values) -> FloatArray:
    """Return what an item of cost is a month, before the cost of raising taxes."""
    if item == "programme_allowance":
        return allowance_per_month(values)
    if item == "adviser_time":
        return adviser_per_month(values)
    if item == "leisure":
        return leisure_per_month(values)
    if item == "cost_other_sectors":
        return values["other_sectors"]
    return values["programme_cost"] + values["transfer"]
