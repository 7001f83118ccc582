"""One effect by several weightings of the cells: outcomes as rows, weightings as columns."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.estimands.model import EstimandsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, specification_note

ESTIMANDS = ("cell_fixed_effects", "saturated", "inverse_probability", "interacted")


def layout(exhibit: EstimandsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the estimates side by side with the test that they are one."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    small = bool(((frame["panel"] == "small_cells") & (frame["statistic"] == "std_error")).any())
    estimands = [estimand for estimand in ESTIMANDS if (frame["column"] == estimand).any()]
    header = Row(
        (
            label(""),
            *(label(labels.word(estimand), align="right") for estimand in estimands),
            label(labels.word("equal"), align="right"),
        )
    )
    body: list[Row] = []
    for key, outcome in exhibit.columns.items():
        estimates = (numbers.estimate("", key, estimand) for estimand in estimands)
        body.append(Row((label(labels.outcome(outcome)), *estimates, numbers.cell("", key, "equal", "p_value"))))
        errors = (numbers.cell("", key, estimand, "std_error", pattern=page.style.beneath) for estimand in estimands)
        body.append(Row((error_label(numbers, labels), *errors, label("")), role="beneath"))
        if small:
            brackets = "{}" if page.style.machine else "[{}]"
            errors = (
                numbers.cell("small_cells", key, estimand, "std_error", pattern=brackets) for estimand in estimands
            )
            heading = label(labels.say("estimands.small_cells") if page.style.machine else "")
            body.append(Row((heading, *errors, label("")), role="beneath"))
    first = next(iter(exhibit.columns))
    for statistic in ("n", "n_left_out"):
        cells = (numbers.cell("", first, estimand, statistic) for estimand in estimands)
        body.append(Row((label(labels.word(statistic)), *cells, label("")), role="foot"))
    notes = _notes(exhibit, numbers, estimands, labels, small=small)
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)


def _notes(
    exhibit: EstimandsExhibit, numbers: Numbers, shown: list[str], labels: LabelBook, *, small: bool
) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    of_all_arms = any(math.isfinite(numbers.value("population", key, "saturated", "n")) for key in exhibit.columns)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    lines.append(labels.say(f"estimands.weights_of_cells{'_all_arms' if of_all_arms else ''}"))
    if entry is not None:
        lines.append(errors_note([entry.vcov], labels.language) + " " + labels.say("estimands.own_regressions"))
    if exhibit.cells_are == "sampled":
        lines.append(labels.say("estimands.cells_sampled"))
    if "interacted" in shown:
        lines.append(labels.say("estimands.interacted_explained"))
    if small:
        first = next(iter(exhibit.columns))
        n, cells_of = (numbers.cell("small_cells", first, "cell_fixed_effects", s).text for s in ("n", "n_cells"))
        lines.append(labels.say("estimands.small_cells_explained", cells_of=cells_of, n=n))
    return lines
