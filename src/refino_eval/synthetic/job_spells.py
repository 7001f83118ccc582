"""Rows of the registers of jobs and wages, made from a world's months."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.calendar import NO_DAY, BoolArray, IntArray, first_day
from refino_eval.synthetic.employment import NO_ROW, World
from refino_eval.synthetic.recipe import Recipe
from refino_eval.synthetic.register_tables import Table, stack

ROWS_PER_PERSON = 2000
"""Upper limit of job numbers within a person."""
EMPLOYERS = 40_000
EMPLOYER_BASE = 310_000_000
"""Numbers beginning with 3 are given to no organisation in the real register of units."""


def runs(key: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Find stretches of equal values along each row.

    Parameters
    ----------
    key
        Shape (people, months); negative values are left out.

    Returns
    -------
    tuple
        Row, first column and last column of each stretch, in order.
    """
    change = np.ones(key.shape, dtype=bool)
    change[:, 1:] = key[:, 1:] != key[:, :-1]
    start = np.flatnonzero(change)
    stop = np.append(start[1:], key.size) - 1
    kept = key.ravel()[start] >= 0
    start, stop = start[kept], stop[kept]
    return start // key.shape[1], start % key.shape[1], stop % key.shape[1]


def employer(number: IntArray, since: IntArray, slot: int) -> IntArray:
    """Return the employer of a person's job that began in a month; slots never share employers."""
    mixed = (np.asarray(number, dtype=np.uint64) << np.uint64(10)) + np.asarray(since).astype(np.uint64) * np.uint64(4)
    mixed = (mixed + np.uint64(slot)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return EMPLOYER_BASE + (mixed % np.uint64(EMPLOYERS)).astype(np.int64) * 4 + slot


def job_rows(recipe: Recipe, world: World, number: IntArray, first_month: int, rng: np.random.Generator) -> Table:
    """Return the clean rows of the register of jobs, sorted by person and start.

    Parameters
    ----------
    recipe
        The study.
    world
        The observed history.
    number
        Person numbers, shape (people,).
    first_month
        The first column's month, since January 1970.
    rng
        Generator for days within months, occupations and contracts.
    """
    rows = [
        _slot_rows(recipe, hours, world.since, slot, number, first_month, rng)
        for slot, hours in enumerate((world.main, world.second, world.third))
    ]
    table = stack(rows).sorted_by("person_id", "start", "stop", "employer_id")
    person = table.columns["person_id"]
    first_of_person = np.searchsorted(person, person)
    within = np.arange(len(person)) - first_of_person
    return table.with_columns(job_id=person * ROWS_PER_PERSON + within)


def _slot_rows(
    recipe: Recipe,
    hours: IntArray,
    since: IntArray,
    slot: int,
    number: IntArray,
    first_month: int,
    rng: np.random.Generator,
) -> Table:
    months = hours.shape[1]
    key = np.where(hours == NO_ROW, -1, since.astype(np.int32) * 8192 + hours)
    row, begin, end = runs(key)
    stays_after = _same(since, hours, row, end, end + 1)
    stays_before = _same(since, hours, row, begin, begin - 1)
    start, stop = _days(row, begin, end, stays_before, stays_after, first_month, months, rng)
    n, agreed, began = len(row), hours[row, begin], since[row, begin]
    occupations = recipe.work.occupations
    weight = np.cumsum(list(occupations.values()))
    return Table(
        {
            "person_id": number[row],
            "job_id": np.zeros(n, dtype=np.int64),
            "employer_id": employer(number[row], began, slot),
            "occupation": np.searchsorted(weight[:-1] / weight[-1], rng.random(n), side="right"),
            "contract": (rng.random(n) >= recipe.work.permanent).astype(np.int64),
            "weekly_hours": agreed.astype(np.int64),
            "position_percent": np.minimum(np.rint(agreed / recipe.work.full_week * 100), 10_000).astype(np.int64),
            "start": start,
            "stop": stop,
        },
        {"occupation": tuple(occupations), "contract": recipe.work.contract_codes},
    )


def _same(since: IntArray, hours: IntArray, row: IntArray, column: IntArray, other: IntArray) -> BoolArray:
    """Return whether the job with the same employer is in the other column too (with other hours)."""
    inside = (other >= 0) & (other < since.shape[1])
    place = np.clip(other, 0, since.shape[1] - 1)
    return np.asarray(inside & (hours[row, place] != NO_ROW) & (since[row, place] == since[row, column]))


def _days(
    row: IntArray,
    begin: IntArray,
    end: IntArray,
    stays_before: BoolArray,
    stays_after: BoolArray,
    first_month: int,
    months: int,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """Choose days: changes within a job fall on the turn of the month, others anywhere in it."""
    opening, following = first_day(first_month + begin), first_day(first_month + end + 1)
    n = len(row)
    inside = rng.integers(1, 28, n)
    start = opening + np.where(stays_before | (rng.random(n) < 0.55), 0, inside)
    # Jobs of the first month began earlier, within the coverage's past.
    earlier = rng.gamma(1.3, 1000.0, n).astype(np.int64)
    start = np.where((begin == 0) & ~stays_before, opening - earlier, start)
    last = following - 1
    earliest = np.maximum(first_day(first_month + end), start)
    somewhere = earliest + (rng.random(n) * (last - earliest + 1)).astype(np.int64)
    stop = np.where(stays_after | (rng.random(n) < 0.6), last, somewhere)
    return start, np.where(end == months - 1, NO_DAY, stop)


def wage_rows(world: World, number: IntArray, first_month: int) -> Table:
    """Return the clean rows of the register of wages: person, employer and month with a cash wage."""
    parts = []
    for slot, amount in ((0, world.wage), (1, world.second_wage)):
        row, column = np.nonzero(amount)
        parts.append(
            Table(
                {
                    "person_id": number[row],
                    "employer_id": employer(number[row], world.since[row, column], slot),
                    "period": calendar_month(first_month + column),
                    "amount": amount[row, column],
                }
            )
        )
    return stack(parts).sorted_by("person_id", "period", "employer_id")


def calendar_month(month: IntArray) -> IntArray:
    """Write months since January 1970 as yyyymm."""
    return (1970 + month // 12) * 100 + month % 12 + 1
