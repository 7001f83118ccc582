"""Effects on probabilities by two models side by side: the linear probability model, and the logit or probit.

`count_models` has the same table, of counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from refino_eval.exhibits.keys import COEFFICIENTS, panel_of
from refino_eval.exhibits.kinds.binary_models.model import BinaryModelsExhibit, ResponseModelExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.notes import control_name, errors_note, specification_note


def layout(exhibit: BinaryModelsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out outcomes as rows, models as columns, and who says nothing to the logit or probit."""
    return response_table(exhibit, frame, page, ())


def response_table(exhibit: ResponseModelExhibit, frame: pd.DataFrame, page: Page, more: Sequence[str]) -> Table:
    """Lay out the effects of the linear model and the exhibit's, with more notes."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    models = tuple(filter(None, ("linear", exhibit.model, exhibit.coefficient, exhibit.ratio)))
    heads = [
        labels.word("mean_control"),
        labels.say(f"binary_models.linear_next_to_{exhibit.model}"),
        labels.say(f"binary_models.{exhibit.model}_{exhibit.effect_at}_effect"),
        labels.say(f"binary_models.{exhibit.model}_{exhibit.coefficient}"),
        *([] if exhibit.ratio is None else [labels.say(f"binary_models.{exhibit.ratio}")]),
        labels.word("n"),
        labels.say("binary_models.cells_without_variation"),
    ]
    body: list[Row] = []
    for key, outcome in exhibit.columns.items():
        body.append(
            Row(
                (
                    label(labels.outcome(outcome)),
                    numbers.cell("", key, "linear", "mean_control"),
                    *(numbers.estimate("", key, model) for model in models),
                    numbers.cell("", key, "linear", "n"),
                    numbers.cell("", key, exhibit.model, "n_left_out"),
                )
            )
        )
        errors = (numbers.cell("", key, model, "std_error", pattern=page.style.beneath) for model in models)
        body.append(Row((error_label(numbers, labels), label(""), *errors, label(""), label("")), role="beneath"))
        panel = panel_of(key, COEFFICIENTS)
        for control in dict.fromkeys(frame.loc[frame["panel"] == panel, "row"]):
            # The coefficient of a control is on the scale of the log odds, or of the index, alone.
            texts = (numbers.estimate(panel, control, model) for model in models)
            body.append(Row((label(control_name(control, labels)), label(""), *texts, label(""), label(""))))
            errors = (numbers.cell(panel, control, model, "std_error", pattern=page.style.beneath) for model in models)
            body.append(Row((error_label(numbers, labels), label(""), *errors, label(""), label("")), role="beneath"))
    header = Row((label(""), *(label(text, align="right") for text in heads)))
    entry = labels.specification_of(exhibit.specification)
    notes = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    binary = exhibit.kind == "binary_models"
    notes.append(labels.say(f"binary_models.{'' if binary else 'count_'}{exhibit.effect_at}_effect_explained"))
    notes += more
    if entry is not None:
        notes.append(errors_note([entry.vcov], labels.language))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)
