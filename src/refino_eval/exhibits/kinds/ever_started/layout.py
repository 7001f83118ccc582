"""Who has started a programme by each horizon: shares of the arms, and the draw's effect on them."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.ever_started.model import EverStartedExhibit
from refino_eval.exhibits.layout.heads import compared_heads
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import clustered_note, errors_note, specification_note

OWN = "own"


def layout(exhibit: EverStartedExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a block for each programme, a row for each horizon."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    heads = (labels.treated, labels.control)
    header = compared_heads(
        labels,
        over=labels.say("ever_started.share_per_cent"),
        difference=labels.say("ever_started.difference_percentage_points"),
    )
    blocks = [*((OWN,) if exhibit.programmes else ()), *exhibit.states]
    body: list[Row] = []
    for panel in blocks:
        own = labels.say("ever_started.programme_assigned_to")
        head = own if panel == OWN else labels.state(panel)
        body.append(Row((label(head), *[Cell("")] * 6), role="block"))
        rows = {f"by_{k}": _horizon(exhibit, k, labels) for k in exhibit.within}
        if panel == OWN:
            never = _horizon(exhibit, exhibit.last, labels)
            rows[f"not_by_{exhibit.last}"] = labels.say("ever_started.not_started", horizon=never)
        for row, text in rows.items():
            body.append(
                Row(
                    (
                        label(text),
                        *(per_cent(numbers, panel, row, arm, "share") for arm in heads),
                        per_cent(numbers, panel, row, "difference", "estimate"),
                        per_cent(numbers, panel, row, "difference", "std_error", pattern=page.style.beneath),
                        numbers.cell(panel, row, "difference", "p_value"),
                        numbers.cell(panel, row, "difference", "n"),
                    )
                )
            )
    entry = labels.specification_of(exhibit.specification)
    own_notes = [labels.say("ever_started.shares_explained"), *clustered_note(frame, "share", labels)]
    if entry is not None:
        own_notes = [
            specification_note(exhibit.specification, entry, labels),
            *own_notes,
            errors_note([entry.vcov], labels.language),
        ]
    return page.table(exhibit, frame, (Part(header=header, body=tuple(body)),), own_notes)


def _horizon(exhibit: EverStartedExhibit, k: int, labels: LabelBook) -> str:
    return labels.say("ever_started.by_horizon", period=labels.word(f"period_{exhibit.clock}"), k=k)
