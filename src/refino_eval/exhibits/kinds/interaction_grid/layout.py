"""Interactions of assignment with characteristics for several outcomes: characteristics as rows, outcomes as columns."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.interaction_grid.model import InteractionGridExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.notes import errors_note, specification_note


def layout(exhibit: InteractionGridExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out each coefficient with its standard error in parentheses, and its adjusted p beneath."""
    labels, panel = page.labels, exhibit.specification
    numbers = Numbers.of(frame, page.style)
    columns = list(exhibit.columns)
    heads = (label(labels.outcome(exhibit.columns[column]), align="right") for column in columns)
    body: list[Row] = []
    for moderator in exhibit.moderators:
        effects = (numbers.estimate(panel, moderator, column) for column in columns)
        errors = (numbers.cell(panel, moderator, column, "std_error", pattern=page.style.beneath) for column in columns)
        adjusted = (numbers.cell(panel, moderator, column, "p_value_holm") for column in columns)
        body.append(Row((label(labels.covariate(moderator)), *effects)))
        body.append(Row((error_label(numbers, labels), *errors), role="beneath"))
        body.append(Row((label(labels.word("p_value_holm")), *adjusted), role="beneath"))
    count, total, smallest = (
        numbers.cell(panel, *place).text
        for place in (("below_level", "all", "count"), ("below_level", "all", "n"), ("smallest", "all", "p_value_holm"))
    )
    people = frame.loc[(frame["statistic"] == "n") & frame["row"].isin(exhibit.moderators), "value"].dropna()
    sizes = (
        " – ".join(dict.fromkeys(page.style.integer(size) for size in (people.min(), people.max())))
        if len(people)
        else ""
    )
    notes = [
        labels.say("interaction_grid.coefficients_explained", arm=labels.arm(labels.treated)),
        *([labels.say("interaction_grid.people", n=sizes)] if sizes else []),
        labels.say("interaction_grid.below_level", count=count, total=total, smallest=smallest),
    ]
    entry = labels.specification_of(panel)
    if entry is not None:
        notes = [specification_note(panel, entry, labels), *notes, errors_note([entry.vcov], labels.language)]
    return page.table(exhibit, frame, (Part(header=(Row((label(""), *heads)),), body=tuple(body)),), notes)
