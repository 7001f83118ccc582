"""Employment month by month, in two worlds that share their random numbers.

Every person has a propensity to work (traits, a permanent component, and a situation that is redrawn at random
months) and an inclination to long hours, built alike. A month's states follow by comparing their ranks with the share
that the recipe asks for in that event month. So the levels are as specified, persistence comes from the situations,
and an effect of so many percentage points moves exactly the people at the margin: the two worlds differ nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from refino_eval.synthetic.calendar import BoolArray, FloatArray, IntArray, curve, month_of
from refino_eval.synthetic.population import People
from refino_eval.synthetic.recipe import STATES, Effects, Recipe, ValueRange

FULL, HALF, PART, SMALL, NONE = range(5)
"""What a month's main job is: full time, at least half, at least some hours, less than that, no work."""
NO_ROW = -1
"""Agreed hours where no job is registered."""
Grid = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Latent:
    """What both worlds share; every array has shape (people, months).

    Attributes
    ----------
    work, hours
        Ranks in (0, 1) of the propensity to work and of the inclination to long hours; a low rank means work.
    renewal
        Whether the situation is drawn anew in the month.
    moves
        Whether a renewal between two employed months means another employer.
    pick, second, third, second_size
        Uniforms of the situation that decide agreed hours, further employers, and their hours.
    paid, second_paid
        Whether the month pays.
    wage
        Deviation of the log wage from its median.
    """

    work: Grid
    hours: Grid
    renewal: BoolArray
    moves: BoolArray
    pick: Grid
    second: Grid
    third: Grid
    second_size: Grid
    paid: BoolArray
    second_paid: BoolArray
    wage: Grid


@dataclass(frozen=True)
class World:
    """Monthly work of one history; shape (people, months), hours in hundredths, wages in nominal oere.

    Attributes
    ----------
    main, second, third
        Agreed weekly hours with each employer; NO_ROW where no job is registered.
    since
        Month (column) in which the present employer began; -1 without work.
    wage, second_wage
        Cash wage from the main and from the second employer.
    """

    main: IntArray
    second: IntArray
    third: IntArray
    since: IntArray
    wage: IntArray
    second_wage: IntArray

    def weekly_hours(self) -> IntArray:
        """Sum of agreed hours over employers, hundredths."""
        return np.clip(self.main, 0, None) + np.clip(self.second, 0, None) + np.clip(self.third, 0, None)


def draw_latent(recipe: Recipe, people: People, event: IntArray, rng: np.random.Generator) -> Latent:
    """Draw everything random about work, once for both worlds."""
    spec, shape = recipe.work, event.shape
    months = shape[1]
    chance = spec.renewal if isinstance(spec.renewal, float) else curve(spec.renewal, event).astype(np.float32)
    renewal = rng.random(shape, dtype=np.float32) < chance
    renewal[:, 0] = True
    # The month in which the present situation began: values drawn in it hold until the next one.
    since = np.maximum.accumulate(np.where(renewal, np.arange(months, dtype=np.int16), 0), axis=1).astype(np.int64)

    def situation(values: Grid) -> Grid:
        return np.take_along_axis(values, since, axis=1)

    def normal() -> Grid:
        return rng.standard_normal(shape, dtype=np.float32)

    def uniform() -> Grid:
        return rng.random(shape, dtype=np.float32)

    own = rng.standard_normal((len(people), 3), dtype=np.float32)
    rest = 1 - spec.trait_share - spec.fixed_share
    level = np.sqrt(spec.trait_share) * people.propensity + np.sqrt(spec.fixed_share) * own[:, 0]
    work = level.astype(np.float32)[:, None] + np.float32(np.sqrt(rest)) * situation(normal())
    hours = np.float32(np.sqrt(spec.hours_fixed_share)) * own[:, 1:2] + np.float32(
        np.sqrt(1 - spec.hours_fixed_share)
    ) * situation(normal())
    between, job, monthly = (np.float32(sd) for sd in spec.wage_sd)
    return Latent(
        # Uniform, and small for those who are most inclined to work: `work < share` employs that share, the same people first in
        # both worlds.
        work=ndtr(-work),
        hours=ndtr(-hours),
        renewal=renewal,
        moves=uniform() >= np.float32(spec.keep_employer),
        pick=situation(uniform()),
        second=situation(uniform()),
        third=situation(uniform()),
        second_size=situation(uniform()),
        paid=uniform() >= np.float32(spec.unpaid_month),
        second_paid=uniform() < np.float32(spec.second_paid),
        wage=between * own[:, 2:3] + job * situation(normal()) + monthly * normal(),
    )


