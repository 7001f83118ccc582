"""Entries by rule: who begins a programme, found in its register, where nobody was assigned.

A spell counts in every month that it touches. An entry is the first of enough months in a row in an arm's programme, with no
programme of certain kinds in the months before; it is dated at the first day of that month.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.config.evaluation import Entry, Population
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.sql.conditions import rows_that_meet

Months = npt.NDArray[np.int64]
"""Months since January 1970."""
Mask = npt.NDArray[np.bool_]

FAR_BEFORE = -(10**6)
"""A month before every register, for people without an earlier participation."""


def find_entries(population: Population, source: Source, path: Path) -> pd.DataFrame:
    """Find the stretches of consecutive months in each arm's programme.

    Parameters
    ----------
    population
        Its `entry` says which spells belong to an arm, and which earlier ones exclude.
    source
        The register; an open spell lasts until the end of its coverage.
    path
        Its clean rows.

    Returns
    -------
    pandas.DataFrame
        One row for each stretch of months in a row, with the columns of the spell that begins it, `entry_arm` (the arm's name),
        `month` (of the entry), `months` (in the stretch), and `barred`: whether an excluding programme was in the months before.

    Raises
    ------
    UserError
        When a spell belongs to two arms.
    """
    entry, coverage = population.entry, source.coverage
    assert entry is not None
    assert coverage is not None
    spells = pd.read_parquet(path, dtype_backend="pyarrow")
    spells = spells.sort_values(["person_id", "start", "source_file", "source_row"], ignore_index=True)
    first = _months(spells["start"])
    covered = np.datetime64(coverage.last, "M").astype(np.int64)
    # `stop` is the first day after the spell.
    ends = pd.to_datetime(spells["stop"].astype(object)) - pd.Timedelta(days=1)
    last = np.where(spells["stop"].isna(), covered, _months(ends.fillna(pd.Timestamp(coverage.last))))
    last = np.clip(last, first, max(int(covered), int(first.max(initial=0))))
    person = pd.factorize(spells["person_id"])[0]
    excluding = np.zeros(len(spells), dtype=bool)
    if entry.none_before is not None:
        excluding = rows_that_meet(spells, entry.none_before.where, source.columns)
    masks = {arm: rows_that_meet(spells, conditions, source.columns) for arm, conditions in entry.arms.items()}
    _one_arm_each(masks, population)
    parts = [_stretches(spells, arm, np.flatnonzero(mask), person, first, last) for arm, mask in masks.items()]
    entries = pd.concat(parts, ignore_index=True)
    months = entry.none_before.months if entry.none_before is not None else 0
    barred = _barred(entries, months, person[excluding], first[excluding], last[excluding])
    return entries.assign(barred=barred)


def _months(days: pd.Series) -> Months:
    return np.asarray(pd.to_datetime(days.astype(object)).to_numpy(dtype="datetime64[M]").astype(np.int64))


def _one_arm_each(masks: dict[str, Mask], population: Population) -> None:
    several = int((np.sum(list(masks.values()), axis=0) > 1).sum())
    if several:
        raise UserError(
            f"population.entry.arms: {several:,} spells of the register '{population.register_name}' meet the conditions of two arms. "
            "Give each programme to one arm."
        )


def _stretches(
    spells: pd.DataFrame, arm: str, rows: npt.NDArray[np.int64], person: Months, first: Months, last: Months
) -> pd.DataFrame:
    """Join one arm's spells that overlap, or are in neighbouring months, into stretches; spells come in order of their start."""
    number = person[rows]
    # Months of different people are set apart, so that one running maximum serves all of them.
    apart = number * 100_000
    reached = np.maximum.accumulate(last[rows] + apart) if len(rows) else last[rows]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = first[rows][1:] + apart[1:] > reached[:-1] + 1
    opening = np.flatnonzero(begins)
    closing = np.append(opening[1:], len(rows))[: len(opening)] - 1
    made = spells.iloc[rows[opening]].reset_index(drop=True)
    month = first[rows][opening]
    return made.assign(
        entry_arm=arm,
        person=number[opening],
        month=month,
        months=(reached[closing] - apart[opening]) - month + 1 if len(opening) else month,
    )


def _barred(entries: pd.DataFrame, months: int, person: Months, first: Months, last: Months) -> Mask:
    """Return which entries have an excluding spell in the months before; `first` and `last` are the months it touches."""
    if not months or not len(person):
        return np.zeros(len(entries), dtype=bool)
    # Of a person's excluding spells that begin before an entry, the one that reaches furthest decides.
    order = np.lexsort((first, person))
    person, first, last = person[order], first[order], last[order]
    apart = 100_000
    reached = np.maximum.accumulate(last + person * apart) - person * apart
    key = person * apart + first
    own, month = (entries[name].to_numpy(dtype=np.int64) for name in ("person", "month"))
    place = np.searchsorted(key, own * apart + month) - 1
    same = (place >= 0) & (person[np.maximum(place, 0)] == own)
    latest = np.where(same, reached[np.maximum(place, 0)], FAR_BEFORE)
    return np.asarray(latest >= month - months)


def entry_steps(entries: pd.DataFrame, entry: Entry) -> Iterator[tuple[str, Mask]]:
    """Yield the reasons for which stretches are no entry, each with those that are still candidates and taken out by it.

    Parameters
    ----------
    entries
        From `find_entries`.
    entry
        The rule.
    """
    left = np.ones(len(entries), dtype=bool)

    def out(hit: Mask) -> Mask:
        nonlocal left
        taken, left = left & hit, left & ~hit
        return taken

    month = entries["month"].to_numpy(dtype=np.int64)
    yield "outside_period", out((month < _month(entry.first)) | (month > _month(entry.last)))
    yield "too_few_months", out((entries["months"] < entry.months_in_a_row).to_numpy(dtype=bool))
    yield "earlier_participation", out(entries["barred"].to_numpy(dtype=bool))
    yield "two_arms_at_once", out(_among(entries, left, ["person_id", "month"], keep=False))
    ordered = entries.sort_values(["person_id", "month"], kind="stable")
    again = _among(ordered, left[ordered.index.to_numpy()], ["person_id"], keep="first")
    yield "repeated_entry", out(pd.Series(again, index=ordered.index).reindex(entries.index).to_numpy(dtype=bool))


def _month(text: str) -> int:
    return int(np.datetime64(text, "M").astype(np.int64))


def _among(entries: pd.DataFrame, left: Mask, keys: Sequence[str], *, keep: Literal["first", False]) -> Mask:
    """Return which candidates repeat the keys of another candidate."""
    repeated = np.zeros(len(entries), dtype=bool)
    repeated[left] = entries.loc[left, list(keys)].duplicated(keep=keep)
    return repeated
