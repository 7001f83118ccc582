"""Random assignment: who is assigned where and when, and to which arm, with exact totals at any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from refino_eval.synthetic.calendar import (
    BoolArray,
    FloatArray,
    IntArray,
    first_day,
    month_curve,
    month_number,
    month_of_day,
)
from refino_eval.synthetic.recipe import Area, Entries, Recipe

ANALYSED, LEFT_AREA, OUTSIDE_PERIOD, NOT_DRAWN = range(4)


@dataclass(frozen=True)
class Plan:
    """Everybody in the registers, by person number: kind, first assignment, and flags.

    Attributes
    ----------
    kind
        ANALYSED, LEFT_AREA, OUTSIDE_PERIOD or NOT_DRAWN, shape (n,).
    area, office
        Positions in `areas` and in the list of all offices.
    day, month
        Of the assignment, since 1970.
    treated
        Assigned to the treated arm.
    share
        The cell's draw probability.
    no_demography, no_income_row
        People missing from a register.
    again_person, again_day, again_area, again_office, again_treated
        Second draws.
    """

    kind: IntArray
    area: IntArray
    office: IntArray
    day: IntArray
    month: IntArray
    treated: BoolArray
    share: FloatArray
    no_demography: BoolArray
    no_income_row: BoolArray
    again_person: IntArray
    again_day: IntArray
    again_area: IntArray
    again_office: IntArray
    again_treated: BoolArray

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Sizes:
    """Number of people of each sort in a delivery of a given size."""

    analysed: int
    treated: int
    left_area: int
    outside: int
    not_drawn: int
    again: int
    no_demography: int
    no_income_row: int


def sizes(recipe: Recipe, people: int) -> Sizes:
    """Scale the recipe's numbers to a size; people missing from a register remain at least one if the recipe has any."""
    scale = people / recipe.people
    extra = recipe.extra

    def scaled(count: int, least: int = 0) -> int:
        return max(round(count * scale), min(count, least))

    return Sizes(
        analysed=people,
        treated=scaled(recipe.treated, 1),
        left_area=scaled(extra.area_people, 1),
        outside=scaled(extra.outside_people, 1),
        not_drawn=round(people * extra.not_drawn_share),
        again=scaled(extra.repeated_draws, 1),
        no_demography=scaled(extra.no_demography, 1),
        no_income_row=scaled(extra.no_income_row, 1),
    )


def areas_of(recipe: Recipe) -> tuple[Area, ...]:
    """Return all areas: those analysed, then those that left."""
    return recipe.areas + recipe.extra.areas


def make_plan(recipe: Recipe, people: int, seed: int) -> Plan:
    """Assign everybody.

    Parameters
    ----------
    recipe
        The study.
    people
        Number of people analysed.
    seed
        The delivery's seed.

    Returns
    -------
    Plan
        People in random order. Arm sizes are exact: within a random order, people are taken by systematic sampling
        with their cell's probability, so that the total is fixed and the assignment random within cells.
    """
    rng = np.random.default_rng([seed, 1])
    if recipe.entries is not None:
        return _entered(recipe, recipe.entries, people, rng)
    size = sizes(recipe, people)
    numbers = [size.analysed, size.left_area, size.outside, size.not_drawn]
    kind = np.repeat(np.arange(4), numbers)
    area, month = (np.concatenate(parts) for parts in zip(*_cells(recipe, numbers, rng), strict=True))
    share = _shares(recipe, area, month, rng)
    analysed = kind == ANALYSED
    share[analysed] = _shifted(share[analysed], size.treated)
    treated = rng.random(len(kind)) < share
    treated[analysed] = _systematic(share[analysed], size.treated, rng)
    day = _days(month, rng)
    office = _offices(recipe, area, rng)

    order = rng.permutation(len(kind))
    kind, area, office = kind[order], area[order], office[order]
    day, treated, share = day[order], treated[order], share[order]
    chosen = rng.permutation(np.flatnonzero(kind == ANALYSED))
    holes = np.zeros((2, len(kind)), dtype=bool)
    holes[0, chosen[: size.no_demography]] = True
    holes[1, chosen[size.no_demography : size.no_demography + size.no_income_row]] = True
    again = np.sort(chosen[len(chosen) - size.again :])
    later = day[again] + rng.integers(60, 500, len(again))
    return Plan(
        kind=kind,
        area=area,
        office=office,
        day=day,
        month=month_of_day(day),
        treated=treated,
        share=share,
        no_demography=holes[0],
        no_income_row=holes[1],
        again_person=again,
        again_day=_weekday(later),
        again_area=area[again],
        again_office=office[again],
        again_treated=rng.random(len(again)) < share[again],
    )


