"""Payment rules evaluated on the spells of one participant.

The engine decides only what the rules decide. A milestone is

paid
    if a criterion is met that the rules settle; the one that pays most counts, of equals the earliest;
undecided
    if only criteria are met that are marked undecided, or if the required milestone is undecided;
running
    if a spell that may meet a criterion has not ended when the registers end;
not_reached
    otherwise.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from refino_eval.config.money.payments import (
    Criterion,
    EducationCriterion,
    GradedPay,
    JobCriterion,
    Milestone,
    PaymentRules,
    PhaseCriterion,
    RecoveryCriterion,
    StillEmployedCriterion,
)
from refino_eval.economics.spells import Graded, Job, Participant, add_months, chains, grade_on

Status = Literal["paid", "undecided", "running", "not_reached"]
STATUSES: tuple[Status, ...] = ("paid", "undecided", "running", "not_reached")


class Event(NamedTuple):
    """The status of one milestone for one participant.

    Attributes
    ----------
    milestone
        Name of the milestone.
    status
        See the module.
    day
        Day on which it was met; None if it was not.
    share
        Share of the bid that is paid, or would be if an undecided milestone were; surcharge included; else 0.
    reason
        Name of the criterion; empty if the milestone was not reached.
    job
        The job that met the criterion, if any.
    part
        Part of the milestone's share that its size releases, from 0 to 1; 1 unless the pay is graded.
    """

    milestone: str
    status: Status
    day: dt.date | None = None
    share: float = 0.0
    reason: str = ""
    job: Job | None = None
    part: float = 1.0


class _Met(NamedTuple):
    """A criterion is met on a day; or, `running`, may be met from that day, which the registers do not cover.

    `part` is the part of the milestone's share that is paid for it.
    """

    day: dt.date
    job: Job | None = None
    running: bool = False
    part: float = 1.0


def assess(person: Participant, rules: PaymentRules, *, observed_to: dt.date) -> tuple[Event, ...]:
    """Evaluate every milestone for one participant.

    Parameters
    ----------
    person
        Programme, jobs and benefits.
    rules
        The rules of payment.
    observed_to
        First day after the period that the registers cover.

    Returns
    -------
    tuple of Event
        One per milestone, in the order of the rules.
    """
    events: dict[str, Event] = {}
    for milestone in rules.milestones:
        event = _milestone(person, milestone, events, observed_to)
        if event.day is not None:
            event = _paid_share(event, milestone.share, rules)
        events[milestone.name] = event
    return tuple(events.values())


def _milestone(person: Participant, milestone: Milestone, events: Mapping[str, Event], observed_to: dt.date) -> Event:
    """Return the earliest day on which a settled criterion is met, else an undecided one."""
    before = events[milestone.requires] if milestone.requires is not None else None
    if before is not None and before.day is None:
        return Event(milestone.name, before.status, reason=before.reason)
    reached = [
        (criterion, met)
        for criterion in milestone.any_of
        for met in _meets(person, criterion, before, observed_to)
        if _in_time(criterion, person, met.day)
    ]
    if not reached:
        return Event(milestone.name, "not_reached")
    observed = [(criterion, met) for criterion, met in reached if not met.running and met.day < observed_to]
    if not observed:
        return Event(milestone.name, "running", reason=reached[0][0].name)
    criterion, met = min(observed, key=lambda pair: (pair[0].undecided, -pair[1].part, pair[1].day))
    status: Status = "undecided" if criterion.undecided else "paid"
    event = Event(milestone.name, status, met.day, 0.0, criterion.name, met.job, met.part)
    return event if before is None else _following(event, before)


def _following(event: Event, before: Event) -> Event:
    """Return a milestone that requires another one: what follows an undecided one is undecided for the same reason."""
    doubtful = before.status == "undecided" and event.status == "paid"
    return event._replace(status="undecided", reason=before.reason) if doubtful else event


def _in_time(criterion: Criterion, person: Participant, day: dt.date) -> bool:
    return criterion.within_months is None or day <= add_months(person.start, criterion.within_months)


def _paid_share(event: Event, share: float, rules: PaymentRules) -> Event:
    assert event.day is not None
    raised = sum(extra.share for extra in rules.surcharges if extra.first <= event.day <= extra.last)
    return event._replace(share=share * event.part * (1.0 + raised))


def _meets(person: Participant, criterion: Criterion, before: Event | None, observed_to: dt.date) -> Iterable[_Met]:
    if isinstance(criterion, JobCriterion):
        return _jobs(person, criterion, observed_to)
    if isinstance(criterion, PhaseCriterion):
        return _phase(person, criterion, observed_to)
    if isinstance(criterion, EducationCriterion):
        return _education(person, criterion, observed_to)
    if isinstance(criterion, RecoveryCriterion):
        return _recovery(person, criterion, observed_to)
    return () if before is None else _still_employed(person, criterion, before, observed_to)


def _phase(person: Participant, criterion: PhaseCriterion, observed_to: dt.date) -> Iterator[_Met]:
    end = add_months(person.start, criterion.up_to_months)
    stop = person.programme.stop or dt.date.max
    if stop >= add_months(person.start, criterion.lasted_months):
        yield _Met(min(stop, end), running=min(stop, end) >= observed_to)


def _jobs(person: Participant, criterion: JobCriterion, observed_to: dt.date) -> Iterator[_Met]:
    jobs = _of_kind(person, criterion)
    if not jobs:
        return
    if criterion.position == "together_same_employer":
        yield from _together(jobs, criterion, observed_to)
        return
    days = {id(job): day for job in jobs if (day := _fits_from(person, job, criterion)) is not None}
    if not days:
        return
    fitting = [job for job in jobs if id(job) in days]
    if criterion.pay is None:
        yield from _lasting(fitting, days, criterion, observed_to)
        return
    before = _position_before(person, criterion.pay)
    # Held throughout at p per cent or more, for each p that occurs.
    for percent in sorted({job.percent for job in fitting if job.percent is not None}):
        part = criterion.pay.part(percent - before)
        if part > 0:
            large = [job for job in fitting if job.percent is not None and job.percent >= percent]
            yield from _lasting(large, days, criterion, observed_to, part)


def _lasting(
    jobs: list[Job], days: Mapping[int, dt.date], criterion: JobCriterion, observed_to: dt.date, part: float = 1.0
) -> Iterator[_Met]:
    """Yield the jobs, or chains of them, that last as long as the criterion asks; `days` by the identity of a job."""
    for run in _runs(jobs, criterion):
        met = _lasts(run, criterion, observed_to)
        if met is not None and met.job is not None:
            yield _Met(max(met.day, days[id(met.job)]), met.job, met.running, part)


def _position_before(person: Participant, pay: GradedPay) -> float:
    """Return the position that an increase is counted from, in per cent; 0 where the pay follows the position itself."""
    if pay.months_before is None:
        return 0.0
    day = add_months(person.start, -pay.months_before)
    return max((job.percent or 0.0 for job in person.jobs if job.covers(day)), default=0.0)


def _together(jobs: Sequence[Job], criterion: JobCriterion, observed_to: dt.date) -> Iterator[_Met]:
    """Yield the times in which small jobs with one employer reach the percentage together."""
    small = [
        job
        for job in jobs
        if job.employer and job.percent is not None and job.percent < criterion.at_least_percent  # alone below it
    ]
    for employer in sorted({job.employer for job in small}):
        of_employer = [job for job in small if job.employer == employer]
        for run in chains(_joint_spells(of_employer, criterion), criterion.gap_days):
            met = _lasts(run, criterion, observed_to)
            if met is not None:
                yield met


def _joint_spells(jobs: Sequence[Job], criterion: JobCriterion) -> list[Job]:
    """Return the spells in which jobs with one employer reach the percentage together, each as one job.

    The joint percentage changes only on a day on which a job begins or ends, so the spells lie between such days; the last
    may be open.
    """
    days = sorted({day for job in jobs for day in (job.start, job.stop) if day is not None})
    spells = []
    for first, stop in itertools.zip_longest(days, days[1:]):
        percent = sum(job.percent or 0.0 for job in jobs if job.covers(first))
        if percent >= criterion.at_least_percent:
            spells.append(Job(first, stop, criterion.contract[0], percent, jobs[0].employer))
    return spells


def _education(person: Participant, criterion: EducationCriterion, observed_to: dt.date) -> Iterator[_Met]:
    """Yield enrolments that began after the programme did and lasted as long as the criterion asks."""
    for spell in person.education:
        if spell.level not in criterion.levels or spell.start < person.start:
            continue
        if criterion.longer_than_months is None:
            yield _Met(spell.start)
            continue
        limit = add_months(spell.start, criterion.longer_than_months)
        day = spell.start if criterion.met == "begun" else limit
        if min(spell.stop or observed_to, observed_to) > limit:
            yield _Met(day)
        elif spell.stop is None or spell.stop >= observed_to:
            yield _Met(day, running=True)


def _runs(jobs: list[Job], criterion: JobCriterion) -> list[list[Job]]:
    """Group jobs as far as the criterion lets them count together."""
    if criterion.chain == "yes":
        return chains(jobs, criterion.gap_days)
    if criterion.chain == "no":
        return [[job] for job in jobs]
    by_employer: dict[str, list[Job]] = {}
    for number, job in enumerate(jobs):
        by_employer.setdefault(job.employer or f"not stated {number}", []).append(job)
    return [run for group in by_employer.values() for run in chains(group, criterion.gap_days)]


def _fits_from(person: Participant, job: Job, criterion: JobCriterion) -> dt.date | None:
    """Return the day from which a job of the criterion's kind has its position (its start, or a reduction of benefit), or None."""
    if criterion.position == "not_stated":
        return job.start if job.percent is None else None
    if job.percent is None:
        return None
    if criterion.pay is not None:
        return job.start
    if criterion.position == "at_least":
        return job.start if job.percent >= criterion.at_least_percent else None
    return _reduced(person, job, wholly=criterion.position == "disability_reduced")


