"""Secondary suppression: which cells to hide so that no small count can be bounded below the threshold.

The optimal cell suppression problem of Fischetti and Salazar-Gonzalez (2001, Management Science 47, 1008-1027): a binary for each
cell that can be hidden, and for each attack that succeeds a capacity inequality from the dual of the attacker's linear program, added
until no attack succeeds. Both programs are solved by HiGHS through scipy. The last word is an integer program: a small count is
protected if there are whole numbers that agree with everything shown and put it at the threshold or above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import bmat, csr_matrix, diags, identity

TOLERANCE = 1e-6
ROUNDS = 4
"""Rounds of cuts, after which each count that is still exposed is protected by itself."""

SOLVER: Any = {"mip_rel_gap": 0.02, "node_limit": 5000}
"""Limits that do not depend on the machine's speed, so that results are the same everywhere."""


@dataclass(frozen=True)
class Shown:
    """What an attacker knows about the unknowns of a system: bounds of those shown and of those hidden."""

    low: np.ndarray
    high: np.ndarray

    def with_hidden(self, hidden: np.ndarray, most: np.ndarray) -> Shown:
        """Return bounds in which hidden unknowns are between zero and `most`."""
        return Shown(np.where(hidden, 0.0, self.low), np.where(hidden, most, self.high))


def printed_bounds(values: Sequence[int], bases: Sequence[int], smallest: int) -> Shown:
    """Return the bounds that a printed count gives: itself, or all counts that are rounded to the same multiple.

    Parameters
    ----------
    values, bases
        True values and the multiples to which they are rounded.
    smallest
        Smallest count that is shown; a printed zero is a zero.
    """
    value, base = np.asarray(values, dtype=float), np.maximum(np.asarray(bases, dtype=float), 1)
    printed = np.floor(value / base + 0.5) * base
    low = np.ceil(printed - base / 2)
    # Halves are rounded upwards, so the lower end of an interval belongs to it and the upper does not.
    high = np.ceil(printed + base / 2) - 1
    low, high = np.where(base == 1, value, low), np.where(base == 1, value, high)
    low = np.where(value > 0, np.maximum(low, np.minimum(smallest, value)), 0.0)
    return Shown(low, np.where(value > 0, high, 0.0))


def exposed(matrix: csr_matrix, bounds: Shown, targets: np.ndarray, threshold: int) -> list[int]:
    """Return the targets that everything shown bounds below the threshold.

    Parameters
    ----------
    matrix
        Equations (rows) of unknowns (columns), whose products sum to zero.
    bounds
        What is known of each unknown.
    targets
        Indices of the unknowns that must be able to reach the threshold.
    threshold
        In people.

    Returns
    -------
    list of int
        In the order of `targets`.
    """
    # A count whose own bounds are below the threshold needs no program.
    waiting = list(targets[bounds.high[targets] >= threshold])
    failed = [int(index) for index in targets if bounds.high[index] < threshold]
    while waiting:
        # One table of whole numbers can clear many cells at once: each counts up to the threshold.
        table = _largest_together(matrix, bounds, np.array(waiting), threshold)
        cleared = [] if table is None else [index for index in waiting if table[index] >= threshold - TOLERANCE]
        if cleared:
            waiting = [index for index in waiting if index not in set(cleared)]
            continue
        first = waiting.pop(0)
        largest = _largest(matrix, bounds, first)
        if largest is None or largest < threshold - TOLERANCE:
            failed.append(int(first))
    return [int(index) for index in targets if index in set(failed)]


def _largest_together(matrix: csr_matrix, bounds: Shown, targets: np.ndarray, threshold: int) -> np.ndarray | None:
    """Return whole numbers that agree with what is shown and bring many targets to the threshold."""
    size, count = matrix.shape[1], len(targets)
    chosen = csr_matrix((np.ones(count), (np.arange(count), targets)), shape=(count, size))
    parts: Any = [[matrix, None], [-chosen, identity(count)]]
    system = csr_matrix(bmat(parts))
    low = np.concatenate([np.zeros(matrix.shape[0]), np.full(count, -np.inf)])
    high = np.zeros(matrix.shape[0] + count)
    result = milp(
        np.concatenate([np.zeros(size), -np.ones(count)]),
        constraints=LinearConstraint(system, low, high),
        bounds=Bounds(
            np.concatenate([bounds.low, np.zeros(count)]), np.concatenate([bounds.high, np.full(count, threshold)])
        ),
        integrality=np.repeat([1, 0], [size, count]),
        options=SOLVER,
    )
    return None if result.x is None else np.round(result.x[:size])


