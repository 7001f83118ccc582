"""Numbers of exhibits of kind `costs`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.costs.model import CostsExhibit
from refino_eval.exhibits.numbers.cost_comparison import cost_table_of
from refino_eval.exhibits.numbers.study import Context, Row, cell

STEPS = {"monthly_price": "monthly_price", "duration": "duration", "cost": "paid"}
"""Rows of a cost table -> steps of `economics.costs`, below its inputs."""


def numbers(exhibit: CostsExhibit, context: Context) -> Iterator[Row]:
    """Yield inputs, monthly price, duration and cost by arm, and the differences."""
    files, study = context.files, context.study
    table = cost_table_of(exhibit.costs, exhibit.basis, files, study)
    yearly = study.costs[exhibit.costs].bases[exhibit.basis].kind == "yearly_prices"
    arms = (study.treated, study.control)
    for row in dict.fromkeys(row for row, _ in table.inputs):
        values = [table.inputs[row, arm] for arm in arms]
        # Accounts are printed in thousands; totals of a country and of a trial have no difference worth telling.
        scale = 1000.0 if row == "payments" else 1.0
        for arm, value in zip(arms, values, strict=True):
            yield cell(row, arm, "value", value / scale)
        if yearly:
            yield cell(row, "difference", "value", values[0] - values[1])
    for row, step in STEPS.items():
        label = "average" if yearly and row == "monthly_price" else row
        for arm in arms:
            yield cell(label, arm, "value", getattr(table.arms[arm], step))
        if row != "duration":
            yield cell(label, "difference", "value", table.difference(step, *arms))
