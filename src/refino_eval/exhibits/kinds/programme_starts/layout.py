"""What people of each arm had started since assignment: a stack of areas for each arm, named at its right side."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from refino_eval.exhibits.kinds.programme_starts.model import ProgrammeStartsExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    arms_of,
    draw_source,
    event_axis,
    head_panel,
    moved_apart,
    number_axis,
    series_of,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import clustered_note, data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NONE, TOGETHER = "none", "together"
"""Those who have been in none, and those in programmes not shown one by one, or in none."""
OTHERS = ("#9c9c9c", "#bcbcbc", "#6f6f6f")
"""Colours of programmes that no arm was offered."""
REST = "#ececec"
"""Colour of those who have been in none."""
WIDTH, PANEL, FOOT = 5.2, 2.2, 0.75
"""Inches; narrow, so that it is legible on a telephone."""
NAME_WIDTH = 22
LINE_HEIGHT = 0.076
"""Of a line of a name, as a share of the axis' height."""


@dataclass(frozen=True)
class Layer:
    """One area: its programme, and its share by event time with the interval at the last one, in per cent."""

    state: str
    share: pd.Series
    low: float
    high: float


def layout(exhibit: ProgrammeStartsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel for each arm, one beneath the other, so that names have room beside them."""
    labels = page.labels
    from matplotlib.figure import Figure

    arms = [arm for arm, _ in arms_of(labels)]
    source = data_class_note(page.facts, labels.language)
    figure = Figure(figsize=(WIDTH, PANEL * len(arms) + FOOT))
    axes = figure.subplots(len(arms), 1, squeeze=False, sharex=True).ravel()
    style = NumberStyle.of(labels.language)
    for place, (ax, arm) in enumerate(zip(axes, arms, strict=True)):
        layers = layers_of(exhibit, frame, arm)
        _stack(ax, exhibit, layers, labels)
        ax.set_ylim(0, 100)
        number_axis(ax.yaxis, labels.language, most=5)
        people = style.integer(_people(frame, arm))
        title = labels.say("programme_starts.panel", arm=labels.arm(arm), n=people)
        head_panel(ax, place, len(arms), title, labels.say("programme_starts.axis") if place == 0 else "")
    event_axis(axes[-1], exhibit.shown, labels, exhibit.clock)
    axes[-1].set_xlim(exhibit.shown[0], exhibit.shown[-1])
    draw_source(figure, source)
    title = exhibit.title[labels.language]
    return Drawing(figure=figure, title=title, alt=_alt(exhibit, frame, labels))


def layers_of(exhibit: ProgrammeStartsExhibit, frame: pd.DataFrame, arm: str) -> list[Layer]:
    """Return the areas of an arm from the bottom, at the times of which every share may be shown.

    Programmes whose shares are mostly suppressed are one area together with those in none: what the others leave of 100 per cent.
    """
    mine = frame[(frame["column"] == arm) & frame["row"].str.contains(":")]
    shares = mine[mine["statistic"] == "share"]
    times, _, states = zip(*shares["row"].str.partition(":").to_numpy(), strict=True)
    table = pd.DataFrame(
        {"time": np.array(times, dtype=int), "state": states, "value": 100 * shares["value"].to_numpy()}
    )
    wide = table.pivot(index="time", columns="state", values="value")[[*exhibit.ranked(arm), NONE]]
    hidden = [state for state in wide if wide[state].isna().mean() > 0.5]
    if hidden and len(hidden) < wide.shape[1]:
        wide = wide.drop(columns=list({*hidden, NONE}))
        wide[TOGETHER] = 100 - wide.sum(axis=1, skipna=False)
    wide = wide.dropna()
    limits = mine[mine["statistic"].isin(("conf_low", "conf_high"))].set_index(["row", "statistic"])["value"]
    last = int(wide.index[-1]) if len(wide) else exhibit.last
    return [
        Layer(
            str(state),
            wide[state],
            *(100 * float(limits.get((f"{last}:{state}", name), np.nan)) for name in ("conf_low", "conf_high")),
        )
        for state in wide
    ]


def _stack(ax: Axes, exhibit: ProgrammeStartsExhibit, layers: list[Layer], labels: LabelBook) -> None:
    """Draw the areas, and name each beside its middle at the last time with its share and interval."""
    if layers[0].share.empty:
        ax.text(0.5, 0.5, labels.say("programme_starts.suppressed"), transform=ax.transAxes, ha="center")
        return
    style = NumberStyle.of(labels.language)
    below = pd.Series(0.0, index=layers[0].share.index)
    middles, texts, colors = [], [], []
    for layer in layers:
        color, hatch = _look(exhibit, layer.state, labels)
        above = below + layer.share
        ax.fill_between(
            below.index, below, above, facecolor=color, edgecolor="white", linewidth=0.8, hatch=hatch, zorder=2
        )  # fmt: skip
        share = float(layer.share.iloc[-1])
        decimals = _decimals(share)
        interval = ""
        if np.isfinite(layer.low) and np.isfinite(layer.high):
            low, high = (style.fixed(limit, decimals) for limit in (layer.low, layer.high))
            interval = f" [{low}{';' if style.decimal == ',' else ','} {high}]"
        name = textwrap.wrap(_name(layer.state, labels), NAME_WIDTH, break_long_words=False)
        texts.append("\n".join([*name, style.percent(share / 100, decimals) + interval]))
        middles.append(float((below + above).iloc[-1]) / 200)
        colors.append(
            color if layer.state in exhibit.offered.values() else QUIET if layer.state in (NONE, TOGETHER) else INK
        )
        below = above
    ax.grid(visible=False)
    tall = [LINE_HEIGHT * (1.4 + text.count("\n")) for text in texts]
    for middle, height, text, color in zip(middles, moved_apart(middles, tall), texts, colors, strict=True):
        # Names of thin areas are moved apart: a line shows which area each belongs to.
        ax.plot([1.005, 1.045], [middle, height], transform=ax.transAxes, color=QUIET, linewidth=0.6, clip_on=False)
        ax.text(
            1.06,
            height,
            text,
            transform=ax.transAxes,
            color=color,
            va="center",
            ha="left",
            fontsize=8.0,
            linespacing=1.1,
        )


def _decimals(share: float) -> int:
    """Return how many decimals a percentage has: a few people are not none."""
    return 1 if 0 < share < 1 else 0


def _look(exhibit: ProgrammeStartsExhibit, state: str, labels: LabelBook) -> tuple[str, str | None]:
    """Return the colour of a programme, that of the arm which was offered it, and hatching for the control arm's."""
    if state in (NONE, TOGETHER):
        return REST, None
    owner = next((arm for arm, own in exhibit.offered.items() if own == state), None)
    if owner is None:
        others = [each for each in exhibit.states if each not in exhibit.offered.values()]
        return OTHERS[others.index(state) % len(OTHERS)], None
    series = series_of(labels, owner)
    return series.color, "//" if series.hollow else None


def _name(state: str, labels: LabelBook) -> str:
    if state in (NONE, TOGETHER):
        return labels.say(f"programme_starts.{state}")
    return labels.say("programme_starts.has_been", state=inside(labels.state(state)))


def _people(frame: pd.DataFrame, arm: str) -> float:
    return float(frame[(frame["column"] == arm) & (frame["statistic"] == "n")]["value"].max())


def findings(exhibit: ProgrammeStartsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return a sentence for each arm on what its people had been in by the last time."""
    style = NumberStyle.of(labels.language)
    sentences = []
    for arm, _ in arms_of(labels):
        layers = layers_of(exhibit, frame, arm)
        if layers[0].share.empty:
            continue
        parts = "; ".join(
            f"{inside(_name(layer.state, labels))}: {style.percent(share / 100, _decimals(share))}"
            for layer in layers
            for share in [float(layer.share.iloc[-1])]
        )
        time = style.integer(int(layers[0].share.index[-1]))
        period = labels.word(f"period_{exhibit.clock}")
        sentences.append(
            labels.say("programme_starts.finding", arm=labels.arm(arm), period=period, time=time, parts=parts)
        )
    return sentences


def notes(exhibit: ProgrammeStartsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say how to read the areas, and how many people are left out."""
    lines = [labels.say("programme_starts.explained"), *clustered_note(frame, "share", labels)]
    lost = frame[frame["statistic"] == "n_left_out"]["value"].sum()
    if lost > 0:
        lines.append(labels.say("programme_starts.left_out", n=int(lost)))
    return lines


def _alt(exhibit: ProgrammeStartsExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    head = labels.say("programme_starts.alt", n=len(arms_of(labels)))
    return " ".join([head, *findings(exhibit, frame, labels)])
