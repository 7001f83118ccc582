"""One effect by several weightings of the cells: outcomes as rows, weightings as columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.estimands.model import EstimandsExhibit
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

ESTIMANDS = ("cell_fixed_effects", "saturated", "inverse_probability", "interacted")


def layout(
    name: str,
    exhibit: EstimandsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the estimates side by side with the test that they are one."""
    numbers = Numbers.of(frame, style)
    small = ((frame["panel"] == "small_cells") & (frame["statistic"] == "std_error")).any()
    shown = [estimand for estimand in ESTIMANDS if (frame["column"] == estimand).any()]
    header = Row(
        (
            label(""),
            *(label(labels.word(estimand, language), align="right") for estimand in shown),
            label(labels.word("equal", language), align="right"),
        )
    )
    body: list[Row] = []
    for key, outcome in exhibit.columns.items():
        estimates = (numbers.estimate("", key, estimand) for estimand in shown)
        body.append(
            Row((label(labels.outcome(outcome, language)), *estimates, numbers.cell("", key, "equal", "p_value")))
        )
        errors = (numbers.cell("", key, estimand, "std_error", pattern=style.beneath) for estimand in shown)
        body.append(Row((error_label(numbers, labels, language), *errors, label("")), role="beneath"))
        if small:
            brackets = "{}" if style.machine else "[{}]"
            errors = (numbers.cell("small_cells", key, estimand, "std_error", pattern=brackets) for estimand in shown)
            heading = label(say(language, "Små celler", "Small cells") if style.machine else "")
            body.append(Row((heading, *errors, label("")), role="beneath"))
    first = next(iter(exhibit.columns))
    for statistic in ("n", "n_left_out"):
        cells = (numbers.cell("", first, estimand, statistic) for estimand in shown)
        body.append(Row((label(labels.word(statistic, language)), *cells, label("")), role="foot"))
    entry = labels.specification_of(exhibit.specification)
    own = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    own.append(
        say(
            language,
            "Faste effekter veier cellene etter n·p(1 \N{MINUS SIGN} p); mettet modell veier dem etter antall personer blant celler med "
            "begge grupper. Invers sannsynlighet med estimerte trekkandeler er det samme. Standardfeil innenfor celle og gruppe.",
            "Fixed effects weight cells by n p (1 \N{MINUS SIGN} p); the saturated model by people, among cells with both arms. Inverse "
            "probability with estimated draw shares is the same. Standard errors within cells and arms.",
        )
    )
    if "interacted" in shown:
        own.append(
            say(
                language,
                "Med samspill (Lin): hver gruppe har sine egne koeffisienter for kontrollvariablene.",
                "Interacted (Lin): each arm has coefficients of its own for the controls.",
            )
        )
    if small:
        n, cells_of = (numbers.cell("small_cells", first, "cell_fixed_effects", s).text for s in ("n", "n_cells"))
        own.append(
            say(
                language,
                f"I klammer: standardfeil der de {cells_of} cellene med bare én person i en gruppe ({n} personer) får variansen fra "
                "spredningen mellom dem (Pashley og Miratrix 2021).",
                f"In brackets: standard errors in which the {cells_of} cells with a single person in an arm ({n} people) take their "
                "variance from the spread between them (Pashley and Miratrix 2021).",
            )
        )
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=(Part(header=(header,), body=tuple(body)),),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, own),
    )
