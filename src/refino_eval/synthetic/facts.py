"""Facts about people that the study published by arm, and enrolments in education."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.assignment import ANALYSED, Plan, areas_of
from refino_eval.synthetic.calendar import DAYS_PER_MONTH, NO_DAY, FloatArray, IntArray, day_number, month_of
from refino_eval.synthetic.recipe import Enrolments, Recipe
from refino_eval.synthetic.register_tables import Table

STREAM = 3
"""Keeps the random numbers of this module apart from those of the blocks."""


def fact_tables(recipe: Recipe, plan: Plan, seed: int) -> dict[str, Table]:
    """Return the registers of facts, one row per person who was assigned.

    Parameters
    ----------
    recipe
        `recipe.facts` gives register -> column -> code -> share in the treated and in the control arm.
    plan
        Everybody in the registers.
    seed
        The delivery's seed.

    Returns
    -------
    dict of Table
        Among the people analysed, each code has its share of each arm to the nearest person, so that a published table of
        characteristics comes out as printed.
    """
    tables = {}
    for place, (register, columns) in enumerate(recipe.facts.items()):
        rng = np.random.default_rng([seed, STREAM, place])
        made: dict[str, IntArray] = {"person_id": np.arange(len(plan))}
        for name, codes in columns.items():
            values = np.zeros(len(plan), dtype=np.int64)
            for arm, treated in enumerate((True, False)):
                shares = np.array([pair[arm] for pair in codes.values()])
                for analysed in (True, False):
                    members = np.flatnonzero((plan.treated == treated) & ((plan.kind == ANALYSED) == analysed))
                    values[members] = rng.permutation(np.repeat(np.arange(len(shares)), _counts(shares, len(members))))
            made[name] = values
        tables[register] = Table(made, {name: tuple(codes) for name, codes in columns.items()})
    return tables


def _counts(shares: FloatArray, people: int) -> IntArray:
    """Return whole numbers with the given shares that add up to `people`: the largest remainders are rounded up."""
    exact: FloatArray = shares / shares.sum() * people
    counts: IntArray = np.floor(exact + 1e-9).astype(np.int64)
    short = people - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    return counts


def series_tables(recipe: Recipe, seed: int) -> dict[str, Table]:
    """Return the registers of series: a number, in hundredths, for each municipality and month that the registers cover."""
    places = tuple(dict.fromkeys(code for area in areas_of(recipe) for code in area.municipalities))
    months = np.arange(month_of(recipe.first), month_of(recipe.last) + 1)
    tables = {}
    for number, (register, spec) in enumerate(recipe.series.items()):
        rng = np.random.default_rng([seed, STREAM, 1000 + number])
        level = spec.mean + spec.between * rng.standard_normal((len(places), 1))
        values = level + spec.within * rng.standard_normal((len(places), len(months)))
        place, month = np.divmod(np.arange(values.size), len(months))
        period = (1970 + months[month] // 12) * 100 + months[month] % 12 + 1
        hundredths = np.maximum(np.rint(values.ravel() * 100), 0).astype(np.int64)
        columns = {"unit": place, "period": period, spec.column: hundredths}
        tables[register] = Table(columns, {"unit": places})
    return tables


def enrolment_rows(
    recipe: Recipe, spec: Enrolments, number: IntArray, day: IntArray, rng: np.random.Generator
) -> Table:
    """Return the register of enrolments: for a share of the people one spell, which begins at any time around assignment."""
    who = np.flatnonzero(rng.random(len(number)) < spec.share)
    first, last = spec.begin
    start = day[who] + np.rint(rng.uniform(first, last, len(who)) * DAYS_PER_MONTH).astype(np.int64)
    stop = start + np.maximum(np.rint(rng.gamma(2.0, spec.months / 2.0, len(who)) * DAYS_PER_MONTH), 30).astype(
        np.int64
    )
    levels = list(spec.levels)
    chosen = np.searchsorted(np.cumsum(list(spec.levels.values()))[:-1], rng.random(len(who)), side="right")
    opening, end = day_number(recipe.first), day_number(recipe.last)
    table = Table(
        {
            "person_id": number[who],
            "start": start,
            "stop": np.where(stop > end, NO_DAY, stop),
            "level": np.array(levels, dtype=np.int64)[chosen],
        }
    )
    return table.take((start >= opening) & (start <= end)).sorted_by("person_id", "start")
