"""Programmes of people who were not drawn but entered: stays of given lengths, measures during them, and near misses of the rule."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.assignment import ANALYSED, NOT_DRAWN, Plan
from refino_eval.synthetic.calendar import BoolArray, IntArray, curve, first_day
from refino_eval.synthetic.recipe import Entries, Recipe
from refino_eval.synthetic.register_tables import Table

Columns = dict[str, IntArray]


def entry_rows(
    recipe: Recipe, entries: Entries, plan: Plan, number: IntArray, working: BoolArray, rng: np.random.Generator
) -> tuple[list[Columns], tuple[str, ...]]:
    """Return rows of the register of programmes, and the codes that their programmes are places in.

    Parameters
    ----------
    recipe
        The study; its arms give the programmes.
    entries
        How long people stay, what they take part in meanwhile, and who narrowly does not count as entering.
    plan
        A block of people, with the month in which each enters.
    number
        Their numbers.
    working
        Who is in work in event month 12.
    rng
        Decides days and lengths.
    """
    arms = (recipe.arms.treated, recipe.arms.control)
    codes = (arms[0].programme, arms[1].programme, *entries.during, *entries.with_work, entries.earlier_programme)
    parts: list[Columns] = []
    for place in (0, 1):
        here = np.flatnonzero((plan.kind == ANALYSED) & (plan.treated == (place == 0)))
        stay = _stay(entries.stay[place], len(here), rng)
        parts.append(_spells(place, number[here], plan.month[here], plan.month[here] + stay, rng))
        for code, shares in enumerate(entries.during.values(), start=2):
            parts.append(_during(code, shares[place], number[here], plan.month[here], stay, rng))
        for code, shares in enumerate(entries.with_work.values(), start=2 + len(entries.during)):
            chosen = here[working[here] & (rng.random(len(here)) < shares[place])]
            around = plan.month[chosen] + 12
            begin, end = around - rng.integers(0, 4, len(chosen)), around + rng.integers(0, 4, len(chosen))
            parts.append(_spells(code, number[chosen], begin, end, rng))
        # Some come back after seven months or more, which is an entry again, and not their first.
        again = rng.random(len(here)) < entries.again
        back = plan.month[here] + stay + 7 + rng.integers(0, 6, len(here))
        parts.append(_spells(place, number[here][again], back[again], back[again] + 3, rng))
    parts += _near_misses(plan, number, len(codes) - 1, rng)
    return parts, codes


def _stay(points: dict[int, float], n: int, rng: np.random.Generator) -> IntArray:
    """Return the last event month of each stay: the share that reaches a month is as the curve has it."""
    months = np.arange(max(points) + 1)
    return np.searchsorted(-curve(points, months), -rng.random(n), side="left") - 1


def _spells(kind: int, number: IntArray, first: IntArray, last: IntArray, rng: np.random.Generator) -> Columns:
    """Return spells that touch the months from the first to the last."""
    opening, end = first_day(first), first_day(last)
    start = opening + rng.integers(0, 28, len(number))
    stop = np.maximum(end + rng.integers(0, 28, len(number)), start)
    early = rng.random(len(number)) < 0.3
    return _rows(kind, number, start, stop, early)


def _during(
    kind: int, share: float, number: IntArray, month: IntArray, stay: IntArray, rng: np.random.Generator
) -> Columns:
    """Return a measure within the second to the last month but one of a stay, for a share of all."""
    possible = stay >= 2
    chance = share / max(float(possible.mean()), share, 1e-9) if len(stay) else 0.0
    chosen = np.flatnonzero(possible & (rng.random(len(number)) < chance))
    room = stay[chosen] - 1
    begin = 1 + (rng.random(len(chosen)) * room).astype(np.int64)
    end = np.minimum(begin + rng.integers(0, 4, len(chosen)), stay[chosen] - 1)
    return _spells(kind, number[chosen], month[chosen] + begin, month[chosen] + end, rng)


def _near_misses(plan: Plan, number: IntArray, earlier: int, rng: np.random.Generator) -> list[Columns]:
    """Return spells of people who are in the register and do not count: in one month alone, or with an earlier programme."""
    others = np.flatnonzero(plan.kind == NOT_DRAWN)
    which = rng.random(len(others))
    alone, before = others[which < 0.5], others[which >= 0.5]
    gap = rng.integers(1, 6, len(before))
    return [
        _spells(1, number[alone], plan.month[alone], plan.month[alone], rng),
        _spells(1, number[before], plan.month[before], plan.month[before] + 4, rng),
        _spells(earlier, number[before], plan.month[before] - gap - 3, plan.month[before] - gap, rng),
    ]


def _rows(kind: int, number: IntArray, start: IntArray, stop: IntArray, left: BoolArray) -> Columns:
    return {
        "person_id": number,
        "programme": np.full(len(number), kind),
        "start": start,
        "stop": stop,
        "status": left.astype(np.int64),
    }


def with_offices(table: Table, plan: Plan, base: int, offices: tuple[str, ...]) -> Table:
    """Return rows with the office of each person; people are numbered from `base`."""
    office = plan.office[table.columns["person_id"] - base]
    return Table({**table.columns, "office": office}, {**table.vocabulary, "office": offices})
