"""The effect without each group of people in turn: outcomes as columns, the largest change marked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.leave_one_out.model import LeaveOneOutExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, marked, outcome_header
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import WITHOUT_GROUP, group_label, split_label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

MARK = "\N{BLACK LEFT-POINTING SMALL TRIANGLE}"


def layout(
    name: str,
    exhibit: LeaveOneOutExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out everybody's effect and those without each group, with the people that are left."""
    numbers = Numbers.of(frame, style)
    panel, columns = exhibit.specification, exhibit.columns
    groups = [row for row in dict.fromkeys(frame.loc[frame["panel"] == panel, "row"]) if row != "all"]
    largest = {key: _largest(numbers, groups, key) for key in columns}
    header = outcome_header(columns, labels, language)
    body: list[Row] = []
    for group in ("all", *groups):
        shown = (
            labels.word("all", language)
            if group == "all"
            else say(language, "Uten ", "Without ") + _called(exhibit.without, group, labels, language)
        )
        rows = effect_rows(numbers, panel, group, shown, columns, labels, language)
        if not style.machine:
            # A spreadsheet would take a marked number for a text.
            rows[0] = marked(rows[0], {k: MARK for k, key in enumerate(columns) if largest[key] == group})
        n = numbers.cell(panel, group, next(iter(columns)), "n")
        body += [Row((*rows[0].cells, n)), Row((*rows[1].cells, label("")), role="beneath")]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(Row((*header.cells, label("N", align="right"))),), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, labels, language)),
    )


def _called(without: str, group: str, labels: LabelBook, language: str) -> str:
    if group == WITHOUT_GROUP:
        return say(language, "dem uten opplysning", "those without a value")
    return group_label(without, group, labels, language)


def _largest(numbers: Numbers, groups: list[str], key: str) -> str:
    """Return the group whose absence changes an outcome's effect most."""
    changes = {group: abs(numbers.value("change", group, key, "estimate")) for group in groups}
    known = {group: change for group, change in changes.items() if math.isfinite(change)}
    return max(known, key=lambda group: known[group]) if known else ""


def _notes(exhibit: LeaveOneOutExhibit, labels: LabelBook, language: str) -> list[str]:
    told_by = inside(split_label(exhibit.without, labels, language))
    lines = [
        say(
            language,
            f"Hver linje utelater dem fra én verdi av {told_by}. {MARK} viser hvem som betyr mest for anslaget; noen må bety mest, så "
            "merket er ingen test.",
            f"Each line leaves out those of one value of {told_by}. {MARK} shows who matters most to the estimate; somebody must "
            "matter most, so the mark is no test.",
        )
    ]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels, language), *lines]
        lines.append(errors_note([entry.vcov], language))
    return lines
