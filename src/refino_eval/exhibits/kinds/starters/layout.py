"""Which characteristics go with starting the programme that one was drawn to, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.starters.model import StartersExhibit
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: StartersExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out each arm's slopes and their difference, with the joint tests beneath."""
    numbers = Numbers.of(frame, style)
    arms = (labels.treated, labels.control)
    columns = (*arms, "difference")
    header = Row(
        (
            label(""),
            *(label(labels.arm(arm, language), align="right") for arm in arms),
            label(labels.word("difference", language), align="right"),
            label(say(language, "p, differanse", "p, difference"), align="right"),
        )
    )
    body: list[Row] = []
    for covariate in exhibit.covariates:
        slopes = (numbers.estimate("", covariate, column) for column in columns)
        p_value = numbers.cell("", covariate, "difference", "p_value")
        body.append(Row((label(labels.covariate(covariate, language)), *slopes, p_value)))
        errors = (numbers.cell("", covariate, column, "std_error", pattern=style.beneath) for column in columns)
        body.append(Row((error_label(numbers, labels, language), *errors, label("")), role="beneath"))
    for statistic, word in (("f_stat", "joint_test"), ("p_value", "p_value")):
        cells = (numbers.cell("", "joint_test", column, statistic) for column in columns)
        body.append(Row((label(labels.word(word, language)), *cells, label("")), role="foot"))
    shares = (per_cent(numbers, "", "started", arm, "share") for arm in arms)
    head = say(language, "Begynte, prosent", "Started, per cent")
    body.append(Row((label(head), *shares, label(""), label("")), role="foot"))
    n = numbers.cell("", "regression", "all", "n").text
    names = {arm: labels.outcome(exhibit.started[arm], language) for arm in arms}
    told = "; ".join(f"{labels.arm(arm, language)}: «{names[arm]}»" for arm in arms)
    if language == "en":
        told = told.replace("«", "'").replace("»", "'")
    cells_text = labels.cells(language)
    own = [
        say(
            language,
            f"Én regresjon på {n} personer av å ha begynt i tiltaket en ble trukket til, på kjennetegn i hver trekkegruppe, trekkegruppen"
            + (f" og faste effekter for hver celle ({cells_text})" if cells_text else "")
            + f". {told}.",
            f"One regression on {n} people of having started the programme that one was drawn to, on characteristics in each arm, the arm"
            + (f" and fixed effects for each cell ({cells_text})" if cells_text else "")
            + f". {told}.",
        ),
        say(
            language,
            "Tallene beskriver hvem som begynte. Differansen sier om kjennetegnet henger annerledes sammen med oppstart i den ene "
            "gruppen enn i den andre; den sier ikke hvorfor.",
            "The numbers describe who started. The difference tells whether the characteristic goes with starting otherwise in one "
            "arm than in the other; it does not tell why.",
        ),
        errors_note([exhibit.vcov], language),
    ]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )
