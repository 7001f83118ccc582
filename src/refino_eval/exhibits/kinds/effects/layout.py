"""Effects of the draw at every event time, with pointwise intervals and a simultaneous band."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.effects.effects_by_group import effects_notes, grouped_effects_figure
from refino_eval.exhibits.kinds.effects.effects_drawing import (
    SERIES,
    draw_effects,
    effects_legend,
    effects_reach,
    placebo_text,
)
from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.layout.drawing import (
    MANY,
    Drawing,
    column,
    event_axis,
    head_panel,
    most_ticks,
    number_axis,
    panels,
    scale_text,
    shared_limits,
    source_line,
    treated_series,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.state_units import scale_factor, state_effect, state_unit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: EffectsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw an estimate for each event time; those before the draw are hollow, since nothing can have worked yet."""
    labels = page.labels
    if exhibit.by is not None:
        return grouped_effects_figure(exhibit, frame, page)
    states = [state for state in exhibit.states if (frame["panel"] == state).any()]
    figure, axes = panels(len(states), abreast=2)
    factors = {state: scale_factor(exhibit, state, labels) for state in states}
    units = {state: state_unit(exhibit, state, labels, share="percentage_points") for state in states}
    reaches = {state: effects_reach(frame, state, factors[state]) for state in states}
    # Zero in the middle: the eye should judge distance from no effect, not the shape of the noise.
    limits = shared_limits({state: (-reach, reach) for state, reach in reaches.items()}, units)
    for place, (ax, state) in enumerate(zip(axes, states, strict=True)):
        draw_effects(ax, frame, state, factors[state], treated_series(labels).color)
        ax.set_ylim(*limits[state])
        times = [int(time) for time in column(frame, state, SERIES, "estimate").index]
        event_axis(ax, times, labels, exhibit.clock, most=most_ticks(ax))
        number_axis(ax.yaxis, labels.language)
        unit, aside = scale_text(state, limits, units, labels), placebo_text(frame, state, labels)
        head_panel(ax, place, len(states), labels.state(state), unit, aside=aside)
    many = any(len(column(frame, state, SERIES, "estimate")) > MANY for state in states)
    effects_legend(figure, exhibit, labels, many=many)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, states, frame, labels))


def _alt(exhibit: EffectsExhibit, states: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    """Describe, panel by panel, the last effect with its interval, the effects since assignment, and what the band excludes."""
    style = NumberStyle.of(labels.language)
    sentences = [labels.say("effects.alt_panels", n=len(states))]
    for state in states:
        estimates = column(frame, state, SERIES, "estimate")
        after = estimates[estimates.index >= 0].dropna()
        if after.empty:
            continue
        low, high = (column(frame, state, SERIES, name).reindex(after.index) for name in ("band_low", "band_high"))
        outside = int(((low > 0) | (high < 0)).sum())
        ends = (column(frame, state, SERIES, name).reindex(after.index).iloc[-1] for name in ("conf_low", "conf_high"))
        least, most, last, lower, upper = (
            state_effect(exhibit, state, labels, float(value))
            for value in (after.min(), after.max(), after.iloc[-1], *ends)
        )
        sentences.append(
            labels.say(
                "effects.alt_range_and_band",
                state=labels.state(state),
                unit=state_unit(exhibit, state, labels, share="percentage_points"),
                period=labels.word(f"period_{exhibit.clock}"),
                time=style.integer(int(after.index[-1])),
                last=last,
                lower=lower,
                upper=upper,
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
