"""Tornado chart: bars from net value at the low end of an input to that at its high end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.tornado.model import TornadoExhibit
from refino_eval.exhibits.layout.drawing import Drawing, head_panel, number_axis
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.wording.cost_benefit_labels import input_label, model_notes, programme_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THOUSAND = 1e3

ENDS = {"at_low_end": "#d5d5d5", "at_high_end": "#707070"}
"""Ends of an input's interval in greys: the colours of arms would say that a bar is of an arm."""


def layout(exhibit: TornadoExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel below the other for each programme, since names of inputs need room."""
    from matplotlib.figure import Figure

    labels, count = page.labels, len(exhibit.programmes)
    bars = {name: _bars(exhibit, frame, name) for name in exhibit.programmes}
    heights = [len(each) + 2.2 for each in bars.values()]
    figure = Figure(figsize=(7.6, 0.27 * sum(heights) + 0.4))
    # One scale: how much is at stake differs more between programmes than between inputs.
    axes = figure.subplots(count, 1, squeeze=False, sharex=True, height_ratios=heights).ravel()
    for place, (ax, name) in enumerate(zip(axes, exhibit.programmes, strict=True)):
        at = frame[(frame["panel"] == name) & (frame["row"] == "as_assumed")]["value"]
        _panel(ax, bars[name], float(at.iloc[0]) / THOUSAND, labels, named=place == 0)
        number_axis(ax.xaxis, labels.language)
        unit = labels.say("tornado.unit")
        head_panel(ax, place, count, programme_label(exhibit, name, labels), unit)
        ax.tick_params(labelbottom=True)
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


def _panel(ax: Axes, bars: pd.DataFrame, assumed: float, labels: LabelBook, *, named: bool) -> None:
    """Draw the bars of a programme; the ends of the first bar of the figure are named."""
    places = range(len(bars))
    for column, color in ENDS.items():
        ax.barh(places, bars[column] - assumed, left=assumed, height=0.62, color=color, edgecolor=INK, linewidth=0.5)
    ax.axvline(assumed, color=INK, linewidth=0.9)
    ax.margins(x=0.12)
    ax.axvline(0, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for column in ENDS if named else ():
        end = float(bars[column].iloc[0])
        right = end > assumed
        ax.annotate(
            labels.say(f"tornado.{column}"), (end, 0), xytext=(4 if right else -4, 0), textcoords="offset points",
            ha="left" if right else "right", va="center", fontsize=8.0,
        )  # fmt: skip
    ax.set_yticks(list(places), [input_label(str(name), labels) for name in bars.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)


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
