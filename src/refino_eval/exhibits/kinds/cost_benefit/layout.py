"""Value of programmes: the items, the perspectives, and impacts without a price."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from refino_eval.cost_benefit.plus_minus import signs
from refino_eval.exhibits.kinds.cost_benefit.model import CostBenefitExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import (
    item_label,
    model_behind,
    model_notes,
    perspective_label,
    programme_label,
)
from refino_eval.exhibits.wording.labels import LabelBook

MVPF = "mvpf"


def layout(exhibit: CostBenefitExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out values in kroner per participant."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    programmes = {name: programme_label(exhibit, name, labels) for name in exhibit.programmes}
    notes = [labels.say("cost_benefit.per_participant"), *model_notes(exhibit, labels)]
    if exhibit.arrangement == "items_by_programme":
        header = Row((label(""), *(label(text, align="right") for text in programmes.values())))
        body = [*_item_rows(exhibit, numbers, labels), *_judgement_rows(exhibit, numbers, labels)]
        if exhibit.judgements:
            notes.append(labels.say("cost_benefit.signs_explained"))
        return page.table(exhibit, frame, [Part((header,), tuple(body))], notes)
    if exhibit.arrangement == "programmes_by_item":
        columns = {item: item_label(item, labels) for item in [*exhibit.items, *(["total"] if exhibit.total else [])]}
    else:
        columns = {each: perspective_label(each, labels) for each in exhibit.perspectives}
        columns[MVPF] = labels.say("cost_benefit.mvpf")
        notes.append(labels.say("cost_benefit.perspectives_explained"))
        notes.append(labels.say("cost_benefit.mvpf_explained"))
    header = Row((label(""), *(label(text, align="right") for text in columns.values())))
    rows = [
        Row((label(text), *(_cell(numbers, name, column) for column in columns))) for name, text in programmes.items()
    ]
    return page.table(exhibit, frame, [Part((header,), tuple(rows))], notes)


def _cell(numbers: Numbers, row: str, column: str) -> Cell:
    style = numbers.style
    write = style.integer if MVPF not in (row, column) else lambda value: style.fixed(value, 2)
    return numbers.cell("", row, column, "value", write=write)


def _item_rows(exhibit: CostBenefitExhibit, numbers: Numbers, labels: LabelBook) -> Iterator[Row]:
    for item in exhibit.items:
        yield Row((label(item_label(item, labels)), *(_cell(numbers, item, name) for name in exhibit.programmes)))
    if exhibit.total:
        cells = (_cell(numbers, "total", name) for name in exhibit.programmes)
        yield Row((label(item_label("total", labels)), *cells), role="foot")


def _judgement_rows(exhibit: CostBenefitExhibit, numbers: Numbers, labels: LabelBook) -> Iterator[Row]:
    for name in exhibit.judgements:
        text = model_behind(exhibit, labels).judgements[name].label[labels.language]
        yield Row((label(text), *(_signs(numbers, name, programme) for programme in exhibit.programmes)))


def _signs(numbers: Numbers, row: str, column: str) -> Cell:
    low, high = (numbers.value("", row, column, name) for name in ("bound_low", "bound_high"))
    if not math.isfinite(low):
        return Cell("")
    return Cell(signs(int(low), int(high)), key=("", row, column, "bound_low"))
