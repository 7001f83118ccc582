"""Effects of taking part: outcomes as columns; the draw's effect, the first stage, and their ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.fall_back.layout import fall_back_notes, fall_back_part
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic


def layout(
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
        cells = (
            _f_stat(numbers, panel, key) if statistic == "f_stat" else numbers.cell(panel, row, key, statistic)
            for key in keys
        )
        word = (_f_word(labels, panel)) if statistic == "f_stat" else statistic
        body.append(Row((label(labels.word(word, language)), *cells), role="foot"))
    entry = labels.specification_of(panel)
    body += design_rows(entry, len(keys), labels, language)
    own = _notes(exhibit, numbers, labels, language)
    if exhibit.participation is not None:
        own += fall_back_notes(exhibit.participation, numbers, "fall_back", labels, language)
        own += _other_take_up(numbers, language)
    own += _set_notes(exhibit, numbers, labels, language)
    if entry is not None:
        own = [specification_note(panel, entry, labels, language), *own, errors_note([entry.vcov], language)]
    parts = [Part(header=(header,), body=tuple(body))]
    if exhibit.participation is not None:
        beside = fall_back_part(exhibit.participation, numbers, "fall_back", labels, language)
        parts.append(replace(beside, caption=labels.word("fall_back_beside", language)))
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=tuple(parts),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )


def _f_stat(numbers: Numbers, panel: str, key: str) -> Cell:
    """Return the first stage's F; where everybody does as drawn it has no end."""
    _, status = numbers.values.get((panel, "first_stage", key, "f_stat"), (math.nan, ""))
    if status == "infinite":
        return Cell("∞")
    # A first stage of thousands is not told to a hundredth.
    return numbers.cell(
        panel, "first_stage", key, "f_stat", write=lambda value: numbers.style.significant(value, 4, most=2)
    )


def _set(numbers: Numbers, panel: str, key: str) -> Cell:
    """Return the cell of an Anderson-Rubin set: an interval, one ray or two, everything or nothing."""
    low, high = numbers.value(panel, "take_up", key, "ar_low"), numbers.value(panel, "take_up", key, "ar_high")
    _, status = numbers.values.get((panel, "take_up", key, "ar_low"), (math.nan, ""))
    _, other = numbers.values.get((panel, "take_up", key, "ar_high"), (math.nan, ""))
    error = numbers.value(panel, "take_up", key, "std_error")
    shape = status or other

    def text(bound: float) -> str:
        return format_statistic(numbers.style, "conf_low", bound, std_error=error)

    between = ";" if numbers.style.decimal == "," else ","
    if shape == "ar_empty":
        return Cell("\N{EMPTY SET}")
    if shape == "ar_line":
        return Cell(f"(−∞{between} ∞)")
    if shape == "ar_rays":
        # A bound that is not finite is a ray that is not there.
        rays = [f"(−∞{between} {text(low)}]"] if math.isfinite(low) else []
        rays += [f"[{text(high)}{between} ∞)"] if math.isfinite(high) else []
        return Cell(" \N{UNION} ".join(rays))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("." if shape else "")
    return Cell(f"[{text(low)}{between} {text(high)}]")


AR_WORDS: Mapping[str, tuple[str, str]] = {
    "ar_rays": (
        "Der mengden er to stråler, flytter trekningen deltakelsen for lite til å utelukke store effekter; bare effektene mellom "
        "strålene er forkastet.",
        "Where the set is two rays, the draw moves participation too little to exclude large effects; only those between the rays "
        "are rejected.",
    ),
    "ar_line": (
        "Der mengden er (−∞, ∞), utelukker dataene ingen effekt av deltakelse.",
        "Where the set is (−∞, ∞), the data exclude no effect of taking part.",
    ),
    "ar_empty": (
        "Der mengden er tom (\N{EMPTY SET}), passer ingen effekt av deltakelse med begge trekningens effekter: modellen stemmer ikke.",
        "Where the set is empty (\N{EMPTY SET}), no effect of taking part fits both effects of the draw: the model does not hold.",
    ),
}
"""What each unusual form of an Anderson-Rubin set says, by status (nb, en)."""


def _f_word(labels: LabelBook, panel: str) -> str:
    """Return what the first stage's F is called: with one draw a robust one is the effective F, a classical one is not."""
    entry = labels.specification_of(panel)
    return "first_stage_f_iid" if entry is not None and entry.vcov == "iid" else "first_stage_f"


def _set_notes(exhibit: LateExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    lines = [
        say(
            language,
            "Anderson-Rubin-mengden er de effektene som dataene ikke forkaster; den holder hvor svakt trekningen enn flytter deltakelsen.",
            "The Anderson-Rubin set holds the effects that the data do not reject; it is valid however little the draw moves participation.",
        )
    ]
    if _f_word(labels, exhibit.specification) == "first_stage_f":
        lines.append(
            say(
                language,
                "F i første steg er robust, og med én trekning er den den effektive F.",
                "The first-stage F is robust, and with one draw it is the effective F.",
            )
        )
    statuses = {
        numbers.values.get((exhibit.specification, "take_up", key, "ar_low"), (math.nan, ""))[1]
        for key in exhibit.columns
    }
    return lines + [say(language, *AR_WORDS[status]) for status in AR_WORDS if status in statuses]


def _other_take_up(numbers: Numbers, language: str) -> list[str]:
    """Say for how many people the fall-back's programme is not what the effect calls taking part."""
    apart = numbers.value("fall_back", "other_take_up", "draw", "count")
    if not apart > 0:
        return []
    count = NumberStyle.of(language).integer(apart)
    return [
        say(
            language,
            f"For {count} personer er deltakelsen her en annen enn den som effekten gjelder; blandingen er da en tilnærming.",
            f"For {count} people taking part here is not what the effect calls taking part; the mix is then an approximation.",
        )
    ]


def _notes(exhibit: LateExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    key = next(iter(exhibit.columns))
    panel = exhibit.specification
    shares = [numbers.value(panel, "first_stage", key, name) for name in ("mean_treated", "mean_control")]
    style = NumberStyle.of(language)
    treated, control = (style.fixed(100 * share, 1) for share in shares)
    quoted = labels.outcome(exhibit.take_up, language) if exhibit.take_up else ""
    what = say(language, f" er «{quoted}»", f" is '{quoted}'") if quoted else ""
    arms = labels.arm(labels.treated, language), labels.arm(labels.control, language)
    return [
        say(
            language,
            f"Deltakelse{what}: {treated} % av dem som ble trukket til {arms[0]} og {control} % av dem som ble trukket til "
            f"{arms[1]}.",
            f"Take-up{what}: {treated}% of those drawn to {arms[0]} and {control}% of those drawn to {arms[1]}.",
        ),
        say(
            language,
            "Effekten av deltakelse gjelder dem som trekningen flyttet, mot det de ellers hadde fått, og bare dersom trekningen "
            "ikke virker på annen måte enn gjennom deltakelsen.",
            "The effect of taking part is that for the people whom the draw moved, against what they would have had otherwise, and "
            "only if the draw works through taking part alone.",
        ),
    ]
