"""Payments that providers would have received for a group of participants, under one set of rules.

Clean registers become participants, participants events (`milestones.assess`), and events totals: how many participants
reached each milestone, how many are undecided and why, and the payment per participant as a share of the bid, from the
lowest (nothing undecided is paid) to the highest (all of it is).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.money.payments import Contract, PaymentRules
from refino_eval.economics.milestones import STATUSES, Event, Status
from refino_eval.economics.spells import Enrolment, Graded, Job, Participant, Spell

HUNDREDTHS = 100.0
"""Clean registers have position percentages as whole hundredths."""


@dataclass(frozen=True)
class Registers:
    """Clean registers of the people concerned, as frames.

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
    education
        `person_id, start, stop, level`, or None where no rule looks at it.
    """

    programmes: pd.DataFrame
    jobs: pd.DataFrame
    sickness: pd.DataFrame
    disability: pd.DataFrame
    allowance: pd.DataFrame
    education: pd.DataFrame | None = None


@dataclass(frozen=True)
class Codes:
    """The meaning of the registers' codes for the rules.

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
    """A group under one set of rules; payments are means per participant, as shares of the bid."""

    participants: int
    milestones: tuple[MilestoneTotal, ...]

    @property
    def least(self) -> float:
        """Payment per participant if nothing undecided is paid."""
        return sum(total.paid_share for total in self.milestones)

    @property
    def most(self) -> float:
        """Payment per participant if everything undecided is paid."""
        return self.least + sum(total.undecided_share for total in self.milestones)


def participants(
    people: pd.DataFrame, registers: Registers, *, programmes: Sequence[str], codes: Codes
) -> list[Participant]:
    """Return everybody who started a programme after random assignment.

    Parameters
    ----------
    people
        `person_id` and `draw_date`.
    registers
        Clean spells.
    programmes
        Codes of the programme that is paid for; a person's first participation after random assignment counts, and
        participations that follow it without a day between belong to it.
    codes
        Meaning of the codes.

    Returns
    -------
    list of Participant
        In the order of `people`, without those who never started.
    """
    own = registers.programmes[registers.programmes["programme"].isin(list(programmes))]
    subsidy = registers.programmes[registers.programmes["programme"].isin(list(codes.wage_subsidy))]
    started = _by_person(own, set(people["person_id"]))
    subsidies = _by_person(subsidy, started)
    jobs = _by_person(registers.jobs, started)
    education = {} if registers.education is None else _by_person(registers.education, started)
    graded = {name: _by_person(getattr(registers, name), started) for name in ("sickness", "disability", "allowance")}
    started_after = []
    for row, person, draw in zip(people.index, people["person_id"], people["draw_date"], strict=True):
        referral = _day(draw)
        assert referral is not None
        programme = _first_participation(started.get(person, []), referral)
        if programme is None:
            continue
        subsidised = [_spell(row) for row in subsidies.get(person, [])]
        started_after.append(
            Participant(
                referral=referral,
                programme=programme,
                row=int(row),
                jobs=tuple(_job(row, codes, subsidised) for row in jobs.get(person, [])),
                education=tuple(_enrolment(row) for row in education.get(person, [])),
                **{name: tuple(_graded(row) for row in rows.get(person, [])) for name, rows in graded.items()},
            )
        )
    return started_after


def first_participations(people: pd.DataFrame, programmes: pd.DataFrame, codes: Sequence[str]) -> dict[int, Spell]:
    """Return the first participation of everybody who started a programme after random assignment, by row of `people`.

    Parameters
    ----------
    people
        `person_id` and `draw_date`.
    programmes
        Clean spells, `person_id, start, stop, programme`.
    codes
        Codes of the programme.
    """
    started = _by_person(programmes[programmes["programme"].isin(list(codes))], set(people["person_id"]))
    spells = {}
    for row, person, draw in zip(people.index, people["person_id"], people["draw_date"], strict=True):
        referral = _day(draw)
        assert referral is not None
        spell = _first_participation(started.get(person, []), referral)
        if spell is not None:
            spells[int(row)] = spell
    return spells


def total(rules: PaymentRules, events: Sequence[Sequence[Event]]) -> PaymentTotal:
    """Return the totals of a group.

    Parameters
    ----------
    rules
        The rules of payment.
    events
        What `milestones.assess` makes of each participant under these rules.
    """
    by_milestone: dict[str, list[Event]] = {milestone.name: [] for milestone in rules.milestones}
    for event in itertools.chain.from_iterable(events):
        by_milestone[event.milestone].append(event)
    return PaymentTotal(len(events), tuple(_add_up(name, found) for name, found in by_milestone.items()))


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


def _by_person(frame: pd.DataFrame, people: Container[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of these people, by person; plain dictionaries, since one frame per person is far slower."""
    names = [str(name) for name in frame.columns]
    columns = [frame[name].to_numpy(dtype=object).tolist() for name in frame.columns]
    rows: dict[str, list[dict[str, Any]]] = {}
    for person, *values in zip(frame["person_id"].to_numpy(dtype=object).tolist(), *columns, strict=True):
        if person in people:
            rows.setdefault(person, []).append(dict(zip(names, values, strict=True)))
    return rows


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


def _enrolment(row: Mapping[str, Any]) -> Enrolment:
    spell = _spell(row)
    return Enrolment(spell.start, spell.stop, -1 if pd.isna(row["level"]) else int(row["level"]))


def _job(row: Mapping[str, Any], codes: Codes, subsidised: Sequence[Spell]) -> Job:
    spell = _spell(row)
    percent, employer = row["position_percent"], row.get("employer_id")
    return Job(
        start=spell.start,
        stop=spell.stop,
        contract=codes.contracts.get(str(row["contract"]), "not_stated"),
        percent=None if pd.isna(percent) else float(percent) / HUNDREDTHS,
        employer="" if employer is None or pd.isna(employer) else str(employer),
        subsidised=any(subsidy.covers(spell.start) for subsidy in subsidised),
    )


def _day(value: Any) -> dt.date | None:
    """Return a date of a parquet column, however pandas read it; None if it is missing."""
    if type(value) is dt.date:  # what a column of dates holds
        return value
    if value is None or pd.isna(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else value
