"""Effects in groups of people: outcomes as columns, a block for each way of splitting people."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.exhibit_base import By
from refino_eval.exhibits.keys import split_key
from refino_eval.exhibits.kinds.subgroups.model import SubgroupsExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import group_label, split_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import inference_note, specification_note

TESTS = ("difference", "equal")


def layout(exhibit: SubgroupsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out each split: its groups' effects, their difference, and the tests that they are the same."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    body: list[Row] = []
    for split in exhibit.groups:
        body += _block(split, exhibit, frame, numbers, labels)
    return page.table(
        exhibit,
        frame,
        (Part(header=(outcome_header(exhibit.columns, labels),), body=tuple(body)),),
        _notes(exhibit, frame, numbers, labels),
    )


def _block(split: By, exhibit: SubgroupsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook) -> list[Row]:
    panel, columns = split_key(split), exhibit.columns
    part = frame[frame["panel"] == panel]
    rows = [Row((label(split_label(split, labels)), *(label("") for _ in columns)), role="block")]
    groups = [group for group in dict.fromkeys(part["row"]) if group not in TESTS]
    for group in groups:
        n = max((int(v) for v in part.loc[part["row"] == group, "n_persons"].dropna()), default=0)
        heading = f"{group_label(split, group, groups, labels)} (N = {numbers.style.integer(n)})"
        rows += effect_rows(numbers, panel, group, heading, columns, labels)
        rows += _further_rows(panel, group, exhibit, numbers, labels)
    if (part["row"] == "difference").any():
        rows += effect_rows(numbers, panel, "difference", labels.word("difference"), columns, labels)
    for statistic in ("p_value", "p_value_holm", "q_value"):
        if (part["statistic"] == statistic).any():
            cells = (numbers.cell(panel, "equal", column, statistic) for column in columns)
            rows.append(Row((label(labels.say(f"subgroups.equal_effects_{statistic}")), *cells)))
    return rows


def _further_rows(
    panel: str, group: str, exhibit: SubgroupsExhibit, numbers: Numbers, labels: LabelBook
) -> Iterator[Row]:
    """Yield what is under a group's effects: the means of the arms, and P-values of re-randomisation."""
    texts: dict[str, str] = {}
    if exhibit.arm_means:
        for statistic, arm in (("mean_treated", labels.treated), ("mean_control", labels.control)):
            texts[statistic] = labels.word("of_arm").format(word=labels.word("mean"), arm=labels.arm(arm))
    if exhibit.draws is not None:
        texts |= {statistic: labels.word(statistic) for statistic in ("p_value_ri", "p_value_fwer")}
    for statistic, text in texts.items():
        cells = (numbers.cell(panel, group, column, statistic) for column in exhibit.columns)
        yield Row((label(text), *cells), role="beneath")


def _notes(exhibit: SubgroupsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook) -> list[str]:
    tests = int(((frame["row"] == "equal") & (frame["statistic"] == "p_value")).sum())
    lines = [
        labels.say("subgroups.groups_explained"),
        labels.say("subgroups.multiplicity_explained", tests=tests),
    ]
    if exhibit.draws is not None:
        effects = int((frame["statistic"] == "p_value_fwer").sum())
        draws = numbers.style.integer(exhibit.draws)
        lines.append(labels.say(f"subgroups.step_down_{exhibit.step_down}", n=effects, draws=draws))
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels), *lines]
        lines.append(inference_note([entry.vcov], [entry.level], frame, labels).split(". ")[0].rstrip(".") + ".")
    return lines
