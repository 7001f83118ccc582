"""Hide the counts of a release: those that a rule forbids, and others that would give them away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refino_eval.disclosure.release_counts import ReleaseCounts
from refino_eval.disclosure.suppression import Shown, printed_bounds, suppress

POPULATION_COST = 100.0
"""Cost of hiding the size of a whole population, in cells."""


def hide_counts(
    counts: ReleaseCounts, *, earlier: Mapping[int, Shown] | None = None, kept_hidden: set[int] | None = None
) -> np.ndarray:
    """Return which unknowns of a release are hidden, those that are never printed included.

    Parameters
    ----------
    counts
        The numbers of a release and the system of its counts.
    earlier
        Unknown -> bounds that an earlier release gives; hiding them now is of no use.
    kept_hidden
        Unknowns that an earlier release hid.
    """
    system = counts.system
    sensitive, fixed = np.array(system.sensitive, dtype=bool), np.array(system.fixed, dtype=bool)
    printed = np.array([bool(cells) for cells in system.cells], dtype=bool)
    hidden: np.ndarray = (sensitive | ~printed) & ~fixed
    hidden[list(kept_hidden or ())] = True
    known = earlier or {}
    shown, most = bounds_of(counts, known)
    can_hide = printed & ~fixed
    can_hide[list(known)] = False
    if not len(sensitive):
        return hidden
    values = np.array(system.values, dtype=float)
    largest = max(values.max(), 1.0)
    # The cost is the number of cells that would be blank; of equal ones the smaller count goes, and whole populations go last.
    cost = np.array([max(len(cells), 1) for cells in system.cells]) + values / largest
    cost = np.where(values > largest / 2, cost + POPULATION_COST, cost)
    for members, matrix in system.components():
        part = suppress(
            matrix,
            Shown(shown.low[members], shown.high[members]),
            most[members],
            hidden=hidden[members] & ~np.isin(members, list(known)),
            can_hide=can_hide[members],
            sensitive=sensitive[members],
            cost=cost[members],
            threshold=counts.profile.frequency.threshold,
        )
        hidden[members] |= part
    return hidden


def bounds_of(counts: ReleaseCounts, earlier: Mapping[int, Shown]) -> tuple[Shown, np.ndarray]:
    """Return the bounds of all unknowns as if all were printed, and the largest value that a hidden one can have."""
    system = counts.system
    shown = printed_bounds(system.values, system.bases, counts.profile.frequency.threshold)
    for index, bounds in earlier.items():
        shown.low[index], shown.high[index] = bounds.low[0], bounds.high[0]
    # Nothing can be larger than the largest count of the release, of which an attacker sees the rounded value.
    largest = max(float(shown.high.max(initial=0.0)), float(counts.profile.frequency.threshold))
    return shown, np.full(len(system.values), largest)
