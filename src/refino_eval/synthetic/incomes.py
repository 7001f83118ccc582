"""Yearly incomes: wages and benefits of the other registers where these exist, a simple past before them."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.benefits import months_on
from refino_eval.synthetic.calendar import BoolArray, FloatArray, IntArray, year_of_day
from refino_eval.synthetic.employment import World
from refino_eval.synthetic.population import People
from refino_eval.synthetic.recipe import Recipe
from refino_eval.synthetic.register_tables import Table


def income_rows(
    recipe: Recipe,
    people: People,
    world: World,
    benefits: dict[str, Table],
    number: IntArray,
    day: IntArray,
    no_row: BoolArray,
    rng: np.random.Generator,
) -> Table:
    """Return the register of incomes.

    There is a row for every year with pensionable income, and always for the year before random assignment (possibly
    with zero amounts), except for the people in `no_row`, who lack that year.

    Parameters
    ----------
    recipe
        The study.
    people
        Traits.
    world
        The observed history.
    benefits
        Clean rows of aap, sickness and unemployment.
    number, day
        Person number and day of the draw.
    no_row
        People without a row for the year before the draw.
    rng
        Generator for everything else.
    """
    spec = recipe.incomes
    years = np.arange(spec.first_year, recipe.last.year + 1)
    work, pension = _past(recipe, people, day, years, rng)
    for year in range(recipe.first.year, recipe.last.year + 1):
        place = year - spec.first_year
        work[:, place], pension[:, place] = _covered_year(
            recipe, people, world, benefits, day, int(number[0]), year, rng
        )
    pensioner = pension > 0
    before = years[None, :] == (year_of_day(day) - 1)[:, None]
    row, column = np.nonzero((pensioner | before) & ~(before & no_row[:, None]))
    return Table(
        {
            "person_id": number[row],
            "period": years[column],
            "occupational_income": work[row, column] * 100,
            "pensionable_income": pension[row, column] * 100,
        }
    )


def _past(
    recipe: Recipe, people: People, day: IntArray, years: IntArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Incomes of the years before the monthly registers, whole kroner, shape (people, years)."""
    spec, shape = recipe.incomes, (len(people), len(years))
    age = people.age[:, None] + (years[None, :] - year_of_day(day)[:, None])
    has = (age >= people.work_start[:, None]) & (rng.random(shape, dtype=np.float32) < people.work_years[:, None])
    own = rng.standard_normal((len(people), 1))
    level = 3.2 * np.exp(0.35 * own + 0.3 * rng.standard_normal(shape, dtype=np.float32)) * np.clip(age / 40, 0.25, 1)
    nominal = level * recipe.prices.unit * (1 + spec.growth) ** (years[None, :] - recipe.prices.base_year)
    work_part = np.clip(rng.random(shape, dtype=np.float32) * 1.6, 0, 1)
    pension = np.where(has, np.rint(nominal), 0).astype(np.int64)
    return np.rint(pension * work_part).astype(np.int64), pension


def _covered_year(
    recipe: Recipe,
    people: People,
    world: World,
    benefits: dict[str, Table],
    day: IntArray,
    base: int,
    year: int,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """Incomes of a year that the monthly registers cover, whole kroner, shape (people,)."""
    spec, n = recipe.incomes, len(world.main)
    price = recipe.prices.index[year] / recipe.prices.index[recipe.prices.base_year]
    first = (year - recipe.first.year) * 12 - (recipe.first.month - 1)
    months = slice(max(first, 0), first + 12)
    wages = (world.wage[:, months].sum(axis=1) + world.second_wage[:, months].sum(axis=1)) // 100
    unit = recipe.prices.unit * price
    began = people.age + year - year_of_day(day) >= people.work_start
    chance = np.where(wages > 0, spec.other_work_share[1], spec.other_work_share[0])
    other = np.where(began, _sometimes(chance, spec.other_work, n, rng), 0.0) * unit
    work = wages + np.rint(other).astype(np.int64)
    # People who often had no income before have no other incomes now: years without income are concentrated among them.
    steady = began & (rng.random(n) < people.work_years)
    support = np.where(steady, _sometimes(spec.other_benefit_share, spec.other_benefit, n, rng), 0.0) * unit
    for name, monthly in zip(("aap", "sickness", "unemployment"), recipe.benefits.monthly, strict=True):
        support = support + months_on(benefits[name], n, base, year) * monthly * price
    support = support * np.clip(1 - work / (spec.support_ends_at * unit), 0, 1)
    return work, work + np.rint(support).astype(np.int64)


def _sometimes(share: float | FloatArray, moments: tuple[float, float], n: int, rng: np.random.Generator) -> FloatArray:
    """Gamma amounts with a mean and sd that a share of people have; zero otherwise."""
    mean, sd = moments
    amount = rng.gamma((mean / sd) ** 2, sd**2 / mean, n)
    return np.where(rng.random(n) < share, amount, 0.0)
