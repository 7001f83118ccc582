"""The cells of the draw: a summary, and every cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.design.model import DesignExhibit
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook, cell_name
from refino_eval.exhibits.wording.notes import exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle

STATISTICS = ("n", "n_treated", "share", "weight")


def layout(
    name: str,
    exhibit: DesignExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the summary of the cells, then a row for every cell."""
    numbers = Numbers.of(frame, style)
    summary = frame[frame["row"] == "summary"]
    cells = list(dict.fromkeys(frame.loc[frame["row"] != "summary", "row"]))
    parts = []
    if len(summary):
        rows = [
            Row(
                (
                    label(_word(record["column"], labels, language)),
                    numbers.cell(
                        record["panel"], "summary", record["column"], record["statistic"],
                        write=(lambda v: style.fixed(v, 0 if float(v).is_integer() else (0 if abs(v) >= 100 else 1 if abs(v) >= 10 else 3)))
                        if record["statistic"] == "value"
                        else None,
                    ),
                )
            )
            for record in summary.to_dict("records")
        ]  # fmt: skip
        header = Row((label(""), label(say(language, "Antall eller andel", "Number or share"), align="right")))
        parts.append(Part(header=(header,), body=tuple(rows), caption=labels.word("summary", language)))
    if cells:
        shown = [s for s in STATISTICS if (frame["statistic"] == s).any()]
        header = Row(
            (label(labels.word("cell", language)), *(label(labels.word(s, language), align="right") for s in shown))
        )
        body = tuple(
            Row((label(cell_name(cell)), *(numbers.cell("", cell, "all", s) for s in shown))) for cell in cells
        )
        caption = say(language, "Celle for celle", "Cell by cell")
        parts.append(Part(header=(header,), body=body, caption=caption if parts else ""))
    notes = exhibit_notes(exhibit, frame, labels, language, facts)
    return Table(exhibit=name, language=language, title=exhibit.title[language], parts=tuple(parts), notes=notes)


def _word(key: str, labels: LabelBook, language: str) -> str:
    """Return what a line of the summary is called; the share drawn has a longer name in a figure."""
    return labels.word("share" if key == "share_treated" else key, language)
