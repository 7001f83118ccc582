"""Arm means by event time, group by group: a row of panels a state, a panel a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.keys import panel_of, without_group
from refino_eval.exhibits.kinds.paths.model import PathsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, column, draw_series, end_labels, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.small_multiples import draw_groups, listed_groups
from refino_eval.exhibits.layout.state_units import scale_factor, state_level, state_unit
from refino_eval.exhibits.layout.style import Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.text import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 0.9
"""Share of the people observed at the draw; a path of fewer is of another group of people, and drawn fainter."""


FADED = 0.5
"""How strongly the part of a path is drawn for which many people can no longer be followed."""


def grouped_paths_figure(exhibit: PathsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw both arms' means in each group; the scale is the same along a row, so that levels can be compared."""
    assert exhibit.by is not None
    labels = page.labels
    groups = listed_groups(exhibit.by, frame, labels)
    factors = {state: scale_factor(exhibit, state, labels) for state in exhibit.states}
    figure, drawn = draw_groups(
        exhibit,
        exhibit.by,
        frame,
        labels,
        draw=lambda ax, panel, state: _draw_group(ax, frame, panel, factors[state], labels),
        times=lambda panel: (int(t) for arm, _ in arms_of(labels) for t in column(frame, panel, arm, "mean").index),
        limits=lambda _: (0.0, None),
        heading=lambda state: (state_unit(exhibit, state, labels), ""),
    )
    for strip in drawn:
        for k in strip.last:
            panel = panel_of(strip.state, groups[k][0])
            _name_arms(strip.axes[k], frame, panel, factors[strip.state], labels)
    source_line(figure, data_class_note(page.facts, labels.language))
    alt = _alt(exhibit, [strip.state for strip in drawn], groups, frame, labels)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt)


def paths_notes(exhibit: PathsExhibit, frame: pd.DataFrame, language: str) -> list[str]:
    """Return notes that say how to read the fading, and who is in no group."""
    if exhibit.by is None:
        return []
    lines = [say("paths.fainter_lines_explained", language)]
    missing = without_group(frame)
    if missing:
        lines.append(say("paths.people_in_no_group", language, n=NumberStyle.of(language).integer(missing)))
    return lines


def _draw_group(ax: Axes, frame: pd.DataFrame, panel: str, factor: float, labels: LabelBook) -> None:
    for offset, (arm, series) in enumerate(arms_of(labels)):
        means = factor * column(frame, panel, arm, "mean").dropna()
        if means.empty:
            continue
        low, high = (
            factor * column(frame, panel, arm, name).reindex(means.index) for name in ("conf_low", "conf_high")
        )
        n = column(frame, panel, arm, "n").reindex(means.index)
        whole = _followed(n)
        for part, strength in ((means.index <= whole, 1.0), (means.index >= whole, FADED)):
            times = means.index[part]
            if len(times) < 2 and strength < 1.0:
                continue
            ax.fill_between(
                times, low[times], high[times], color=series.color, alpha=0.16 * strength, linewidth=0, zorder=2
            )
            if strength == 1.0:
                draw_series(ax, times.tolist(), means[times].tolist(), series, every=_every(len(times), offset))
            else:
                ax.plot(times, means[times], color=series.color, linestyle=series.linestyle, alpha=strength, zorder=3)


def _followed(n: pd.Series) -> int:
    """Return the last time up to which most of those can be followed who could be at the draw."""
    after = n[n.index >= 0]
    if after.empty:
        return int(n.index[-1])
    fewer = after[after < MOST * after.iloc[0]]
    return int(fewer.index[0]) - 1 if len(fewer) else int(n.index[-1])


def _every(points: int, offset: int) -> int | tuple[int, int]:
    return 1 if points <= 13 else (offset * 6, 12)


def _name_arms(ax: Axes, frame: pd.DataFrame, panel: str, factor: float, labels: LabelBook) -> None:
    ends: list[tuple[float, str, Series]] = []
    for arm, series in arms_of(labels):
        means = column(frame, panel, arm, "mean").dropna()
        if not means.empty:
            ends.append((factor * float(means.iloc[-1]), labels.arm(arm), series))
    end_labels(ax, ends, gap=0.13)


def _alt(
    exhibit: PathsExhibit, states: list[str], groups: list[tuple[str, str, int]], frame: pd.DataFrame, labels: LabelBook
) -> str:
    """Return a text that says what the figure shows: the level in each group and arm at the draw and a year later (or at the end)."""
    sentences = [labels.say("paths.alt_by_group", n=len(states) * len(groups))]
    for state in states:
        for key, shown, _ in groups:
            parts = []
            for arm, _ in arms_of(labels):
                means = column(frame, panel_of(state, key), arm, "mean").dropna()
                if means.empty:
                    continue
                times = [t for t in (0, 12) if t in means.index] or [int(means.index[-1])]
                levels = ", ".join(f"{t}: {state_level(exhibit, state, labels, float(means[t]))}" for t in times)
                parts.append(f"{labels.arm(arm)} {levels}")
            sentences.append(f"{labels.state(state)}, {shown}: {'; '.join(parts)}.")
    return " ".join(sentences)
