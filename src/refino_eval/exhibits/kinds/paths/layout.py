"""Arm means by event time, a panel for each state."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.paths.model import PathsExhibit
from refino_eval.exhibits.kinds.paths.paths_by_group import grouped_paths_figure, paths_notes
from refino_eval.exhibits.layout.drawing import (
    MANY,
    Drawing,
    arms_of,
    column,
    draw_band,
    event_axis,
    head_panel,
    most_ticks,
    name_ends,
    number_axis,
    panels,
    scale_text,
    shared_limits,
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.state_units import scale_factor, state_level, state_unit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import clustered_note, data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: PathsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw both arms' means with 95 % bands, named at the line ends, and a line at the draw."""
    labels = page.labels
    if exhibit.by is not None:
        return grouped_paths_figure(exhibit, frame, page)
    states = [state for state in exhibit.states if (frame["panel"] == state).any()]
    figure, axes = panels(len(states))
    units = {state: state_unit(exhibit, state, labels) for state in states}
    limits = shared_limits({state: (0.0, _highest(exhibit, frame, state, labels)) for state in states}, units)
    for place, (ax, state) in enumerate(zip(axes, states, strict=True)):
        factor = scale_factor(exhibit, state, labels)
        times: set[int] = set()
        ends = []
        for offset, (arm, series) in enumerate(arms_of(labels)):
            values, low, high = (factor * column(frame, state, arm, name) for name in ("mean", "conf_low", "conf_high"))
            times |= set(values.index)
            draw_band(ax, values, low, high, series, every=_every(len(values), offset))
            if values.notna().any():
                ends.append((float(values.dropna().iloc[-1]), labels.arm(arm), series))
        ax.set_ylim(*limits[state])
        event_axis(ax, sorted(times), labels, exhibit.clock, most=most_ticks(ax))
        number_axis(ax.yaxis, labels.language)
        head_panel(ax, place, len(states), labels.state(state), scale_text(state, limits, units, labels))
        name_ends(ax, place, len(states), ends)
    source_line(figure, data_class_note(page.facts, labels.language))
    title = exhibit.title[labels.language]
    return Drawing(figure=figure, title=title, alt=_alt(exhibit, states, frame, labels))


def _highest(exhibit: PathsExhibit, frame: pd.DataFrame, state: str, labels: LabelBook) -> float:
    """Return how high a panel reaches with its intervals."""
    numbers = frame[(frame["panel"] == state) & frame["statistic"].isin(("mean", "conf_high"))]["value"]
    highest = scale_factor(exhibit, state, labels) * float(numbers.max())
    return 1.06 * highest if highest > 0 else 1.0


def _every(points: int, offset: int) -> int | tuple[int, int]:
    """Return where markers stand; those of the second arm halfway between those of the first."""
    if points <= 20:
        return 1
    step = 6 if points <= MANY else points // 8
    return (offset * step // 2, step)


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
                f"{period} {style.integer(time)}: {state_level(exhibit, state, labels, float(values[time]))}"
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
