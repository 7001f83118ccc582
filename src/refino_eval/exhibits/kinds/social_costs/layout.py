"""Costs: the printed steps by arm, and the way from what is paid to the cost to society."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from refino_eval.exhibits.kinds.social_costs.model import SocialCostsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook


def layout(exhibit: SocialCostsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out what the treated programme saves, step by step, and the effect that outweighs it."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    costs = labels.definitions.costs[exhibit.costs]
    steps = Part(
        header=(
            Row((label(""), *(label(costs.bases[b].label[labels.language], align="right") for b in exhibit.bases))),
        ),
        body=tuple(
            Row(
                (
                    label(labels.word(f"saving_{row}")),
                    *(numbers.cell("", row, basis, "value", write=page.style.integer) for basis in exhibit.bases),
                ),
                role="foot" if row == "saving" else "body",
            )
            for row in ("monthly_price", "cost", "without_vat", "saving")
        ),
        caption=labels.say("social_costs.saving_in_kroner"),
    )
    rows: tuple[tuple[str, Callable[[float], str]], ...] = (
        ("gain", lambda value: page.style.fixed(value, 1)),
        ("break_even", lambda value: page.style.fixed(value, 2)),
    )
    weighed = Part(
        header=(
            Row((label(""), *(label(costs.values[v].label[labels.language], align="right") for v in exhibit.values))),
        ),
        body=tuple(
            Row(
                (
                    label(labels.word(f"saving_{row}")),
                    *(numbers.cell("", row, value, "value", write=write) for value in exhibit.values),
                )
            )
            for row, write in rows
        ),
        caption=labels.say("social_costs.break_even_effect"),
    )
    return page.table(exhibit, frame, (steps, weighed), _social_notes(exhibit, numbers, labels))


def _social_notes(exhibit: SocialCostsExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    treated, control = (labels.arm(arm) for arm in (labels.treated, labels.control))
    vat, tax = (Cell(numbers.style.integer(numbers.value("", row, "", "value"))).text for row in ("vat", "tax_cost"))
    basis = labels.definitions.costs[exhibit.costs].bases[exhibit.break_even_basis].label[labels.language]
    return [
        labels.say("social_costs.saving_explained", control=control, treated=treated, vat=vat, tax=tax),
        labels.say("social_costs.break_even_explained", basis=basis.lower(), control=control),
    ]
