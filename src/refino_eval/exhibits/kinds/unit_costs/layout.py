"""Unit costs: inputs and cost of a participant-month, cost over a period, or cost per additional person with an outcome."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from refino_eval.exhibits.kinds.unit_costs.model import UnitCostsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook

TOTALS = ("cost_per_month", "total_cost_in_period", "social_cost")
"""Rows that the others lead to."""


def layout(exhibit: UnitCostsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the steps with arms as columns; of costs per outcome, the published effects as rows."""
    numbers = Numbers.of(frame, page.style)
    part = _effects(exhibit, numbers, page) if exhibit.show == "per_outcome" else _steps(exhibit, frame, numbers, page)
    return page.table(exhibit, frame, (part,), _notes(exhibit, frame, numbers, page.labels))


def _steps(exhibit: UnitCostsExhibit, frame: pd.DataFrame, numbers: Numbers, page: Page) -> Part:
    labels, columns = page.labels, list(dict.fromkeys(frame["column"]))
    heads = (labels.say("unit_costs.excess") if column == "ratio" else labels.arm(column) for column in columns)
    header = Row((label(""), *(label(head, align="right") for head in heads)))
    period = labels.definitions.costs[exhibit.costs].period
    body = []
    for row in dict.fromkeys(frame["row"]):
        write = partial(page.style.fixed, decimals=2 if row == "months_in_period" else 0)
        cells = (
            numbers.cell("", row, column, "share", write=partial(page.style.percent, decimals=0))
            if column == "ratio"
            else numbers.cell("", row, column, "value", write=write)
            for column in columns
        )
        name = labels.word(row)
        if period is not None and row.endswith("_in_period"):
            name = labels.say("unit_costs.within", row=name, period=period[labels.language])
        last = row in TOTALS and (exhibit.show == "month" or row != "cost_per_month")
        body.append(Row((label(name), *cells), role="foot" if last else "body"))
    return Part(header=(header,), body=tuple(body))


def _effects(exhibit: UnitCostsExhibit, numbers: Numbers, page: Page) -> Part:
    labels, effects = page.labels, page.labels.definitions.costs[exhibit.costs].effects
    heads = ("effect_percentage_points", "cost_per_additional", "set")
    header = Row((label(""), *(label(labels.say(f"unit_costs.{head}"), align="right") for head in heads)))
    body = [
        Row(
            (
                label(effects[name].label[labels.language]),
                numbers.cell("", name, "effect", "estimate", write=lambda value: page.style.fixed(100.0 * value, 2)),
                numbers.cell("", name, "cost_per_outcome", "estimate", write=_thousands(page)),
                _set(name, numbers, page),
            )
        )
        for name in exhibit.effects or effects
    ]
    return Part(header=(header,), body=tuple(body))


def _thousands(page: Page) -> Callable[[float], str]:
    return lambda value: page.style.integer(round(value, -3))


def _set(name: str, numbers: Numbers, page: Page) -> Cell:
    """Return the set of ratios that are not rejected; without a published standard error there is none."""
    low, high = (numbers.value("", name, "cost_per_outcome", limit) for limit in ("conf_low", "conf_high"))
    if ("", name, "cost_per_outcome", "conf_low") not in numbers.values:
        return Cell(page.labels.say("unit_costs.no_standard_error"))
    kind = numbers.values["", name, "cost_per_outcome", "conf_low"][1]
    write = _thousands(page)
    if kind == "ratio_line":
        return Cell(page.labels.say("unit_costs.excludes_nothing"))
    form = "rays" if kind == "ratio_rays" else "interval"
    return Cell(page.labels.say(f"unit_costs.{form}", low=write(low), high=write(high)))


def _notes(exhibit: UnitCostsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook) -> list[str]:
    costs = labels.definitions.costs[exhibit.costs]
    lines = [labels.say("unit_costs.computed_from_published")]
    if exhibit.show == "month":
        return lines
    social = costs.vat_rate is not None or costs.tax_cost is not None
    lines.append(labels.say("unit_costs.society" if social else "unit_costs.payer_alone"))
    if exhibit.show == "per_outcome":
        extra = labels.arm(labels.treated), labels.arm(labels.control)
        amount = numbers.style.integer(numbers.value("", "extra_cost", "difference", "value"))
        lines.append(labels.say("unit_costs.ratio_explained", treated=extra[0], control=extra[1], amount=amount))
    elif "transaction_cost" in set(frame["row"]):
        lines.append(labels.say("unit_costs.transaction_explained"))
    return lines
