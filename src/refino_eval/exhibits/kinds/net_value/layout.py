"""Net value of estimated effects: items and perspectives by extrapolation, and what the uncertainty comes from."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.money.cost_benefit import PERSPECTIVES
from refino_eval.exhibits.kinds.net_value.model import NetValueExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import (
    convention_notes,
    input_label,
    item_label,
    perspective_label,
)
from refino_eval.exhibits.wording.labels import LabelBook

ITEMS = ("value_creation", "saved_benefits", "cost_nav", "total")
ESTIMATED = ("effect_on_work", "effect_on_cost")


def layout(exhibit: NetValueExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out three grids: the items, who gains and pays, and the drivers of the first extrapolation."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    head = Row(
        (
            label(""),
            *(label(rule.label[labels.language], align="right") for rule in exhibit.extrapolations.values()),
        )
    )
    names = {item: item_label(item, labels) for item in ITEMS}
    parties = {who: perspective_label(who, labels) for who in PERSPECTIVES[1:]}
    present = set(frame["row"])
    items = [row for name, text in names.items() for row in _rows(exhibit, numbers, name, text)]
    inputs = numbers.cell
    items += [
        Row(
            (
                label(labels.say("net_value.with_inputs", level=f"{100 * exhibit.level:g}")),
                *(_range(numbers, rule) for rule in exhibit.extrapolations),
            )
        )
    ]
    sides = [row for who, text in parties.items() if who in present for row in _rows(exhibit, numbers, who, text)]
    first = next(iter(exhibit.extrapolations.values())).label[labels.language]
    ends = Row(
        (label(""), *(label(labels.say(f"net_value.{end}"), align="right") for end in ("at_low_end", "at_high_end")))
    )
    drivers = [
        Row(
            (
                label(_driver(str(name), labels)),
                *(
                    inputs("drivers", str(name), end, "value", write=page.style.integer)
                    for end in ("at_low_end", "at_high_end")
                ),
            )
        )
        for name in dict.fromkeys(frame.loc[frame["panel"] == "drivers", "row"])
    ]
    parts = [
        Part((head,), tuple(items), caption=labels.say("net_value.to_society")),
        Part((head,), tuple(sides), caption=labels.say("net_value.by_perspective")),
        Part((ends,), tuple(drivers), caption=labels.say("net_value.drivers", rule=first)),
    ]
    return page.table(exhibit, frame, parts, list(_notes(exhibit, labels)))


def _rows(exhibit: NetValueExhibit, numbers: Numbers, name: str, text: str) -> Iterator[Row]:
    """Return the estimates of a row, and their confidence intervals beneath."""
    write = numbers.style.integer
    cells = (numbers.cell("", name, rule, "estimate", write=write) for rule in exhibit.extrapolations)
    yield Row((label(text), *cells))
    yield Row((label(""), *(_interval(numbers, name, rule) for rule in exhibit.extrapolations)), role="beneath")


def _interval(numbers: Numbers, row: str, column: str) -> Cell:
    return _between(numbers, row, column, "conf_low", "conf_high")


def _range(numbers: Numbers, rule: str) -> Cell:
    return _between(numbers, "total", rule, "bound_low", "bound_high")


def _between(numbers: Numbers, row: str, column: str, low: str, high: str) -> Cell:
    ends = [numbers.style.integer(numbers.value("", row, column, end)) for end in (low, high)]
    separator = ";" if numbers.style.decimal == "," else " to"
    return Cell(f"[{ends[0]}{separator} {ends[1]}]", key=("", row, column, low))


def _driver(name: str, labels: LabelBook) -> str:
    return labels.say(f"net_value.{name}") if name in ESTIMATED else input_label(name, labels)


def _notes(exhibit: NetValueExhibit, labels: LabelBook) -> Iterator[str]:
    model = labels.definitions.cost_benefit[exhibit.model]
    costs = labels.definitions.costs[exhibit.costs]
    treated, control = (labels.arm(arm) for arm in (labels.treated, labels.control))
    yield labels.say(
        "net_value.explained",
        treated=treated,
        control=control,
        first=exhibit.first,
        last=exhibit.last,
        base=exhibit.base_months,
        basis=costs.bases[exhibit.basis].label[labels.language].lower(),
    )
    yield labels.say("net_value.intervals", level=f"{100 * exhibit.level:g}")
    yield labels.say("cost_benefit.prices", year=model.price_year)
    yield from convention_notes(model.conventions, labels)
