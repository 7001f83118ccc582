"""Months in the programmes from the registers, and what they cost, next to the months and costs of the inputs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from refino_eval.exhibits.kinds.measured_costs.model import MeasuredCostsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook

ROWS = ("months_stated", "months_measured", "participant_months", "cost_stated", "cost_measured")
MEASURED = ("months_measured", "cost_measured")


def layout(exhibit: MeasuredCostsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out months and costs by arm with their difference; what is measured has its standard error in parentheses beneath."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    columns = (labels.treated, labels.control, "difference")
    heads = (labels.word(column) if column == "difference" else labels.arm(column) for column in columns)
    header = Row((label(""), *(label(head, align="right") for head in heads)))
    body = []
    for row in ROWS:
        write = partial(page.style.fixed, decimals=2 if row.startswith("months") else 0)
        body.append(Row((label(labels.word(row)), *(_number(numbers, row, column, write) for column in columns))))
        if row == "participant_months":
            body += _years(frame, numbers, columns, write, labels)
        if row in MEASURED:
            pattern = page.style.beneath
            errors = (numbers.cell("", row, column, "std_error", pattern=pattern, write=write) for column in columns)
            body.append(Row((label(""), *errors), role="beneath"))
    basis = labels.definitions.costs[exhibit.costs].bases[exhibit.basis].label[labels.language]
    notes = [labels.say("measured_costs.explained", basis=basis.lower())]
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)


def _years(
    frame: pd.DataFrame, numbers: Numbers, columns: tuple[str, ...], write: partial[str], labels: LabelBook
) -> Iterator[Row]:
    """Yield a row for the participant-months of each calendar year."""
    for year in sorted({panel for panel in frame["panel"] if panel}):
        cells = (numbers.cell(year, "participant_months", column, "value", write=write) for column in columns)
        yield Row((label(labels.say("measured_costs.of_year", year=year)), *cells), role="beneath")


def _number(numbers: Numbers, row: str, column: str, write: partial[str]) -> Cell:
    statistic = "value" if row not in MEASURED else "estimate" if column == "difference" else "mean"
    return numbers.cell("", row, column, statistic, write=write)
