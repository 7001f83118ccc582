"""People drawn to each arm by calendar month, and the share drawn to treatment."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.draws.model import DrawsExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, draw_series, end_labels, number_axis, source_line
from refino_eval.exhibits.layout.month_axis import by_month, month_axis, months_between
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: DrawsExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the monthly counts of both arms, and under them the share drawn to the treated arm."""
    labels = page.labels
    from matplotlib.figure import Figure

    months = months_between(frame["row"].min(), frame["row"].max())
    figure = Figure(figsize=(7.6, 4.6))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    names = [labels.arm(arm) for arm, _ in arms_of(labels)]
    ends = []
    positions = list(range(len(months)))
    for (arm, series), shown in zip(arms_of(labels), names, strict=True):
        counts = by_month(frame, arm, "count", months).fillna(0.0)
        draw_series(top, positions, counts.tolist(), series)
        ends.append((float(counts.iloc[-1]), shown, series))
    top.set_ylim(0, None)
    top.set_title(labels.word("people"), pad=7)
    number_axis(top.yaxis, labels.language)
    several = len(labels.treated_arms) > 1
    for arm, series in arms_of(labels)[:-1]:
        shares = by_month(frame, f"share_{arm}" if several else "share_treated", "share", months)
        color = series.color if several else INK
        bottom.plot(positions, (100 * shares).tolist(), color=color, marker="D", markersize=3.2, linewidth=1.0)
    bottom.axhline(50, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    bottom.set_ylim(0, 100)
    heading = labels.word("drawn_to" if several else "share_treated")
    bottom.set_title(f"{heading.format(arm=names[0])}, {labels.word('per_cent')}", pad=7)
    number_axis(bottom.yaxis, labels.language, most=4)
    month_axis(bottom, months)
    month_axis(top, months)
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(labels.word("calendar_month"))
    end_labels(top, ends, gap=0.075)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(frame, months, labels))


def _alt(frame: pd.DataFrame, months: list[str], labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    totals = {arm: by_month(frame, arm, "count", months).sum() for arm, _ in arms_of(labels)}
    column = "share_treated" if len(labels.treated_arms) == 1 else f"share_{labels.treated}"
    shares = by_month(frame, column, "share", months).dropna()
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
