"""Paths of programmes: a panel for each programme and series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.value_paths.model import ValuePathsExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    draw_series,
    end_labels,
    head_panel,
    number_axis,
    panels,
    scale_text,
    series_of,
    shared_limits,
    treated_series,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, Series
from refino_eval.exhibits.wording.cost_benefit_labels import model_notes, programme_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def layout(exhibit: ValuePathsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the paths; a programme's name is in the heading where there are several. Panels of one series share a scale."""
    labels = page.labels
    wanted = [(programme, series) for programme in exhibit.programmes for series in exhibit.series]
    keys = [f"{programme}|{series}" for programme, series in wanted]
    figure, axes = panels(len(wanted), abreast=2)
    lines = {key: _lines(frame, programme, series) for key, (programme, series) in zip(keys, wanted, strict=True)}
    units = {key: labels.say(f"value_paths.unit_{series}") for key, (_, series) in zip(keys, wanted, strict=True)}
    limits = shared_limits({key: _limits(lines[key]) for key in keys}, units)
    for place, (ax, key, (programme, series)) in enumerate(zip(axes, keys, wanted, strict=True)):
        ends = _panel(ax, lines[key], series, labels)
        ax.set_xlim(0, exhibit.months)
        ax.set_ylim(*limits[key])
        _years(ax, exhibit.months, labels.language)
        ax.set_xlabel(labels.say("value_paths.month"))
        number_axis(ax.yaxis, labels.language)
        unit = scale_text(key, limits, units, labels)
        head_panel(ax, place, len(wanted), programme_label(exhibit, programme, labels), unit)
        # Names are in the last panel of a line that has both series.
        later = wanted[place + 1 : place + 2 - place % 2]
        if len(ends) > 1 and all(other == "value" for _, other in later):
            end_labels(ax, ends)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def _lines(frame: pd.DataFrame, programme: str, series: str) -> dict[str, pd.Series]:
    """Return the paths of a panel by month: with and without the programme, or the difference; shares in per cent."""
    factor, lines = 1.0 if series == "value" else 100.0, {}
    for part in ("treated", "control", "difference"):
        rows = frame[(frame["panel"] == programme) & (frame["column"] == f"{series}_{part}")]
        if len(rows):
            lines[part] = pd.Series(factor * rows["value"].to_numpy(), index=rows["row"].astype(int))
    return lines


def _limits(lines: Mapping[str, pd.Series]) -> tuple[float, float]:
    low = min((float(line.min()) for line in lines.values()), default=0.0)
    high = max((float(line.max()) for line in lines.values()), default=1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.05 * (high - low or 1.0)
    return (low - room if low < 0 else 0.0), high + room


def _years(ax: Axes, months: int, language: str) -> None:
    """Set ticks of months at whole quarters or years."""
    step = next((step for step in (1, 3, 6, 12, 24, 60) if months / step <= 5), 120)
    ticks = list(range(0, months + 1, step))
    ax.set_xticks(ticks, [NumberStyle.of(language).integer(tick) for tick in ticks])


def notes(exhibit: ValuePathsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what is shown, and in which prices."""
    said = [labels.say("value_paths.explained")] if "value" in exhibit.series else []
    return [*said, model_notes(exhibit, labels)[0]]


def _panel(ax: Axes, lines: Mapping[str, pd.Series], series: str, labels: LabelBook) -> list[tuple[float, str, Series]]:
    """Draw the paths of a panel, and return where they end, with their names and looks."""
    looks = {"treated": treated_series(labels), "control": series_of(labels, labels.control)}
    ends = []
    for part, line in lines.items():
        look = looks.get(part, looks["treated"])
        if part == "difference":
            ax.plot(line.index, line, color=look.color)
            continue
        step = max(len(line) // 5, 1)
        first = step if part == "treated" else step // 2
        draw_series(ax, line.index.tolist(), line.tolist(), look, every=(first, step))
        ends.append((float(line.iloc[-1]), labels.say(f"value_paths.with_{part}"), look))
    if series == "value":
        ax.axhline(0, color=INK, linewidth=0.9, zorder=2)
    return ends


def _alt(exhibit: ValuePathsExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    style, sentences = NumberStyle.of(labels.language), []
    for programme in exhibit.programmes:
        rows = frame[(frame["panel"] == programme) & (frame["column"] == "value_difference")]
        if len(rows):
            low, high = rows["value"].min(), rows["value"].max()
            sentences.append(
                labels.say(
                    "value_paths.alt",
                    programme=programme_label(exhibit, programme, labels),
                    low=style.integer(float(low)),
                    high=style.integer(float(high)),
                    months=exhibit.months,
                )
            )
    return " ".join(sentences) or labels.say("value_paths.alt_chances", months=exhibit.months)
