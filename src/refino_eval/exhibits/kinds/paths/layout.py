"""Arm means by event time, a panel for each state."""

from __future__ import annotations

import pandas as pd

from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.kinds.paths.model import PathsExhibit
from refino_eval.exhibits.kinds.paths.paths_by_group import grouped_paths_figure, paths_notes
from refino_eval.exhibits.layout.drawing import (
    MANY,
    Drawing,
    arms_of,
    column,
    draw_band,
    end_labels,
    event_axis,
    head_panel,
    number_axis,
    panels,
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import clustered_note, data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic


def layout(exhibit: PathsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw both arms' means with 95 % bands, named at the line ends, and a line at the draw."""
    labels = page.labels
    if exhibit.by is not None:
        units = {state: state_unit(exhibit, state, labels) for state in exhibit.states}
        return grouped_paths_figure(exhibit, frame, page, units)
    states = [state for state in exhibit.states if (frame["panel"] == state).any()]
    figure, axes = panels(len(states))
    names = [labels.arm(arm) for arm, _ in arms_of(labels)]
    for place, (ax, state) in enumerate(zip(axes, states, strict=True)):
        means = {arm: column(frame, state, arm, "mean") for arm, _ in arms_of(labels)}
        times = sorted({int(time) for values in means.values() for time in values.index})
        ends = []
        for offset, ((arm, series), shown) in enumerate(zip(arms_of(labels), names, strict=True)):
            values = means[arm]
            low, high = (column(frame, state, arm, limit) for limit in ("conf_low", "conf_high"))
            draw_band(ax, values, low, high, series, every=_every(len(values), offset))
            if values.notna().any():
                ends.append((float(values.dropna().iloc[-1]), shown, series))
        ax.margins(y=0.06)
        ax.set_ylim(0, None)
        event_axis(ax, times, labels, exhibit.clock)
        number_axis(ax.yaxis, labels.language)
        head_panel(ax, place, len(states), labels.state(state), state_unit(exhibit, state, labels))
        end_labels(ax, times[-1], ends)
    source_line(figure, data_class_note(page.facts, labels.language))
    title = exhibit.title[labels.language]
    return Drawing(figure=figure, title=title, alt=_alt(exhibit, states, frame, labels))


def _every(points: int, offset: int) -> int | tuple[int, int]:
    """Return where markers stand; those of the second arm halfway between those of the first."""
    if points <= 20:
        return 1
    step = 6 if points <= MANY else points // 8
    return (offset * step // 2, step)


def state_unit(exhibit: StatesExhibit, state: str, labels: LabelBook) -> str:
    """Return a text on the unit; a sum over time of a share is a number of periods."""
    unit = labels.state_unit(state)
    if exhibit.cumulate_from is None:
        return unit
    period = labels.word(f"period_{exhibit.clock}")
    if labels.state_is_share(state):
        unit = labels.word(f"periods_{exhibit.clock}")
    summed = labels.word("cumulative").format(origin=period, first=exhibit.cumulate_from)
    return f"{unit}, {summed}" if unit else summed


def _alt(exhibit: PathsExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return a text that says what the figure shows: each panel's first and last level by arm, and at the draw."""
    style = NumberStyle.of(labels.language)
    period = labels.word(f"period_{exhibit.clock}")
    sentences = [labels.say("paths.alt_panels", n=len(states))]
    for state in states:
        parts = []
        for arm, _ in arms_of(labels):
            values = column(frame, state, arm, "mean").dropna()
            if values.empty:
                continue
            times = sorted({int(values.index[0]), *([0] if 0 in values.index else []), int(values.index[-1])})
            levels = ", ".join(
                f"{period} {style.integer(time)}: {format_statistic(style, 'mean', float(values[time]))}"
                for time in times
            )
            parts.append(f"{labels.arm(arm)} {levels}")
        sentences.append(f"{labels.state(state)}: {'; '.join(parts)}.")
    return " ".join(sentences)


def notes(exhibit: PathsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return the lines under the figure."""
    return [
        labels.say("paths.means_explained"),
        labels.say("paths.time_zero"),
        *paths_notes(exhibit, frame, labels.language),
        *clustered_note(frame, "mean", labels),
    ]
