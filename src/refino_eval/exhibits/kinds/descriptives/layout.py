"""Means and standard deviations of covariates, for all and by arm."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from refino_eval.exhibits.kinds.descriptives.model import DescriptivesExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: DescriptivesExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a table of means with standard deviations in parentheses, and the number of people below."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    columns = ("all", *labels.treated_arms, labels.control)
    totals = [_people(frame, column) for column in columns]
    rows = [Row((label(labels.covariate(name)), *_moments(numbers, name, columns))) for name in exhibit.covariates]
    people = [cell for total in totals for cell in (Cell(page.style.integer(total), number=total), Cell(""))]
    rows.append(Row((label(labels.word("n")), *people), role="foot"))
    notes = _missing_note(frame, exhibit, labels, totals[0])
    return page.table(exhibit, frame, (Part(_header(columns, labels), tuple(rows)),), notes)


def _header(columns: Sequence[str], labels: LabelBook) -> tuple[Row, Row]:
    arms = (label(labels.arm(column), align="center", span=2) for column in columns)
    words = (label(labels.word(word), align="right") for _ in columns for word in ("mean", "sd"))
    return Row((label(""), *arms)), Row((label(""), *words))


def _moments(numbers: Numbers, covariate: str, columns: Sequence[str]) -> list[Cell]:
    """Return the mean and the standard deviation of a covariate, for each column."""
    style = numbers.style
    return [
        numbers.cell("", covariate, column, statistic, pattern=pattern, write=style.amount)
        for column in columns
        for statistic, pattern in (("mean", "{}"), ("sd", style.beneath))
    ]


def _people(frame: pd.DataFrame, column: str) -> float:
    """Return the people of a column: the row `all`, or else the covariate known of most."""
    counts = frame[(frame["statistic"] == "n") & (frame["column"] == column)]
    total = counts.loc[counts["row"] == "all", "value"]
    return float(total.iloc[0] if len(total) else counts["value"].max())


def _missing_note(frame: pd.DataFrame, exhibit: DescriptivesExhibit, labels: LabelBook, total: float) -> list[str]:
    """Return a note on the covariates with missing values, and for how many people."""
    counts = frame[(frame["statistic"] == "n") & (frame["column"] == "all")].set_index("row")["value"]
    lacking = [
        f"{labels.covariate(name, unit=False)} ({NumberStyle.of(labels.language).integer(total - counts[name])})"
        for name in exhibit.covariates
        if name in counts.index and counts[name] < total
    ]
    if not lacking:
        return []
    return [labels.say("descriptives.people_with_missing_values", listed="; ".join(lacking))]