def _largest(matrix: csr_matrix, bounds: Shown, index: int) -> float | None:
    goal = np.zeros(matrix.shape[1])
    goal[index] = -1.0
    result = milp(
        goal,
        constraints=LinearConstraint(matrix, 0, 0),
        bounds=Bounds(bounds.low, bounds.high),
        integrality=np.ones(len(goal), dtype=int),
    )
    return None if result.x is None else -float(result.fun)


def suppress(
    matrix: csr_matrix,
    shown: Shown,
    most: np.ndarray,
    *,
    hidden: np.ndarray,
    can_hide: np.ndarray,
    sensitive: np.ndarray,
    cost: np.ndarray,
    threshold: int,
) -> np.ndarray:
    """Return which unknowns to hide so that no sensitive one can be bounded below the threshold.

    Parameters
    ----------
    matrix
        Equations of one connected part.
    shown
        Bounds of each unknown if it is printed.
    most
        Largest value that a hidden unknown can have.
    hidden
        Unknowns that are hidden in any case: small ones, and those never printed.
    can_hide
        Unknowns that are printed and may be hidden.
    sensitive
        Unknowns that must be able to reach the threshold.
    cost
        Of hiding each unknown.
    threshold
        In people.

    Returns
    -------
    numpy.ndarray
        Boolean, includes `hidden`.
    """
    choice = np.flatnonzero(can_hide & ~hidden)
    targets = np.flatnonzero(sensitive)
    if not len(choice):
        return hidden
    cuts, limits = _first_cuts(matrix, shown, most, hidden, can_hide, targets, threshold)
    chosen = hidden.copy()
    failed: list[int] = []
    for _ in range(ROUNDS):
        chosen = hidden.copy()
        if cuts:
            chosen[choice[_cheapest(np.array(cuts)[:, choice], np.array(limits), cost[choice])]] = True
        failed = exposed(matrix, shown.with_hidden(chosen, most), targets, threshold)
        if not failed:
            return chosen
        for index in failed:
            now = shown.with_hidden(chosen, most)
            cut, limit = _capacity(matrix, now, shown, most, index, can_hide & ~chosen, threshold)
            cuts.append(cut)
            limits.append(limit)
    for index in failed:
        now = shown.with_hidden(chosen, most)
        if exposed(matrix, now, np.array([index]), threshold):
            chosen = chosen | _repair(matrix, now, most, index, can_hide & ~chosen, cost, threshold)
    return chosen


def _first_cuts(
    matrix: csr_matrix,
    shown: Shown,
    most: np.ndarray,
    hidden: np.ndarray,
    can_hide: np.ndarray,
    targets: np.ndarray,
    threshold: int,
) -> tuple[list[np.ndarray], list[float]]:
    """Return a cut for each equation of each target: what else is hidden in it must leave room up to the threshold."""
    cuts, limits = [], []
    room = np.where(hidden, np.maximum(most, threshold), shown.high - shown.low)
    by_column = matrix.tocsc()
    for target in targets:
        for row in by_column.indices[by_column.indptr[target] : by_column.indptr[target + 1]]:
            others = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            others = others[others != target]
            # Coefficients are 1 or -1, so that a count can rise by no more than the others of its equation have room together.
            missing = threshold - room[others].sum()
            if missing > 0:
                cut = np.zeros(matrix.shape[1])
                free = others[can_hide[others] & ~hidden[others]]
                cut[free] = np.minimum(most[free], missing)
                if cut.any():
                    cuts.append(cut)
                    # Where all that may be hidden is not room enough, all of it is asked for: the program must have a solution.
                    limits.append(min(float(missing), float(cut.sum())))
    return cuts, limits


