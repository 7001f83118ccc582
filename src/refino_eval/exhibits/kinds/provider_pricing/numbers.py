"""Numbers of exhibits of kind `provider_pricing`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np

from refino_eval.config.money.payments import PaymentRules
from refino_eval.economics.provider_pricing import FloatArray, bid_scores, break_even_price, yearly_margin
from refino_eval.economics.spells import Participant
from refino_eval.exhibits.kinds.provider_pricing.model import ProviderPricingExhibit
from refino_eval.exhibits.numbers.provider_participants import events_of, participants_by_arm
from refino_eval.exhibits.numbers.study import Context, Row, cell
from refino_eval.seeds import derive_seed

DAYS_A_MONTH = 365.25 / 12
BIDS = "bids"
LEVEL = 0.95


def numbers(exhibit: ProviderPricingExhibit, context: Context) -> Iterator[Row]:
    """Yield the break-even price by rules (panel), treatment of undecided milestones (row) and arm (column); then the bids."""
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    cost = float(exhibit.cost_per_month.value or 0.0) * exhibit.cost_per_month.times
    for arm, people, _ in participants_by_arm(exhibit, context):
        months = _months(people, observed_to)
        for name in exhibit.payments:
            rules = context.study.payments[name]
            least, most, before_last = released(people, rules, observed_to)
            for row, shares in (("least", least), ("most", most), ("without_last", before_last)):
                yield from _price_rows(row, arm, name, shares, months, cost)
            if arm == context.study.treated and name == exhibit.payments[0] and exhibit.bids and len(people):
                yield from _bid_rows(exhibit, context, least, months, cost)


def released(
    people: Sequence[Participant], rules: PaymentRules, observed_to: dt.date
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each participant's share of the price: without what is undecided, with it, and without the last milestone."""
    least, most, before_last = (np.zeros(len(people)) for _ in range(3))
    last = rules.milestones[-1].name
    for k, events in enumerate(events_of(people, rules, observed_to=observed_to)):
        for event in events:
            paid = event.share * (event.status == "paid")
            least[k] += paid
            most[k] += event.share * (event.status in ("paid", "undecided"))
            before_last[k] += paid * (event.milestone != last)
    return least, most, before_last


def _months(people: Sequence[Participant], observed_to: dt.date) -> FloatArray:
    """Return the months of each participant in the programme, up to the last day observed."""
    days = [(min(person.programme.stop or observed_to, observed_to) - person.programme.start).days for person in people]
    return np.array(days, dtype=np.float64) / DAYS_A_MONTH


def _price_rows(row: str, arm: str, rules: str, shares: FloatArray, months: FloatArray, cost: float) -> Iterator[Row]:
    n = len(shares)
    if n < 2 or not shares.any():
        yield cell(row, arm, "value", np.nan, n, panel=rules)
        return
    price, limits = break_even_price(shares, months, cost, level=LEVEL)
    yield cell(row, arm, "value", price, n, panel=rules)
    if limits.kind == "interval":
        yield cell(row, arm, "conf_low", limits.low, n, panel=rules)
        yield cell(row, arm, "conf_high", limits.high, n, panel=rules)


def _bid_rows(
    exhibit: ProviderPricingExhibit, context: Context, shares: FloatArray, months: FloatArray, cost: float
) -> Iterator[Row]:
    """Yield the margin of a year, the risk of a loss and the scores of each bid."""
    n = len(shares)
    prices = {name: bid.price for name, bid in exhibit.bids.items()}
    scores = {}
    if exhibit.quality_weights:
        qualities = {name: bid.quality for name, bid in exhibit.bids.items()}
        scores = bid_scores(prices, qualities, exhibit.quality_weights, price_weight=exhibit.price_weight)
    for name, price in prices.items():
        margin = yearly_margin(
            shares,
            months,
            price=price,
            cost_per_month=cost,
            places=exhibit.places,
            draws=exhibit.draws,
            level=exhibit.level,
            # The same draws for all bids, so that bids differ by their prices alone.
            seed=derive_seed(context.study.seed, context.name),
        )
        yield cell(name, "price", "value", price, panel=BIDS)
        yield cell(name, "margin", "value", margin.expected, n, panel=BIDS)
        yield cell(name, "margin", "bound_low", margin.low, n, panel=BIDS)
        yield cell(name, "margin", "bound_high", margin.high, n, panel=BIDS)
        yield cell(name, "loss", "share", margin.loss, n, panel=BIDS)
        for column, score in zip(("score_price", "score_quality", "score"), scores.get(name, ()), strict=False):
            yield cell(name, column, "value", score, panel=BIDS)
