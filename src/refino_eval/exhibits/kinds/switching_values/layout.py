"""Switching values of programmes."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.switching_values.model import SwitchingValuesExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import model_behind, model_notes, programme_label


def layout(exhibit: SwitchingValuesExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a row for each programme and scenario, a column for each input."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    rows = {name: programme_label(exhibit, name, labels) for name in exhibit.programmes}
    scenarios = model_behind(exhibit, labels).scenarios
    rows |= {name: scenarios[name].label[labels.language] for name in exhibit.scenarios}
    header = Row(
        (label(""), *(label(switch.label[labels.language], align="right") for switch in exhibit.switches.values()))
    )
    body = tuple(
        Row((label(text), *(_cell(numbers, row, name) for name in exhibit.switches))) for row, text in rows.items()
    )
    notes = [labels.say("switching_values.explained"), *model_notes(exhibit, labels)]
    return page.table(exhibit, frame, [Part((header,), body)], notes)


def _cell(numbers: Numbers, row: str, column: str) -> Cell:
    if ("", row, column, "share") in numbers.values:
        return numbers.cell("", row, column, "share", write=lambda value: numbers.style.percent(value))
    return numbers.cell("", row, column, "value", write=lambda value: numbers.style.fixed(value, 1))