def _entered(recipe: Recipe, entries: Entries, people: int, rng: np.random.Generator) -> Plan:
    """Let people enter: so many in each period and arm, in any month of it, where the arm has its people."""
    scale, parts = people / recipe.people, []
    for cohort in entries.cohorts:
        months = np.arange(month_number(cohort.first), month_number(cohort.last) + 1)
        for treated, count in ((True, cohort.treated), (False, cohort.control)):
            n = max(round(count * scale), 1)
            parts.append((rng.choice(months, n), np.full(n, treated)))
    month, treated_arm = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    others = round(len(month) * recipe.extra.not_drawn_share)
    kind = np.repeat([ANALYSED, NOT_DRAWN], [len(month), others])
    month = np.concatenate([month, rng.choice(month, others)])
    treated_arm = np.concatenate([treated_arm, np.zeros(others, dtype=bool)])
    order = rng.permutation(len(kind))
    kind, month, treated_arm = kind[order], month[order], treated_arm[order]
    size = np.array([area.size for area in recipe.areas])
    share = np.array([float(month_curve(area.share_treated, month[:1])[0]) for area in recipe.areas])
    weights = (size * (1 - share), size * share)
    area = np.where(treated_arm, *(rng.choice(len(size), len(kind), p=each / each.sum()) for each in reversed(weights)))
    nobody, none = np.zeros(len(kind), dtype=bool), np.zeros(0, dtype=np.int64)
    return Plan(
        kind=kind,
        area=area,
        office=_offices(recipe, area, rng),
        day=first_day(month),
        month=month,
        treated=treated_arm,
        share=np.full(len(kind), recipe.treated / recipe.people),
        no_demography=nobody,
        no_income_row=nobody,
        again_person=none,
        again_day=none,
        again_area=none,
        again_office=none,
        again_treated=np.zeros(0, dtype=bool),
    )


def _cells(recipe: Recipe, numbers: list[int], rng: np.random.Generator) -> list[tuple[IntArray, IntArray]]:
    """Distribute each sort of people over area x month; return area and month for each sort."""
    last = month_number(recipe.draw_last)
    areas = areas_of(recipe)
    inside = len(recipe.areas)
    months = np.arange(min(month_number(area.first) for area in areas), last + 1)
    weight = np.zeros((len(areas), len(months)))
    for row, area in enumerate(areas):
        open_months = (months >= month_number(area.first)) & (months <= month_number(area.last or recipe.draw_last))
        weight[row] = area.size * open_months * month_curve(recipe.volume, months)
    outside = np.array([month_number(month) for month in recipe.extra.outside_months] or [last + 1])
    sizes_inside = np.array([area.size for area in recipe.areas])

    def place(count: int, rows: slice) -> tuple[IntArray, IntArray]:
        part = weight[rows]
        if not count or not part.size:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        cell = np.repeat(np.arange(part.size), rng.multinomial(count, part.ravel() / part.sum()))
        return cell // len(months) + (rows.start or 0), months[cell % len(months)]

    return [
        place(numbers[0], slice(0, inside)),
        place(numbers[1], slice(inside, len(areas))),
        (
            rng.choice(inside, numbers[2], p=sizes_inside / sizes_inside.sum()),
            outside[rng.integers(0, len(outside), numbers[2])],
        ),
        place(numbers[3], slice(0, inside)),
    ]


def _shares(recipe: Recipe, area: IntArray, month: IntArray, rng: np.random.Generator) -> FloatArray:
    """Return each person's draw probability before the common shift."""
    first = int(month.min())
    months = np.arange(first, int(month.max()) + 1)
    table = np.vstack([month_curve(one.share_treated, months) for one in areas_of(recipe)])
    noise = recipe.draw_noise * rng.standard_normal(table.shape)
    if recipe.cells == "area":  # one probability for all months of an area
        table, noise = np.broadcast_to(table.mean(axis=1, keepdims=True), table.shape), noise[:, :1]
    table = expit(logit(np.clip(table, 0.01, 0.99)) + noise)
    return table[area, month - first]


def _shifted(share: FloatArray, total: int) -> FloatArray:
    """Shift all log odds equally so that the probabilities add up to the total."""
    odds, low, high = logit(share), -20.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).sum() < total else (low, middle)
    return np.asarray(expit(odds + (low + high) / 2))


def _systematic(share: FloatArray, total: int, rng: np.random.Generator) -> BoolArray:
    """Take exactly `total` people, each with its probability, by systematic sampling in random order."""
    order = rng.permutation(len(share))
    ladder = np.cumsum(share[order])
    ladder *= total / ladder[-1]
    ladder[-1] = total
    # Everybody has a stretch of the ladder as long as their probability, and is taken if a whole number (from a random start)
    # lies in it: the ladder is `total` long, so that many are taken.
    steps = np.floor(np.concatenate([[0.0], ladder]) + rng.uniform(1e-6, 1 - 1e-6))
    taken = np.zeros(len(share), dtype=bool)
    taken[order] = np.diff(steps) > 0
    return taken


def _days(month: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a working day of each month."""
    start = first_day(month)
    length = first_day(month + 1) - start
    day = start + (rng.random(len(month)) * length).astype(np.int64)
    moved = _weekday(day)
    return np.where(month_of_day(moved) == month, moved, day + 2)


def _weekday(day: IntArray) -> IntArray:
    """Move a Saturday or Sunday back to Friday (1 January 1970 was a Thursday)."""
    weekday = (day + 3) % 7
    return np.asarray(day - np.clip(weekday - 4, 0, None))


def _offices(recipe: Recipe, area: IntArray, rng: np.random.Generator) -> IntArray:
    """Return each person's office, as a position in the list of all areas' offices; the first named are the largest."""
    offset, office = 0, np.zeros(len(area), dtype=np.int64)
    for row, one in enumerate(areas_of(recipe)):
        members = np.flatnonzero(area == row)
        weight = np.linspace(2.0, 1.0, len(one.offices))
        office[members] = offset + rng.choice(len(one.offices), len(members), p=weight / weight.sum())
        offset += len(one.offices)
    return office
