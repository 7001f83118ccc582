"""Effects of the draw at every event time, group by group, and whether the groups' effects are the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.keys import panel_of, without_group
from refino_eval.exhibits.kinds.effects.effects_drawing import SERIES, draw_effects, effects_legend, effects_reach
from refino_eval.exhibits.kinds.effects.model import SHARED_CLUSTERS, EffectsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, column, source_line, treated_series
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.small_multiples import draw_groups, listed_groups
from refino_eval.exhibits.layout.state_units import scale_factor, state_effect, state_unit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def grouped_effects_figure(exhibit: EffectsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw each group's effects, zero in the middle of a scale that is the same along a row."""
    assert exhibit.by is not None
    labels, reaches = page.labels, dict[str, float]()
    color = treated_series(labels).color

    def draw(ax: Axes, panel: str, state: str) -> None:
        if _estimates(frame, panel).empty:
            text = labels.say("effects.not_estimated")
            ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=8.0)
        else:
            factor = scale_factor(exhibit, state, labels)
            reaches[panel] = effects_reach(frame, panel, factor)
            draw_effects(ax, frame, panel, factor, color)

    def limits(panels: Sequence[str]) -> tuple[float, float]:
        reach = max((reaches[panel] for panel in panels if panel in reaches), default=1.0)
        return -reach, reach

    figure, drawn = draw_groups(
        exhibit,
        exhibit.by,
        frame,
        labels,
        draw=draw,
        times=lambda panel: (int(t) for t in _estimates(frame, panel).index),
        limits=limits,
        heading=lambda state: (
            state_unit(exhibit, state, labels, share="percentage_points"),
            equality_text(frame, state, labels.language),
        ),
    )
    effects_legend(figure, exhibit, labels, many=False)
    source_line(figure, data_class_note(page.facts, labels.language))
    alt = _alt(exhibit, [strip.state for strip in drawn], listed_groups(exhibit.by, frame, labels), frame, labels)
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
    if (frame["status"] == SHARED_CLUSTERS).any():
        lines.append(say("effects.equality_not_tested", language))
    missing = without_group(frame)
    if missing:
        lines.append(say("effects.people_in_no_group", language, n=NumberStyle.of(language).integer(missing)))
    return lines


def _alt(
    exhibit: EffectsExhibit,
    states: list[str],
    groups: list[tuple[str, str, int]],
    frame: pd.DataFrame,
    labels: LabelBook,
) -> str:
    sentences = [labels.say("effects.alt_by_group", n=len(states) * len(groups))]
    for state in states:
        for key, shown, _ in groups:
            after = _estimates(frame, panel_of(state, key)).dropna()
            after = after[after.index >= 0]
            if after.empty:
                continue
            least, most = (state_effect(exhibit, state, labels, float(v)) for v in (after.min(), after.max()))
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
