"""Whether the effect differs by characteristics: a column a moderator, the coefficients of the controls beneath."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import control_name, errors_note, specification_note


def layout(exhibit: InteractionsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the effect, its interaction and the other coefficients, one regression a column."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    panel, columns = exhibit.specification, list(exhibit.moderators)
    own, crossed = labels.treated, f"{labels.treated}_x_characteristic"
    arm = labels.arm(own)
    header = Row((label(""), *(label(labels.covariate(name, unit=False), align="right") for name in columns)))
    others = [row for row in dict.fromkeys(frame["row"]) if row not in (own, crossed, "joint_test")]
    words = {own: arm, crossed: labels.say("interactions.arm_times_characteristic", arm=arm)}
    body: list[Row] = []
    for row in (own, crossed, *others):
        power = ":" in row and control_name(row, labels)
        text = words.get(row) or (power[:1].upper() + power[1:] if power else labels.covariate(row))
        body.append(Row((label(text), *(numbers.estimate(panel, row, column) for column in columns))))
        errors = (numbers.cell(panel, row, column, "std_error", pattern=page.style.beneath) for column in columns)
        body.append(Row((error_label(numbers, labels), *errors), role="beneath"))
    for statistic in ("mean_control", "n"):
        cells = (numbers.cell(panel, own, column, statistic) for column in columns)
        body.append(Row((label(labels.word(statistic)), *cells), role="foot"))
    body += design_rows(labels.specification_of(panel), len(columns), labels)
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), _notes(exhibit, numbers, labels))


def _notes(exhibit: InteractionsExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    f_stat = numbers.cell(exhibit.specification, "joint_test", "all", "f_stat").text
    p_value = numbers.cell(exhibit.specification, "joint_test", "all", "p_value").text
    outcome = labels.outcome(exhibit.outcome)
    lines = [
        labels.say("interactions.regressions_explained", outcome=outcome),
        labels.say("interactions.joint_test_of_interactions", f_stat=f_stat, p_value=p_value),
    ]
    if entry is not None:
        lines = [specification_note(exhibit.specification, entry, labels), *lines]
        lines.append(errors_note([entry.vcov], labels.language))
    return lines
