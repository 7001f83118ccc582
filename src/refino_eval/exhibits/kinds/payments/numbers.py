"""Numbers of exhibits of kind `payments`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from refino_eval.economics.provider_payments import PaymentTotal, total
from refino_eval.economics.spells import Spell
from refino_eval.exhibits.kinds.payments.model import PaymentsExhibit
from refino_eval.exhibits.numbers.provider_participants import events_of, participants_by_arm
from refino_eval.exhibits.numbers.study import Context, Row, cell

DAYS_A_MONTH = 365.25 / 12


def numbers(exhibit: PaymentsExhibit, context: Context) -> Iterator[Row]:
    """Yield participants, milestones and payments a participant, by set of rules (panel) and arm (column)."""
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    for arm, people, n_drawn in participants_by_arm(exhibit, context):
        yield cell("drawn", arm, "count", n_drawn, n_drawn)
        yield from _duration_rows([person.programme for person in people], arm, observed_to)
        for label in exhibit.payments:
            rules = context.study.payments[label]
            totals = total(rules, list(events_of(people, rules, observed_to=observed_to)))
            yield from _payment_rows(totals, arm, label, exhibit.bid)


def _duration_rows(spells: list[Spell], arm: str, observed_to: dt.date) -> Iterator[Row]:
    """Yield the participants' mean months in the programme; who is still there counts to the last day observed."""
    days = [(min(spell.stop or observed_to, observed_to) - spell.start).days for spell in spells]
    months = np.array(days, dtype=np.float64) / DAYS_A_MONTH
    n = len(months)
    yield cell("duration", arm, "mean", float(months.mean()) if n else math.nan, n)
    yield cell("duration", arm, "sd", float(months.std(ddof=1)) if n > 1 else math.nan, n)
    yield cell("duration", arm, "n", n, n)


def _payment_rows(totals: PaymentTotal, arm: str, label: str, bid: float | None) -> Iterator[Row]:
    n = totals.participants
    yield cell("participants", arm, "count", n, n, panel=label)
    for milestone in totals.milestones:
        for status, count in milestone.counts.items():
            yield cell(f"{milestone.milestone}:{status}", arm, "count", count, count, panel=label)
            yield cell(f"{milestone.milestone}:{status}", arm, "share", count / n if n else math.nan, n, panel=label)
        for reason, count in milestone.undecided.items():
            yield cell(f"{milestone.milestone}:undecided:{reason}", arm, "count", count, count, panel=label)
    for row, share in (("least", totals.least), ("most", totals.most)):
        yield cell(row, arm, "share", share if n else math.nan, n, panel=label)
        if bid is not None:
            yield cell(row, arm, "value", share * bid if n else math.nan, n, panel=label)