def _of_kind(person: Participant, criterion: JobCriterion) -> list[Job]:
    """Return the jobs whose contract, hiring and wage subsidy are those of the criterion."""
    kind = (criterion.contract, criterion.hired, criterion.wage_subsidy)
    if kind not in person.jobs_of_kind:
        person.jobs_of_kind[kind] = [
            job
            for hired, job in person.hirings
            if hired in criterion.hired
            and job.contract in criterion.contract
            and criterion.wage_subsidy in (None, job.subsidised)
        ]
    return person.jobs_of_kind[kind]


def _reduced(person: Participant, job: Job, *, wholly: bool) -> dt.date | None:
    """Return the first day in the job on which disability benefit is reduced by the position, or by part of it."""
    at_start = grade_on(person.disability, person.start)
    if at_start == 0 or job.percent is None:
        return None
    days = {job.start, *(day for spell in person.disability for day in (spell.start, spell.stop) if day is not None)}
    needed = min(job.percent, at_start) if wholly else 1.0
    for day in sorted(days):
        if job.covers(day) and at_start - grade_on(person.disability, day) >= needed:
            return day
    return None


def _lasts(run: list[Job], criterion: JobCriterion, observed_to: dt.date) -> _Met | None:
    """Return when a job, or a chain of jobs, has lasted long enough; None if it ended before."""
    if criterion.longer_than_months is None:
        return _Met(run[0].start, run[0])
    limit = add_months(run[0].start, criterion.longer_than_months)
    for job in run:
        stop = min(job.stop or observed_to, observed_to)
        if stop > limit:
            return _Met(job.start if criterion.met == "hired" else limit, job)
    last = run[-1]
    if any(job.stop is None or job.stop >= observed_to for job in run):
        return _Met(last.start if criterion.met == "hired" else limit, last, running=True)
    return None


