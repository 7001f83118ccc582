"""Net benefit a person drawn, over what one person more with the outcome is worth: a line and its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.net_benefit.model import NetBenefitExhibit
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    column,
    head_panel,
    number_axis,
    panels,
    source_line,
    treated_series,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES = "net_benefit"


THOUSAND, MILLION = 1e3, 1e6


def layout(exhibit: NetBenefitExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel for each outcome; the panels share their axes, so that they can be held against each other."""
    labels = page.labels
    keys = [key for key in exhibit.columns if (frame["panel"] == key).any()]
    figure, axes = panels(len(keys))
    limits = [column(frame, key, SERIES, limit) for key in keys for limit in ("conf_low", "conf_high")]
    farthest = pd.concat(limits).abs().max()
    reach = float(farthest) / THOUSAND if math.isfinite(farthest) else 1.0
    values = frame[frame["row"] == "value"].set_index("column")["value"]
    for place, (ax, key) in enumerate(zip(axes, keys, strict=True)):
        _panel(ax, frame, key, treated_series(labels).color)
        ax.set_ylim(-1.08 * reach, 1.08 * reach)
        ax.set_xlim(0, exhibit.highest / MILLION)
        ax.set_xlabel(labels.word("outcome_value"))
        number_axis(ax.xaxis, labels.language)
        number_axis(ax.yaxis, labels.language)
        _mark(ax, exhibit, values, labels)
        head_panel(ax, place, len(keys), labels.outcome(exhibit.columns[key]), labels.word("net_benefit"))
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, keys, frame, labels))


def notes(exhibit: NetBenefitExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what is weighed, and what the shading is and is not."""
    basis = labels.definitions.costs[exhibit.costs].bases[exhibit.basis].label[labels.language].lower()
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    return [
        labels.say("net_benefit.net_benefit_explained", basis=basis),
        labels.say("net_benefit.shading_explained", level=level),
    ]


def _panel(ax: Axes, frame: pd.DataFrame, key: str, color: str) -> None:
    line, low, high = (column(frame, key, SERIES, name) / THOUSAND for name in ("estimate", "conf_low", "conf_high"))
    worth = line.index.to_numpy() / MILLION
    ax.fill_between(worth, low, high, color=color, alpha=0.15, linewidth=0, zorder=1)
    ax.plot(worth, line, color=color, linewidth=1.6, zorder=3)
    ax.axhline(0, color=INK, linewidth=0.9, zorder=2)


def _mark(ax: Axes, exhibit: NetBenefitExhibit, values: pd.Series, labels: LabelBook) -> None:
    """Mark the values that are spoken of, named at the top, each a line lower than the one before."""
    low, high = ax.get_ylim()
    named = labels.definitions.costs[exhibit.costs].values
    for place, value in enumerate(exhibit.values):
        at = float(values[value]) / MILLION
        ax.axvline(at, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
        y = high - (0.03 + 0.07 * place) * (high - low)
        ax.text(at, y, f"{named[value].label[labels.language]} ", ha="right", va="top", fontsize=7.0, color=QUIET)


def _alt(exhibit: NetBenefitExhibit, keys: list[str], frame: pd.DataFrame, labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    highest = style.fixed(exhibit.highest / MILLION, 1)
    sentences = [labels.say("net_benefit.alt_panels", keys=len(keys), highest=highest)]
    for key in keys:
        line, low, high = (column(frame, key, SERIES, name) for name in ("estimate", "conf_low", "conf_high"))
        first, last = (style.integer(float(line.iloc[place])) for place in (0, -1))
        settled = low.index[(low > 0) | (high < 0)]
        reach = style.fixed(float(settled.max()) / MILLION, 1) if len(settled) else ""
        placeholders = {"outcome": labels.outcome(exhibit.columns[key]), "first": first, "last": last}
        if reach:
            sentences.append(labels.say("net_benefit.alt_excludes_zero_up_to", **placeholders, reach=reach))
        else:
            sentences.append(labels.say("net_benefit.alt_includes_zero", **placeholders))
    return " ".join(sentences)
