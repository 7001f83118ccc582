"""The same participants paid under several sets of rules: bands of position as rows, an arm a part, rules as columns."""

from __future__ import annotations

import itertools
from functools import partial

import pandas as pd

from refino_eval.exhibits.kinds.payment_comparison.model import PaymentComparisonExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note


def layout(exhibit: PaymentComparisonExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out payments by band of position, then the correlations of payment with prediction and gain."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    parts = tuple(_part(exhibit, arm, numbers, labels) for arm in exhibit.programmes)
    return page.table(exhibit, frame, parts, _notes(exhibit, numbers, labels))


def _part(exhibit: PaymentComparisonExhibit, arm: str, numbers: Numbers, labels: LabelBook) -> Part:
    heads = [labels.definitions.payments[rules].label[labels.language] for rules in exhibit.payments]
    position = labels.say("payment_comparison.largest_position", months=exhibit.within_months)
    header = Row(
        (
            label(position),
            label(labels.say("payment_comparison.participants"), align="right"),
            *(label(head, align="right") for head in heads),
        )
    )
    style = numbers.style
    percent = partial(style.percent, decimals=1)
    body = [
        Row(
            (
                label(text),
                numbers.cell("", band, arm, "count"),
                *(numbers.cell(rules, band, arm, "mean", write=percent) for rules in exhibit.payments),
            ),
            role="foot" if band == "all" else "body",
        )
        for band, text in _band_texts(exhibit, labels)
    ]
    body.append(Row((label(labels.say("payment_comparison.rank_correlation"), span=2 + len(heads)),), role="block"))
    outcome = labels.outcome(exhibit.gain)
    two = partial(style.fixed, decimals=2)
    for row in ("predicted", "gain"):
        estimates = (numbers.cell(rules, row, arm, "estimate", write=two) for rules in exhibit.payments)
        body.append(Row((label(labels.say(f"payment_comparison.{row}", outcome=outcome)), label(""), *estimates)))
        errors = (
            numbers.cell(rules, row, arm, "std_error", pattern=style.beneath, write=two) for rules in exhibit.payments
        )
        body.append(Row((error_label(numbers, labels), label(""), *errors), role="beneath"))
    return Part(header=(header,), body=tuple(body), caption=labels.arm(arm))


def _band_texts(exhibit: PaymentComparisonExhibit, labels: LabelBook) -> list[tuple[str, str]]:
    edges = [f"{edge:g}" for edge in exhibit.edges]
    texts = [labels.say("payment_comparison.none"), labels.say("payment_comparison.below", edge=edges[0])]
    texts += [labels.say("payment_comparison.between", low=low, high=high) for low, high in itertools.pairwise(edges)]
    texts += [labels.say("payment_comparison.above", edge=edges[-1]), labels.say("payment_comparison.all")]
    return list(zip((*exhibit.bands, "all"), texts, strict=True))


def _notes(exhibit: PaymentComparisonExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    rules = {name: labels.definitions.payments[name].label[labels.language] for name in exhibit.payments}
    differences = []
    for first, second in itertools.combinations(exhibit.payments, 2):
        listed = "; ".join(
            labels.say(
                "payment_comparison.differs_in_arm",
                count=numbers.cell(f"{first}:{second}", "all", arm, "count").text,
                n=numbers.cell("", "all", arm, "count").text,
                arm=labels.arm(arm),
            )
            for arm in exhibit.programmes
        )
        differences.append(
            labels.say("payment_comparison.differs_explained", first=rules[first], second=rules[second], listed=listed)
        )
    covariates = ", ".join(inside(labels.covariate(name, unit=False)) for name in exhibit.covariates)
    return [
        labels.say("payment_comparison.payment_explained"),
        *differences,
        labels.say("payment_comparison.correlation_explained", covariates=covariates, folds=exhibit.folds),
        errors_note([exhibit.vcov], labels.language),
    ]
