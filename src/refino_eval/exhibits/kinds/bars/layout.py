"""Means of outcomes by arm, as bars: a group of bars for each outcome."""

from __future__ import annotations

import math
import textwrap

import pandas as pd

from refino_eval.exhibits.kinds.bars.model import BarsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, number_axis, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK
from refino_eval.exhibits.layout.table import Numbers
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import clustered_note, data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic

WIDTH = 0.8
"""Of the bars of one outcome together; outcomes are 1 apart."""


def layout(exhibit: BarsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a bar for each arm and outcome with its 95 % interval, and its value above it; shares are in per cent."""
    from matplotlib.figure import Figure

    labels = page.labels
    numbers, style = Numbers.of(frame, page.style), page.style
    arms = arms_of(labels)
    share = all(_is_share(outcome, labels) for outcome in exhibit.columns.values())
    scale = 100.0 if share else 1.0
    figure = Figure(figsize=(7.6, 3.6))
    ax = figure.subplots()
    width = WIDTH / len(arms)
    for place, (arm, look) in enumerate(arms):
        for position, key in enumerate(exhibit.columns):
            mean, low, high = (scale * numbers.value("", key, arm, name) for name in ("mean", "conf_low", "conf_high"))
            if not math.isfinite(mean):
                continue
            x = position - WIDTH / 2 + (place + 0.5) * width
            # A hollow look is a hatched bar, so that arms differ without colour.
            ax.bar(
                x, mean, 0.92 * width, color="white" if look.hollow else look.color, edgecolor=look.color,
                hatch="////" if look.hollow else None, linewidth=1.0, zorder=2, label=labels.arm(arm) if position == 0 else None,
            )  # fmt: skip
            top = mean
            if math.isfinite(low) and math.isfinite(high):
                ax.vlines(x, low, high, color=INK, linewidth=1.1, zorder=3)
                top = high
            text = style.fixed(mean, 1) if share else format_statistic(style, "mean", mean)
            ax.annotate(text, (x, top), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=8.5)
    names = ["\n".join(textwrap.wrap(labels.outcome(outcome), 26)) for outcome in exhibit.columns.values()]
    ax.set_xticks(range(len(names)), names)
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.12)
    ax.set_ylim(0, None)
    number_axis(ax.yaxis, labels.language)
    ax.set_title(labels.say("bars.per_cent") if share else labels.say("bars.mean"), pad=7)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, numbers, labels))


def notes(exhibit: BarsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return the lines under the figure."""
    return [labels.say("bars.explained"), *clustered_note(frame, "mean", labels)]


def _is_share(outcome: str, labels: LabelBook) -> bool:
    entry = labels.definitions.outcomes.get(outcome)
    return entry is not None and labels.outcome_is_share(entry)


def _alt(exhibit: BarsExhibit, numbers: Numbers, labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    listed = []
    for key, outcome in exhibit.columns.items():
        means = [
            f"{labels.arm(arm)} {format_statistic(style, 'mean', value)}"
            for arm, _ in arms_of(labels)
            if math.isfinite(value := numbers.value("", key, arm, "mean"))
        ]
        listed.append(f"{labels.outcome(outcome)}: {', '.join(means)}.")
    return " ".join([labels.say("bars.alt", n=len(listed)), *listed])
