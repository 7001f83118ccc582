"""Tornado chart: bars from net value at the low end of an input to that at its high end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.tornado.model import TornadoExhibit
from refino_eval.exhibits.layout.drawing import Drawing, head_panel, number_axis
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import CONTROL, INK, QUIET, TREATED
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.exhibits.wording.programmes import input_label, model_notes, programme_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THOUSAND = 1e3


def layout(exhibit: TornadoExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel below the other for each programme, since names of inputs need room."""
    from matplotlib.figure import Figure

    labels, count = page.labels, len(exhibit.programmes)
    bars = {name: _bars(exhibit, frame, name) for name in exhibit.programmes}
    heights = [len(each) + 2.2 for each in bars.values()]
    figure = Figure(figsize=(7.6, 0.27 * sum(heights) + 0.4))
    axes = figure.subplots(count, 1, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel()
    for place, (ax, name) in enumerate(zip(axes, exhibit.programmes, strict=True)):
        at = frame[(frame["panel"] == name) & (frame["row"] == "as_assumed")]["value"]
        _panel(ax, bars[name], float(at.iloc[0]) / THOUSAND, labels, legend=place == 0)
        number_axis(ax.xaxis, labels.language)
        unit = labels.say("tornado.unit")
        head_panel(ax, place, count, programme_label(exhibit, name, labels), unit if place == 0 else "")
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def notes(exhibit: TornadoExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what a bar is."""
    level = f"{100 * exhibit.level:g}"
    return [labels.say("tornado.explained", level=level), model_notes(exhibit, labels)[0]]


def _bars(exhibit: TornadoExhibit, frame: pd.DataFrame, programme: str) -> pd.DataFrame:
    """Return both ends of the inputs that matter most, as they are ordered in the numbers."""
    rows = frame[(frame["panel"] == programme) & (frame["row"] != "as_assumed")]
    order = list(dict.fromkeys(rows["row"]))[: exhibit.most]
    return rows.pivot(index="row", columns="column", values="value").loc[order] / THOUSAND


def _panel(ax: Axes, bars: pd.DataFrame, assumed: float, labels: LabelBook, *, legend: bool) -> None:
    places = range(len(bars))
    for column, look in (("at_low_end", CONTROL), ("at_high_end", TREATED)):
        ax.barh(
            places,
            bars[column] - assumed,
            left=assumed,
            height=0.62,
            color=look.color,
            alpha=0.85,
            label=labels.say(f"tornado.{column}"),
        )
    ax.axvline(assumed, color=INK, linewidth=0.9)
    low, high = ax.get_xlim()
    if low < 0 < high:
        ax.axvline(0, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    ax.set_yticks(list(places), [input_label(str(name), labels) for name in bars.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    if legend:
        ax.legend(frameon=False, loc="lower right")


def _alt(exhibit: TornadoExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    style, sentences = NumberStyle.of(labels.language), []
    for programme in exhibit.programmes:
        first = _bars(exhibit, frame, programme).iloc[0]
        sentences.append(
            labels.say(
                "tornado.alt",
                programme=programme_label(exhibit, programme, labels),
                input=input_label(str(first.name), labels),
                low=style.integer(float(first.min())),
                high=style.integer(float(first.max())),
            )
        )
    return " ".join(sentences)
