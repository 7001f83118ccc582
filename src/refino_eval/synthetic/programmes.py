"""Take-up: who starts which programme under each assignment, when, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from refino_eval.synthetic.assignment import Plan
from refino_eval.synthetic.calendar import (
    DAYS_PER_MONTH,
    NO_DAY,
    BoolArray,
    FloatArray,
    IntArray,
    day_number,
    first_day,
)
from refino_eval.synthetic.entries import entry_rows, with_offices
from refino_eval.synthetic.population import People
from refino_eval.synthetic.recipe import ArmRecipe, Entries, Recipe
from refino_eval.synthetic.register_tables import Table, stack

NEVER = 10_000
"""Event month of a start that never comes."""


@dataclass(frozen=True)
class TakeUp:
    """What a person would do under each assignment; shape (people,).

    Attributes
    ----------
    own
        Event month in which the arm's own programme is started (NEVER: not), by arm assigned to: (treated, control).
    other
        The same for the other arm's programme.
    """

    own: tuple[IntArray, IntArray]
    other: tuple[IntArray, IntArray]

    def treated_programme(self, *, drawn_treated: bool) -> IntArray:
        """Event month in which the treated arm's programme is started under one assignment."""
        return self.own[0] if drawn_treated else self.other[1]

    def control_programme(self, *, drawn_treated: bool) -> IntArray:
        """Event month in which the control arm's programme is started under one assignment."""
        return self.other[0] if drawn_treated else self.own[1]


def draw_take_up(recipe: Recipe, people: People, rng: np.random.Generator) -> TakeUp:
    """Decide take-up under both assignments with the same uniforms."""
    uniform, when, crossing = rng.random(len(people)), rng.random(len(people)), rng.random(len(people))
    own, other = [], []
    for arm in (recipe.arms.treated, recipe.arms.control):
        starts = uniform < _start_chance(recipe, arm, people)
        own.append(np.where(starts, _month(arm, when), NEVER))
        crosses = ~starts & (crossing < arm.other_share / max(1 - arm.start_share, 1e-9))
        other.append(np.where(crosses, _month(arm, 1 - when), NEVER))
    return TakeUp((own[0], own[1]), (other[0], other[1]))


def _start_chance(recipe: Recipe, arm: ArmRecipe, people: People) -> FloatArray:
    chance = np.full(len(people), arm.start_share)
    traits = {
        "reduced_capacity": people.reduced_capacity - recipe.persons.reduced_capacity,
        "propensity": people.propensity,
    }
    for name, weight in arm.start_on.items():
        chance = chance + weight * traits[name]
    return np.asarray(np.clip(chance, 0.02, 0.98))


def _month(arm: ArmRecipe, uniform: FloatArray) -> IntArray:
    """Event month of the start: inverse of the recipe's curve."""
    months = np.arange(min(arm.start_by_month), max(arm.start_by_month) + 1)
    known = sorted(arm.start_by_month)
    share = np.interp(months, known, [arm.start_by_month[month] for month in known])
    return months[np.searchsorted(share[:-1], uniform, side="right")]


@lru_cache(maxsize=64)
def _survival(mean: float, bumps: tuple[tuple[int, float], ...], longest: int) -> tuple[float, ...]:
    """Share still taking part at the beginning of each month, with the steady exit that gives the mean."""
    low, high = 0.0, 0.6
    for _ in range(60):
        middle = (low + high) / 2
        survival = _steps(middle, dict(bumps), longest)
        # Within its last month a participation ends on average in the middle.
        length = sum(survival[1:]) + 0.5
        low, high = (middle, high) if length > mean else (low, middle)
    return tuple(_steps((low + high) / 2, dict(bumps), longest))


def _steps(hazard: float, bumps: dict[int, float], longest: int) -> list[float]:
    survival = [1.0]
    for month in range(1, longest):
        # A bump after m months makes people leave within the month that follows.
        survival.append(survival[-1] * (1 - hazard) * (1 - bumps.get(month - 1, 0.0)))
    return [*survival, 0.0]


def _durations(arm: ArmRecipe, n: int, rng: np.random.Generator) -> IntArray:
    """Lengths of participations in days."""
    survival = np.array(_survival(arm.mean_duration, tuple(sorted(arm.exit_bumps.items())), arm.longest))
    month = np.searchsorted(-survival[1:], -rng.random(n), side="left")
    return np.maximum(((month + rng.random(n)) * DAYS_PER_MONTH).astype(np.int64), 1)


