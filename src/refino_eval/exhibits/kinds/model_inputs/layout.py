"""Inputs of a cost-benefit model: value, unit, uncertainty and source."""

from __future__ import annotations

import pandas as pd

from refino_eval.config.base import text_in
from refino_eval.config.money.cost_benefit import INPUTS, Input
from refino_eval.exhibits.kinds.model_inputs.model import ModelInputsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Align, Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.cost_benefit_labels import input_label, model_behind, model_notes, programme_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.published.source import PublishedSource

COMMON = "inputs"
SHARES = ("share", "share_per_month", "share_per_year")


def layout(exhibit: ModelInputsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a grid of the common inputs and one for each programme."""
    labels, numbers, model = page.labels, Numbers.of(frame, page.style), model_behind(exhibit, page.labels)
    groups = {COMMON: model.inputs, **{name: model.programmes[name].inputs for name in exhibit.programmes}}
    heads = ("value", "unit", "low", "high", "source")
    header = Row(
        (label(""), *(label(labels.say(f"model_inputs.{head}"), align=_side(head)) for head in heads))
    )  # fmt: skip
    parts = []
    for panel, inputs in groups.items():
        rows = tuple(
            Row(
                (
                    label(input_label(name, labels)),
                    _number(numbers, panel, name, "assumed", "value"),
                    Cell(labels.say(f"model_inputs.unit_{INPUTS[name]}"), align="left"),
                    _number(numbers, panel, name, "uncertain", "bound_low"),
                    _number(numbers, panel, name, "uncertain", "bound_high"),
                    Cell(source_of(inputs[name], labels), align="left"),
                )
            )
            for name in INPUTS
            if name in inputs
        )
        caption = labels.say("model_inputs.common") if panel == COMMON else programme_label(exhibit, panel, labels)
        if rows:
            parts.append(Part((header,), rows, caption=caption))
    return page.table(exhibit, frame, parts, [labels.say("model_inputs.explained"), *model_notes(exhibit, labels)])


def source_of(entry: Input, labels: LabelBook) -> str:
    """Return where an input and its uncertainty come from; of a published number, the table or chapter of the document."""
    exhibit = str(entry.published).partition("/")[0]
    origin = (
        PublishedSource().exhibit_name(exhibit, "nb" if labels.language == "nb" else "en") or exhibit
        if entry.source is None
        else text_in(entry.source, labels.language)
    )
    if entry.uncertainty is None:
        return origin
    return labels.say(
        "model_inputs.range_from", origin=origin, source=text_in(entry.uncertainty.source, labels.language)
    )


def _side(head: str) -> Align:
    return "left" if head in ("unit", "source") else "right"


def _number(numbers: Numbers, panel: str, row: str, column: str, statistic: str) -> Cell:
    style = numbers.style
    if INPUTS[row] in SHARES:
        return numbers.cell(panel, row, column, statistic, write=lambda value: style.percent(value))
    return numbers.cell(
        panel,
        row,
        column,
        statistic,
        write=lambda value: style.fixed(value, _decimals(value)),
    )


def _decimals(value: float) -> int:
    """Return none for whole numbers and amounts of money, one from ten on, two below."""
    return 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 10 else 2
