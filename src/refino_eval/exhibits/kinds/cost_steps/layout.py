"""One cost of each programme, step by step."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.cost_steps.model import CostStepsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import model_notes, programme_label


def layout(exhibit: CostStepsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out months, cost a month and cost to society."""
    labels, numbers, style = page.labels, Numbers.of(frame, page.style), page.style

    def months(value: float) -> str:
        return style.fixed(value, 0 if value == int(value) else 1)

    columns = {"duration": months, "cost_per_month": style.integer, "economic_cost": style.integer}
    if exhibit.item == "adviser_time":
        columns = {
            "duration": months,
            "adviser_hours_per_month": style.amount,
            "cost_per_month": style.integer,
            "economic_cost": style.integer,
        }
    header = Row((label(""), *(label(labels.say(f"cost_benefit.column_{name}"), align="right") for name in columns)))
    rows = tuple(
        Row(
            (
                label(programme_label(exhibit, name, labels)),
                *(numbers.cell("", name, column, "value", write=write) for column, write in columns.items()),
            )
        )
        for name in exhibit.programmes
    )
    return page.table(exhibit, frame, [Part((header,), rows)], model_notes(exhibit, labels)[:1])
