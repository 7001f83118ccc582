"""The effect without each group of people in turn: outcomes as columns, the largest change marked."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.leave_one_out.model import LeaveOneOutExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, marked, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import group_label, split_label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, specification_note

MARK = "\N{BLACK LEFT-POINTING SMALL TRIANGLE}"


def layout(exhibit: LeaveOneOutExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out everybody's effect and those without each group, with the people that are left."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    panel, columns = exhibit.specification, exhibit.columns
    groups = [row for row in dict.fromkeys(frame.loc[frame["panel"] == panel, "row"]) if row != "all"]
    largest = {key: _largest(numbers, groups, key) for key in columns}
    header = outcome_header(columns, labels)
    body: list[Row] = []
    for group in ("all", *groups):
        texts = (
            labels.word("all")
            if group == "all"
            else labels.say("leave_one_out.without_group", group=_called(exhibit.without, group, groups, labels))
        )
        rows = effect_rows(numbers, panel, group, texts, columns, labels)
        if not page.style.machine:
            # A spreadsheet would take a marked number for a text.
            rows[0] = marked(rows[0], {k: MARK for k, key in enumerate(columns) if largest[key] == group})
        n = numbers.cell(panel, group, next(iter(columns)), "n")
        body += [Row((*rows[0].cells, n)), Row((*rows[1].cells, label("")), role="beneath")]
    return page.table(
        exhibit,
        frame,
        (Part(header=(Row((*header.cells, label("N", align="right"))),), body=tuple(body)),),
        _notes(exhibit, labels),
    )


def _called(without: str, group: str, groups: list[str], labels: LabelBook) -> str:
    if group == WITHOUT_GROUP:
        return labels.say("leave_one_out.those_without_value")
    return group_label(without, group, [each for each in groups if each != WITHOUT_GROUP], labels)


def _largest(numbers: Numbers, groups: list[str], key: str) -> str:
    """Return the group whose absence changes an outcome's effect most."""
    changes = {group: abs(numbers.value("change", group, key, "estimate")) for group in groups}
    finite = {group: change for group, change in changes.items() if math.isfinite(change)}
    return max(finite, key=lambda group: finite[group]) if finite else ""


def _notes(exhibit: LeaveOneOutExhibit, labels: LabelBook) -> list[str]:
    split = inside(split_label(exhibit.without, labels))
    lines = [labels.say("leave_one_out.lines_explained", split=split, mark=MARK)]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels), *lines]
        lines.append(errors_note([entry.vcov], labels.language))
    return lines