@dataclass(frozen=True)
class Shift:
    """Effects in one world: change of each state's share and relative change of the wage; shape (people, months)."""

    states: dict[str, Grid]
    wage: Grid

    def plus(self, other: Shift) -> Shift:
        """Return both changes together; of wages they multiply."""
        names = dict.fromkeys((*self.states, *other.states))
        zero = np.zeros_like(self.wage)
        states = {name: self.states.get(name, zero) + other.states.get(name, zero) for name in names}
        return Shift(states, (1 + self.wage) * (1 + other.wage) - 1)


def selection_shift(recipe: Recipe, event: IntArray, treated: BoolArray) -> Shift | None:
    """Return by how much work is more or less common among people who entered the treated arm, whatever it does to them."""
    if recipe.work.gap is None:
        return None
    low = int(event.min())
    path = curve(recipe.work.gap, np.arange(low, int(event.max()) + 1)).astype(np.float32)
    grid = np.where(treated[:, None], path[event - low], np.float32(0))
    return Shift(dict.fromkeys(STATES, grid), np.zeros_like(grid))


def group_shift(
    recipe: Recipe, event: IntArray, traits: Mapping[str, npt.NDArray[Any]], control: BoolArray
) -> Shift | None:
    """Return by how much work is more or less common in the recipe's groups, with mean 0 among the people of the control arm."""
    if not recipe.work.groups:
        return None
    low = int(event.min())
    span = np.arange(low, int(event.max()) + 1)
    total = np.zeros(event.shape, dtype=np.float32)
    for group in recipe.work.groups:
        member = np.ones(len(event), dtype=bool)
        for name, value in group.where.items():
            member &= _holds(traits[name], value)
        mean = float(member[control].mean()) if control.any() else 0.0
        path = curve(group.change, span).astype(np.float32)
        total += (member - np.float32(mean))[:, None] * path[event - low]
    states = {}
    for state in STATES:
        part = curve(recipe.work.levels[state], span) / np.maximum(curve(recipe.work.levels[STATES[0]], span), 1e-9)
        states[state] = total * part.astype(np.float32)[event - low]
    return Shift(states, np.zeros_like(total))


def _holds(trait: npt.NDArray[Any], value: bool | ValueRange | tuple[str, ...]) -> BoolArray:
    """Return who has a trait, a number in an interval, or one of some codes."""
    if isinstance(value, bool):
        return np.asarray(trait == value)
    if isinstance(value, tuple):
        return np.isin(trait, value)
    inside = np.ones(len(trait), dtype=bool)
    if value.at_least is not None:
        inside &= trait >= value.at_least
    if value.below is not None:
        inside &= trait < value.below
    return inside


def make_shift(recipe: Recipe, effects: Effects, event: IntArray, started: BoolArray, trait: BoolArray) -> Shift:
    """Assign the ITT effects to those who have started the programme.

    Parameters
    ----------
    recipe
        The study.
    effects
        ITT effects by event month.
    event
        Event months, shape (people, months).
    started
        Whether the person, if assigned to the treated arm, has started its programme by the month.
    trait
        The trait by which effects differ, shape (people,).

    Returns
    -------
    Shift
        The ITT effect divided by the share that has started, for those who have.
    """
    low = int(event.min())
    span = np.arange(low, int(event.max()) + 1)
    share = np.array([_started_share(recipe, int(month)) for month in span])
    factor = np.where(trait, effects.factor[1], effects.factor[0]).astype(np.float32)[:, None]

    def spread(points: dict[int, float]) -> Grid:
        path = np.where(share > 0, curve(points, span) / np.maximum(share, 1e-9), 0.0).astype(np.float32)
        return np.where(started, path[event - low], np.float32(0)) * factor

    return Shift({name: spread(points) for name, points in effects.states.items()}, spread(effects.wage))


def _started_share(recipe: Recipe, event_month: int) -> float:
    arm = recipe.arms.treated
    if event_month < min(arm.start_by_month):
        return 0.0
    return arm.start_share * float(curve(arm.start_by_month, np.array([event_month]))[0])


def make_world(recipe: Recipe, latent: Latent, event: IntArray, first_month: int, shift: Shift | None) -> World:
    """Work out one history.

    Parameters
    ----------
    recipe
        The study.
    latent
        What both worlds share.
    event
        Event months, shape (people, months).
    first_month
        The first column's month, since January 1970.
    shift
        The effects; None in the untreated world.
    """
    share = _shares(recipe, event, shift)
    employed = latent.work < share["employed"]
    group = np.full(employed.shape, SMALL, dtype=np.int8)
    for value, state in ((PART, "at_least_4h"), (HALF, "half_time"), (FULL, "full_time")):
        # Of those employed, a uniform below share / employed has the state, so that the state has its share of all.
        group[latent.hours * share["employed"] < share[state]] = value
    group[~employed] = NONE

    before = np.zeros_like(employed)
    before[:, 1:] = employed[:, :-1]
    begins = employed & (~before | (latent.renewal & latent.moves))
    columns = np.arange(employed.shape[1], dtype=np.int16)
    since = np.maximum.accumulate(np.where(begins, columns, np.int16(-1)), axis=1)
    since[~employed] = -1

    main = _agreed(recipe, group, latent.pick)
    second, third = _further(recipe, latent, group, main, event)
    wage, second_wage = _wages(recipe, latent, group, main, second, first_month, shift)
    return World(main, second, third, since, wage, second_wage)


