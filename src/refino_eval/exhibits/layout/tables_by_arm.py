"""Several treated arms: the tables of each put into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Table
from refino_eval.exhibits.wording.labels import LabelBook


def frames_by_arm(frame: pd.DataFrame, labels: LabelBook) -> Iterator[tuple[pd.DataFrame, LabelBook]]:
    """Return the numbers of each treated arm, with panels as if it were the only one, and labels for them."""
    for arm in labels.treated_arms:
        of_arm = frame["panel"].eq(arm) | frame["panel"].str.startswith(f"{arm}:")
        part = frame.loc[of_arm].assign(panel=frame.loc[of_arm, "panel"].str.removeprefix(arm).str.removeprefix(":"))
        yield part.reset_index(drop=True), replace(labels, treated=arm, several=(arm,))


def table_by_arm(layout: Callable[..., Table], exhibit: Exhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a table for each treated arm and put them into one, the arm's name over each of its grids.

    Parameters
    ----------
    layout
        The layout of the exhibit's kind.
    exhibit
        Its definition.
    frame
        Numbers whose panels are those of `arm_panel`.
    page
        Where the table is laid out.
    """
    tables: list[Table] = []
    for part, labels in frames_by_arm(frame, page.labels):
        table = layout(exhibit, part, replace(page, labels=labels))
        name = labels.arm(labels.treated)
        parts = (replace(each, caption=f"{name}. {each.caption}" if each.caption else name) for each in table.parts)
        tables.append(replace(table, parts=tuple(parts)))
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    return replace(tables[0], parts=tuple(part for table in tables for part in table.parts), notes=tuple(notes))
