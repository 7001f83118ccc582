"""Paths of programmes: a panel for each programme and series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.value_paths.model import ValuePathsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, head_panel, number_axis, panels
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import CONTROL, INK, TREATED
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.exhibits.wording.programmes import model_notes, programme_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {"treated": TREATED, "control": CONTROL, "difference": TREATED}


def layout(exhibit: ValuePathsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the paths; a programme's name is in the heading where there are several."""
    labels = page.labels
    wanted = [(programme, series) for programme in exhibit.programmes for series in exhibit.series]
    figure, axes = panels(len(wanted))
    for place, (ax, (programme, series)) in enumerate(zip(axes, wanted, strict=True)):
        _panel(ax, frame[frame["panel"] == programme], series, labels)
        ax.set_xlim(0, exhibit.months)
        ax.set_xlabel(labels.say("value_paths.month"))
        number_axis(ax.xaxis, labels.language)
        number_axis(ax.yaxis, labels.language)
        name = programme_label(exhibit, programme, labels)
        head_panel(ax, place, len(wanted), name, labels.say(f"value_paths.unit_{series}"))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def notes(exhibit: ValuePathsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what is shown, and in which prices."""
    said = [labels.say("value_paths.explained")] if "value" in exhibit.series else []
    return [*said, model_notes(exhibit, labels)[0]]


def _panel(ax: Axes, frame: pd.DataFrame, series: str, labels: LabelBook) -> None:
    factor = 1.0 if series == "value" else 100.0
    for part, look in LOOKS.items():
        rows = frame[frame["column"] == f"{series}_{part}"]
        if rows.empty:
            continue
        ax.plot(
            rows["row"].astype(int),
            factor * rows["value"],
            color=look.color,
            linestyle=look.linestyle,
            linewidth=1.6,
            label="" if part == "difference" else labels.say(f"value_paths.with_{part}"),
        )
    if series == "value":
        ax.axhline(0, color=INK, linewidth=0.9, zorder=2)
    else:
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False, loc="lower right")


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