def _still_employed(
    person: Participant, criterion: StillEmployedCriterion, before: Event, observed_to: dt.date
) -> Iterator[_Met]:
    """Yield employment on the day a number of months after the preceding milestone."""
    assert before.day is not None
    day = add_months(before.day, criterion.after_months)
    unbroken = _unbroken(person, before.job)
    for job in person.jobs:
        if job in unbroken:
            which = "same"
        else:
            rehired = before.job is not None and job.employer == before.job.employer != ""
            which = "rehired" if rehired else "other"
        if which != criterion.job or job.contract not in criterion.contract:
            continue
        # The position that met the preceding milestone is large enough for the same job.
        if job != before.job and (job.percent is None or job.percent < criterion.at_least_percent):
            continue
        if day >= observed_to and (job.stop is None or job.stop >= observed_to):
            yield _Met(day, job, running=True)
        elif job.covers(day):
            yield _Met(day, job)


def _unbroken(person: Participant, job: Job | None) -> list[Job]:
    """Return a job with the contracts of its employer that follow or precede it without a day between."""
    if job is None:
        return []
    of_employer = [other for other in person.jobs if other.employer == job.employer != ""]
    return next((run for run in chains(of_employer, 0) if job in run), [job])


def _recovery(person: Participant, criterion: RecoveryCriterion, observed_to: dt.date) -> Iterator[_Met]:
    """Yield recoveries in jobs that a person was on sick leave from: the benefit is low enough for long enough."""
    sick: tuple[Graded, ...] = (*person.sickness, *person.allowance)
    at_referral = {"sickness": person.sickness, "allowance": person.allowance}
    if not any(grade_on(at_referral[benefit], person.referral) > 0 for benefit in criterion.benefit):
        return
    edges = {person.start, *(day for spell in sick for day in (spell.start, spell.stop) if day is not None)}
    for job in person.jobs:
        if job.covers(person.referral):
            end = min(job.stop or observed_to, observed_to)
            days = sorted(day for day in {*edges, end} if person.start <= day <= end)
            well = [day < end and grade_on(sick, day) <= criterion.at_most_grade for day in days]
            for (is_well, days_of), (_, after) in itertools.pairwise(_runs_of(days, well)):
                if is_well:
                    yield from _well_spell(days_of[0], after[0], job, criterion, observed_to)


def _runs_of(days: Sequence[dt.date], values: Sequence[bool]) -> list[tuple[bool, list[dt.date]]]:
    """Return the runs of days with equal values."""
    pairs = itertools.groupby(zip(values, days, strict=True), key=lambda pair: pair[0])
    return [(value, [day for _, day in run]) for value, run in pairs]


def _well_spell(
    first: dt.date, stop: dt.date, job: Job, criterion: RecoveryCriterion, observed_to: dt.date
) -> Iterator[_Met]:
    if criterion.longer_than_months is None:
        yield _Met(first, job)
        return
    limit = add_months(first, criterion.longer_than_months)
    if stop > limit:
        yield _Met(limit, job)
    elif stop >= observed_to:
        yield _Met(limit, job, running=True)
