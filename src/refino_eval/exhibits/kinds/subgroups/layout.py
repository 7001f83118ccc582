"""Effects in groups of people: outcomes as columns, a block for each way of splitting people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.config.exhibit_base import By
from refino_eval.exhibits.kinds.subgroups.model import SubgroupsExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import group_label, split_key, split_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, inference_note, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

TESTS = ("difference", "equal")


def layout(
    name: str,
    exhibit: SubgroupsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out each split: its groups' effects, their difference, and the tests that they are the same."""
    numbers = Numbers.of(frame, style)
    body: list[Row] = []
    for split in exhibit.groups:
        body += _block(split, exhibit, frame, numbers, labels, language)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(outcome_header(exhibit.columns, labels, language),), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, frame, labels, language)),
    )


def _block(
    split: By, exhibit: SubgroupsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook, language: str
) -> list[Row]:
    panel, columns = split_key(split), exhibit.columns
    part = frame[frame["panel"] == panel]
    head = Row((label(split_label(split, labels, language)), *(label("") for _ in columns)), role="block")
    rows = [head]
    for group in dict.fromkeys(part["row"]):
        if group in TESTS:
            continue
        n = max((int(v) for v in part.loc[part["row"] == group, "n_persons"].dropna()), default=0)
        heading = f"{group_label(split, group, labels, language)} (N = {numbers.style.integer(n)})"
        rows += effect_rows(numbers, panel, group, heading, columns, labels, language)
    if (part["row"] == "difference").any():
        rows += effect_rows(
            numbers, panel, "difference", labels.word("difference", language), columns, labels, language
        )
    for statistic, nb, en in (
        ("p_value", "p, like effekter", "p, equal effects"),
        ("p_value_holm", "p, Holm", "p, Holm"),
        ("q_value", "q", "q"),
    ):
        if (part["statistic"] == statistic).any():
            cells = (numbers.cell(panel, "equal", column, statistic) for column in columns)
            rows.append(Row((label(say(language, nb, en)), *cells)))
    return rows


def _notes(exhibit: SubgroupsExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    tests = int(((frame["row"] == "equal") & (frame["statistic"] == "p_value")).sum())
    lines = [
        say(
            language,
            "Effekten er anslått i hver gruppe for seg, med gruppens egne celler og kontrollvariabler. Differansen er den andre "
            "gruppens effekt minus den førstes.",
            "The effect is estimated in each group by itself, with the group's own cells and controls. The difference is the "
            "second group's effect less the first's.",
        ),
        say(
            language,
            f"Holms p-verdier og q-verdiene tar hensyn til alle de {tests} testene i tabellen. At en effekt er klar i én gruppe og "
            "ikke i en annen, sier ikke at gruppene er ulike: det gjør bare testen av forskjellen.",
            f"Holm's p-values and the q-values allow for all {tests} tests of the table. That an effect is clear in one group and "
            "not in another does not say that the groups differ: only the test of the difference does.",
        ),
    ]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels, language), *lines]
        lines.append(inference_note([entry.vcov], [entry.level], frame, language).split(". ")[0].rstrip(".") + ".")
    return lines
