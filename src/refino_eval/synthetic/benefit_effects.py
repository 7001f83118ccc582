"""Effects on benefits: who would have had none has one, or the other way round, in the months in which the recipe says so."""

from __future__ import annotations

import numpy as np

from refino_eval.synthetic.calendar import NO_DAY, BoolArray, FloatArray, IntArray, curve, first_day
from refino_eval.synthetic.register_tables import Table, stack


def with_benefit_effect(
    table: Table,
    points: dict[int, float],
    *,
    base: int,
    event: IntArray,
    first_month: int,
    treated: BoolArray,
    eligible: BoolArray,
    rng: np.random.Generator,
) -> Table:
    """Return the spells of one benefit after an effect on the share of the treated arm that receives it.

    Parameters
    ----------
    table
        Spells without the effect; both ends are inclusive days, and an end beyond the register is NO_DAY.
    points
        Event month -> change of the share of the treated arm; interpolated between, and none before month 1.
    base
        Number of the first person of the block.
    event
        Event months, shape (people, months).
    first_month
        The first column's month, since January 1970.
    treated
        Who is in the treated arm, shape (people,).
    eligible
        Who may receive the benefit because of a positive effect.
    rng
        Gives each person one rank: as the effect grows, those affected stay so.

    Returns
    -------
    Table
        Among the treated, the share that receives the benefit in an event month differs from that of the untreated world by the
        effect, as far as enough people can be moved. Untouched people keep their rows.
    """
    receives = _receives(table, base, event.shape, first_month)
    rank = rng.random(len(treated))[:, None]
    low = int(event.min())
    change = np.where(event >= 1, curve(points, np.arange(low, int(event.max()) + 1))[event - low], 0.0)
    may_start, may_end = ~receives & eligible[:, None], receives
    flips = treated[:, None] & (
        (may_start & (change > 0) & (rank < change / _share(may_start, event)))
        | (may_end & (change < 0) & (rank < -change / _share(may_end, event)))
    )
    moved = np.flatnonzero(flips.any(axis=1))
    kept = table.take(~np.isin(table.columns["person_id"], moved + base))
    made = _spells(table, moved, receives[moved] ^ flips[moved], base, first_month)
    return stack([kept, made]).sorted_by("person_id", "start")


def _receives(table: Table, base: int, shape: tuple[int, ...], first_month: int) -> BoolArray:
    """Return who receives the benefit on the first day of which month, shape (people, months)."""
    opening = first_day(first_month + np.arange(shape[1]))
    receives = np.zeros(shape, dtype=bool)
    stop = np.where(table.columns["stop"] == NO_DAY, np.iinfo(np.int64).max, table.columns["stop"])
    here = (table.columns["start"][:, None] <= opening) & (stop[:, None] >= opening)
    np.logical_or.at(receives, table.columns["person_id"] - base, here)
    return receives


def _share(holds: BoolArray, event: IntArray) -> FloatArray:
    """Return for each person and month the share of everybody for whom something holds in the event month."""
    place = event - event.min()
    count = np.bincount(place.ravel(), weights=holds.ravel())
    share: FloatArray = np.maximum(count / np.maximum(np.bincount(place.ravel()), 1), 1e-9)[place]
    return share


def _spells(table: Table, people: IntArray, receives: BoolArray, base: int, first_month: int) -> Table:
    """Return a spell of whole months for each stretch of months; further columns are those of the person's first spell, or 0."""
    padded = np.pad(receives.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    person, begin = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    number = people[person] + base
    stop = np.where(end < receives.shape[1], first_day(first_month + end) - 1, NO_DAY)
    columns = {"person_id": number, "start": first_day(first_month + begin), "stop": stop}
    known, first_row = np.unique(table.columns["person_id"], return_index=True)
    row = np.searchsorted(known, number).clip(max=max(len(known) - 1, 0))
    has = known[row] == number if len(known) else np.zeros(len(number), dtype=bool)
    for name, values in table.columns.items():
        if name not in columns:
            columns[name] = (
                np.where(has, values[first_row[row]], 0) if len(known) else np.zeros(len(number), dtype=np.int64)
            )
    return Table({name: columns[name] for name in table.columns}, table.vocabulary)
