"""Balance: the arm regressed on covariates, as the reports print it, and differences between the arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.balance.model import BalanceExhibit
from refino_eval.exhibits.layout.model_rows import strata_row
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle

PANEL = "differences"


WIDEST = 8
"""Covariates that a column each leaves room for."""


def layout(
    name: str,
    exhibit: BalanceExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the regressions (a column for each covariate alone, the last with all) and the differences."""
    numbers = Numbers.of(frame, style)
    lay_out = _staircase if len(exhibit.covariates) <= WIDEST else _listed
    parts = [lay_out(exhibit, numbers, labels, language)]
    if (frame["panel"] == PANEL).any():
        parts.append(_differences(exhibit, numbers, labels, language))
    own = [errors_note([exhibit.vcov], language), *_joint_test(numbers, labels, language)]
    notes = exhibit_notes(exhibit, frame, labels, language, facts, own)
    return Table(exhibit=name, language=language, title=exhibit.title[language], parts=tuple(parts), notes=notes)


def _caption(labels: LabelBook, language: str) -> str:
    arm = labels.arm(labels.treated, language)
    return say(language, f"Sannsynlighet for å bli trukket til {arm}", f"Probability of being drawn to {arm}")


def _staircase(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    """Lay out a column for each covariate alone and a last one for all, the way reports print it."""
    covariates = exhibit.covariates
    header = Row((label(""), *(label(f"({number})", align="right") for number in range(1, len(covariates) + 2))))
    rows = []
    for place, covariate in enumerate(covariates):
        before, after = [Cell("")] * place, [Cell("")] * (len(covariates) - place - 1)
        for beneath in (False, True):
            alone, joint = (_coefficient(numbers, covariate, column, beneath=beneath) for column in ("alone", "joint"))
            head = label(labels.covariate(covariate, language))
            if beneath:
                head = error_label(numbers, labels, language)
            rows.append(Row((head, *before, alone, *after, joint), role="beneath" if beneath else "body"))
    for statistic in ("mean_control", "n", "r_squared"):
        alone_cells = [_fact(numbers, covariate, statistic) for covariate in covariates]
        rows.append(_foot(labels.word(statistic, language), [*alone_cells, _joint_fact(numbers, exhibit, statistic)]))
    rows.append(strata_row(len(covariates) + 1, labels, language))
    return Part(header=(header,), body=tuple(rows), caption=_caption(labels, language))


def _listed(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    """Lay out a row for each covariate, where a column for each would not fit a page."""
    words = ("alone", "std_error", "joint", "std_error", "mean_control", "r_squared", "n")
    header = Row((label(""), *(label(labels.word(word, language), align="right") for word in words)))
    rows = [
        Row(
            (
                label(labels.covariate(covariate, language)),
                *(
                    _coefficient(numbers, covariate, column, beneath=beneath)
                    for column in ("alone", "joint")
                    for beneath in (False, True)
                ),
                *(_fact(numbers, covariate, statistic) for statistic in ("mean_control", "r_squared", "n")),
            )
        )
        for covariate in exhibit.covariates
    ]
    joint = [_joint_fact(numbers, exhibit, statistic) for statistic in ("r_squared", "n")]
    rows.append(_foot(labels.word("joint", language), [*[Cell("")] * 5, *joint]))
    return Part(header=(header,), body=tuple(rows), caption=_caption(labels, language))


def _coefficient(numbers: Numbers, covariate: str, column: str, *, beneath: bool) -> Cell:
    """Return a coefficient, or the standard error that stands beneath or beside it."""
    if beneath:
        return numbers.cell("", covariate, column, "std_error", pattern=numbers.style.beneath)
    return numbers.estimate("", covariate, column)


def _fact(numbers: Numbers, covariate: str, statistic: str) -> Cell:
    write = numbers.style.amount if statistic == "mean_control" else None
    return numbers.cell("", covariate, "alone", statistic, write=write)


def _joint_fact(numbers: Numbers, exhibit: BalanceExhibit, statistic: str) -> Cell:
    """Return N or R-squared of the regression on all covariates, which every covariate's row repeats."""
    if statistic == "mean_control":
        return Cell("")
    return numbers.cell("", exhibit.covariates[-1], "joint", statistic)


def _foot(text: str, cells: list[Cell]) -> Row:
    return Row((label(text), *cells), role="foot")


def _differences(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    arms = (labels.treated, labels.control)
    header = Row(
        (
            label(""),
            *(label(labels.arm(arm, language), align="right") for arm in arms),
            label(labels.word("difference", language), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("p_value", language), align="right"),
            label(labels.word("normalised_difference", language), align="right"),
        )
    )
    body = [
        Row(
            (
                label(labels.covariate(covariate, language)),
                *(numbers.cell(PANEL, covariate, arm, "mean", write=style.amount) for arm in arms),
                numbers.estimate(PANEL, covariate, "difference"),
                numbers.cell(PANEL, covariate, "difference", "std_error", pattern=numbers.style.beneath),
                numbers.cell(PANEL, covariate, "difference", "p_value"),
                numbers.cell(PANEL, covariate, "normalised", "normalised_difference"),
            )
        )
        for covariate in exhibit.covariates
    ]
    caption = say(language, "Forskjeller mellom gruppene", "Differences between the arms")
    if labels.strata:
        caption += say(language, " innen celler", " within cells")
    return Part(header=(header,), body=tuple(body), caption=caption)


def _joint_test(numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    """Say the joint test of all covariates in a sentence."""
    f, df, residual, p = (
        numbers.cell("", "joint_test", "joint", statistic).text
        for statistic in ("f_stat", "df", "df_residual", "p_value")
    )
    if not f:
        return []
    p = p if p.startswith("<") else f"= {p}"
    return [f"{labels.word('joint_test', language)}: F({df}; {residual}) = {f}, p {p.replace('<', '< ')}."]
