"""Several treated arms: the tables of each put into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from refino_eval.exhibits.layout.table import Table
from refino_eval.exhibits.wording.labels import LabelBook


def frames_by_arm(frame: pd.DataFrame, labels: LabelBook) -> Iterator[tuple[pd.DataFrame, LabelBook]]:
    """Return the numbers of each treated arm, with panels as if it were the only one, and labels for them."""
    for arm in labels.treated_arms:
        own = frame["panel"].eq(arm) | frame["panel"].str.startswith(f"{arm}:")
        part = frame.loc[own].assign(panel=frame.loc[own, "panel"].str.removeprefix(arm).str.removeprefix(":"))
        yield part.reset_index(drop=True), replace(labels, treated=arm, several=(arm,))


def table_by_arm(make: Callable[..., Table], frame: pd.DataFrame, labels: LabelBook, language: str) -> Table:
    """Lay out a table for each treated arm and put them into one, the arm's name over each of its grids.

    Parameters
    ----------
    make
        Lays out the table of one arm from its numbers and labels.
    frame
        Numbers whose panels are those of `arm_panel`.
    labels, language
        What to call things, and in which language.
    """
    tables: list[Table] = []
    for part, own_labels in frames_by_arm(frame, labels):
        table = make(part, labels=own_labels)
        name = labels.arm(own_labels.treated, language)
        parts = (replace(each, caption=f"{name}. {each.caption}" if each.caption else name) for each in table.parts)
        tables.append(replace(table, parts=tuple(parts)))
    told = dict.fromkeys(note for table in tables for note in table.notes)
    return replace(tables[0], parts=tuple(part for table in tables for part in table.parts), notes=tuple(told))
