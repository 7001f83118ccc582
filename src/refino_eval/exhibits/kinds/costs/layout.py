"""Costs: the printed steps by arm, and the way from what is paid to the cost to society."""

from __future__ import annotations

from functools import partial

import pandas as pd

from refino_eval.exhibits.kinds.costs.model import CostsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Role, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook

ROWS = ("participant_months", "payments", "average", "monthly_price", "duration", "cost")
"""Rows of a cost table that are no calendar year, in their order."""


def layout(exhibit: CostsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out inputs, monthly price, duration and cost a participant: arms and their difference as columns."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    arms = (labels.treated, labels.control)
    rows = list(dict.fromkeys(frame["row"]))
    years = [row for row in rows if row.isdigit()]
    header = Row((label(""), *(label(_column(column, labels), align="right") for column in (*arms, "difference"))))
    body = []
    for row in [*years, *(row for row in ROWS if row in rows)]:
        role: Role = "foot" if row == "cost" else "body"
        write = partial(page.style.fixed, decimals=1 if row == "duration" else 0)
        cells = (numbers.cell("", row, column, "value", write=write) for column in (*arms, "difference"))
        body.append(Row((label(_row(row, years, labels)), *cells), role=role))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), _cost_notes(exhibit, labels))


def _column(name: str, labels: LabelBook) -> str:
    return labels.word("difference") if name == "difference" else labels.arm(name)


def _row(row: str, years: list[str], labels: LabelBook) -> str:
    if row in years:
        return row
    if row == "average":
        span = f"{years[0]}\N{EN DASH}{years[-1]}"
        return labels.say("costs.mean_of_years", span=span)
    return labels.word(f"cost_{row}")


def _cost_notes(exhibit: CostsExhibit, labels: LabelBook) -> list[str]:
    costs = labels.definitions.costs[exhibit.costs]
    yearly = costs.bases[exhibit.basis].kind == "yearly_prices"
    how = labels.say("costs.years_weigh_equally") if yearly else labels.say("costs.monthly_price_explained")
    return [labels.say("costs.computed_from_published", how=how)]
