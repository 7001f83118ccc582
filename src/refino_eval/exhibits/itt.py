"""Effects of the draw: outcomes as columns, one block of rows a specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import IttExhibit
from refino_eval.exhibits.labels import VCOV_LABELS, LabelBook
from refino_eval.exhibits.notes import exhibit_notes, inference_note, say, specification_note, window_notes
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.exhibits.tables import Cell, Numbers, Part, Role, Row, Table, error_label, label


def itt_table(
    name: str,
    exhibit: IttExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out effects, standard errors and intervals; means, N, covariance and cells once when they do not change."""
    numbers = Numbers.of(frame, style)
    specifications = [spec for spec in exhibit.specifications if (frame["panel"] == spec).any()]
    header = Row(
        (label(""), *(label(labels.outcome(outcome, language), align="right") for outcome in exhibit.columns.values()))
    )
    shared = _same_feet(numbers, exhibit, specifications, labels)
    body: list[Row] = []
    for spec in specifications:
        if len(specifications) > 1:
            body.append(
                Row((label(labels.specification(spec, language), span=len(exhibit.columns) + 1),), role="block")
            )
        body += _effects(numbers, exhibit, spec, labels, language)
        if not shared:
            body += _feet(numbers, exhibit, spec, labels, language)
    if shared and specifications:
        body += _feet(numbers, exhibit, specifications[0], labels, language)
    body += _design_rows(exhibit, specifications, labels, language, single=len(specifications) == 1)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, itt_notes(exhibit, frame, labels, language)),
    )


def itt_notes(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say the windows, the specifications and the inference of a table of effects."""
    defined = [(name, labels.specification_of(name)) for name in exhibit.specifications]
    known = [(name, entry) for name, entry in defined if entry is not None]
    lines = list(window_notes(exhibit, labels, language))
    lines.append(
        say(
            language,
            f"Effekten av å bli trukket til {labels.arm(labels.treated, language)}, uansett faktisk deltakelse; lineær regresjon.",
            f"The effect of being drawn to {labels.arm(labels.treated, language)}, whatever the actual participation; linear regression.",
        )
    )
    lines += [specification_note(name, entry, labels, language) for name, entry in known]
    if known:
        lines.append(inference_note([e.vcov for _, e in known], [e.level for _, e in known], frame, language))
    return [*lines, *_lost(exhibit, frame, labels, language)]


def _lost(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say how many people lack which outcome: a table's columns rest on the people who have them all."""
    lost = frame[(frame["row"] == "lost") & frame["value"].gt(0)].drop_duplicates("column")
    if lost.empty:
        return []
    style = NumberStyle.of(language)
    listed = "; ".join(
        f"{labels.outcome(exhibit.columns.get(column, column), language)} ({style.integer(value)})"
        for column, value in zip(lost["column"], lost["value"], strict=True)
    )
    return [
        say(language, "Personer uten verdi er holdt utenfor: ", "People without a value are left out: ") + listed + "."
    ]


def _effects(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook, language: str) -> list[Row]:
    """Return the rows of one specification: effect, standard error, interval."""
    columns = list(exhibit.columns)
    row = labels.treated
    entry = labels.specification_of(spec)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    return [
        Row((label(labels.arm(row, language)), *(numbers.estimate(spec, row, c) for c in columns))),
        Row(
            (
                error_label(numbers, labels, language),
                *(numbers.cell(spec, row, c, "std_error", pattern=numbers.style.beneath) for c in columns),
            ),
            role="beneath",
        ),
        Row(
            (
                label(labels.word("conf", language).format(level=level)),
                *(numbers.interval(spec, row, c) for c in columns),
            ),
            role="beneath",
        ),
    ]


def _feet(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook, language: str) -> list[Row]:
    return [
        Row(
            (
                label(labels.word(statistic, language)),
                *(numbers.cell(spec, labels.treated, column, statistic) for column in exhibit.columns),
            ),
            role="foot",
        )
        for statistic in ("mean_control", "n")
    ]


def _same_feet(numbers: Numbers, exhibit: IttExhibit, specifications: list[str], labels: LabelBook) -> bool:
    """Whether control means and N are the same under every specification."""
    rows = {
        tuple(
            numbers.cell(spec, labels.treated, column, statistic).text
            for column in exhibit.columns
            for statistic in ("mean_control", "n")
        )
        for spec in specifications
    }
    return len(rows) <= 1


def _design_rows(
    exhibit: IttExhibit, specifications: list[str], labels: LabelBook, language: str, *, single: bool
) -> list[Row]:
    """Return the rows that name covariance and cells; with several specifications the notes say them."""
    entry = labels.specification_of(specifications[0]) if specifications else None
    if entry is None or not single:
        return []
    cells = (labels.cells(language) if entry.strata else "") or labels.word("none", language)
    rows = []
    for word, text in (("vcov", VCOV_LABELS[entry.vcov][language]), ("strata", cells)):
        role: Role = "foot"
        rows.append(Row((label(labels.word(word, language)), *[Cell(text)] * len(exhibit.columns)), role=role))
    return rows
