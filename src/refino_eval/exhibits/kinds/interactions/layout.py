"""Whether the effect differs by characteristics: a column a moderator, the coefficients of the controls beneath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: InteractionsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the effect, its interaction and the other coefficients, one regression a column."""
    numbers = Numbers.of(frame, style)
    panel, columns = exhibit.specification, list(exhibit.moderators)
    own, crossed = labels.treated, f"{labels.treated}_x_characteristic"
    arm = labels.arm(own, language)
    header = Row((label(""), *(label(labels.covariate(name, language, unit=False), align="right") for name in columns)))
    others = [row for row in dict.fromkeys(frame["row"]) if row not in (own, crossed, "joint_test")]
    words = {own: arm, crossed: f"{arm} × " + say(language, "kjennetegn", "characteristic")}
    body: list[Row] = []
    for row in (own, crossed, *others):
        text = words.get(row) or labels.covariate(row, language)
        body.append(Row((label(text), *(numbers.estimate(panel, row, column) for column in columns))))
        errors = (numbers.cell(panel, row, column, "std_error", pattern=style.beneath) for column in columns)
        body.append(Row((error_label(numbers, labels, language), *errors), role="beneath"))
    for statistic in ("mean_control", "n"):
        cells = (numbers.cell(panel, own, column, statistic) for column in columns)
        body.append(Row((label(labels.word(statistic, language)), *cells), role="foot"))
    body += design_rows(labels.specification_of(panel), len(columns), labels, language)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, numbers, labels, language)),
    )


def _notes(exhibit: InteractionsExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    f_stat = numbers.cell(exhibit.specification, "joint_test", "all", "f_stat").text
    p_value = numbers.cell(exhibit.specification, "joint_test", "all", "p_value").text
    outcome = labels.outcome(exhibit.outcome, language)
    lines = [
        say(
            language,
            f"Utfall: {outcome}. Én regresjon for hvert kjennetegn; første linje er effekten der kjennetegnet er 0.",
            f"Outcome: {outcome}. One regression for each characteristic; the first line is the effect where it is 0.",
        ),
        say(
            language,
            f"Alle samspill under ett: F = {f_stat}, p = {p_value}.",
            f"All interactions together: F = {f_stat}, p = {p_value}.",
        ),
    ]
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels, language), *lines]
        lines.append(errors_note([entry.vcov], language))
    return lines
