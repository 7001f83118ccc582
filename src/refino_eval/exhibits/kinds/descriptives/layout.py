"""Means and standard deviations of covariates, for all and by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.descriptives.model import DescriptivesExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: DescriptivesExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out a table of means with standard deviations in parentheses, and the number of people below."""
    numbers = Numbers.of(frame, style)
    columns = ("all", *labels.treated_arms, labels.control)
    totals = [_people(frame, column) for column in columns]
    rows = [
        Row((label(labels.covariate(name, language)), *_moments(numbers, name, columns))) for name in exhibit.covariates
    ]
    people = [cell for total in totals for cell in (Cell(style.integer(total), number=total), Cell(""))]
    rows.append(Row((label(labels.word("n", language)), *people), role="foot"))
    own = _missing_note(frame, exhibit, labels, language, totals[0])
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(_header(columns, labels, language), tuple(rows)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )


def _header(columns: Sequence[str], labels: LabelBook, language: str) -> tuple[Row, Row]:
    arms = (label(labels.arm(column, language), align="center", span=2) for column in columns)
    words = (label(labels.word(word, language), align="right") for _ in columns for word in ("mean", "sd"))
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


def _missing_note(
    frame: pd.DataFrame, exhibit: DescriptivesExhibit, labels: LabelBook, language: str, total: float
) -> list[str]:
    """Say of which covariates something is missing, and of how many people."""
    counts = frame[(frame["statistic"] == "n") & (frame["column"] == "all")].set_index("row")["value"]
    lacking = [
        f"{labels.covariate(name, language, unit=False)} ({NumberStyle.of(language).integer(total - counts[name])})"
        for name in exhibit.covariates
        if name in counts.index and counts[name] < total
    ]
    if not lacking:
        return []
    return [
        say(language, "Opplysningen mangler for (antall personer): ", "Missing for (number of people): ")
        + "; ".join(lacking)
        + "."
    ]
