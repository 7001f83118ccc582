"""What the draw moved people into and out of, and where compliers would have been: the effect of taking part is against that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.config.exhibit_base import Participation
from refino_eval.exhibits.kinds.fall_back.model import FallBackExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import EN_DASH, errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

NONE = "none"


def layout(
    name: str,
    exhibit: FallBackExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the first stage of every state with the fall-back mix: ever in it, and periods in it."""
    numbers = Numbers.of(frame, style)
    parts = [fall_back_part(exhibit.participation, numbers, "ever", labels, language)]
    if (frame["panel"] == "periods").any():
        parts.append(_periods_part(exhibit.participation, numbers, labels, language))
    entry = labels.specification_of(exhibit.specification)
    own = fall_back_notes(exhibit.participation, numbers, "ever", labels, language)
    if entry is not None:
        own = [
            specification_note(exhibit.specification, entry, labels, language),
            *own,
            errors_note([entry.vcov], language),
        ]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=tuple(parts),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )


def fall_back_part(
    participation: Participation, numbers: Numbers, panel: str, labels: LabelBook, language: str
) -> Part:
    """Lay out a row for each state: the arms' shares, the draw's effect on it, and its share of the fall-back."""
    style = numbers.style
    header = Row(
        (
            label(""),
            *(label(f"{labels.arm(arm, language)}, %", align="right") for arm in (labels.treated, labels.control)),
            label(say(language, "Effekt av trekningen, prosentpoeng", "Effect of the draw, points"), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(say(language, "Ellers her, % av flyttede", "Otherwise here, % of those moved"), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("conf", language).format(level="95"), align="right"),
        )
    )
    body = [
        Row(
            (
                label(state_name(participation, state, labels, language)),
                per_cent(numbers, panel, state, "draw", "mean_treated"),
                per_cent(numbers, panel, state, "draw", "mean_control"),
                per_cent(numbers, panel, state, "draw", "estimate"),
                per_cent(numbers, panel, state, "draw", "std_error", pattern=style.beneath),
                per_cent(numbers, panel, state, "fall_back", "estimate"),
                per_cent(numbers, panel, state, "fall_back", "std_error", pattern=style.beneath),
                _interval(numbers, panel, state, 100.0, 1),
            )
        )
        for state in states_of(participation, numbers, panel)
    ]
    return Part(header=(header,), body=tuple(body), caption=_caption(participation, language))


def _periods_part(participation: Participation, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    period = {"month": say(language, "måned", "month"), "week": say(language, "uke", "week")}[participation.clock]
    periods = {"month": say(language, "måneder", "months"), "week": say(language, "uker", "weeks")}[participation.clock]
    header = Row(
        (
            label(""),
            *(label(labels.arm(arm, language), align="right") for arm in (labels.treated, labels.control)),
            label(labels.word("draw", language), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(
                say(language, f"Avløst per {period} i tiltaket", f"Replaced by each {period} in the programme"),
                align="right",
            ),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("conf", language).format(level="95"), align="right"),
        )
    )

    def two(value: float) -> str:
        return style.fixed(value, 2)

    body = [
        Row(
            (
                label(state_name(participation, state, labels, language)),
                numbers.cell("periods", state, "draw", "mean_treated", write=two),
                numbers.cell("periods", state, "draw", "mean_control", write=two),
                numbers.cell("periods", state, "draw", "estimate", write=two),
                numbers.cell("periods", state, "draw", "std_error", write=two, pattern=style.beneath),
                numbers.cell("periods", state, "fall_back", "estimate", write=two),
                numbers.cell("periods", state, "fall_back", "std_error", write=two, pattern=style.beneath),
                _interval(numbers, "periods", state, 1.0, 2),
            )
        )
        for state in states_of(participation, numbers, "periods")
    ]
    caption = say(
        language,
        f"{periods.capitalize()} i hver tilstand, {_window(participation, language)}",
        f"{periods.capitalize()} in each state, {_window(participation, language)}",
    )
    return Part(header=(header,), body=tuple(body), caption=caption)


def states_of(participation: Participation, numbers: Numbers, panel: str) -> list[str]:
    """Return the states that have numbers, in the order they are named, none last."""
    listed = [*(participation.states or participation.columns), NONE]
    return [state for state in listed if (panel, state, "draw", "estimate") in numbers.values]


def state_name(participation: Participation, state: str, labels: LabelBook, language: str) -> str:
    """Return what a state of participation is called."""
    if state == NONE:
        return say(language, "Ingen av dem", "None of these")
    if state in participation.columns:
        return labels.outcome(participation.columns[state], language)
    return labels.state(state, language)


def fall_back_notes(
    participation: Participation, numbers: Numbers, panel: str, labels: LabelBook, language: str
) -> list[str]:
    """Say where those whom the draw moved would otherwise have been, and how to read it."""
    style = NumberStyle.of(language)
    states = states_of(participation, numbers, panel)
    if not states:
        return []
    own, rest = states[0], states[1:]
    if rest == [NONE]:
        name = state_name(participation, own, labels, language)
        return [
            say(
                language,
                f"«{name}» er det eneste som er kartlagt: effekten av deltakelse er mot å ikke delta i det, hva enn de da fikk i stedet.",
                f"'{name}' is all that is mapped: the effect of taking part is against not being in it, whatever they had instead.",
            )
        ]
    parts = []
    for state in rest:
        share, error = (numbers.value(panel, state, "fall_back", name) for name in ("estimate", "std_error"))
        if not math.isfinite(share):
            continue
        name = state_name(participation, state, labels, language)
        shown = f"«{name}»" if language == "nb" else f"'{name}'"
        parts.append(f"{style.percent(share)} ({style.fixed(100 * error, 1)}) {shown}")
    name = state_name(participation, own, labels, language)
    lines = []
    if parts:
        listed = ", ".join(parts)
        lines.append(
            say(
                language,
                f"Av dem som trekningen flyttet til «{name}», ville disse andelene (standardfeil) ellers vært i: {listed}. Effekten av "
                "deltakelse er effekten mot denne blandingen, ikke mot å stå uten tilbud.",
                f"Of those whom the draw moved to '{name}', these shares (standard errors) would otherwise have been in: {listed}. "
                "The effect of taking part is the effect against this mix, not against having nothing.",
            )
        )
        lines.append(
            say(
                language,
                "Andelene summerer seg til 100. En andel under 0 eller over 100 betyr at trekningen også fylte noe annet enn tiltaket, "
                "eller er tilfeldig: se intervallet.",
                "The shares add up to 100. One below 0 or above 100 means that the draw also filled something other than the "
                "programme, or is chance: see the interval.",
            )
        )
    filled = [state for state in rest if _filled(numbers, panel, state)]
    if filled:
        names = ", ".join(state_name(participation, state, labels, language) for state in filled)
        lines.append(
            say(
                language,
                f"Trekningen flyttet også folk inn i: {names} (p < 0,05). Forholdet mellom trekningens to effekter er da ikke effekten av "
                "tiltaket alene.",
                f"The draw also moved people into: {names} (p < 0.05). The ratio of the draw's two effects is then not the effect of "
                "the programme alone.",
            )
        )
    unknown = numbers.value(panel, "unknown", "draw", "count")
    if unknown > 0:
        count = style.integer(unknown)
        lines.append(
            say(
                language,
                f"{count} personer er utenfor fordi deltakelsen ikke er kjent i hele perioden.",
                f"{count} people are left out because their participation is not known for the whole period.",
            )
        )
    return lines


def _filled(numbers: Numbers, panel: str, state: str) -> bool:
    return numbers.value(panel, state, "draw", "estimate") > 0 and numbers.value(panel, state, "draw", "p_value") < 0.05


def _interval(numbers: Numbers, panel: str, state: str, scale: float, decimals: int) -> Cell:
    low, high = (numbers.value(panel, state, "fall_back", name) for name in ("conf_low", "conf_high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("")
    between = ";" if numbers.style.decimal == "," else ","
    texts = [numbers.style.fixed(scale * limit, decimals) for limit in (low, high)]
    return Cell(f"[{texts[0]}{between} {texts[1]}]")


def _window(participation: Participation, language: str) -> str:
    if participation.window is None:
        return ""
    first, last = participation.window
    period = {"month": say(language, "måned", "months"), "week": say(language, "uke", "weeks")}[participation.clock]
    return f"{period} {first}{EN_DASH}{last}"


def _caption(participation: Participation, language: str) -> str:
    if participation.window is None:
        return say(
            language,
            "Deltakelse (den som var i flere, regnes til det som er nevnt først)",
            "Taking part (whoever was in several counts in the one named first)",
        )
    return say(
        language,
        f"Deltatt noen gang, {_window(participation, language)} (den som var i flere, regnes til det som er nevnt først)",
        f"Ever taken part, {_window(participation, language)} (whoever was in several counts in the one named first)",
    )
