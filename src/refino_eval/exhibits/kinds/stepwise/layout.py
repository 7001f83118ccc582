"""The effect as controls enter step by step, and what each group of controls accounts for."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, specification_note


def layout(exhibit: StepwiseExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the steps, then the decomposition of the change from cells alone to all controls."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    columns = exhibit.columns
    header = outcome_header(columns, labels)
    groups = {f"step_{k}": _listed(step, labels) for k, step in enumerate(exhibit.steps, start=1)}
    cells = labels.cells()
    steps = {
        "raw": labels.say("stepwise.without_cells_and_controls"),
        "cells": labels.say("stepwise.cells_named", cells=cells) if cells else labels.say("stepwise.cells"),
        **{key: f"+ {text}" for key, text in groups.items()},
    }
    path: list[Row] = []
    for key, text in steps.items():
        path += effect_rows(numbers, "steps", key, text, columns, labels)
    counts = (numbers.cell("steps", "cells", column, "n") for column in columns)
    path.append(Row((label(labels.word("n")), *counts), role="foot"))
    parts: list[Row] = []
    for key, text in {**groups, "total": labels.say("stepwise.total_change")}.items():
        parts += effect_rows(numbers, "decomposition", key, text, columns, labels)
    return page.table(exhibit, frame, (
            Part(header=(header,), body=tuple(path), caption=labels.say("stepwise.effect_by_step")),
            Part(
                header=(header,), body=tuple(parts),
                caption=labels.say("stepwise.contribution_of_groups"),
            ),
        ), _notes(exhibit, labels))  # fmt: skip


def _listed(step: tuple[str, ...], labels: LabelBook) -> str:
    names = [labels.covariate(name, unit=False) for name in step]
    return ", ".join([names[0], *(inside(name) for name in names[1:])])


def _notes(exhibit: StepwiseExhibit, labels: LabelBook) -> list[str]:
    lines = [
        labels.say("stepwise.decomposition_explained"),
        labels.say("stepwise.contributions_are_chance"),
    ]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels), *lines]
        lines.append(errors_note([entry.vcov], labels.language))
    return lines
