"""People drawn to each arm by calendar month, and the share drawn to treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.draws.model import DrawsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, draw_series, end_labels, number_axis, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def layout(exhibit: DrawsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the monthly counts of both arms, and under them the share drawn to the treated arm."""
    labels = page.labels
    from matplotlib.figure import Figure

    months = [f"{period}" for period in pd.period_range(frame["row"].min(), frame["row"].max(), freq="M")]
    figure = Figure(figsize=(7.6, 4.6))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    names = [labels.arm(arm) for arm, _ in arms_of(labels)]
    ends = []
    positions = list(range(len(months)))
    for (arm, series), shown in zip(arms_of(labels), names, strict=True):
        counts = _by_month(frame, arm, "count", months).fillna(0.0)
        draw_series(top, positions, counts.tolist(), series)
        ends.append((float(counts.iloc[-1]), shown, series))
    top.set_ylim(0, None)
    top.set_title(labels.word("people"), pad=7)
    number_axis(top.yaxis, labels.language)
    several = len(labels.treated_arms) > 1
    for arm, series in arms_of(labels)[:-1]:
        shares = _by_month(frame, f"share_{arm}" if several else "share_treated", "share", months)
        color = series.color if several else INK
        bottom.plot(positions, (100 * shares).tolist(), color=color, marker="D", markersize=3.2, linewidth=1.0)
    bottom.axhline(50, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    bottom.set_ylim(0, 100)
    heading = labels.word("drawn_to" if several else "share_treated")
    bottom.set_title(f"{heading.format(arm=names[0])}, {labels.word('per_cent')}", pad=7)
    number_axis(bottom.yaxis, labels.language, most=4)
    _month_axis(bottom, months)
    _month_axis(top, months)
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(labels.word("calendar_month"))
    end_labels(top, ends, gap=0.075)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(frame, months, labels))


def _by_month(frame: pd.DataFrame, name: str, statistic: str, months: list[str]) -> pd.Series:
    part = frame[(frame["column"] == name) & (frame["statistic"] == statistic)]
    return pd.Series(part["value"].to_numpy(), index=part["row"].to_numpy(), dtype="float64").reindex(months)


def _month_axis(ax: Axes, months: list[str]) -> None:
    """Mark each January with its year and each quarter with a small tick."""
    last = len(months) - 1
    years = [(place, month[:4]) for place, month in enumerate(months) if month.endswith("-01")]
    if len(years) < 2:
        years = [(place, month) for place, month in enumerate(months) if place % max(1, len(months) // 6) == 0]
    ax.set_xticks([place for place, _ in years], [text for _, text in years])
    ax.set_xticks([place for place, month in enumerate(months) if month[5:] in ("04", "07", "10")], minor=True)
    ax.set_xlim(-0.02 * last - 0.5, last * 1.02 + 0.5)
    ax.spines["bottom"].set_bounds(0, last)


def _alt(frame: pd.DataFrame, months: list[str], labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    totals = {arm: _by_month(frame, arm, "count", months).sum() for arm, _ in arms_of(labels)}
    column = "share_treated" if len(labels.treated_arms) == 1 else f"share_{labels.treated}"
    shares = _by_month(frame, column, "share", months).dropna()
    drawn = "; ".join(f"{labels.arm(arm)} {style.integer(total)}" for arm, total in totals.items())
    low, high = (style.percent(share, 0) for share in (shares.min(), shares.max()))
    return labels.say(
        "draws.alt_people_by_month",
        first=months[0],
        last=months[-1],
        drawn=drawn,
        treated=labels.arm(labels.treated),
        low=low,
        high=high,
    )
