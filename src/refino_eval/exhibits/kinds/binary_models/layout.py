"""Effects on probabilities by two models side by side: the linear probability model and the logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.binary_models.model import BinaryModelsExhibit
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

MODELS = ("linear", "logit", "log_odds")


def layout(
    name: str,
    exhibit: BinaryModelsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out outcomes as rows, models as columns, and who says nothing to the logit."""
    numbers = Numbers.of(frame, style)
    heads = (
        labels.word("mean_control", language),
        say(language, "Lineær sannsynlighetsmodell", "Linear probability model"),
        say(language, "Logit, gjennomsnittlig effekt", "Logit, average effect"),
        say(language, "Logit, log-odds", "Logit, log odds"),
        labels.word("n", language),
        say(language, "Uten variasjon i cellen", "No variation in the cell"),
    )
    body: list[Row] = []
    for key, outcome in exhibit.columns.items():
        body.append(
            Row(
                (
                    label(labels.outcome(outcome, language)),
                    numbers.cell("", key, "linear", "mean_control"),
                    *(numbers.estimate("", key, model) for model in MODELS),
                    numbers.cell("", key, "linear", "n"),
                    numbers.cell("", key, "logit", "n_left_out"),
                )
            )
        )
        errors = (numbers.cell("", key, model, "std_error", pattern=style.beneath) for model in MODELS)
        body.append(
            Row((error_label(numbers, labels, language), label(""), *errors, label(""), label("")), role="beneath")
        )
    header = Row((label(""), *(label(text, align="right") for text in heads)))
    entry = labels.specification_of(exhibit.specification)
    own = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    own.append(
        say(
            language,
            "Logit, gjennomsnittlig effekt: endringen i beregnet sannsynlighet når alle trekkes til tiltaket og ikke til kontroll, i snitt "
            "over alle. Celler der alle har samme utfall sier ingenting om trekningen; de er utenfor tilpasningen og har effekt null i snittet.",
            "Logit, average effect: the change of the fitted probability when everybody is drawn to treatment and not to control, "
            "averaged over all. Cells in which all have the same outcome say nothing of the draw; they are outside the fit, and "
            "count as no effect in the average.",
        )
    )
    if entry is not None:
        own.append(errors_note([entry.vcov if entry.vcov == "iid" else "HC1"], language))
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )
