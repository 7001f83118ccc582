"""The effect as controls enter step by step, and what each group of controls accounts for."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, specification_note, wild_bootstrap_note


def layout(exhibit: StepwiseExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the steps, then the decomposition of the change from cells alone to all controls."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    columns = exhibit.columns
    header = outcome_header(columns, labels)
    named_steps = [label_of[labels.language] for label_of in exhibit.step_labels]
    listed = named_steps or [_listed(step, labels) for step in exhibit.steps]
    groups = {f"step_{k}": text for k, text in enumerate(listed, start=1)}
    cells = labels.cells()
    within = bool((frame["row"] == "cells").any())
    first = labels.say("stepwise.without_cells_and_controls" if within else "stepwise.without_controls")
    named = labels.say("stepwise.cells_named", cells=cells) if cells else labels.say("stepwise.cells")
    steps = {"raw": first, **({"cells": named} if within else {}), **{key: f"+ {text}" for key, text in groups.items()}}
    wild = bool((frame["statistic"] == "p_value_wild").any())
    path: list[Row] = []
    for key, text in steps.items():
        path += effect_rows(numbers, "steps", key, text, columns, labels)
        if wild:
            cells_of = (numbers.cell("steps", key, column, "p_value_wild") for column in columns)
            path.append(Row((label(labels.word("p_value_wild")), *cells_of), role="beneath"))
        shares = (
            numbers.cell("steps", key, column, "r_squared", write=lambda value: page.style.fixed(value, 3))
            for column in columns
        )
        path.append(Row((label(labels.word("r_squared")), *shares), role="beneath"))
    counts = (numbers.cell("steps", "raw", column, "n") for column in columns)
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
    first, *others = step
    return ", ".join([_named(first, labels), *(inside(_named(name, labels)) for name in others)])


def _named(name: str, labels: LabelBook) -> str:
    """Return the label of a covariate, or of an absorbed column, at the start of a line."""
    if name in labels.definitions.covariates:
        return labels.covariate(name, unit=False)
    text = labels.column(name)
    return text[:1].upper() + text[1:]


def _notes(exhibit: StepwiseExhibit, labels: LabelBook) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    absorbed = entry is not None and bool(entry.absorb)
    lines = [
        labels.say("stepwise.decomposition_explained" if not absorbed else "stepwise.decomposition_from_raw"),
        labels.say("stepwise.contributions_are_chance" if not absorbed else "stepwise.contributions_are_differences"),
    ]
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels), *lines]
        lines.append(errors_note([entry.vcov], labels.language))
    if exhibit.wild_bootstrap is not None:
        lines.append(wild_bootstrap_note(exhibit.wild_bootstrap, labels))
    return lines
