"""Numbers of exhibits of kind `unit_costs`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from refino_eval.economics.break_even import Estimate, fieller
from refino_eval.economics.programme_costs import CostTable, amount
from refino_eval.exhibits.kinds.unit_costs.model import UnitCostsExhibit
from refino_eval.exhibits.numbers.cost_comparison import cost_table_of, published_of
from refino_eval.exhibits.numbers.study import Context, Row, cell

PRICE = "cost_per_month"


def numbers(exhibit: UnitCostsExhibit, context: Context) -> Iterator[Row]:
    """Yield the part of unit costs that the exhibit shows; amounts are kroner, payments thousands of kroner."""
    table = cost_table_of(exhibit.costs, exhibit.basis, context.files, context.study)
    arms = exhibit.of or (context.study.control, context.study.treated)
    if exhibit.show == "month":
        yield from _month(table, arms)
    elif exhibit.show == "period":
        yield from _period(table, arms, context.study.treated, context.study.control)
    else:
        yield from _per_outcome(exhibit, table, context)


def _month(table: CostTable, arms: tuple[str, ...]) -> Iterator[Row]:
    for arm in arms:
        for (row, of), value in table.inputs.items():
            if of == arm and not (row.startswith("transaction") or row == "starters"):
                yield cell(row, arm, "value", value / 1000.0 if row == "payments" else value)
        yield cell(PRICE, arm, "value", table.arms[arm].monthly_price)


def _period(table: CostTable, arms: tuple[str, ...], treated: str, control: str) -> Iterator[Row]:
    """Yield the steps by arm, then the treated arm's excess as a share; to society only where VAT or taxes count."""
    steps = {PRICE: "monthly_price", "months_in_period": "duration", "cost_in_period": "paid",
             "transaction_cost": "transaction", "total_cost_in_period": "total"}  # fmt: skip
    if table.vat_rate or table.tax_cost:
        steps["social_cost"] = "social"
    for row, step in steps.items():
        values = {arm: float(getattr(entry, step)) for arm, entry in table.arms.items()}
        for arm in arms:
            # Who has no transaction costs has no line for them, rather than a nought.
            if step != "transaction" or values[arm]:
                yield cell(row, arm, "value", values[arm])
        if {treated, control} <= set(arms) and step != "transaction" and values[control]:
            yield cell(row, "ratio", "share", values[treated] / values[control] - 1.0)


def _per_outcome(exhibit: UnitCostsExhibit, table: CostTable, context: Context) -> Iterator[Row]:
    """Yield each published effect, and the difference in cost divided by it, with Fieller's set where an error is published."""
    study, published = context.study, published_of(context.files)
    costs = study.costs[exhibit.costs]
    extra = table.difference("social", study.treated, study.control)
    yield cell("extra_cost", "difference", "value", extra)
    for name in exhibit.effects or costs.effects:
        entry = costs.effects[name]
        error = 0.0 if entry.std_error is None else amount(entry.std_error, published)
        effect = Estimate(amount(entry.estimate, published), error)
        yield cell(name, "effect", "estimate", effect.value)
        if not effect.value:
            yield cell(name, "cost_per_outcome", "estimate", math.nan, status="no_data")
            continue
        yield cell(name, "cost_per_outcome", "estimate", extra / effect.value)
        if error > 0:
            yield cell(name, "effect", "std_error", error)
            limits = fieller(Estimate(extra, 0.0), effect)
            status = "" if limits.kind == "interval" else f"ratio_{limits.kind}"
            for statistic, value in (("conf_low", limits.low), ("conf_high", limits.high)):
                yield cell(name, "cost_per_outcome", statistic, value, status=status)
