"""Scenarios of programmes."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.scenarios.model import ScenariosExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import item_label, model_behind, model_notes


def layout(exhibit: ScenariosExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a row for each scenario."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    columns = {item: item_label(item, labels) for item in (*exhibit.items, "total", "as_assumed", "change")}
    header = Row((label(""), *(label(text, align="right") for text in columns.values())))
    scenarios = model_behind(exhibit, labels).scenarios
    body = tuple(
        Row(
            (
                label(scenarios[name].label[labels.language]),
                *(numbers.cell("", name, column, "value", write=page.style.integer) for column in columns),
            )
        )
        for name in exhibit.scenarios
    )
    notes = [labels.say("cost_benefit.per_participant"), *model_notes(exhibit, labels)]
    return page.table(exhibit, frame, [Part((header,), body)], notes)
