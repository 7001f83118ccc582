"""Effects over the quantiles of each outcome, with pointwise intervals; a dashed line is the effect on the mean."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.keys import MEAN
from refino_eval.exhibits.kinds.quantile_curve.model import QuantileCurveExhibit
from refino_eval.exhibits.kinds.quantile_effects.layout import quantile_notes
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


def layout(exhibit: QuantileCurveExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel for each outcome."""
    labels = page.labels
    figure, axes = panels(len(exhibit.columns))
    color = treated_series(labels).color
    for place, (ax, (key, outcome)) in enumerate(zip(axes, exhibit.columns.items(), strict=True)):
        effect, low, high = (column(frame, "", key, name) for name in ("estimate", "conf_low", "conf_high"))
        at = effect.index / 100
        ax.fill_between(
            at, low.reindex(effect.index), high.reindex(effect.index), color=color, alpha=0.2, linewidth=0, zorder=1
        )
        ax.plot(at, effect, color=color, marker="o", markersize=3.2, linewidth=1.3, zorder=4)
        ax.axhline(0, color=INK, linewidth=0.9, zorder=2)
        ax.axhline(_mean(frame, key), color=QUIET, linewidth=1.1, linestyle="--", zorder=3)
        ax.set_xlim(0, 1)
        ax.set_xlabel(labels.say("quantile_curve.quantile"))
        number_axis(ax.xaxis, labels.language)
        number_axis(ax.yaxis, labels.language)
        entry = labels.definitions.outcomes.get(outcome)
        unit = "" if entry is None else entry.unit[labels.language]
        name = labels.outcome(outcome) if entry is None else entry.label[labels.language]
        head_panel(ax, place, len(exhibit.columns), name, unit)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def _mean(frame: pd.DataFrame, key: str) -> float:
    chosen = (frame["row"] == MEAN) & (frame["column"] == key) & (frame["statistic"] == "estimate")
    return float(frame.loc[chosen, "value"].iloc[0])


def notes(exhibit: QuantileCurveExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return the lines under the figure."""
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    return [labels.say("quantile_curve.lines_explained", level=level), *quantile_notes(exhibit, frame, labels)]


def _alt(exhibit: QuantileCurveExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    """Describe, outcome by outcome, the smallest and the largest effect, and the effect on the mean."""
    style, parts = NumberStyle.of(labels.language), []
    for key, outcome in exhibit.columns.items():
        effect = column(frame, "", key, "estimate").dropna()
        if effect.empty:
            continue
        least, most, mean = (
            style.significant(float(value), 3) for value in (effect.min(), effect.max(), _mean(frame, key))
        )
        parts.append(
            labels.say("quantile_curve.alt_outcome", outcome=labels.outcome(outcome), least=least, most=most, mean=mean)
        )
    return labels.say("quantile_curve.alt", parts="; ".join(parts))
