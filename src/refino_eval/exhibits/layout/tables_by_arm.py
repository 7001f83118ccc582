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
        yield frame_of(frame, arm), replace(labels, treated=arm, several=(arm,))


def frame_of(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the numbers of one arm or comparison, whose name is before those of the panels, without it."""
    inside = frame["panel"].eq(name) | frame["panel"].str.startswith(f"{name}:")
    part = frame.loc[inside].assign(panel=frame.loc[inside, "panel"].str.removeprefix(name).str.removeprefix(":"))
    return part.reset_index(drop=True)


def table_by_comparison(layout: Callable[..., Table], exhibit: Exhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a table for each comparison and put them into one, the comparison's label over each of its grids.

    A note that not all of them have begins with the label of its comparison.
    """
    named: list[tuple[str, Table]] = []
    for name in exhibit.comparisons:
        entry = page.labels.definitions.comparisons.get(name)
        own = replace(page, labels=page.labels.compared(name))
        table = layout(exhibit, frame_of(frame, name), own)
        named.append((name if entry is None else entry.label[page.labels.language], table))
    shared = set.intersection(*(set(table.notes) for _, table in named))
    return _together(
        [
            (name, replace(table, notes=tuple(n if n in shared else f"{name}: {n}" for n in table.notes)))
            for name, table in named
        ]
    )


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
    return _together(
        [
            (labels.arm(labels.treated), layout(exhibit, part, replace(page, labels=labels)))
            for part, labels in frames_by_arm(frame, page.labels)
        ]
    )


def _together(named: list[tuple[str, Table]]) -> Table:
    """Put tables into one, a name over each of their grids, and each note once."""
    tables: list[Table] = []
    for name, table in named:
        parts = (replace(each, caption=f"{name}. {each.caption}" if each.caption else name) for each in table.parts)
        tables.append(replace(table, parts=tuple(parts)))
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    return replace(tables[0], parts=tuple(part for table in tables for part in table.parts), notes=tuple(notes))
