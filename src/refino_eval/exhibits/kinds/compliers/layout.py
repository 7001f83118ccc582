"""Who took part because of the draw: the three types of people, and compliers' outcomes in either arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.compliers.model import CompliersExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

TYPES = ("compliers", "always_takers", "never_takers")


PANEL = "characteristics"


def layout(
    name: str,
    exhibit: CompliersExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the types' shares and means beside everybody's, and beneath them compliers' outcomes."""
    numbers = Numbers.of(frame, style)
    parts = [_types(exhibit, numbers, labels, language)]
    if exhibit.columns:
        parts.append(_outcomes(exhibit, numbers, labels, language))
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=tuple(parts),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, numbers, labels, language)),
    )


def _types(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    heads = [labels.word(kind, language) for kind in TYPES]
    header = Row(
        (
            label(""),
            *(label(head, align="right") for head in heads),
            label(labels.word("all", language), align="right"),
            label(say(language, "Flyttede / alle", "Moved / all"), align="right"),
            label(say(language, "p, lik alle", "p, as all"), align="right"),
        )
    )
    body = [
        Row(
            (
                label(say(language, "Andel, prosent", "Share, per cent")),
                *(per_cent(numbers, PANEL, "types", kind, "share") for kind in TYPES),
                Cell(style.fixed(100.0, 1), number=1.0),
                Cell(""),
                Cell(""),
            )
        ),
        _beneath(
            numbers,
            labels,
            language,
            [per_cent(numbers, PANEL, "types", kind, "std_error", pattern=style.beneath) for kind in TYPES],
            3,
        ),
    ]
    for covariate in exhibit.covariates:
        body.append(
            Row(
                (
                    label(labels.covariate(covariate, language)),
                    *(numbers.cell(PANEL, covariate, kind, "mean", write=style.amount) for kind in (*TYPES, "all")),
                    numbers.cell(PANEL, covariate, "compliers", "ratio", write=lambda value: style.fixed(value, 2)),
                    numbers.cell(PANEL, covariate, "compliers", "p_value"),
                )
            )
        )
        errors = [numbers.cell(PANEL, covariate, kind, "std_error", pattern=style.beneath) for kind in TYPES]
        body.append(_beneath(numbers, labels, language, errors, 3))
    counts = [numbers.value(PANEL, covariate, "all", "n") for covariate in exhibit.covariates]
    shown = (
        style.integer(min(counts))
        if min(counts) == max(counts)
        else f"{style.integer(min(counts))}–{style.integer(max(counts))}"
    )
    body.append(Row((label("N"), *[Cell("")] * 3, Cell(shown), Cell(""), Cell("")), role="foot"))
    caption = say(language, "Hvem de er", "Who they are")
    return Part(header=(header,), body=tuple(body), caption=caption)


def _beneath(numbers: Numbers, labels: LabelBook, language: str, errors: list[Cell], empty: int) -> Row:
    return Row((error_label(numbers, labels, language), *errors, *[Cell("")] * empty), role="beneath")


def _outcomes(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    header = Row(
        (
            label(""),
            label(say(language, "Uten deltakelse", "Without taking part"), align="right"),
            label(say(language, "Med deltakelse", "With taking part"), align="right"),
            label(labels.word("take_up", language), align="right"),
            label(labels.word("p_value", language), align="right"),
            label(
                say(language, "Alle trukket til ", "All drawn to ") + labels.arm(labels.control, language),
                align="right",
            ),
            label("N", align="right"),
        )
    )
    body = []
    for key, outcome in exhibit.columns.items():
        error = numbers.value("outcomes", key, "without", "std_error")
        body.append(
            Row(
                (
                    label(labels.outcome(outcome, language)),
                    *(_mean(numbers, key, column, "mean") for column in ("without", "with")),
                    numbers.estimate("outcomes", key, "effect"),
                    numbers.cell("outcomes", key, "effect", "p_value"),
                    _mean(numbers, key, labels.control, "mean_control"),
                    numbers.cell("outcomes", key, "effect", "n"),
                )
            )
        )
        errors = [
            numbers.cell("outcomes", key, column, "std_error", pattern=style.beneath)
            for column in ("without", "with", "effect")
        ]
        if error == error:
            body.append(_beneath(numbers, labels, language, errors, 3))
    caption = say(language, "Utfall for dem som trekningen flyttet", "Outcomes of those whom the draw moved")
    return Part(header=(header,), body=tuple(body), caption=caption)


def _mean(numbers: Numbers, key: str, column: str, statistic: str) -> Cell:
    """Return a mean of an outcome with three significant digits: a share and a number of hours stand in one column."""
    return numbers.cell(
        "outcomes", key, column, statistic, write=lambda value: numbers.style.significant(value, 3, most=3)
    )


def _notes(exhibit: CompliersExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    style = NumberStyle.of(language)
    quoted = labels.outcome(exhibit.take_up, language) if exhibit.take_up else ""
    what = say(language, f"Deltakelse er «{quoted}». ", f"Taking part is '{quoted}'. ") if quoted else ""
    left_out = numbers.value(PANEL, "types", "all", "n_left_out")
    arm = labels.arm(labels.treated, language)
    lines = [
        say(
            language,
            f"{what}«{labels.word('compliers', language)}»: ville deltatt bare om de ble trukket til {arm} "
            "(compliers). Ingen enkeltperson kan plasseres, men andeler og gjennomsnitt kan beregnes når trekningen ikke "
            "får noen til å la være å delta.",
            f"{what}'{labels.word('compliers', language)}': would take part only if drawn to {arm} (compliers). "
            "Nobody can be told to be one, but shares and means can be estimated as long as the draw makes nobody stay away.",
        ),
        say(
            language,
            "Hver celle i trekningen er regnet for seg, så en trekkandel som varierte, forveksles ikke med hvem som deltok. Et "
            "gjennomsnitt utenfor det mulige betyr at gruppen er for liten til å beskrives.",
            "Each cell of the draw is computed by itself, so that a draw share that varied is not taken for who took part. A mean "
            "beyond what is possible says that the group is too small to describe.",
        ),
    ]
    if left_out > 0:
        count = style.integer(left_out)
        lines.append(
            say(
                language,
                f"{count} personer i celler med bare én gruppe er utenfor kjennetegnene.",
                f"{count} people in cells with one arm only are left out of the characteristics.",
            )
        )
    entry = labels.specification_of(exhibit.specification)
    if exhibit.columns and entry is not None:
        lines.append(
            say(
                language,
                "Utfall: differansen mellom de to gjennomsnittene er effekten av deltakelse (to-trinns minste kvadrater).",
                "Outcomes: the difference of the two means is the effect of taking part (two-stage least squares).",
            )
        )
        lines.append(specification_note(exhibit.specification, entry, labels, language))
        lines.append(errors_note([entry.vcov], language))
    return lines
