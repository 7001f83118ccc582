"""What providers would have been paid: a grid for each set of rules, milestones as blocks, arms as columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import pandas as pd

from refino_eval.config.money.payments import PaymentRules
from refino_eval.exhibits.kinds.payments.model import PaymentsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.text import say

STATUSES = ("paid", "undecided", "running", "not_reached")


def layout(exhibit: PaymentsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out participants, milestones by status with the reasons of what is undecided, and the payment a participant."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    arms = tuple(exhibit.programmes)
    parts = tuple(
        _part(
            rules,
            exhibit,
            arms,
            list(dict.fromkeys(frame.loc[frame["panel"] == rules, "row"])),
            numbers,
            labels,
        )
        for rules in exhibit.payments
    )
    return page.table(exhibit, frame, parts, _notes(exhibit, numbers, labels))


def _part(
    rules: str,
    exhibit: PaymentsExhibit,
    arms: tuple[str, ...],
    rows: list[str],
    numbers: Numbers,
    labels: LabelBook,
) -> Part:
    defined = labels.definitions.payments[rules]
    header = Row((label(""), *(label(labels.arm(arm), align="right") for arm in arms)))
    body = [
        Row(
            (
                label(labels.word("participants")),
                *(numbers.cell(rules, "participants", arm, "count") for arm in arms),
            )
        ),
        Row(
            (
                label(labels.say("payments.mean_months_in_programme")),
                *(
                    numbers.cell("", "duration", arm, "mean", write=partial(numbers.style.fixed, decimals=1))
                    for arm in arms
                ),
            )
        ),
    ]
    for milestone in defined.milestones:
        share = numbers.style.percent(milestone.share, 0)
        head = f"{milestone.label[labels.language]} ({share})"
        body.append(Row((label(head, span=len(arms) + 1),), role="block"))
        body += _milestone(rules, milestone.name, defined, arms, rows, numbers, labels)
    body += list(_totals(rules, exhibit, arms, numbers, labels.language))
    return Part(header=(header,), body=tuple(body), caption=defined.label[labels.language])


def _milestone(
    rules: str,
    milestone: str,
    defined: PaymentRules,
    arms: tuple[str, ...],
    rows: list[str],
    numbers: Numbers,
    labels: LabelBook,
) -> Iterator[Row]:
    for status in STATUSES:
        row = f"{milestone}:{status}"
        if status != "paid" and not any(numbers.value(rules, row, arm, "count") > 0 for arm in arms):
            continue
        yield Row((label(labels.word(status)), *(_counted(rules, row, arm, numbers) for arm in arms)))
        prefix = f"{row}:"
        for reason in (row for row in rows if row.startswith(prefix)):
            reason_text = f"\N{EN DASH} {defined.reasons[reason.removeprefix(prefix)][labels.language]}"
            cells = (numbers.cell(rules, reason, arm, "count") for arm in arms)
            yield Row((label(reason_text), *(cell if cell.text else Cell("0", number=0.0) for cell in cells)))


def _counted(rules: str, row: str, arm: str, numbers: Numbers) -> Cell:
    """Return a count with its share of the participants."""
    share = numbers.value(rules, row, arm, "share")
    behind = f" ({numbers.style.percent(share)})" if math.isfinite(share) and not numbers.style.machine else ""
    return numbers.cell(rules, row, arm, "count", pattern="{}" + behind)


def _totals(
    rules: str, exhibit: PaymentsExhibit, arms: tuple[str, ...], numbers: Numbers, language: str
) -> Iterator[Row]:
    style = numbers.style
    settled, all_of_it = say("payments.settled", language), say("payments.including_undecided", language)
    for row, which in (("least", settled), ("most", all_of_it)):
        head = say("payments.payment_share_of_bid", language, which=which)
        cells = (numbers.cell(rules, row, arm, "share", write=style.percent) for arm in arms)
        yield Row((label(head), *cells), role="foot")
    if exhibit.bid is not None:
        bid = style.integer(exhibit.bid)
        for row, which in (("least", settled), ("most", all_of_it)):
            head = say("payments.payment_in_kroner", language, bid=bid, which=which)
            yield Row(
                (label(head), *(numbers.cell(rules, row, arm, "value", write=style.integer) for arm in arms)),
                role="foot",
            )


def _notes(exhibit: PaymentsExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    style = numbers.style
    started = ", ".join(
        f"{labels.arm(arm)} {style.integer(numbers.value(exhibit.payments[0], 'participants', arm, 'count'))} / "
        f"{style.integer(numbers.value('', 'drawn', arm, 'count'))}"
        for arm in exhibit.programmes
    )
    last = exhibit.observed_to
    day = f"{last.day}.{last.month}.{last.year}" if labels.language == "nb" else f"{last.day} {last:%B} {last.year}"
    return [
        labels.say("payments.participants_explained", started=started, day=day),
        labels.say("payments.rules_explained"),
        labels.say("payments.same_spells_under_all_rules"),
        *([labels.say("payments.bid_is_illustration")] if exhibit.bid is not None else []),
    ]
