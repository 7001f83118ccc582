"""The distribution of the propensity score: one arm above the axis, the other below."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.overlap.layout import score_note
from refino_eval.exhibits.kinds.propensity_scores.model import PropensityScoresExhibit
from refino_eval.exhibits.layout.drawing import Drawing, head_panel, number_axis, panels, series_of, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: PropensityScoresExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the treated arm's shares upwards and the control arm's downwards, over one axis of the score."""
    labels = page.labels
    style = NumberStyle.of(labels.language)
    figure, (ax,) = panels(1)
    width = 1 / exhibit.bins
    for arm, sign in ((labels.treated, 1), (labels.control, -1)):
        series = series_of(labels, arm)
        shares = _shares(frame, arm)
        left = shares.index.to_numpy(dtype=float)
        ax.bar(
            left, sign * 100 * shares.to_numpy(), width, align="edge", color=series.color, edgecolor="white", linewidth=0.6,
            alpha=0.9 if sign > 0 else 0.7, hatch=None if sign > 0 else "///", zorder=2,
        )  # fmt: skip
        ax.annotate(
            f"{labels.arm(arm)} (N = {style.integer(_n(frame, arm))})", (0.995, 0.95 if sign > 0 else 0.05),
            xycoords="axes fraction", ha="right", va="top" if sign > 0 else "bottom", color=series.color, fontsize=8.5,
        )  # fmt: skip
    ax.axhline(0, color=INK, linewidth=0.9, zorder=3)
    reach = 1.15 * max(abs(limit) for limit in ax.get_ylim())
    ax.set_ylim(-reach, reach)
    ax.set_xlim(0, _highest(frame, labels, width))
    number_axis(ax.xaxis, labels.language)
    number_axis(ax.yaxis, labels.language)
    ax.yaxis.set_major_formatter(lambda value, _: style.of_text(f"{abs(value):g}"))
    ax.set_xlabel(labels.say("propensity_scores.score"))
    head_panel(ax, 0, 1, "", labels.say("propensity_scores.per_cent_of_arm"))
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(frame, labels))


def _highest(frame: pd.DataFrame, labels: LabelBook, width: float) -> float:
    """Return the end of the last bar that anybody is in."""
    filled = [shares.index[shares > 0] for shares in (_shares(frame, arm) for arm in (labels.treated, labels.control))]
    last = max((float(scores.to_numpy(dtype=float).max()) for scores in filled if len(scores)), default=1.0)
    return min(last + width, 1.0)


def _shares(frame: pd.DataFrame, arm: str) -> pd.Series:
    part = frame[(frame["column"] == arm) & (frame["statistic"] == "share")]
    return part.set_index("row")["value"]


def _n(frame: pd.DataFrame, arm: str) -> float:
    return float(frame.loc[(frame["column"] == arm) & (frame["statistic"] == "n"), "value"].sum())


def _alt(frame: pd.DataFrame, labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    parts = []
    for arm in (labels.treated, labels.control):
        shares = _shares(frame, arm).dropna()
        filled = shares[shares > 0]
        if filled.empty:
            continue
        width = float(shares.index[1]) - float(shares.index[0])
        low, high = float(filled.index[0]), float(filled.index[-1]) + width
        parts.append(
            labels.say(
                "propensity_scores.alt_arm", arm=labels.arm(arm), low=style.fixed(low, 2), high=style.fixed(high, 2)
            )
        )
    return labels.say("propensity_scores.alt", parts="; ".join(parts))


def notes(exhibit: PropensityScoresExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return how the score was fitted, and how many people have none."""
    left_out = float(frame.loc[frame["statistic"] == "n_left_out", "value"].sum())
    lines = [score_note(exhibit.specification, labels)]
    if left_out:
        count = NumberStyle.of(labels.language).integer(left_out)
        lines.append(labels.say("propensity_scores.left_out", n=count))
    return lines
