"""Costs: the printed steps by arm, and the way from what is paid to the cost to society."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.social_costs.model import SocialCostsExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: SocialCostsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out what the treated programme saves, step by step, and the effect that outweighs it."""
    numbers = Numbers.of(frame, style)
    costs = labels.definitions.costs[exhibit.costs]
    steps = Part(
        header=(Row((label(""), *(label(costs.bases[b].label[language], align="right") for b in exhibit.bases))),),
        body=tuple(
            Row(
                (
                    label(labels.word(f"saving_{row}", language)),
                    *(numbers.cell("", row, basis, "value", write=style.integer) for basis in exhibit.bases),
                ),
                role="foot" if row == "saving" else "body",
            )
            for row in ("monthly_price", "cost", "without_vat", "saving")
        ),
        caption=say(language, "Besparelse i kroner", "Saving in kroner"),
    )
    rows: tuple[tuple[str, Callable[[float], str]], ...] = (
        ("gain", lambda value: style.fixed(value, 1)),
        ("break_even", lambda value: style.fixed(value, 2)),
    )
    weighed = Part(
        header=(Row((label(""), *(label(costs.values[v].label[language], align="right") for v in exhibit.values))),),
        body=tuple(
            Row(
                (
                    label(labels.word(f"saving_{row}", language)),
                    *(numbers.cell("", row, value, "value", write=write) for value in exhibit.values),
                )
            )
            for row, write in rows
        ),
        caption=say(language, "Effekten som veier den opp", "The effect that outweighs it"),
    )
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(steps, weighed),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _social_notes(exhibit, numbers, labels, language)),
    )


def _social_notes(exhibit: SocialCostsExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    treated, control = (labels.arm(arm, language) for arm in (labels.treated, labels.control))
    vat, tax = (Cell(numbers.style.integer(numbers.value("", row, "", "value"))).text for row in ("vat", "tax_cost"))
    basis = labels.definitions.costs[exhibit.costs].bases[exhibit.break_even_basis].label[language]
    return [
        say(
            language,
            f"Besparelsen er hva {control} koster mer enn {treated} per deltaker. Merverdiavgift: {vat} %; kostnad ved å kreve inn "
            f"skatt: {tax} % av beløpet uten avgift.",
            f"The saving is what {control} costs more than {treated} a participant. VAT: {vat}%; cost of raising tax: {tax}% of "
            "the amount without VAT.",
        ),
        say(
            language,
            f"Effekten som veier besparelsen opp ({basis.lower()}): så mange prosentpoeng flere i jobb måtte {control} gitt, per "
            "deltaker, for å forsvare den høyere kostnaden.",
            f"The effect that outweighs the saving ({basis.lower()}): so many percentage points more in work would {control} have "
            "to give, a participant, to be worth its higher cost.",
        ),
    ]
