"""Participation by event time and arm: a panel for each programme, all on one scale."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.take_up.model import TakeUpExhibit
from refino_eval.exhibits.layout.drawing import (
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
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import clustered_note, data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: TakeUpExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw both arms' shares with 95 % intervals; panels share their scale, since they are read against each other."""
    labels = page.labels
    states = [state for state in exhibit.states if (frame["panel"] == state).any()]
    figure, axes = panels(len(states))
    highest = frame.loc[frame["statistic"] == "conf_high", "value"].max()
    for place, (ax, state) in enumerate(zip(axes, states, strict=True)):
        times: set[int] = set()
        ends = []
        for arm, series in arms_of(labels):
            share, low, high = (
                100 * column(frame, state, arm, statistic) for statistic in ("share", "conf_low", "conf_high")
            )
            share = share.dropna()
            if share.empty:
                continue
            draw_band(ax, share, low, high, series, every=max(len(share) // 12, 1))
            times |= set(share.index)
            ends.append((float(share.iloc[-1]), labels.arm(arm), series))
        ax.set_ylim(0, min(102.0, 106 * highest) if highest > 0 else 1.0)
        if times:
            event_axis(ax, sorted(times), labels, exhibit.clock, most=most_ticks(ax))
            name_ends(ax, place, len(states), ends)
        number_axis(ax.yaxis, labels.language)
        unit = labels.say("take_up.axis_per_cent_of_arm")
        head_panel(ax, place, len(states), labels.state(state), unit)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, states, frame, labels))


def notes(exhibit: TakeUpExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what the lines and bands are, and what they are not."""
    return [labels.say("take_up.shares_explained"), *clustered_note(frame, "share", labels)]


def _alt(exhibit: TakeUpExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return a text that says for each programme and arm when participation is highest, and how high."""
    style = NumberStyle.of(labels.language)
    period = labels.word(f"period_{exhibit.clock}")
    sentences = [labels.say("take_up.alt_panels", n=len(states))]
    for state in states:
        parts = []
        for arm, _ in arms_of(labels):
            share = column(frame, state, arm, "share").dropna()
            if share.empty:
                continue
            top = int(share.index[int(share.argmax())])
            highest = {"share": style.percent(float(share[top])), "period": period, "time": style.integer(top)}
            parts.append(labels.say("take_up.alt_highest", arm=labels.arm(arm), **highest))
        sentences.append(f"{labels.state(state)}: {'; '.join(parts)}.")
    return " ".join(sentences)
