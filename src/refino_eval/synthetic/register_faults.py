"""Faults that real deliveries have, planted with exact counts.

No kind changes the truth: junk rows are extra rows that a documented rule rejects, wrong values are in rows that a later
file corrects, and overlapping registrations at one employer never have more hours than the job itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from refino_eval.synthetic.calendar import NO_DAY, BoolArray, day_number, month_of
from refino_eval.synthetic.job_spells import EMPLOYERS, calendar_month
from refino_eval.synthetic.recipe import Mess, Recipe
from refino_eval.synthetic.register_tables import Table, stack

ID_STEP = 200
"""Junk rows take a job number this much higher for each kind, which no clean row of the person reaches."""
ABSURD_HOURS = (8_800, 16_800, 37_500, 75_000, 99_999)
"""Impossible weekly hours, hundredths: a lost decimal, all hours of a week, a filled field."""


@dataclass(frozen=True)
class Disordered:
    """A register's rows as delivered: the main file, the later file of corrections, and what was planted."""

    rows: Table
    corrections: Table
    planted: Counter[str]


def disorder(recipe: Recipe, mess: Mess, register: str, table: Table, rng: np.random.Generator) -> Disordered:
    """Plant the recipe's faults in the clean rows of one register.

    Parameters
    ----------
    recipe
        The study.
    mess
        Rates.
    register
        The register's name inside the program.
    table
        Clean rows.
    rng
        Generator that chooses rows.
    """
    nothing = np.zeros(0, dtype=np.int64)
    planted: Counter[str] = Counter()
    if not len(table):
        return Disordered(table, table.take(nothing), planted)
    junk: list[Table] = []
    touched = np.zeros(len(table), dtype=bool)
    rows, corrections = table, table.take(nothing)
    if "job_id" in table.columns and recipe.registers[register].corrections is not None:
        rows, corrections, touched = _corrected(recipe, mess, table, planted, rng)
        junk += _job_junk(recipe, mess, table, planted, rng)
        phantom = _taken_back(mess, table, planted, rng)
        junk.append(phantom)
        undone = phantom.with_columns(stop=phantom.columns["start"] - 1)
        corrections = stack([corrections, undone]).sorted_by("person_id", "job_id")
    if "stop" in table.columns:
        junk += _spell_junk(recipe, mess, table, planted, rng)
    if "amount" in table.columns and "period" in table.columns:
        junk.append(_early_amounts(recipe, mess, table, planted, rng))
    if mess.unknown_codes:
        rows, unknown = _unknown_codes(recipe, mess, register, table, rows, planted, rng)
        junk.append(unknown)
    repeated = table.take(_selected(len(table), mess.duplicates, rng) & ~touched)
    planted["duplicate_row"] += len(repeated)
    every = stack([rows, *junk, repeated])  # with the first one's vocabulary, which has every code
    order = [name for name in ("person_id", "start", "period", "job_id") if name in every.columns]
    return Disordered(every.sorted_by(*order), corrections, planted)


def _selected(n: int, rate: float, rng: np.random.Generator) -> BoolArray:
    return np.asarray(rng.random(n) < rate)


def _corrected(
    recipe: Recipe, mess: Mess, table: Table, planted: Counter[str], rng: np.random.Generator
) -> tuple[Table, Table, BoolArray]:
    """Put wrong values into some rows of the first file, and the correct rows into the second."""
    stop, hours = table.columns["stop"], table.columns["weekly_hours"]
    wrong_hours = _selected(len(table), mess.lost_decimal, rng) & (hours >= 1000)
    wrong_stop = _selected(len(table), mess.corrected_end, rng) & (stop != NO_DAY) & ~wrong_hours
    later = np.minimum(stop + rng.integers(20, 300, len(table)), day_number(recipe.last))
    false_stop = np.where((rng.random(len(table)) < 0.5) | (later == stop), NO_DAY, later)
    planted["lost_decimal_corrected_later"] += int(wrong_hours.sum())
    planted["end_corrected_later"] += int(wrong_stop.sum())
    touched = wrong_hours | wrong_stop
    first_stop = np.where(wrong_stop, false_stop, stop)
    if mess.open_ends:
        open_end = _selected(len(table), mess.open_ends, rng) & (stop != NO_DAY) & ~touched
        planted["open_end_corrected_later"] += int(open_end.sum())
        first_stop, touched = np.where(open_end, NO_DAY, first_stop), touched | open_end
    rows = table.with_columns(weekly_hours=np.where(wrong_hours, hours * 10, hours), stop=first_stop)
    return rows, table.take(touched), touched


