"""Differences adjusted by several methods: outcomes as columns, a block of rows for each population."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.adjusted_differences.model import AdjustedDifferencesExhibit
from refino_eval.exhibits.kinds.overlap.layout import score_note
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, influence_note, wild_bootstrap_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: AdjustedDifferencesExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the raw difference and the regression, then every method for everybody and for the treated."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    columns = exhibit.columns
    width = len(columns) + 1
    raw, full = labels.say("adjusted_differences.raw"), labels.say("adjusted_differences.regression")
    body = [
        *effect_rows(numbers, "regression", "raw", raw, columns, labels),
        *effect_rows(numbers, "regression", "regression", full, columns, labels),
    ]
    if exhibit.wild_bootstrap is not None:
        wild = (numbers.cell("regression", "regression", column, "p_value_wild") for column in columns)
        body.append(Row((label(labels.word("p_value_wild")), *wild), role="beneath"))
    heads = {"ate": labels.say("adjusted_differences.ate"), "att": labels.say("adjusted_differences.att")}
    methods = _methods(exhibit, labels)
    for population in exhibit.populations:
        body.append(Row((label(heads[population], span=width),), role="block"))
        for method in exhibit.methods:
            body += effect_rows(numbers, population, method, methods[method], columns, labels)
    means = (numbers.cell("regression", "raw", column, "mean_control") for column in columns)
    body.append(Row((label(labels.word("mean_control")), *means), role="foot"))
    counts = (numbers.cell("regression", "regression", column, "n") for column in columns)
    body.append(Row((label(labels.say("adjusted_differences.n_regression")), *counts), role="foot"))
    counts = (numbers.cell("people", "people", column, "n") for column in columns)
    body.append(Row((label(labels.say("adjusted_differences.n_others")), *counts), role="foot"))
    part = Part(header=(outcome_header(columns, labels),), body=tuple(body))
    return page.table(exhibit, frame, (part,), _notes(exhibit, frame, labels))


def _methods(exhibit: AdjustedDifferencesExhibit, labels: LabelBook) -> dict[str, str]:
    """Return what the methods are called."""
    crossed = labels.say("adjusted_differences.aipw_cross_fitted", folds=exhibit.cross_fitting)
    return {
        "regression_adjustment": labels.say("adjusted_differences.regression_adjustment"),
        "ipw": labels.say("adjusted_differences.ipw"),
        "entropy_balancing": labels.say("adjusted_differences.entropy_balancing"),
        "aipw": labels.say("adjusted_differences.aipw") if exhibit.cross_fitting is None else crossed,
    }


def _notes(exhibit: AdjustedDifferencesExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what the methods are, who is left out, and where the standard errors come from."""
    style = NumberStyle.of(labels.language)
    lines = [labels.say("adjusted_differences.methods_explained"), score_note(exhibit.specification, labels)]
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        other = influence_note(labels.say("adjusted_differences.other_methods"), entry, labels)
        lines += [
            f"{errors_note([entry.vcov], labels.language)} {other}",
            labels.say("adjusted_differences.factor_explained"),
        ]
    if exhibit.wild_bootstrap is not None:
        lines.append(wild_bootstrap_note(exhibit.wild_bootstrap, labels))
    people = frame[frame["panel"] == "people"]
    for row in ("without_counterpart", "trimmed"):
        counts = people[people["row"] == row].groupby("statistic")["value"].max()
        if counts.sum():
            values = {"treated": style.integer(counts["n_treated"]), "control": style.integer(counts["n_control"])}
            if row == "trimmed":
                low, high = style.significant(exhibit.trim, 2), style.significant(1 - exhibit.trim, 2)
                lines.append(labels.say("adjusted_differences.trimmed", low=low, high=high, **values))
            else:
                lines.append(labels.say("adjusted_differences.without_counterpart", **values))
    if ((frame["row"] == "entropy_balancing") & (frame["status"] == "not_estimable")).any():
        lines.append(labels.say("adjusted_differences.no_balance"))
    return [line for line in lines if line]
