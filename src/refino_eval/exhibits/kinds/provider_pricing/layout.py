"""Prices of providers: break-even by rules and arm, and bids."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.provider_pricing.model import ProviderPricingExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook

BIDS = "bids"
PRICES = ("least", "most", "without_last")


def layout(exhibit: ProviderPricingExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a grid of prices for each set of rules, and one of bids."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    arms = tuple(exhibit.programmes)
    header = Row((label(""), *(label(labels.arm(arm), align="right") for arm in arms)))
    parts = [
        Part(
            (header,),
            tuple(_price_rows(name, arms, numbers, labels)),
            caption=labels.say(
                "provider_pricing.break_even", rules=labels.definitions.payments[name].label[labels.language]
            ),
        )
        for name in exhibit.payments
    ]
    if exhibit.bids and (frame["panel"] == BIDS).any():
        parts.append(_bids(exhibit, numbers, labels))
    return page.table(exhibit, frame, parts, list(_notes(exhibit, numbers, labels)))


def _price_rows(name: str, arms: tuple[str, ...], numbers: Numbers, labels: LabelBook) -> Iterator[Row]:
    """Return prices, and their confidence intervals beneath."""
    for row in PRICES:
        cells = (numbers.cell(name, row, arm, "value", write=numbers.style.integer) for arm in arms)
        yield Row((label(labels.say(f"provider_pricing.{row}")), *cells))
        yield Row(
            (label(""), *(_between(numbers, name, row, arm, "conf_low", "conf_high") for arm in arms)), role="beneath"
        )


def _between(numbers: Numbers, panel: str, row: str, column: str, low: str, high: str) -> Cell:
    if (panel, row, column, low) not in numbers.values:
        return Cell("")
    ends = [numbers.style.integer(numbers.value(panel, row, column, end)) for end in (low, high)]
    separator = ";" if numbers.style.decimal == "," else " to"
    return Cell(f"[{ends[0]}{separator} {ends[1]}]", key=(panel, row, column, low))


def _bids(exhibit: ProviderPricingExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style, scored = numbers.style, bool(exhibit.quality_weights)
    heads = ["price", "margin", "range", "loss", *(("score_price", "score_quality", "score") if scored else ())]
    header = Row((label(""), *(label(labels.say(f"provider_pricing.column_{head}"), align="right") for head in heads)))
    rows = [
        Row(
            (
                label(bid.label[labels.language]),
                numbers.cell(BIDS, name, "price", "value", write=style.integer),
                numbers.cell(BIDS, name, "margin", "value", write=style.integer),
                _between(numbers, BIDS, name, "margin", "bound_low", "bound_high"),
                numbers.cell(BIDS, name, "loss", "share", write=style.percent),
                *(
                    numbers.cell(BIDS, name, column, "value", write=lambda value: style.fixed(value, 1))
                    for column in heads[4:]
                ),
            )
        )
        for name, bid in exhibit.bids.items()
    ]
    rules = labels.definitions.payments[exhibit.payments[0]].label[labels.language]
    return Part((header,), tuple(rows), caption=labels.say("provider_pricing.bids", rules=rules))


def _notes(exhibit: ProviderPricingExhibit, numbers: Numbers, labels: LabelBook) -> Iterator[str]:
    style, cost = numbers.style, exhibit.cost_per_month
    yield labels.say(
        "provider_pricing.explained",
        cost=style.integer(float(cost.value or 0.0) * cost.times),
    )
    if exhibit.bids:
        yield labels.say(
            "provider_pricing.bids_explained",
            places=exhibit.places,
            draws=style.integer(exhibit.draws),
            level=f"{100 * exhibit.level:g}",
        )
        if exhibit.quality_weights:
            yield labels.say("provider_pricing.scores_explained", weight=style.percent(exhibit.price_weight, 0))
    yield labels.say("payments.same_spells_under_all_rules")
