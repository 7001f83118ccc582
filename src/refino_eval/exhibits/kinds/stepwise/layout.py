"""The effect as controls enter step by step, and what each group of controls accounts for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.stepwise.model import StepwiseExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: StepwiseExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the steps, then the decomposition of the change from cells alone to all controls."""
    numbers = Numbers.of(frame, style)
    columns = exhibit.columns
    header = outcome_header(columns, labels, language)
    groups = {f"step_{k}": _listed(step, labels, language) for k, step in enumerate(exhibit.steps, start=1)}
    cells = labels.cells(language)
    steps = {
        "raw": say(language, "Uten noe", "Nothing else"),
        "cells": say(language, f"Celler ({cells})", f"Cells ({cells})") if cells else say(language, "Celler", "Cells"),
        **{key: f"+ {text}" for key, text in groups.items()},
    }
    path: list[Row] = []
    for key, text in steps.items():
        path += effect_rows(numbers, "steps", key, text, columns, labels, language)
    counts = (numbers.cell("steps", "cells", column, "n") for column in columns)
    path.append(Row((label(labels.word("n", language)), *counts), role="foot"))
    parts: list[Row] = []
    for key, text in {**groups, "total": say(language, "I alt", "In all")}.items():
        parts += effect_rows(numbers, "decomposition", key, text, columns, labels, language)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(
            Part(header=(header,), body=tuple(path), caption=say(language, "Effekt, trinn for trinn", "Effect, step by step")),
            Part(
                header=(header,), body=tuple(parts),
                caption=say(language, "Hva hver gruppe står for", "What each group accounts for"),
            ),
        ),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, labels, language)),
    )  # fmt: skip


def _listed(step: tuple[str, ...], labels: LabelBook, language: str) -> str:
    names = [labels.covariate(name, language, unit=False) for name in step]
    return ", ".join([names[0], *(inside(name) for name in names[1:])])


def _notes(exhibit: StepwiseExhibit, labels: LabelBook, language: str) -> list[str]:
    lines = [
        say(
            language,
            "Øverst kommer kontrollvariablene til gruppe for gruppe; da avhenger det en gruppe ser ut til å gjøre, av hva som kom før. "
            "Nederst er endringen fra celler alene til alle kontrollvariabler delt på gruppene uavhengig av rekkefølgen (Gelbach 2016).",
            "Above, controls enter group by group, and what a group seems to do depends on those before it. Below, the change from "
            "cells alone to all controls is divided among the groups whatever their order (Gelbach 2016).",
        ),
        say(
            language,
            "I et forsøk med trekning har hver del forventning null: en del som er ulik null, er skjevhet i trekningen, tilfeldig "
            "eller ikke. Første linje sammenlikner gruppene uten hensyn til at trekkandelen varierte mellom cellene.",
            "In a randomised trial each part is zero in expectation: a part away from zero is imbalance of the draw, by chance or "
            "not. The first line compares the arms without regard to draw shares that differ between cells.",
        ),
    ]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels, language), *lines]
        lines.append(errors_note([entry.vcov], language))
    return lines
