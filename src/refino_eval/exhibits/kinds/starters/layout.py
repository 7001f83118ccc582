"""Which characteristics go with starting the programme that one was drawn to, arm by arm."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.starters.model import StartersExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.notes import errors_note


def layout(exhibit: StartersExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out each arm's slopes and their difference, with the joint tests beneath."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    arms = (labels.treated, labels.control)
    columns = (*arms, "difference")
    header = Row(
        (
            label(""),
            *(label(labels.arm(arm), align="right") for arm in arms),
            label(labels.word("difference"), align="right"),
            label(labels.say("starters.p_value_of_difference"), align="right"),
        )
    )
    body: list[Row] = []
    for covariate in exhibit.covariates:
        slopes = (numbers.estimate("", covariate, column) for column in columns)
        p_value = numbers.cell("", covariate, "difference", "p_value")
        body.append(Row((label(labels.covariate(covariate)), *slopes, p_value)))
        errors = (numbers.cell("", covariate, column, "std_error", pattern=page.style.beneath) for column in columns)
        body.append(Row((error_label(numbers, labels), *errors, label("")), role="beneath"))
    for statistic, word in (("f_stat", "joint_test"), ("p_value", "p_value")):
        cells = (numbers.cell("", "joint_test", column, statistic) for column in columns)
        body.append(Row((label(labels.word(word)), *cells, label("")), role="foot"))
    shares = (per_cent(numbers, "", "started", arm, "share") for arm in arms)
    head = labels.say("starters.started_per_cent")
    body.append(Row((label(head), *shares, label(""), label("")), role="foot"))
    n = numbers.cell("", "regression", "all", "n").text
    quote = "«{}»" if labels.language == "nb" else "'{}'"
    started = "; ".join(f"{labels.arm(arm)}: {quote.format(labels.outcome(exhibit.started[arm]))}" for arm in arms)
    strata = labels.cells()
    lines = [
        labels.say("starters.regression_with_cells", n=n, cells=strata, started=started)
        if strata
        else labels.say("starters.regression", n=n, started=started),
        labels.say("starters.descriptive_only"),
        errors_note([exhibit.vcov], labels.language),
    ]
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), lines)
