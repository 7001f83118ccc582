"""Numbers of exhibits of kind `payments`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from refino_eval.economics.provider_payments import Codes, PaymentTotal, Registers, participants, total
from refino_eval.economics.spells import Spell
from refino_eval.exhibits.kinds.payments.model import PaymentsExhibit
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, cell

DAYS_A_MONTH = 365.25 / 12


def numbers(exhibit: PaymentsExhibit, context: Context) -> Iterator[Row]:
    """Yield participants, milestones and payments a participant, by set of rules (panel) and arm (column)."""
    cohort, files, study = context.cohort, context.files, context.study
    registers = _registers(exhibit, cohort, files)
    codes = Codes(contracts=exhibit.contracts, wage_subsidy=frozenset(exhibit.wage_subsidy))
    observed_to = exhibit.observed_to + dt.timedelta(days=1)
    for arm, programmes in exhibit.programmes.items():
        drawn = cohort.loc[cohort["treated"] == int(arm == study.treated), ["person_id", "draw_date"]]
        people = participants(drawn, registers, programmes=programmes, codes=codes)
        yield cell("drawn", arm, "count", len(drawn), len(drawn))
        yield from _duration_rows([person.programme for person in people], arm, observed_to)
        for label in exhibit.payments:
            totals = total(people, study.payments[label], observed_to=observed_to)
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


def _registers(exhibit: PaymentsExhibit, cohort: pd.DataFrame, files: PersonFiles) -> Registers:
    columns = {
        "programmes": ["programme"],
        "jobs": ["contract", "position_percent", "employer_id"],
        "sickness": ["grade"],
        "disability": ["grade"],
        "allowance": [],
        "education": ["level"],
    }
    frames = {}
    for role, register in exhibit.registers.model_dump(exclude_none=True).items():
        frame = pd.read_parquet(files.clean[register], columns=["person_id", "start", "stop", *columns[role]])
        frames[role] = frame[frame["person_id"].isin(cohort["person_id"])]
    return Registers(**frames)
