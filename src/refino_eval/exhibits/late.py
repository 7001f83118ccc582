"""Effects of taking part: outcomes as columns; the draw's effect, the first stage, and their ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import LateExhibit
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.numbers import NumberStyle, format_statistic
from refino_eval.exhibits.regression import design_rows
from refino_eval.exhibits.tables import Cell, Numbers, Part, Row, Table, error_label, label


def late_table(
    name: str,
    exhibit: LateExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out reduced form, first stage and two-stage least squares, with Anderson-Rubin sets."""
    numbers = Numbers.of(frame, style)
    panel, keys = exhibit.specification, list(exhibit.columns)
    header = Row(
        (label(""), *(label(labels.outcome(outcome, language), align="right") for outcome in exhibit.columns.values()))
    )
    body: list[Row] = []
    for part in ("draw", "first_stage", "take_up"):
        body.append(Row((label(labels.word(part, language)), *(numbers.estimate(panel, part, key) for key in keys))))
        errors = (numbers.cell(panel, part, key, "std_error", pattern=style.beneath) for key in keys)
        body.append(Row((error_label(numbers, labels, language), *errors), role="beneath"))
    body.append(Row((label(labels.word("ar_set", language)), *(_set(numbers, panel, key) for key in keys))))
    for statistic, row in (("f_stat", "first_stage"), ("n", "take_up")):
        cells = (numbers.cell(panel, row, key, statistic) for key in keys)
        word = "first_stage_f" if statistic == "f_stat" else statistic
        body.append(Row((label(labels.word(word, language)), *cells), role="foot"))
    entry = labels.specification_of(panel)
    body += design_rows(entry, len(keys), labels, language)
    own = _notes(exhibit, numbers, labels, language)
    if entry is not None:
        own = [specification_note(panel, entry, labels, language), *own, errors_note([entry.vcov], language)]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )


def _set(numbers: Numbers, panel: str, key: str) -> Cell:
    """Return the cell of an Anderson-Rubin set: an interval, two rays, everything or nothing."""
    low, high = numbers.value(panel, "take_up", key, "ar_low"), numbers.value(panel, "take_up", key, "ar_high")
    _, status = numbers.values.get((panel, "take_up", key, "ar_low"), (math.nan, ""))
    error = numbers.value(panel, "take_up", key, "std_error")

    def text(bound: float) -> str:
        return format_statistic(numbers.style, "conf_low", bound, std_error=error)

    if status == "ar_empty":
        return Cell("\N{EMPTY SET}")
    if status == "ar_line" or not (math.isfinite(low) and math.isfinite(high)):
        return Cell("(−∞, ∞)")
    between = ";" if numbers.style.decimal == "," else ","
    if status == "ar_rays":
        return Cell(f"(−∞, {text(low)}] \N{UNION} [{text(high)}, ∞)")
    return Cell(f"[{text(low)}{between} {text(high)}]")


def _notes(exhibit: LateExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    key = next(iter(exhibit.columns))
    panel = exhibit.specification
    shares = [numbers.value(panel, "first_stage", key, name) for name in ("mean_treated", "mean_control")]
    style = NumberStyle.of(language)
    treated, control = (style.fixed(100 * share, 1) for share in shares)
    what = labels.outcome(exhibit.take_up, language) if exhibit.take_up else say(language, "deltakelse", "take-up")
    arms = labels.arm(labels.treated, language), labels.arm(labels.control, language)
    return [
        say(
            language,
            f"Deltakelse er «{what}»: {treated} % av dem som ble trukket til {arms[0]} og {control} % av dem som ble trukket til "
            f"{arms[1]}.",
            f"Take-up is '{what}': {treated}% of those drawn to {arms[0]} and {control}% of those drawn to {arms[1]}.",
        ),
        say(
            language,
            "Effekten av deltakelse gjelder dem som trekningen flyttet, mot det de ellers hadde fått, og bare dersom trekningen "
            "ikke virker på annen måte enn gjennom deltakelsen.",
            "The effect of taking part is that for the people whom the draw moved, against what they would have had otherwise, and "
            "only if the draw works through taking part alone.",
        ),
    ]