def _capacity(
    matrix: csr_matrix, now: Shown, shown: Shown, most: np.ndarray, index: int, free: np.ndarray, threshold: int
) -> tuple[np.ndarray, float]:
    """Return the capacity inequality that a successful attack violates, from the dual of the attacker's program."""
    goal = np.zeros(matrix.shape[1])
    goal[index] = -1.0
    # Stubs of linprog know no sparse matrices, which HiGHS takes.
    program: Any = {"A_eq": matrix, "b_eq": np.zeros(matrix.shape[0]), "bounds": np.column_stack([now.low, now.high])}
    result = linprog(goal, method="highs", **program)
    cut = np.zeros(matrix.shape[1])
    limit, smallest = 1.0, result.fun
    if smallest is not None and -smallest < threshold - TOLERANCE:
        limit = threshold + float(smallest)
        # By duality the bound is a sum of limits times marginals. These stay valid when an unknown is hidden, so that its wider
        # limits [0, most] raise the bound by at most this much; the cut asks hidden ones to raise it to the threshold together.
        gain = -result.upper.marginals * (most - shown.high) + result.lower.marginals * shown.low
        # More than the limit in one coefficient would only weaken the relaxation.
        cut[free] = np.clip(gain[free], 0.0, limit)
    if cut.sum() < limit - TOLERANCE:
        # Only whole numbers expose the cell: at least one more of the unknowns in its equations is hidden.
        rows = matrix[:, [index]].nonzero()[0]
        near = np.zeros(matrix.shape[1], dtype=bool)
        near[np.unique(matrix[rows].indices)] = True
        cut = (free & near).astype(float) if (free & near).any() else free.astype(float)
        limit = min(1.0, float(cut.sum()))
    return cut, limit


def _cheapest(cuts: np.ndarray, limits: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return the cheapest unknowns to hide that satisfy all cuts."""
    result = milp(
        cost,
        constraints=LinearConstraint(csr_matrix(cuts), limits - TOLERANCE, np.inf),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(cost), dtype=int),
        options=SOLVER,
    )
    if result.x is None:
        # No choice was reached within the limits: hide all that any cut asks for.
        return np.flatnonzero(cuts.any(axis=0))
    return np.flatnonzero(result.x > 0.5)


def _repair(
    matrix: csr_matrix, now: Shown, most: np.ndarray, index: int, free: np.ndarray, cost: np.ndarray, threshold: int
) -> np.ndarray:
    """Return the cheapest unknowns to hide so that one exposed count can reach the threshold.

    A table of whole numbers is looked for that brings the count to the threshold, and pays for each shown unknown that it changes. First the
    changes are small, which makes the program easy; if that is not enough, they may be of any size. Nothing is returned if hiding everything
    is not enough, which the attack then reports.
    """
    size, candidates = matrix.shape[1], np.flatnonzero(free)
    count = len(candidates)
    pick = csr_matrix((np.ones(count), (np.arange(count), candidates)), shape=(count, size))
    chosen = np.zeros(size, dtype=bool)
    for reach in (2.0 * threshold, np.inf):
        up = np.minimum(most - now.high, reach)[candidates]
        down = np.minimum(now.low, reach)[candidates]
        high, low = now.high.copy(), now.low.copy()
        high[candidates] += np.maximum(up, 0)
        low[candidates] -= down
        low[index] = max(low[index], threshold)
        if low[index] > high[index]:
            continue
        # With y = 1 for a hidden unknown: x - up y is at most its printed upper limit, x + down y at least the lower one.
        parts: Any = [
            [matrix, csr_matrix((matrix.shape[0], count))],
            [pick, -diags(np.maximum(up, 0))],
            [pick, diags(down)],
        ]
        lower = np.concatenate([np.zeros(matrix.shape[0]), np.full(count, -np.inf), now.low[candidates]])
        upper = np.concatenate([np.zeros(matrix.shape[0]), now.high[candidates], np.full(count, np.inf)])
        result = milp(
            np.concatenate([np.zeros(size), cost[candidates]]),
            constraints=LinearConstraint(csr_matrix(bmat(parts)), lower, upper),
            bounds=Bounds(np.concatenate([low, np.zeros(count)]), np.concatenate([high, np.ones(count)])),
            integrality=np.ones(size + count, dtype=int),
            options=SOLVER,
        )
        if result.x is not None:
            chosen[candidates[result.x[size:] > 0.5]] = True
            return chosen
    return chosen
