"""Balance: the arm regressed on covariates, as the reports print it, and differences between the arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.config.definitions import BalanceExhibit
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.notes import exhibit_notes, inference_note, say
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.exhibits.tables import Cell, Numbers, Part, Row, Table, error_label, label

PANEL = "differences"


def balance_table(
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
    main = Part(
        header=(
            Row(
                (label(""), *(label(f"({number})", align="right") for number in range(1, len(exhibit.covariates) + 2)))
            ),
        ),
        body=tuple(_regressions(exhibit, numbers, labels, language)),
        caption=say(
            language,
            f"Sannsynlighet for å bli trukket til {labels.arm(labels.treated, language)}",
            f"Probability of being drawn to {labels.arm(labels.treated, language)}",
        ),
    )
    parts = [main]
    if (frame["panel"] == PANEL).any():
        parts.append(_differences(exhibit, numbers, labels, language))
    own = [
        inference_note([exhibit.vcov], [0.95], frame.iloc[:0], language).split(". ")[0].rstrip(".") + ".",
        *_joint_test(numbers, labels, language),
    ]
    notes = exhibit_notes(exhibit, frame, labels, language, facts, own)
    return Table(exhibit=name, language=language, title=exhibit.title[language], parts=tuple(parts), notes=notes)


def _regressions(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[Row]:
    width = len(exhibit.covariates)
    rows = []
    for place, covariate in enumerate(exhibit.covariates):
        gap_before, gap_after = [Cell("")] * place, [Cell("")] * (width - place - 1)
        for statistic, pattern in (("estimate", "{}"), ("std_error", numbers.style.beneath)):
            alone = numbers.cell("", covariate, "alone", statistic, pattern=pattern)
            joint = numbers.cell("", covariate, "joint", statistic, pattern=pattern)
            is_error = statistic == "std_error"
            head = error_label(numbers, labels, language) if is_error else label(labels.covariate(covariate, language))
            role = "body" if statistic == "estimate" else "beneath"
            rows.append(Row((head, *gap_before, alone, *gap_after, joint), role=role))  # type: ignore[arg-type]
    style = numbers.style
    last = exhibit.covariates[-1]
    rows.append(
        _foot(
            labels.word("mean_control", language),
            [
                numbers.cell("", c, "alone", "mean_control", write=lambda v: style.fixed(v, 2))
                for c in exhibit.covariates
            ],
            Cell(""),
        )
    )
    for statistic in ("n", "r_squared"):
        joint = numbers.cell("", last, "joint", statistic)
        if not joint.text:
            joint = numbers.cell("", "joint_test", "joint", statistic)
        rows.append(
            _foot(
                labels.word(statistic, language),
                [numbers.cell("", c, "alone", statistic) for c in exhibit.covariates],
                joint,
            )
        )
    cells = labels.cells(language)
    if cells:
        rows.append(_foot(labels.word("strata", language), [Cell(cells)] * width, Cell(cells)))
    return rows


def _foot(text: str, cells: list[Cell], last: Cell) -> Row:
    return Row((label(text), *cells, last), role="foot")


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
                *(numbers.cell(PANEL, covariate, arm, "mean", write=lambda v: style.fixed(v, 2)) for arm in arms),
                numbers.cell(PANEL, covariate, "difference", "estimate"),
                numbers.cell(PANEL, covariate, "difference", "std_error", pattern=numbers.style.beneath),
                numbers.cell(PANEL, covariate, "difference", "p_value"),
                numbers.cell(PANEL, covariate, "normalised", "normalised_difference"),
            )
        )
        for covariate in exhibit.covariates
    ]
    caption = say(language, "Forskjeller mellom gruppene innen celler", "Differences between the arms within cells")
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