def programme_rows(
    recipe: Recipe,
    take_up: TakeUp,
    number: IntArray,
    month: IntArray,
    day: IntArray,
    drawn: BoolArray,
    treated: BoolArray,
    rng: np.random.Generator,
) -> Table:
    """Return the clean rows of the register of programmes, no-shows among them.

    Parameters
    ----------
    recipe
        The study.
    take_up
        Starts under both draws.
    number, month, day
        Person number, and month and day of the draw.
    drawn
        Whether the person was drawn at all.
    treated
        To the treated arm.
    rng
        Decides days and lengths.
    """
    arms = (recipe.arms.treated, recipe.arms.control)
    codes = (arms[0].programme, arms[1].programme, *recipe.other_programmes)
    status = tuple(recipe.programme_status.values())
    parts = []
    for place in (0, 1):
        for mine, starts in ((True, take_up.own[place]), (False, take_up.other[place])):
            here = np.flatnonzero(drawn & (treated == (place == 0)) & (starts < NEVER))
            kind = place if mine else 1 - place
            parts.append(_spells(arms[kind], kind, number[here], month[here] + starts[here], day[here], rng))
        here = np.flatnonzero(drawn & (treated == (place == 0)) & (take_up.own[place] >= NEVER))
        here = here[rng.random(len(here)) < recipe.mess.no_show]
        parts.append(_no_shows(place, number[here], day[here], list(recipe.programme_status).index("no_show"), rng))
    parts.append(_other(recipe, number, day, rng))
    table = stack([Table(part, {"programme": codes, "status": status}) for part in parts])
    return _at_coverage_end(recipe, table).sorted_by("person_id", "start", "programme")


def _spells(
    arm: ArmRecipe, kind: int, number: IntArray, month: IntArray, day: IntArray, rng: np.random.Generator
) -> dict[str, IntArray]:
    earliest = np.maximum(first_day(month), day + 1)
    # A draw on a month's last day can only be followed by a start in the next month; it keeps its month by this floor.
    earliest = np.minimum(earliest, first_day(month + 1) - 1)
    start = earliest + (rng.random(len(number)) * (first_day(month + 1) - earliest)).astype(np.int64)
    length = _durations(arm, len(number), rng)
    early = length < 0.6 * arm.mean_duration * DAYS_PER_MONTH
    status = np.where(early & (rng.random(len(number)) < 0.6), 1, 0)
    return {
        "person_id": number,
        "programme": np.full(len(number), kind),
        "start": start,
        "stop": start + length - 1,
        "status": status,
    }


def _no_shows(kind: int, number: IntArray, day: IntArray, status: int, rng: np.random.Generator) -> dict[str, IntArray]:
    start = day + rng.integers(10, 60, len(number))
    return {
        "person_id": number,
        "programme": np.full(len(number), kind),
        "start": start,
        "stop": start + rng.integers(0, 120, len(number)),
        "status": np.full(len(number), status),
    }


def entered_rows(
    recipe: Recipe, entries: Entries, plan: Plan, number: IntArray, working: BoolArray, rng: np.random.Generator
) -> Table:
    """Return the rows of people who entered instead of being drawn, each with its office (see `entry_rows`)."""
    parts, codes = entry_rows(recipe, entries, plan, number, working, rng)
    parts.append(_other(recipe, number, plan.day, rng, first=len(codes)))
    words = {"programme": (*codes, *recipe.other_programmes), "status": tuple(recipe.programme_status.values())}
    table = _at_coverage_end(recipe, stack([Table(part, words) for part in parts]))
    offices = tuple(office for area in recipe.areas for office in area.offices)
    return with_offices(table, plan, int(number[0]), offices).sorted_by("person_id", "start", "programme")


def _other(
    recipe: Recipe, number: IntArray, day: IntArray, rng: np.random.Generator, *, first: int = 2
) -> dict[str, IntArray]:
    """Other programmes, at any time around the draw; `first` is the place of the first in the list of codes."""
    columns: list[dict[str, IntArray]] = []
    for place, mean in enumerate(recipe.other_programmes.values(), start=first):
        who = np.repeat(np.arange(len(number)), rng.poisson(mean, len(number)))
        start = day[who] + np.rint(rng.normal(-60, 420, len(who))).astype(np.int64)
        # Left out, not moved to the edge, where spells of one person would coincide.
        inside = (start >= day_number(recipe.first) - 200) & (start <= day_number(recipe.last) - 30)
        who, start = who[inside], start[inside]
        length = np.maximum((rng.gamma(1.6, 75.0, len(who))).astype(np.int64), 5)
        columns.append(
            {
                "person_id": number[who],
                "programme": np.full(len(who), place),
                "start": start,
                "stop": start + length,
                "status": (rng.random(len(who)) < 0.25).astype(np.int64),
            }
        )
    if not columns:
        empty = np.zeros(0, dtype=np.int64)
        return dict.fromkeys(("person_id", "programme", "start", "stop", "status"), empty)
    return stack([Table(one) for one in columns]).columns


def _at_coverage_end(recipe: Recipe, table: Table) -> Table:
    """Leave the end empty, and the status at ongoing, where a participation outlasts the coverage."""
    end, place = day_number(recipe.last), list(recipe.programme_status)
    ongoing = (table.columns["stop"] > end) & (table.columns["status"] != place.index("no_show"))
    table = table.with_columns(
        stop=np.where(ongoing, NO_DAY, np.minimum(table.columns["stop"], end)),
        status=np.where(ongoing, place.index("ongoing"), table.columns["status"]),
    )
    covered = (table.columns["stop"] == NO_DAY) | (table.columns["stop"] >= day_number(recipe.first))
    return table.take(covered & (table.columns["start"] <= end))
