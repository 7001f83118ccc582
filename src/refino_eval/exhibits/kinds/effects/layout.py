"""Effects of the draw at every event time, with pointwise intervals and a simultaneous band."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.effects.effects_by_group import effects_notes, grouped_effects_figure
from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.kinds.paths.layout import state_unit
from refino_eval.exhibits.layout.drawing import (
    MANY,
    Drawing,
    column,
    event_axis,
    head_panel,
    number_axis,
    panels,
    source_line,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, TREATED
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = "difference"


def layout(exhibit: EffectsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw an estimate for each event time; those before the draw are hollow, since nothing can have worked yet."""
    labels = page.labels
    if exhibit.by is not None:
        units = {state: state_unit(exhibit, state, labels) for state in exhibit.states}
        return grouped_effects_figure(page.name, exhibit, frame, labels=labels, facts=page.facts, unit=units)
    states = [state for state in exhibit.states if (frame["panel"] == state).any()]
    figure, axes = panels(len(states))
    for place, (ax, state) in enumerate(zip(axes, states, strict=True)):
        reach = draw_effects(ax, frame, state)
        # Zero in the middle: the eye should judge distance from no effect, not the shape of the noise.
        ax.set_ylim(-reach, reach)
        times = [int(time) for time in column(frame, state, SERIES, "estimate").index]
        event_axis(ax, times, labels, exhibit.clock)
        number_axis(ax.yaxis, labels.language)
        unit, aside = state_unit(exhibit, state, labels), _placebo(frame, state, labels)
        head_panel(ax, place, len(states), labels.state(state), unit, aside=aside)
    many = any(len(column(frame, state, SERIES, "estimate")) > MANY for state in states)
    effects_legend(figure, exhibit, labels, many=many)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, states, frame, labels))


def draw_effects(ax: Axes, frame: pd.DataFrame, state: str) -> float:
    """Draw the estimates of one panel with intervals and band, and return how far from zero they reach."""
    estimates = column(frame, state, SERIES, "estimate")
    low, high, band_low, band_high = (
        column(frame, state, SERIES, name).reindex(estimates.index)
        for name in ("conf_low", "conf_high", "band_low", "band_high")
    )
    if band_low.notna().any():
        ax.fill_between(estimates.index, band_low, band_high, color=TREATED.color, alpha=0.13, linewidth=0, zorder=1)
    ax.axhline(0, color=INK, linewidth=0.9, zorder=2)
    if len(estimates) > MANY:
        ax.fill_between(estimates.index, low, high, color=TREATED.color, alpha=0.30, linewidth=0, zorder=2)
        ax.plot(estimates.index, estimates, color=TREATED.color, linewidth=1.4, zorder=4)
    else:
        ax.vlines(estimates.index, low, high, color=TREATED.color, linewidth=1.0, zorder=3)
        for before, fill in ((True, "white"), (False, TREATED.color)):
            part = estimates[(estimates.index < 0) == before]
            ax.plot(
                part.index, part, linestyle="none", marker="o", markersize=3.6, markerfacecolor=fill,
                markeredgecolor=TREATED.color, markeredgewidth=0.9, zorder=4,
            )  # fmt: skip
    limits = pd.concat([low, high, band_low, band_high, estimates]).dropna().abs()
    return 1.12 * float(limits.max()) if len(limits) and limits.max() > 0 else 1.0


def _placebo(frame: pd.DataFrame, state: str, labels: LabelBook) -> str:
    """Return a text on the joint test of the months before the draw."""
    test = frame[(frame["panel"] == state) & (frame["row"] == "placebo")].set_index("statistic")["value"]
    if not {"f_stat", "p_value"} <= set(test.index) or not math.isfinite(test["f_stat"]):
        return ""
    style = NumberStyle.of(labels.language)
    f = format_statistic(style, "f_stat", float(test["f_stat"]))
    p = style.p_value(float(test["p_value"]))
    return labels.word("placebo").format(f=f, p=p).replace("= <", "< ")


def effects_legend(figure: Figure, exhibit: EffectsExhibit, labels: LabelBook, *, many: bool) -> None:
    """Show above the panels what point, line and shading are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    if many:
        point = Line2D([], [], color=TREATED.color, linewidth=1.4)
        reach: Line2D | Patch = Patch(facecolor=TREATED.color, alpha=0.37)
    else:
        point = Line2D([], [], linestyle="none", marker="o", markersize=4, color=TREATED.color)
        reach = Line2D([], [], color=TREATED.color, linewidth=1.0, marker="|", markersize=8, linestyle="none")
    band = Patch(facecolor=TREATED.color, alpha=0.13)
    effect = labels.word("effect_of").format(arm=labels.arm(labels.treated))
    texts = [effect, *(labels.word(word).format(level=level) for word in ("pointwise", "simultaneous"))]
    figure.legend([point, reach, band], texts, loc="outside upper left", ncols=3, frameon=False, handlelength=1.4)


def _alt(exhibit: EffectsExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return a text that says for each panel how large the effects after the draw are, and how often the band leaves zero out."""
    style = NumberStyle.of(labels.language)
    sentences = [labels.say("effects.alt_panels", n=len(states))]
    for state in states:
        estimates = column(frame, state, SERIES, "estimate")
        after = estimates[estimates.index >= 0].dropna()
        if after.empty:
            continue
        low, high = (column(frame, state, SERIES, name).reindex(after.index) for name in ("band_low", "band_high"))
        outside = int(((low > 0) | (high < 0)).sum())
        least, most = (format_statistic(style, "estimate", float(v)) for v in (after.min(), after.max()))
        sentences.append(
            labels.say(
                "effects.alt_range_and_band",
                state=labels.state(state),
                least=least,
                most=most,
                outside=outside,
                after=len(after),
            )
        )
    return " ".join(sentences)


def notes(exhibit: EffectsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return the lines under the figure."""
    entry = labels.specification_of(exhibit.specification)
    return [
        *([] if entry is None else [specification_note(exhibit.specification, entry, labels)]),
        labels.say("effects.lines_and_band_explained"),
        *effects_notes(exhibit, frame, labels.language),
    ]
