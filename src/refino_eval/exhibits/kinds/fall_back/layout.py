"""What the draw moved people into and out of, and where compliers would have been: the effect of taking part is against that."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.config.exhibit_base import Participation
from refino_eval.exhibits.kinds.fall_back.model import FallBackExhibit
from refino_eval.exhibits.layout.heads import Group, grouped_heads
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import EN_DASH, errors_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

NONE = "none"


def layout(exhibit: FallBackExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the first stage of every state with the fall-back mix: ever in it, and periods in it."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    parts = [fall_back_part(exhibit.participation, numbers, "ever", labels)]
    if (frame["panel"] == "periods").any():
        parts.append(_periods_part(exhibit.participation, numbers, labels))
    entry = labels.specification_of(exhibit.specification)
    own = fall_back_notes(exhibit.participation, numbers, "ever", labels)
    if entry is not None:
        own = [
            specification_note(exhibit.specification, entry, labels),
            *own,
            errors_note([entry.vcov], labels.language),
        ]
    return page.table(exhibit, frame, tuple(parts), own)


def fall_back_part(participation: Participation, numbers: Numbers, panel: str, labels: LabelBook) -> Part:
    """Lay out a row for each state: the arms' shares, the draw's effect on it, and its share of the fall-back."""
    style = numbers.style
    header = _heads(
        labels,
        labels.say("fall_back.share_per_cent"),
        labels.say("fall_back.effect_percentage_points"),
        labels.say("fall_back.share_of_compliers"),
    )
    body = [
        Row(
            (
                label(state_name(participation, state, labels)),
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
    return Part(header=header, body=tuple(body), caption=_caption(participation, labels))


def _heads(labels: LabelBook, share: str, effect: str, alternative: str) -> tuple[Row, ...]:
    """Return headings over the arms, the effect of assignment, and the alternative of compliers."""
    inference = (labels.word("estimated"), labels.word("std_error"))
    return grouped_heads(
        Group.of(*(labels.arm(arm) for arm in (labels.treated, labels.control)), over=share),
        Group.of(*inference, over=effect),
        Group.of(*inference, labels.word("conf").format(level="95"), over=alternative),
    )


def _periods_part(participation: Participation, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    period = labels.word(f"period_{participation.clock}")
    periods = labels.word(f"periods_{participation.clock}")
    header = _heads(
        labels,
        labels.say("fall_back.mean_of_periods", periods=periods),
        labels.word("draw"),
        labels.say("fall_back.replaced_per_period", period=period),
    )

    def two(value: float) -> str:
        return style.fixed(value, 2)

    body = [
        Row(
            (
                label(state_name(participation, state, labels)),
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
    caption = labels.say(
        "fall_back.periods_in_each_state",
        periods=periods.capitalize(),
        window=_window(participation, labels),
    )
    return Part(header=header, body=tuple(body), caption=caption)


def states_of(participation: Participation, numbers: Numbers, panel: str) -> list[str]:
    """Return the states that have numbers, in the order they are named, none last."""
    listed = [*(participation.states or participation.columns), NONE]
    return [state for state in listed if (panel, state, "draw", "estimate") in numbers.values]


def state_name(participation: Participation, state: str, labels: LabelBook) -> str:
    """Return what a state of participation is called."""
    if state == NONE:
        return labels.say("fall_back.no_programme")
    if state in participation.columns:
        return labels.outcome(participation.columns[state])
    return labels.state(state)


def fall_back_notes(participation: Participation, numbers: Numbers, panel: str, labels: LabelBook) -> list[str]:
    """Return notes that say where compliers would otherwise have been."""
    style = NumberStyle.of(labels.language)
    states = states_of(participation, numbers, panel)
    if not states:
        return []
    own, rest = states[0], states[1:]
    if rest == [NONE]:
        name = state_name(participation, own, labels)
        return [labels.say("fall_back.only_one_programme", name=name)]
    parts = []
    for state in rest:
        share, error = (numbers.value(panel, state, "fall_back", name) for name in ("estimate", "std_error"))
        if not math.isfinite(share):
            continue
        name = state_name(participation, state, labels)
        shown = f"«{name}»" if labels.language == "nb" else f"'{name}'"
        parts.append(f"{style.percent(share)} ({style.fixed(100 * error, 1)}) {shown}")
    name = state_name(participation, own, labels)
    lines = []
    if parts:
        listed = ", ".join(parts)
        lines.append(labels.say("fall_back.alternatives_of_compliers", name=name, listed=listed))
        lines.append(labels.say("fall_back.shares_sum_to_100"))
    filled = [state for state in rest if _filled(numbers, panel, state)]
    if filled:
        names = ", ".join(state_name(participation, state, labels) for state in filled)
        lines.append(labels.say("fall_back.assignment_raised_others", names=names))
    unknown = numbers.value(panel, "unknown", "draw", "count")
    if unknown > 0:
        lines.append(labels.say("fall_back.participation_unknown", n=style.integer(unknown)))
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


def _window(participation: Participation, labels: LabelBook) -> str:
    if participation.window is None:
        return ""
    first, last = participation.window
    # "months 1-12" in English, "måned 1-12" in Norwegian.
    form = "periods" if labels.language == "en" else "period"
    return f"{labels.word(f'{form}_{participation.clock}')} {first}{EN_DASH}{last}"


def _caption(participation: Participation, labels: LabelBook) -> str:
    if participation.window is None:
        return labels.say("fall_back.participation")
    return labels.say("fall_back.participation_in_window", window=_window(participation, labels))