def _shares(recipe: Recipe, event: IntArray, shift: Shift | None) -> dict[str, Grid]:
    """Share in each nested state by person and month, and the share employed (a job month may go unpaid)."""
    low = int(event.min())
    span = np.arange(low, int(event.max()) + 1)
    shares: dict[str, Grid] = {}
    wider: Grid | None = None
    for state in STATES:
        share = curve(recipe.work.levels[state], span).astype(np.float32)[event - low]
        if shift is not None and state in shift.states:
            share = np.clip(share + shift.states[state], 0.0, 0.97)
        wider = share if wider is None else np.minimum(share, wider)
        shares[state] = wider
    shares["employed"] = shares[STATES[0]] / np.float32(1 - recipe.work.unpaid_month)
    return shares


def _agreed(recipe: Recipe, group: IntArray, pick: Grid) -> IntArray:
    """Agreed hours of the main job, hundredths."""
    hours = np.full(group.shape, NO_ROW, dtype=np.int32)
    for value, state in ((FULL, "full_time"), (HALF, "half_time"), (PART, "at_least_4h"), (SMALL, "any_wage")):
        members = group == value
        drawn = pick[members]
        if value == SMALL:
            rows = drawn >= recipe.work.no_job_row
            drawn = np.where(rows, (drawn - recipe.work.no_job_row) / max(1 - recipe.work.no_job_row, 1e-9), 0)
            chosen = np.where(rows, _choose(recipe.work.hours[state], drawn, 100), NO_ROW)
        else:
            chosen = _choose(recipe.work.hours[state], drawn, 100)
        hours[members] = chosen
    return hours


def _choose(frequency: dict[float, float], uniform: FloatArray, scale: float) -> IntArray:
    """Turn uniforms into values of a discrete distribution, times a scale."""
    values = np.array([round(value * scale) for value in frequency], dtype=np.int32)
    weight = np.cumsum(list(frequency.values()))
    return values[np.searchsorted(weight[:-1] / weight[-1], uniform, side="right")]


def _further(
    recipe: Recipe, latent: Latent, group: IntArray, main: IntArray, event: IntArray
) -> tuple[IntArray, IntArray]:
    """Hours with a second and a third employer: never more than the main job's, which so remains the largest."""
    low = int(event.min())
    span = np.arange(low, int(event.max()) + 1)
    apt = (group == FULL) | (group == HALF)
    ratio = _choose(recipe.work.second_hours, latent.second_size, 100)
    # Quarter hours keep the agreed hours looking like agreed hours.
    size = np.minimum(main * ratio // 100 // 25 * 25, main).astype(np.int32)
    second_share = curve(recipe.work.second_job, span).astype(np.float32)[event - low]
    third_share = curve(recipe.work.third_job, span).astype(np.float32)[event - low]
    has_second = apt & (latent.second < second_share)
    has_third = has_second & (latent.third * second_share < third_share)
    return np.where(has_second, size, NO_ROW), np.where(has_third, size, NO_ROW)


def _wages(
    recipe: Recipe,
    latent: Latent,
    group: IntArray,
    main: IntArray,
    second: IntArray,
    first_month: int,
    shift: Shift | None,
) -> tuple[IntArray, IntArray]:
    """Nominal monthly wages in oere: at least one krone wherever the month pays."""
    spec = recipe.work
    years = 1970 + (first_month + np.arange(main.shape[1])) // 12
    prices = np.array([recipe.prices.index[int(year)] for year in years]) / recipe.prices.index[recipe.prices.base_year]
    wage, second_wage = np.zeros(main.shape, dtype=np.int64), np.zeros(main.shape, dtype=np.int64)
    cells = np.nonzero((group != NONE) & latent.paid)
    hours = main[cells]
    base = np.where(group[cells] == SMALL, spec.small_wage, spec.monthly_wage * hours / (100 * spec.full_week))
    real = base * np.exp(latent.wage[cells])
    if shift is not None:
        real = real * (1 + shift.wage[cells])
    nominal = np.rint(real * prices[cells[1]] * 100).astype(np.int64)
    wage[cells] = np.maximum(nominal, 100)
    further = second[cells]
    pays = (further > 0) & latent.second_paid[cells]
    second_wage[cells] = np.where(pays, np.maximum(nominal * further // np.maximum(hours, 1), 100), 0)
    return wage, second_wage


def first_and_months(recipe: Recipe) -> tuple[int, int]:
    """Return the first month covered (since January 1970) and the number of months."""
    first = month_of(recipe.first)
    return first, month_of(recipe.last) - first + 1
