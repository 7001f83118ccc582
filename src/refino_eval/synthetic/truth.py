"""The truth: both potential outcomes of every person analysed, and the effects that the register really holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from refino_eval.synthetic.calendar import BoolArray, FloatArray, IntArray, curve
from refino_eval.synthetic.employment import NO_ROW, World
from refino_eval.synthetic.programmes import NEVER, TakeUp
from refino_eval.synthetic.recipe import Effects, Recipe
from refino_eval.synthetic.register_tables import digits, person_ids

COMPLIANCE = ("never_taker", "complier", "defier", "always_taker")
"""By starting the treated arm's programme if assigned to control and to treated: neither, treated only, ..."""


def monthly_states(recipe: Recipe, world: World, first_month: int) -> dict[str, FloatArray]:
    """Return the monthly states of a world as the definitions measure them, shape (people, months)."""
    years = 1970 + (first_month + np.arange(world.main.shape[1])) // 12
    base = recipe.prices.index[recipe.prices.base_year]
    real = np.array([base / recipe.prices.index[int(year)] for year in years]) / (100 * recipe.prices.unit)
    amount = world.wage + world.second_wage
    main = np.clip(world.main, 0, None)
    states: dict[str, FloatArray] = {
        "wage": amount * real,
        "any_wage": (amount > 0).astype(np.float64),
        "employed": (world.main != NO_ROW).astype(np.float64),
        "weekly_hours": world.weekly_hours() / 100,
        "weekly_hours_main_job": main / 100,
    }
    for name, least in recipe.thresholds.items():
        states[name] = (main >= round(least * 100)).astype(np.float64)
    return states


def summarise(values: FloatArray, draw_column: IntArray, window: tuple[int, int]) -> FloatArray:
    """Sum a state over event months, shape (people,); missing where the registers do not cover them all."""
    total = np.zeros(len(values))
    rows = np.arange(len(values))
    for event in range(window[0], window[1] + 1):
        column = draw_column + event
        inside = (column >= 0) & (column < values.shape[1])
        total += np.where(inside, values[rows, np.clip(column, 0, values.shape[1] - 1)], np.nan)
    return total


@dataclass
class Tally:
    """Sums over blocks from which the true effects follow; one cell is an area in a draw month."""

    cells: dict[str, FloatArray] = field(default_factory=dict)
    factor: float = 0.0
    starters: int = 0

    def add(self, name: str, cell: IntArray, values: FloatArray, size: int) -> None:
        """Add a block's values to a quantity's sums by cell."""
        sums = np.bincount(cell, weights=values, minlength=size)
        self.cells[name] = self.cells.get(name, np.zeros(size)) + sums


def truth_block(
    recipe: Recipe,
    worlds: tuple[World, World],
    take_up: TakeUp,
    who: BoolArray,
    number: IntArray,
    treated: BoolArray,
    draw_column: IntArray,
    first_month: int,
    seed: int,
) -> tuple[pa.Table, dict[str, tuple[FloatArray, FloatArray]]]:
    """Make the truth's rows of a block.

    Parameters
    ----------
    recipe
        The study.
    worlds
        The histories if assigned to control and to treated.
    take_up
        Starts under both draws.
    who
        People analysed.
    number, treated, draw_column
        Person number, arm, and the draw month's column.
    first_month
        The first column's month, since January 1970.
    seed
        The delivery's seed.

    Returns
    -------
    tuple
        Rows for `truth.parquet`, and both values by outcome for the people analysed.
    """
    starts = [take_up.treated_programme(drawn_treated=z) < NEVER for z in (False, True)]
    ordinary = [take_up.control_programme(drawn_treated=z) < NEVER for z in (False, True)]
    columns: dict[str, pa.Array] = {
        "person_id": digits(person_ids(number[who], seed), 8),
        "treated": pa.array(treated[who].astype(np.int8)),
        "compliance": pa.array(COMPLIANCE).take(pa.array((starts[1][who] + 2 * starts[0][who]).astype(np.int64))),
    }
    for z in (0, 1):
        columns[f"treated_programme_z{z}"] = pa.array(starts[z][who].astype(np.int8))
        columns[f"control_programme_z{z}"] = pa.array(ordinary[z][who].astype(np.int8))
    states = [monthly_states(recipe, world, first_month) for world in worlds]
    values: dict[str, tuple[FloatArray, FloatArray]] = {}
    for name, outcome in recipe.truth.items():
        y0, y1 = (summarise(one[outcome.state][who], draw_column[who], outcome.window) for one in states)
        values[name] = (y0, y1)
        columns[f"{name}_y0"], columns[f"{name}_y1"] = pa.array(y0), pa.array(y1)
    return pa.table(columns), values


def effects_table(recipe: Recipe, effects: Effects, tally: Tally) -> pd.DataFrame:
    """Return the true effects: planted, averaged over people, and weighted as fixed effects of cells weight."""
    n, treated = tally.cells["n"], tally.cells["treated"]
    share = np.divide(treated, n, out=np.zeros_like(n), where=n > 0)
    weight = n * share * (1 - share)
    factor = tally.factor / max(tally.starters, 1)
    rows = []
    for name, outcome in recipe.truth.items():
        gain = tally.cells[f"{name}_y1"] - tally.cells[f"{name}_y0"]
        average = np.divide(gain, n, out=np.zeros_like(n), where=n > 0)
        span = np.arange(outcome.window[0], outcome.window[1] + 1)
        planted = None
        if outcome.state in effects.states:
            planted = float(curve(effects.states[outcome.state], span).sum()) * factor
        rows.append(
            {
                "outcome": name,
                "planted": planted,
                "sample_average": gain.sum() / n.sum(),
                "cell_weighted": float((weight * average).sum() / weight.sum()) if weight.sum() else None,
                "mean_y0": tally.cells[f"{name}_y0"].sum() / n.sum(),
                "mean_y1": tally.cells[f"{name}_y1"].sum() / n.sum(),
                "n": int(n.sum()),
            }
        )
    return pd.DataFrame(rows)
