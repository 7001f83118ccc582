"""What providers would have been paid for a group of participants, under one set of rules.

Clean registers become participants, participants events (`milestones.assess`), and events totals: how many participants
reached each milestone, how many are undecided and for what reason, and the payment a participant in shares of the bid,
from the least (nothing undecided is paid) to the most (all of it is).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.payments import Contract, PaymentRules
from refino_eval.economics.milestones import STATUSES, Event, Status, assess
from refino_eval.economics.spells import Graded, Job, Participant, Spell

HUNDREDTHS = 100.0
"""Clean registers hold position percentages as whole hundredths."""


@dataclass(frozen=True)
class Registers:
    """Clean registers of the people in question, as frames.

    Attributes
    ----------
    programmes
        `person_id, start, stop, programme`.
    jobs
        `person_id, start, stop, contract, position_percent` (hundredths) and `employer_id`.
    sickness, disability
        `person_id, start, stop, grade` (per cent).
    allowance
        `person_id, start, stop`.
    """

    programmes: pd.DataFrame
    jobs: pd.DataFrame
    sickness: pd.DataFrame
    disability: pd.DataFrame
    allowance: pd.DataFrame


@dataclass(frozen=True)
class Codes:
    """What the registers' codes mean for the rules.

    Attributes
    ----------
    contracts
        Code of a contract -> `permanent` or `temporary`; any other code, or none, is `not_stated`.
    wage_subsidy
        Programmes that are a wage subsidy.
    """

    contracts: Mapping[str, Contract]
    wage_subsidy: frozenset[str]


@dataclass(frozen=True)
class MilestoneTotal:
    """One milestone over a group: participants by status, and undecided ones by reason."""

    milestone: str
    counts: Mapping[Status, int]
    undecided: Mapping[str, int]
    paid_share: float
    undecided_share: float


@dataclass(frozen=True)
class PaymentTotal:
    """A group under one set of rules; payments are means a participant, in shares of the bid."""

    participants: int
    milestones: tuple[MilestoneTotal, ...]

    @property
    def least(self) -> float:
        """Payment a participant when nothing that is undecided is paid."""
        return sum(total.paid_share for total in self.milestones)

    @property
    def most(self) -> float:
        """Payment a participant when everything that is undecided is paid."""
        return self.least + sum(total.undecided_share for total in self.milestones)


def participants(
    people: pd.DataFrame, registers: Registers, *, programmes: Sequence[str], codes: Codes
) -> list[Participant]:
    """Put together everybody who started a programme after the draw.

    Parameters
    ----------
    people
        `person_id` and `draw_date`.
    registers
        Clean spells.
    programmes
        Codes of the programme that is paid for; a person's first participation after the draw counts, and
        participations that follow it without a day between belong to it.
    codes
        What codes mean.

    Returns
    -------
    list of Participant
        In order of `people`; those who never started are not among them.
    """
    own = registers.programmes[registers.programmes["programme"].isin(list(programmes))]
    subsidy = registers.programmes[registers.programmes["programme"].isin(list(codes.wage_subsidy))]
    started = _by_person(own, people)
    subsidies = _by_person(subsidy, people)
    jobs = _by_person(registers.jobs, people)
    graded = {name: _by_person(getattr(registers, name), people) for name in ("sickness", "disability", "allowance")}
    found = []
    for person, draw in zip(people["person_id"], people["draw_date"], strict=True):
        referral = _day(draw)
        assert referral is not None
        programme = _first_participation(started.get(person, []), referral)
        if programme is None:
            continue
        subsidised = [_spell(row) for row in subsidies.get(person, [])]
        found.append(
            Participant(
                referral=referral,
                programme=programme,
                jobs=tuple(_job(row, codes, subsidised) for row in jobs.get(person, [])),
                **{name: tuple(_graded(row) for row in rows.get(person, [])) for name, rows in graded.items()},
            )
        )
    return found


def total(people: Sequence[Participant], rules: PaymentRules, *, observed_to: dt.date) -> PaymentTotal:
    """Evaluate the rules for everybody and add up.

    Parameters
    ----------
    people
        Participants of one group.
    rules
        The rules.
    observed_to
        First day that the registers no longer cover.
    """
    by_milestone: dict[str, list[Event]] = {milestone.name: [] for milestone in rules.milestones}
    for person in people:
        for event in assess(person, rules, observed_to=observed_to):
            by_milestone[event.milestone].append(event)
    return PaymentTotal(len(people), tuple(_add_up(name, events) for name, events in by_milestone.items()))


def _add_up(name: str, events: Sequence[Event]) -> MilestoneTotal:
    statuses = Counter(event.status for event in events)
    reasons = Counter(event.reason for event in events if event.status == "undecided")
    share = {
        status: sum(event.share for event in events if event.status == status) / max(len(events), 1)
        for status in ("paid", "undecided")
    }
    return MilestoneTotal(
        milestone=name,
        counts={status: statuses.get(status, 0) for status in STATUSES},
        undecided=dict(sorted(reasons.items())),
        paid_share=share["paid"],
        undecided_share=share["undecided"],
    )


def _by_person(frame: pd.DataFrame, people: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of these people, by person; plain dictionaries, because a group a person costs far more."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame[frame["person_id"].isin(people["person_id"])].to_dict("records"):
        found.setdefault(str(row["person_id"]), []).append({str(key): value for key, value in row.items()})
    return found


def _first_participation(rows: Sequence[Mapping[str, Any]], draw: dt.date) -> Spell | None:
    spells = sorted((_spell(row) for row in rows), key=lambda spell: (spell.start, spell.stop or dt.date.max))
    later: Iterator[Spell] = (spell for spell in spells if spell.start >= draw)
    first = next(later, None)
    for spell in later:
        if first is None or first.stop is None or spell.start > first.stop:
            break
        first = Spell(first.start, None if spell.stop is None else max(first.stop, spell.stop))
    return first


def _spell(row: Mapping[str, Any]) -> Spell:
    start = _day(row["start"])
    assert start is not None
    return Spell(start, _day(row["stop"]))


def _graded(row: Mapping[str, Any]) -> Graded:
    spell = _spell(row)
    grade = row.get("grade")
    return Graded(spell.start, spell.stop, 100.0 if grade is None or pd.isna(grade) else float(grade))


def _job(row: Mapping[str, Any], codes: Codes, subsidised: Sequence[Spell]) -> Job:
    spell = _spell(row)
    percent, employer = row["position_percent"], row.get("employer_id")
    return Job(
        start=spell.start,
        stop=spell.stop,
        contract=codes.contracts.get(str(row["contract"]), "not_stated"),
        percent=None if pd.isna(percent) else float(percent) / HUNDREDTHS,
        employer="" if employer is None or pd.isna(employer) else str(employer),
        subsidised=any(each.covers(spell.start) for each in subsidised),
    )


def _day(value: Any) -> dt.date | None:
    """Return a day of a parquet column, whichever way pandas read it; None where there is none."""
    if value is None or pd.isna(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else value
