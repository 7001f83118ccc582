"""Numbers of exhibits of kind `scenarios`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.scenarios.model import ScenariosExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: ScenariosExhibit, context: Context) -> Iterator[Row]:
    """Yield items and net value of each scenario, and net value as assumed and the difference."""
    model = model_of(exhibit, context)
    for name in exhibit.scenarios:
        scenario = model.definition.scenarios[name]
        worth = model.worth_of(scenario)
        assumed = model.worth(scenario.programme).total()[0]
        for item in exhibit.items:
            yield cell(name, item, "value", worth.of(item)[0])
        yield cell(name, "total", "value", worth.total()[0])
        yield cell(name, "as_assumed", "value", assumed)
        yield cell(name, "change", "value", worth.total()[0] - assumed)
