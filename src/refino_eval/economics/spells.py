"""What the payment rules look at: one participant's programme, jobs and benefits, as clean spells.

Days are half-open, `[start, stop)`; `stop` None is a spell that lasts.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from refino_eval.config.payments import Contract


@dataclass(frozen=True)
class Spell:
    """Days from `start` until before `stop`."""

    start: dt.date
    stop: dt.date | None

    def covers(self, day: dt.date) -> bool:
        """Whether a day is within."""
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
        Its kind; `not_stated` where the register has none.
    percent
        Of a full position; None where the register has none.
    employer
        Tells employers apart.
    subsidised
        Whether it began with wage subsidy.
    """

    contract: Contract = "not_stated"
    percent: float | None = None
    employer: str = ""
    subsidised: bool = False


@dataclass(frozen=True)
class Participant:
    """One participant of the programme whose provider is paid.

    Attributes
    ----------
    referral
        Day of the referral (the draw).
    programme
        The participation.
    jobs, sickness, allowance, disability
        Spells, in any order; an allowance without degrees is Graded 100.
    """

    referral: dt.date
    programme: Spell
    jobs: tuple[Job, ...] = ()
    sickness: tuple[Graded, ...] = ()
    allowance: tuple[Graded, ...] = ()
    disability: tuple[Graded, ...] = ()

    @property
    def start(self) -> dt.date:
        """First day in the programme."""
        return self.programme.start


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def grade_on(spells: Sequence[Graded], day: dt.date) -> float:
    """Return the highest degree on a day, 0 without a benefit."""
    return max((spell.grade for spell in spells if spell.covers(day)), default=0.0)


def chains(jobs: Sequence[Job], gap_days: int) -> list[list[Job]]:
    """Take jobs together that follow each other with at most so many days between; each chain by start."""
    found: list[list[Job]] = []
    reach: dt.date | None = None
    for job in sorted(jobs, key=lambda job: (job.start, job.stop or dt.date.max)):
        if found and (reach is None or job.start <= reach + dt.timedelta(days=gap_days)):
            found[-1].append(job)
            reach = None if reach is None or job.stop is None else max(reach, job.stop)
        else:
            found.append([job])
            reach = job.stop
    return found
