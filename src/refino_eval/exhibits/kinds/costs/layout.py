"""Costs: the printed steps by arm, and the way from what is paid to the cost to society."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.costs.model import CostsExhibit
from refino_eval.exhibits.layout.table import Numbers, Part, Role, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle

ROWS = ("participant_months", "payments", "average", "monthly_price", "duration", "cost")
"""Rows of a cost table that are no calendar year, in their order."""


def layout(
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
