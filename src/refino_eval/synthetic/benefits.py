"""Registrations, benefits, diagnoses and persons: registers around the draw, consistent with capacity and work."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.calendar import DAYS_PER_MONTH, NO_DAY, BoolArray, FloatArray, IntArray, day_number
from refino_eval.synthetic.population import People
from refino_eval.synthetic.recipe import EffortCodes, Recipe
from refino_eval.synthetic.register_tables import Table, stack

FAR = 10**6
"""Days or months that lie beyond every register."""


def person_rows(recipe: Recipe, people: People, number: IntArray, birth: IntArray, town: IntArray) -> Table:
    """Return the register of persons."""
    spec = recipe.persons
    towns = tuple(code for area in (*recipe.areas, *recipe.extra.areas) for code in area.municipalities)
    return Table(
        {
            "person_id": number,
            "sex": np.where(people.female, 0, 1),
            "birth_date": birth,
            "immigrant_category": people.category,
            "municipality": town,
        },
        {"sex": spec.sex_codes, "immigrant_category": tuple(spec.categories), "municipality": towns},
    )


def draw_towns(recipe: Recipe, area: IntArray, rng: np.random.Generator) -> IntArray:
    """Return places in the list of all areas' municipalities; one in fifteen lives outside the area."""
    counts = [len(one.municipalities) for one in (*recipe.areas, *recipe.extra.areas)]
    offset = np.concatenate([[0], np.cumsum(counts)[:-1]])
    size = np.array(counts)
    town = offset[area] + (rng.random(len(area)) * size[area]).astype(np.int64)
    return np.where(rng.random(len(area)) < 1 / 15, rng.integers(0, sum(counts), len(area)), town)


def registration_rows(
    recipe: Recipe, people: People, number: IntArray, day: IntArray, working: IntArray, rng: np.random.Generator
) -> Table:
    """Return the register of registrations: one spell that covers the draw, and for some an earlier one.

    Parameters
    ----------
    recipe
        The study.
    people
        Traits.
    number, day
        Person number and day of the draw.
    working
        Day from which the person worked full time after the draw (FAR: never); people leave the register then.
    rng
        Decides days.
    """
    spec, n = recipe.benefits, len(number)
    reduced = people.reduced_capacity.astype(np.int64)
    start = day - 1 - (rng.gamma(1.4, spec.registered_before / 1.4, n) * DAYS_PER_MONTH).astype(np.int64)
    stay = (rng.gamma(1.2, spec.registered_after / 1.2, n) * DAYS_PER_MONTH).astype(np.int64)
    stop = np.minimum(day + 14 + stay, np.maximum(working + rng.integers(0, 60, n), day + 14))
    codes = (*spec.effort_codes[0], *spec.effort_codes[1])
    fewer = len(spec.effort_codes[0])
    group = np.where(
        reduced == 1,
        fewer + _chosen(spec.effort_codes[1], rng.random(n)),
        _chosen(spec.effort_codes[0], rng.random(n)),
    )
    earlier = np.flatnonzero(rng.random(n) < 0.35)
    gap = rng.integers(40, 700, len(earlier))
    length = rng.integers(30, 400, len(earlier))
    words = {"status": spec.status_codes, "effort_group": codes}
    now = {"person_id": number, "start": start, "stop": stop, "status": reduced, "effort_group": group}
    then = {
        "person_id": number[earlier],
        "start": start[earlier] - gap - length,
        "stop": start[earlier] - gap,
        "status": np.zeros(len(earlier), dtype=np.int64),
        "effort_group": _chosen(spec.effort_codes[0], rng.random(len(earlier))),
    }
    return _finish(recipe, stack([Table(now, words), Table(then, words)]))


def _chosen(codes: EffortCodes, uniform: FloatArray) -> IntArray:
    """Turn uniforms into places in a list of codes."""
    if not isinstance(codes, dict):
        return (uniform * len(codes)).astype(np.int64)
    ladder = np.cumsum(list(codes.values()))
    return np.searchsorted(ladder[:-1] / ladder[-1], uniform, side="right")


