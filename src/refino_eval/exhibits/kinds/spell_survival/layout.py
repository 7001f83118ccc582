"""Share still in a programme by time since the start, with the number of people who can still be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.spell_survival.model import SpellSurvivalExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    arms_of,
    column,
    counts_beneath,
    end_labels,
    event_axis,
    head_panel,
    number_axis,
    panels,
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def layout(exhibit: SpellSurvivalExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the curves of up to two programmes in one panel, of more in a panel each."""
    labels = page.labels
    states = [state for state in exhibit.states if not column(frame, "", state, "share").dropna().empty]
    groups = [states] if len(states) <= 2 else [[state] for state in states]
    figure, axes = panels(len(groups))
    for place, (ax, group) in enumerate(zip(axes, groups, strict=True)):
        series = [(state, series) for state, (_, series) in zip(group, arms_of(labels), strict=False)]
        if not group:
            ax.text(0.5, 0.5, labels.say("spell_survival.nobody_started"), ha="center")
            ax.set_axis_off()
            continue
        title = labels.state(group[0]) if len(groups) > 1 else ""
        _panel(ax, exhibit, frame, series, labels)
        unit = labels.say("spell_survival.axis_per_cent_of_starters")
        head_panel(ax, place, len(groups), title, unit)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, states, frame, labels))


def _panel(
    ax: Axes,
    exhibit: SpellSurvivalExhibit,
    frame: pd.DataFrame,
    shown: list[tuple[str, Series]],
    labels: LabelBook,
) -> None:
    ends, last = [], 0
    for state, series in shown:
        share, low, high = (
            100 * column(frame, "", state, statistic) for statistic in ("share", "conf_low", "conf_high")
        )
        share = share.dropna()
        # The share of a month holds until the next: a step, not a slope.
        ax.fill_between(
            share.index, low.reindex(share.index), high.reindex(share.index), step="post",
            color=series.color, alpha=0.16, linewidth=0, zorder=2,
        )  # fmt: skip
        ax.step(share.index, share, where="post", color=series.color, linestyle=series.linestyle, zorder=3)
        ends.append((float(share.iloc[-1]), labels.state(state), series))
        last = max(last, int(share.index[-1]))
    ax.set_ylim(0, 102)
    event_axis(ax, range(last + 1), labels, exhibit.clock)
    ax.set_xlabel(labels.word(f"{exhibit.clock}_since_start"))
    number_axis(ax.yaxis, labels.language)
    end_labels(ax, ends)
    counts = [(labels.state(state), column(frame, "", state, "n"), series.color) for state, series in shown]
    counts_beneath(ax, labels.say("spell_survival.number_at_risk"), counts, labels.language)


def notes(exhibit: SpellSurvivalExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say who is followed, when a stay ends, how censored people count, and the median duration."""
    style = NumberStyle.of(labels.language)
    periods, period = labels.word(f"periods_{exhibit.clock}"), labels.word(f"period_{exhibit.clock}")
    lines = [labels.say("spell_survival.survival_explained", period=period, level=100 * exhibit.level)]
    if exhibit.gap:
        gap = periods if exhibit.gap > 1 else period
        lines.append(labels.say("spell_survival.short_breaks_explained", gap=exhibit.gap, periods=gap))
    for state in exhibit.states:
        part = frame[frame["column"] == state].set_index(["row", "statistic"])["value"]
        count, back = (float(part.get((row, "count"), 0.0)) for row in ("starters", "returned"))
        median = part.get(("median", "value"), float("nan"))
        reached = pd.notna(median)
        name = labels.state(state)
        sentences = [labels.say("spell_survival.started", name=name, n=style.integer(count))]
        if reached:
            sentences.append(
                labels.say("spell_survival.median_duration", median=style.integer(float(median)), periods=periods)
            )
        if back:
            sentences.append(labels.say("spell_survival.returned", n=style.integer(back)))
        lines.append(" ".join(sentences))
    return lines


def _alt(exhibit: SpellSurvivalExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return a text on the share still there after some round times."""
    style = NumberStyle.of(labels.language)
    sentences = [labels.say("spell_survival.alt_step_curves")]
    for state in states:
        share = column(frame, "", state, "share").dropna()
        round_times = [time for time in (3, 6, 12) if time in share.index]
        period = labels.word(f"period_{exhibit.clock}")
        levels = ", ".join(f"{period} {time}: {style.percent(float(share[time]))}" for time in round_times)
        if levels:
            sentences.append(f"{labels.state(state)}: {levels}.")
    return " ".join(sentences)
