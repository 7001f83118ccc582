"""The stock of participants: a line for each programme by calendar month."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.stock.model import StockExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, draw_series, end_labels, number_axis, source_line
from refino_eval.exhibits.layout.month_axis import by_month, month_axis, months_between
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import ARMS, Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: StockExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a line for each series, named at its end."""
    from matplotlib.figure import Figure

    labels = page.labels
    months = months_between(exhibit.first, exhibit.last)
    positions = list(range(len(months)))
    figure = Figure(figsize=(7.6, 3.6))
    ax = figure.subplots()
    ends: list[tuple[float, str, Series]] = []
    arms = dict(arms_of(labels))
    taken = {look.marker for look in arms.values()}
    others = (look for look in ARMS if look.marker not in taken)
    for name, entry in exhibit.series.items():
        # A series that is an arm's programme looks like the arm in other figures.
        look = arms[name] if name in arms else next(others)
        counts = by_month(frame, name, "count", months)
        draw_series(ax, positions, counts.tolist(), look, every=max(1, len(months) // 12))
        known = counts.dropna()
        if len(known):
            ends.append((float(known.iloc[-1]), entry.label[labels.language], look))
    ax.set_ylim(0, None)
    ax.set_title(labels.say("stock.people_at_end_of_month"), pad=7)
    number_axis(ax.yaxis, labels.language)
    month_axis(ax, months)
    ax.set_xlabel(labels.say("stock.calendar_month"))
    end_labels(ax, ends, gap=0.075)
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, months, labels))


def notes(exhibit: StockExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return the note that says who is counted."""
    register = labels.say(f"stock.counted_{exhibit.people}", register=exhibit.register_name)
    return [labels.say("stock.explained"), register]


def _alt(exhibit: StockExhibit, frame: pd.DataFrame, months: list[str], labels: LabelBook) -> str:
    style = NumberStyle.of(labels.language)
    listed = []
    for name, entry in exhibit.series.items():
        counts = by_month(frame, name, "count", months).dropna()
        if len(counts):
            top = str(counts.idxmax())
            listed.append(
                labels.say(
                    "stock.alt_series",
                    series=entry.label[labels.language],
                    last=style.integer(float(counts.iloc[-1])),
                    most=style.integer(float(counts.max())),
                    month=top,
                )
            )
    return labels.say("stock.alt", first=months[0], last=months[-1], listed="; ".join(listed))
