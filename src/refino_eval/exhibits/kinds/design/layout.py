"""The cells of the draw: a summary, and every cell."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.design.model import DesignExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook, cell_name

STATISTICS = ("n", "n_treated", "share", "weight")


def layout(exhibit: DesignExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the summary of the cells, then a row for every cell."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    summary = frame[frame["row"] == "summary"]
    cells = list(dict.fromkeys(frame.loc[frame["row"] != "summary", "row"]))
    parts = []
    if len(summary):
        rows = [
            Row(
                (
                    label(_word(record["column"], labels)),
                    numbers.cell(
                        record["panel"], "summary", record["column"], record["statistic"],
                        write=(lambda v: page.style.fixed(v, 0 if float(v).is_integer() else (0 if abs(v) >= 100 else 1 if abs(v) >= 10 else 3)))
                        if record["statistic"] == "value"
                        else None,
                    ),
                )
            )
            for record in summary.to_dict("records")
        ]  # fmt: skip
        header = Row((label(""), label(labels.say("design.number_or_share"), align="right")))
        parts.append(Part(header=(header,), body=tuple(rows), caption=labels.word("summary")))
    if cells:
        statistics = [s for s in STATISTICS if (frame["statistic"] == s).any()]
        header = Row((label(labels.word("cell")), *(label(labels.word(s), align="right") for s in statistics)))
        body = tuple(
            Row((label(cell_name(cell)), *(numbers.cell("", cell, "all", s) for s in statistics))) for cell in cells
        )
        caption = labels.say("design.cell_by_cell")
        parts.append(Part(header=(header,), body=body, caption=caption if parts else ""))
    return page.table(exhibit, frame, parts)


def _word(key: str, labels: LabelBook) -> str:
    """Return what a line of the summary is called; the share drawn has a longer name in a figure."""
    return labels.word("share" if key == "share_treated" else key)
