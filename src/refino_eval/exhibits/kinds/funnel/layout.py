"""Counts by stage as rows and area as columns, with shares of an earlier stage and their intervals beneath."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.funnel.model import FunnelExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label


def layout(exhibit: FunnelExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out counts, and beneath those that are part of an earlier stage their share of it."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    areas = {name: area.label[labels.language] for name, area in exhibit.areas.items()}
    if exhibit.sum:
        areas["all"] = labels.say("funnel.sum")
    header = Row((label(""), *(label(text, align="right") for text in areas.values())))
    body = []
    for name, stage in exhibit.stages.items():
        counts = (numbers.cell("", name, area, "count") for area in areas)
        body.append(Row((label(stage.label[labels.language]), *counts)))
        if stage.of is not None:
            whole = exhibit.stages[stage.of].label[labels.language]
            said = "share_of" if stage.interval else "share_of_plain"
            text = labels.say(f"funnel.{said}", stage=whole, level=f"{100 * exhibit.level:g}")
            body.append(Row((label(text), *(_share(name, area, numbers) for area in areas)), role="beneath"))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), [labels.say("funnel.explained")])


def _share(stage: str, area: str, numbers: Numbers) -> Cell:
    style = numbers.style
    low, high = (100 * numbers.value("", stage, area, limit) for limit in ("conf_low", "conf_high"))
    interval = f" [{style.fixed(low, 0)}; {style.fixed(high, 0)}]" if math.isfinite(low) and not style.machine else ""
    return numbers.cell(
        "", stage, area, "share", write=lambda value: style.fixed(100 * value, decimals=1), pattern="{}" + interval
    )
