"""Effects of the draw at every event time, group by group, and whether the groups' effects are the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.keys import panel_of, without_group
from refino_eval.exhibits.kinds.effects.effects_drawing import SERIES, draw_effects, effects_legend
from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, column, event_axis, number_axis, source_line
from refino_eval.exhibits.layout.small_multiples import grouped_states, head_group, head_strip, listed_groups, strips
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic
from refino_eval.text import say


def grouped_effects_figure(
    name: str,
    exhibit: EffectsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    facts: Mapping[str, Any],
    unit: Mapping[str, str],
) -> Drawing:
    """Draw each group's effects, zero in the middle of a scale that is the same along a row."""
    assert exhibit.by is not None
    states = grouped_states(exhibit.states, frame)
    groups = listed_groups(exhibit.by, frame, labels)
    figure, found = strips(states, len(groups))
    for place, strip in enumerate(found):
        reaches = []
        for k, (ax, (key, shown, people)) in enumerate(zip(strip.axes, groups, strict=True)):
            panel = panel_of(strip.state, key)
            times = [int(t) for other, *_ in groups for t in _estimates(frame, panel_of(strip.state, other)).index]
            if _estimates(frame, panel).empty:
                text = labels.say("effects.not_estimated")
                ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=8.0)
            else:
                reaches.append(draw_effects(ax, frame, panel))
            head_group(ax, shown, people, labels.language)
            if times:
                event_axis(ax, times, labels, exhibit.clock, most=9 if len(groups) <= 2 else 5)
            if k not in strip.bottom or place < len(found) - 1:
                ax.set_xlabel("")
        reach = max(reaches, default=1.0)
        strip.axes[0].set_ylim(-reach, reach)
        number_axis(strip.axes[0].yaxis, labels.language, most=5)
        aside = equality_text(frame, strip.state, labels.language)
        head_strip(strip, place, len(found), labels.state(strip.state), unit[strip.state], aside=aside)
    effects_legend(figure, exhibit, labels, many=False)
    source_line(figure, data_class_note(facts, labels.language))
    alt = _alt(states, groups, frame, labels)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt)


def _estimates(frame: pd.DataFrame, panel: str) -> pd.Series:
    return column(frame, panel, SERIES, "estimate")


def equality_text(frame: pd.DataFrame, state: str, language: str) -> str:
    """Return a text on the tests that the groups' effects are the same."""
    style = NumberStyle.of(language)
    results = []
    for which in ("mean", "last", "path"):
        chosen = frame[
            (frame["panel"] == state) & (frame["row"] == f"equal_{which}") & (frame["statistic"] == "p_value")
        ]
        if len(chosen) and math.isfinite(chosen["value"].iloc[0]):
            p = style.p_value(float(chosen["value"].iloc[0]))
            results.append(f"{say(f'effects.equal_{which}', language)}: p = {p}".replace("= <", "< "))
    return "; ".join(results)


def effects_notes(exhibit: EffectsExhibit, frame: pd.DataFrame, language: str) -> list[str]:
    """Return notes that say what the tests of equal effects are."""
    if exhibit.by is None:
        return []
    lines = [say("effects.groups_explained", language)]
    missing = without_group(frame)
    if missing:
        lines.append(say("effects.people_in_no_group", language, n=NumberStyle.of(language).integer(missing)))
    return lines


def _alt(states: list[str], groups: list[tuple[str, str, int]], frame: pd.DataFrame, labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    sentences = [labels.say("effects.alt_by_group", n=len(states) * len(groups))]
    for state in states:
        for key, shown, _ in groups:
            after = _estimates(frame, panel_of(state, key)).dropna()
            after = after[after.index >= 0]
            if after.empty:
                continue
            least, most = (format_statistic(style, "estimate", float(v)) for v in (after.min(), after.max()))
            sentences.append(
                labels.say(
                    "effects.alt_range_of_group",
                    state=labels.state(state),
                    group=shown,
                    least=least,
                    most=most,
                )
            )
        test = equality_text(frame, state, labels.language)
        if test:
            sentences.append(f"{labels.state(state)}: {test}.")
    return " ".join(sentences)
