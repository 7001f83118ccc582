"""Costs: the printed steps by arm, and the way from what is paid to the cost to society."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import CostsExhibit, SocialCostsExhibit
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.notes import exhibit_notes, say
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.exhibits.tables import Cell, Numbers, Part, Role, Row, Table, label

ROWS = ("participant_months", "payments", "average", "monthly_price", "duration", "cost")
"""Rows of a cost table that are no calendar year, in their order."""


def costs_table(
    name: str,
    exhibit: CostsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out inputs, monthly price, duration and cost a participant: arms and their difference as columns."""
    numbers = Numbers.of(frame, style)
    arms = (labels.treated, labels.control)
    rows = list(dict.fromkeys(frame["row"]))
    years = [row for row in rows if row.isdigit()]
    header = Row(
        (label(""), *(label(_column(column, labels, language), align="right") for column in (*arms, "difference")))
    )
    body = []
    for row in [*years, *(row for row in ROWS if row in rows)]:
        role: Role = "foot" if row == "cost" else "body"
        write = partial(style.fixed, decimals=1 if row == "duration" else 0)
        cells = (numbers.cell("", row, column, "value", write=write) for column in (*arms, "difference"))
        body.append(Row((label(_row(row, years, labels, language)), *cells), role=role))
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _cost_notes(exhibit, labels, language)),
    )


def _column(name: str, labels: LabelBook, language: str) -> str:
    return labels.word("difference", language) if name == "difference" else labels.arm(name, language)


def _row(row: str, years: list[str], labels: LabelBook, language: str) -> str:
    if row in years:
        return row
    if row == "average":
        span = f"{years[0]}\N{EN DASH}{years[-1]}"
        return say(language, f"Gjennomsnitt over årene {span}", f"Mean of the years {span}")
    return labels.word(f"cost_{row}", language)


def _cost_notes(exhibit: CostsExhibit, labels: LabelBook, language: str) -> list[str]:
    costs = labels.definitions.costs[exhibit.costs]
    yearly = costs.bases[exhibit.basis].kind == "yearly_prices"
    how = (
        say(language, "Årene veier likt.", "The years weigh the same.")
        if yearly
        else say(
            language,
            "Månedsprisen er utbetalingene delt på deltakermånedene.",
            "The monthly price is payments divided by participant-months.",
        )
    )
    return [
        say(
            language,
            "Regnet ut fra trykte tall, uten avrunding underveis; ingen av tallene kommer fra registrene. " + how,
            "Computed from printed numbers, without rounding on the way; none of them comes from the registers. " + how,
        )
    ]


def social_costs_table(
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
