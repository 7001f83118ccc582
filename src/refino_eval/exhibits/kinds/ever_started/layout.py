"""Who has started a programme by each horizon: shares of the arms, and the draw's effect on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.ever_started.model import EverStartedExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

OWN = "own"


def layout(
    name: str,
    exhibit: EverStartedExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out a block for each programme, a row for each horizon."""
    numbers = Numbers.of(frame, style)
    heads = (labels.treated, labels.control)
    header = Row(
        (
            label(""),
            *(label(f"{labels.arm(arm, language)}, %", align="right") for arm in heads),
            label(labels.word("difference", language), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("p_value", language), align="right"),
            label("N", align="right"),
        )
    )
    blocks = [*((OWN,) if exhibit.programmes else ()), *exhibit.states]
    body: list[Row] = []
    for panel in blocks:
        own = say(language, "Tiltaket de ble trukket til", "The programme that they were drawn to")
        head = own if panel == OWN else labels.state(panel, language)
        body.append(Row((label(head), *[Cell("")] * 6), role="block"))
        rows = {f"by_{k}": _horizon(exhibit, k, language) for k in exhibit.within}
        if panel == OWN:
            never = _horizon(exhibit, exhibit.last, language)
            rows[f"not_by_{exhibit.last}"] = say(language, f"ikke {never}", f"not {never}")
        for row, text in rows.items():
            body.append(
                Row(
                    (
                        label(text),
                        *(per_cent(numbers, panel, row, arm, "share") for arm in heads),
                        per_cent(numbers, panel, row, "difference", "estimate"),
                        per_cent(numbers, panel, row, "difference", "std_error", pattern=style.beneath),
                        numbers.cell(panel, row, "difference", "p_value"),
                        numbers.cell(panel, row, "difference", "n"),
                    )
                )
            )
    entry = labels.specification_of(exhibit.specification)
    own_notes = [
        say(
            language,
            "Andeler i prosent av dem som ble trukket; differansen er trekningens effekt i prosentpoeng, beregnet innenfor cellene. "
            "Den kan derfor avvike fra forskjellen mellom de to andelene.",
            "Shares in per cent of those drawn; the difference is the draw's effect in percentage points, estimated within cells. "
            "It may therefore differ from the gap between the two shares.",
        )
    ]
    if entry is not None:
        own_notes = [
            specification_note(exhibit.specification, entry, labels, language),
            *own_notes,
            errors_note([entry.vcov], language),
        ]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own_notes),
    )


def _horizon(exhibit: EverStartedExhibit, k: int, language: str) -> str:
    period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[exhibit.clock]
    return say(language, f"innen {period} {k}", f"by {period} {k}")
