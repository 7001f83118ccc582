"""Intervals of net value over joint draws of all inputs."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.value_intervals.model import ValueIntervalsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import model_notes, programme_label


def layout(exhibit: ValueIntervalsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out net value as assumed, the median and the ends of the interval."""
    labels, numbers, style = page.labels, Numbers.of(frame, page.style), page.style
    heads = ("as_assumed", "median", "low", "high", "uncertain_inputs")
    header = Row((label(""), *(label(labels.say(f"value_intervals.column_{head}"), align="right") for head in heads)))
    body = tuple(
        Row(
            (
                label(programme_label(exhibit, name, labels)),
                numbers.cell("", name, "as_assumed", "value", write=style.integer),
                numbers.cell("", name, "median", "value", write=style.integer),
                numbers.cell("", name, "interval", "bound_low", write=style.integer),
                numbers.cell("", name, "interval", "bound_high", write=style.integer),
                numbers.cell("", name, "uncertain_inputs", "count", write=style.integer),
            )
        )
        for name in exhibit.programmes
    )
    level, draws = f"{100 * exhibit.level:g}", style.integer(exhibit.draws)
    notes = [labels.say("value_intervals.explained", level=level, draws=draws), *model_notes(exhibit, labels)]
    return page.table(exhibit, frame, [Part((header,), body)], notes)
