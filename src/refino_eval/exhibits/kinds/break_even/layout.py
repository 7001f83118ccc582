"""The effect that repays a difference in cost, against the effect's interval; and the net benefit that is left."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from refino_eval.exhibits.kinds.break_even.model import BreakEvenExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say

UNITS = ("participant", "drawn")


def layout(exhibit: BreakEvenExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a grid for each way of counting the cost: outcomes and values of an outcome as rows."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    parts = tuple(_part(unit, exhibit, numbers, labels) for unit in UNITS)
    return page.table(exhibit, frame, parts, _notes(exhibit, numbers, labels))


def _part(unit: str, exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    conf = labels.word("conf").format(level=level)
    header = Row(
        (
            label(""),
            label(labels.say("break_even.effect_percentage_points"), align="right"),
            label(conf, align="right"),
            label(labels.say("break_even.break_even_percentage_points"), align="right"),
            label(labels.say("break_even.position_of_interval"), align="left"),
            label(labels.say("break_even.net_benefit_kr"), align="right"),
            label(conf, align="right"),
        )
    )
    body: list[Row] = []
    for value in exhibit.values:
        entry_of = labels.definitions.costs[exhibit.costs].values[value]
        worth = numbers.style.fixed(numbers.value("effect", "value", value, "value") / 1e6, 1)
        head = labels.say("break_even.value_in_million", value=entry_of.label[labels.language], amount=worth)
        body.append(Row((label(head, span=7),), role="block"))
        body += [_row(unit, key, value, exhibit, numbers, labels) for key in exhibit.columns]
    return Part(header=(header,), body=tuple(body), caption=_caption(unit, numbers, labels))


def _row(unit: str, key: str, value: str, exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook) -> Row:
    style = numbers.style
    low, high = (numbers.value("effect", key, labels.treated, limit) for limit in ("conf_low", "conf_high"))
    limit = numbers.value(unit, key, value, "break_even")

    def points(share: float) -> str:
        return style.fixed(100.0 * share, 2)

    kroner = _hundreds(style)
    benefit = (
        kroner(numbers.value(unit, key, value, "conf_low")),
        kroner(numbers.value(unit, key, value, "conf_high")),
    )
    return Row(
        (
            label(labels.outcome(exhibit.columns[key])),
            numbers.cell("effect", key, labels.treated, "estimate", write=points),
            Cell(_between(points(low), points(high), style)),
            numbers.cell(unit, key, value, "break_even", write=points),
            Cell(_where(low, high, limit, labels.language), align="left"),
            numbers.cell(unit, key, value, "estimate", write=kroner),
            Cell(_between(*benefit, style)),
        )
    )


def _hundreds(style: NumberStyle) -> Callable[[float], str]:
    """Write kroner to the nearest hundred: the intervals are tens of thousands wide."""
    return lambda value: style.integer(round(value, -2)) if math.isfinite(value) else ""


def _between(low: str, high: str, style: NumberStyle) -> str:
    return f"[{low}{';' if style.decimal == ',' else ','} {high}]" if low and high else ""


def _where(low: float, high: float, limit: float, language: str) -> str:
    """Return a text that says where the interval lies: that, and no probability, is what it shows."""
    if low > limit:
        return say("break_even.interval_above", language)
    if high < limit:
        return say("break_even.interval_below", language)
    return say("break_even.interval_includes", language)


def _caption(unit: str, numbers: Numbers, labels: LabelBook) -> str:
    saved = -numbers.value(unit, "cost", "difference", "estimate")
    amount = numbers.style.integer(abs(saved))
    treated = labels.arm(labels.treated)
    who = {
        "participant": labels.say("break_even.per_participant"),
        "drawn": labels.say("break_even.per_person_assigned"),
    }[unit]
    error = numbers.value(unit, "cost", "difference", "std_error")
    spread = f" (SE {numbers.style.integer(error)})" if math.isfinite(error) else ""
    if saved >= 0:
        return labels.say("break_even.costs_less", treated=treated, amount=amount, who=who, spread=spread)
    return labels.say("break_even.costs_more", treated=treated, amount=amount, who=who, spread=spread)


def _notes(exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    treated = labels.arm(labels.treated)
    costs = labels.definitions.costs[exhibit.costs]
    basis = costs.bases[exhibit.basis].label[labels.language].lower()
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    lines.append(labels.say("break_even.break_even_explained", basis=basis, treated=treated))
    lines.append(labels.say("break_even.costs_and_uncertainty"))
    lines.append(labels.say("break_even.intervals_are_no_probabilities"))
    return [*lines, *_ratios(exhibit, numbers, labels)]


def _ratios(exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return notes that say which ratios of cost to effect Fieller's sets exclude, where they exclude little: that is the finding."""
    open_ended = [
        labels.outcome(outcome)
        for key, outcome in exhibit.columns.items()
        if numbers.values.get(("drawn", key, "ratio", "conf_low"), (0.0, ""))[1]
    ]
    if not open_ended:
        return []
    listed = ", ".join(open_ended)
    return [labels.say("break_even.fieller_set_unbounded", listed=listed)]