def _job_junk(recipe: Recipe, mess: Mess, table: Table, planted: Counter[str], rng: np.random.Generator) -> list[Table]:
    """Rows of impossible hours, and overlapping registrations with the same employer."""
    absurd = table.take(_selected(len(table), mess.absurd_hours, rng))
    absurd = absurd.with_columns(
        weekly_hours=rng.choice(np.array(ABSURD_HOURS), len(absurd)), job_id=absurd.columns["job_id"] + ID_STEP
    )
    planted["absurd_hours"] += len(absurd)
    double = table.take(_selected(len(table), mess.same_employer, rng) & (table.columns["stop"] != NO_DAY))
    start, stop = np.maximum(double.columns["start"], day_number(recipe.first)), double.columns["stop"]
    span = stop - start + 1
    begin = start + (rng.random(len(double)) * span).astype(np.int64)
    end = begin + (rng.random(len(double)) * (stop - begin + 1)).astype(np.int64)
    hours = (double.columns["weekly_hours"] * rng.random(len(double))).astype(np.int64) // 25 * 25
    double = double.with_columns(
        start=begin, stop=end, weekly_hours=hours, job_id=double.columns["job_id"] + 2 * ID_STEP
    )
    planted["overlap_same_employer"] += len(double)
    # On-call work without agreed hours is real, but a rule on hours rejects it, so it is counted.
    planted["zero_hours"] += int((table.columns["weekly_hours"] == 0).sum() + (hours == 0).sum())
    return [absurd, double]


def _taken_back(mess: Mess, table: Table, planted: Counter[str], rng: np.random.Generator) -> Table:
    """Return jobs that did not exist; the later file ends them the day before they begin."""
    phantom = table.take(_selected(len(table), mess.taken_back, rng))
    planted["taken_back_later"] += len(phantom)
    return phantom.with_columns(
        job_id=phantom.columns["job_id"] + 6 * ID_STEP,
        employer_id=phantom.columns["employer_id"] + EMPLOYERS * 4,
        start=phantom.columns["start"] + 7,
        stop=np.full(len(phantom), NO_DAY),
    )


def _spell_junk(
    recipe: Recipe, mess: Mess, table: Table, planted: Counter[str], rng: np.random.Generator
) -> list[Table]:
    """Spells that end before they start, have no start, or ended before the registers begin."""
    ended = table.columns["stop"] != NO_DAY
    backward = table.take(_selected(len(table), mess.stop_before_start, rng) & ended)
    start, stop = backward.columns["start"], backward.columns["stop"]
    backward = backward.with_columns(start=stop, stop=start - 1 - rng.integers(0, 40, len(backward)))
    headless = table.take(_selected(len(table), mess.missing_start, rng))
    headless = headless.with_columns(start=np.full(len(headless), NO_DAY))
    early = table.take(_selected(len(table), mess.outside_coverage, rng))
    last = day_number(recipe.first) - 1 - rng.integers(0, 900, len(early))
    early = early.with_columns(stop=last, start=last - rng.integers(20, 1200, len(early)))
    junk = {"stop_before_start": backward, "missing_start": headless, "outside_coverage": early}
    tables: list[Table] = []
    if mess.future_dates:
        late = table.take(_selected(len(table), mess.future_dates, rng))
        begin = day_number(recipe.last) + 1 + rng.integers(0, 900, len(late))
        late = late.with_columns(start=begin, stop=begin + rng.integers(20, 400, len(late)))
        planted["future_date"] += len(late)
        more = {"job_id": late.columns["job_id"] + 8 * ID_STEP} if "job_id" in late.columns else {}
        tables.append(late.with_columns(**more))
    for step, (kind, rows) in enumerate(junk.items(), start=3):
        planted[kind] += len(rows)
        numbered = {"job_id": rows.columns["job_id"] + step * ID_STEP} if "job_id" in rows.columns else {}
        tables.append(rows.with_columns(**numbered))
    return tables


UNKNOWN = "ZZ"
"""A code that is in no list."""


def _unknown_codes(
    recipe: Recipe,
    mess: Mess,
    register: str,
    table: Table,
    rows: Table,
    planted: Counter[str],
    rng: np.random.Generator,
) -> tuple[Table, Table]:
    """Return the rows with a vocabulary that includes the unknown code, and junk rows with it."""
    listed = [name for name, column in recipe.registers[register].columns.items() if column.listed]
    nothing = table.take(np.zeros(0, dtype=np.int64))
    if not listed:
        return rows, nothing
    name = listed[0]
    unknown = table.take(_selected(len(table), mess.unknown_codes, rng))
    more = {"job_id": unknown.columns["job_id"] + 7 * ID_STEP} if "job_id" in unknown.columns else {}
    codes = rows.vocabulary[name]
    unknown = unknown.with_columns(**{name: np.full(len(unknown), len(codes))}, **more)
    planted["unknown_code"] += len(unknown)
    return Table(rows.columns, {**rows.vocabulary, name: (*codes, UNKNOWN)}), unknown


def _early_amounts(recipe: Recipe, mess: Mess, table: Table, planted: Counter[str], rng: np.random.Generator) -> Table:
    """Amounts for the last months before the register is complete."""
    early = table.take(_selected(len(table), mess.outside_coverage, rng))
    # There is one amount per person, employer and month: at most one early row per person.
    early = early.take(np.unique(early.columns["person_id"], return_index=True)[1])
    month = month_of(recipe.first) - 1 - rng.integers(0, 6, len(early))
    planted["outside_coverage"] += len(early)
    return early.with_columns(period=calendar_month(month))