def benefit_rows(
    recipe: Recipe, people: People, number: IntArray, day: IntArray, working: IntArray, rng: np.random.Generator
) -> dict[str, Table]:
    """Return the registers of work assessment allowance, sickness, unemployment and disability benefit."""
    spec, n = recipe.benefits, len(number)
    on_aap = people.reduced_capacity & (rng.random(n) < spec.aap_share)
    if people.aap is not None:
        on_aap = people.aap
    aap_start = day - _length(spec.aap_months[0], n, rng)
    aap_stop = np.minimum(day + _length(spec.aap_months[1], n, rng), _leaves(working, day, n, 120, rng))
    disabled = rng.random(n)
    before = disabled < spec.disability_share[0]
    after = (
        ~before & people.reduced_capacity & (disabled > 1 - spec.disability_share[1] / recipe.persons.reduced_capacity)
    )
    disability_start = np.where(before, day - _length(30, n, rng), day + 200 + _length(spec.disability_months, n, rng))
    aap_stop = np.where(after, np.minimum(aap_stop, disability_start - 1), aap_stop)
    sick = people.reduced_capacity & (rng.random(n) < spec.sickness_share)
    sick_stop = np.where(on_aap, aap_start - 1, day - 20 - _length(6, n, rng))
    sick_start = sick_stop - np.clip(_length(8, n, rng), 20, 364)
    jobless = ~people.reduced_capacity & (rng.random(n) < spec.unemployment_share)
    unemployment_start = day - _length(spec.unemployment_months[0], n, rng)
    unemployment_stop = np.minimum(
        day + _length(spec.unemployment_months[1], n, rng), _leaves(working, day, n, 10, rng)
    )
    grade = np.array([20, 40, 50, 60, 80, 100])[np.searchsorted([0.04, 0.1, 0.25, 0.3, 0.36], rng.random(n))]
    made = {
        "aap": (on_aap, aap_start, aap_stop, {"decision": (rng.random(n) < 0.12).astype(np.int64)}),
        "sickness": (sick, sick_start, sick_stop, {"grade": grade}),
        "unemployment": (
            jobless,
            unemployment_start,
            unemployment_stop,
            {"benefit": (rng.random(n) < 0.1).astype(np.int64)},
        ),
        "disability": (
            before | after,
            disability_start,
            np.full(n, FAR),
            {"grade": np.where(rng.random(n) < 0.55, 100, rng.integers(4, 9, n) * 10)},
        ),
    }
    words = {"decision": spec.aap_codes, "benefit": spec.unemployment_codes}
    return {name: _finish(recipe, _spell_table(number, *parts, words)) for name, parts in made.items()}


def diagnosis_rows(recipe: Recipe, people: People, number: IntArray, day: IntArray, rng: np.random.Generator) -> Table:
    """Return the register of diagnoses: those known at the draw, and some set later."""
    codes = tuple(recipe.persons.diagnosis_codes)
    diagnosed = np.flatnonzero(people.diagnosis >= 0)
    later = np.flatnonzero((people.diagnosis < 0) & (rng.random(len(number)) < 0.03))
    table = Table(
        {
            "person_id": np.concatenate([number[diagnosed], number[later]]),
            "start": np.concatenate(
                [day[diagnosed] - 1 - _length(24, len(diagnosed), rng), day[later] + 30 + _length(8, len(later), rng)]
            ),
            "diagnosis": np.concatenate([people.diagnosis[diagnosed], rng.integers(0, len(codes), len(later))]),
        },
        {"diagnosis": codes},
    )
    inside = table.columns["start"] <= day_number(recipe.last)
    return table.take(inside).sorted_by("person_id", "start")


def full_time_from(recipe: Recipe, main: IntArray, event: IntArray, opening: IntArray) -> IntArray:
    """First day (of those in `opening`) of full-time work after the draw, shape (people,); FAR without any."""
    full = (main >= round(recipe.work.full_week * 100)) & (event > 0)
    eligible = full.any(axis=1)
    return np.where(eligible, opening[full.argmax(axis=1)], FAR)


def months_on(table: Table, people: int, base: int, year: int) -> FloatArray:
    """Months on a benefit in a calendar year, shape (people,); people are numbered from `base`."""
    low = day_number_of_year(year)
    high = day_number_of_year(year + 1)
    stop = np.where(table.columns["stop"] == NO_DAY, FAR, table.columns["stop"])
    days = np.clip(np.minimum(stop + 1, high) - np.maximum(table.columns["start"], low), 0, None)
    return np.asarray(
        np.bincount(table.columns["person_id"] - base, weights=days / DAYS_PER_MONTH, minlength=people),
        dtype=np.float64,
    )


def day_number_of_year(year: int) -> int:
    """Days from 1970 to 1 January of a year."""
    return int(np.datetime64(f"{year}-01-01", "D").astype(np.int64))


def _length(mean_months: float, n: int, rng: np.random.Generator) -> IntArray:
    """Days, gamma distributed with a mean in months; at least one."""
    return 1 + (rng.gamma(1.5, mean_months / 1.5, n) * DAYS_PER_MONTH).astype(np.int64)


def _leaves(working: IntArray, day: IntArray, n: int, slack: int, rng: np.random.Generator) -> IntArray:
    """Day on which full-time work ends a benefit."""
    return np.asarray(np.maximum(working + rng.integers(0, slack, n), day + 1))


def _spell_table(
    number: IntArray,
    holds: BoolArray,
    start: IntArray,
    stop: IntArray,
    further: dict[str, IntArray],
    words: dict[str, tuple[str, str]],
) -> Table:
    table = Table(
        {"person_id": number, "start": start, "stop": stop, **further},
        {name: text for name, text in words.items() if name in further},
    )
    return table.take(holds)


def _finish(recipe: Recipe, table: Table) -> Table:
    """Empty ends beyond coverage, drop spells wholly outside it, sort."""
    first, last = day_number(recipe.first), day_number(recipe.last)
    start, stop = table.columns["start"], table.columns["stop"]
    kept = (start <= last) & (stop >= first) & (stop >= start)
    table = table.with_columns(stop=np.where(stop > last, NO_DAY, stop)).take(kept)
    return table.sorted_by("person_id", "start")
