"""The data that payment rules use: one participant's programme, jobs and benefits, as clean spells.

Spells are half-open, `[start, stop)`; `stop` None is a spell that has not ended.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from refino_eval.config.money.payments import Contract


@dataclass(frozen=True)
class Spell:
    """Days from `start` until before `stop`."""

    start: dt.date
    stop: dt.date | None

    def covers(self, day: dt.date) -> bool:
        """Return whether a day is in the spell."""
        return self.start <= day and (self.stop is None or day < self.stop)


@dataclass(frozen=True)
class Graded(Spell):
    """A benefit with a degree, in per cent."""

    grade: float = 100.0


@dataclass(frozen=True)
class Job(Spell):
    """A registered job.

    Attributes
    ----------
    contract
        Kind of contract; `not_stated` where the register has none.
    percent
        Percentage of a full position; None where the register has none.
    employer
        Identifier of the employer.
    subsidised
        Whether it began with a wage subsidy.
    """

    contract: Contract = "not_stated"
    percent: float | None = None
    employer: str = ""
    subsidised: bool = False


@dataclass(frozen=True)
class Enrolment(Spell):
    """A spell of education, with its level as the register has it."""

    level: int = 0


@dataclass(frozen=True)
class Participant:
    """One participant of the programme whose provider is paid.

    Attributes
    ----------
    referral
        Day of the referral (the random assignment).
    programme
        The participation.
    jobs, sickness, allowance, disability, education
        Spells, in any order; an allowance without degrees has grade 100.
    row
        Label of the person's row in the frame of people, where one is known.
    """

    referral: dt.date
    programme: Spell
    jobs: tuple[Job, ...] = ()
    sickness: tuple[Graded, ...] = ()
    allowance: tuple[Graded, ...] = ()
    disability: tuple[Graded, ...] = ()
    education: tuple[Enrolment, ...] = ()
    row: int = -1

    @property
    def start(self) -> dt.date:
        """First day in the programme."""
        return self.programme.start

    @cached_property
    def employers_at_start(self) -> frozenset[str]:
        """Employers of jobs that began before the programme and were held on its first day, where they are stated."""
        start = self.start
        return frozenset(job.employer for job in self.jobs if job.employer and job.start < start and job.covers(start))

    @cached_property
    def hirings(self) -> list[tuple[str, Job]]:
        """Jobs, each with how it began: held, same_employer or new, as in `JobCriterion.hired`."""
        start, known = self.start, self.employers_at_start
        return [
            ("held" if job.start < start else "same_employer" if job.employer in known else "new", job)
            for job in self.jobs
        ]

    @cached_property
    def jobs_of_kind(self) -> dict[Any, list[Job]]:
        """Jobs of the kinds that criteria have asked for: many criteria ask for the same."""
        return {}

    @cached_property
    def assessed(self) -> dict[Any, Any]:
        """What rules of payment made of the person, for callers that ask more than once."""
        return {}


@lru_cache(maxsize=1 << 16)  # few days and periods recur for thousands of people
def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day a number of months later, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def grade_on(spells: Sequence[Graded], day: dt.date) -> float:
    """Return the highest degree on a day, 0 without a benefit."""
    return max((spell.grade for spell in spells if spell.covers(day)), default=0.0)


def chains(jobs: Sequence[Job], gap_days: int) -> list[list[Job]]:
    """Group jobs that follow each other with at most `gap_days` between them; each chain sorted by start."""
    groups: list[list[Job]] = []
    reach: dt.date | None = None
    for job in sorted(jobs, key=lambda job: (job.start, job.stop or dt.date.max)):
        if groups and (reach is None or job.start <= reach + dt.timedelta(days=gap_days)):
            groups[-1].append(job)
            reach = None if reach is None or job.stop is None else max(reach, job.stop)
        else:
            groups.append([job])
            reach = job.stop
    return groups
