"""Effects by event time in one panel, and the legend that all panels share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.layout.drawing import MANY, column, treated_series
from refino_eval.exhibits.layout.style import INK
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = "difference"


def effects_reach(frame: pd.DataFrame, panel: str, factor: float) -> float:
    """Return how far from zero the numbers of a panel reach, with some room."""
    columns = ("estimate", "conf_low", "conf_high", "band_low", "band_high")
    numbers = factor * pd.concat([column(frame, panel, SERIES, name) for name in columns]).dropna().abs()
    return 1.08 * float(numbers.max()) if len(numbers) and numbers.max() > 0 else 1.0


def draw_effects(ax: Axes, frame: pd.DataFrame, panel: str, factor: float, color: str) -> None:
    """Draw the estimates of one panel, multiplied by a factor, with intervals and band."""
    estimates = factor * column(frame, panel, SERIES, "estimate")
    low, high, band_low, band_high = (
        factor * column(frame, panel, SERIES, name).reindex(estimates.index)
        for name in ("conf_low", "conf_high", "band_low", "band_high")
    )
    if band_low.notna().any():
        ax.fill_between(estimates.index, band_low, band_high, color=color, alpha=0.13, linewidth=0, zorder=1)
    ax.axhline(0, color=INK, linewidth=0.9, zorder=2)
    if len(estimates) > MANY:
        ax.fill_between(estimates.index, low, high, color=color, alpha=0.30, linewidth=0, zorder=2)
        ax.plot(estimates.index, estimates, color=color, linewidth=1.4, zorder=4)
    else:
        ax.vlines(estimates.index, low, high, color=color, linewidth=1.0, zorder=3)
        for before, fill in ((True, "white"), (False, color)):
            part = estimates[(estimates.index < 0) == before]
            ax.plot(
                part.index, part, linestyle="none", marker="o", markersize=3.6, markerfacecolor=fill,
                markeredgecolor=color, markeredgewidth=0.9, zorder=4,
            )  # fmt: skip


def placebo_text(frame: pd.DataFrame, state: str, labels: LabelBook) -> str:
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
    color = treated_series(labels).color
    if many:
        point = Line2D([], [], color=color, linewidth=1.4)
        reach: Line2D | Patch = Patch(facecolor=color, alpha=0.37)
    else:
        point = Line2D([], [], linestyle="none", marker="o", markersize=4, color=color)
        reach = Line2D([], [], color=color, linewidth=1.0, marker="|", markersize=8, linestyle="none")
    band = Patch(facecolor=color, alpha=0.13)
    effect = labels.word("effect_of").format(arm=labels.arm(labels.treated))
    texts = [effect, *(labels.word(word).format(level=level) for word in ("pointwise", "simultaneous"))]
    figure.legend([point, reach, band], texts, loc="outside upper left", ncols=3, frameon=False, handlelength=1.4)
