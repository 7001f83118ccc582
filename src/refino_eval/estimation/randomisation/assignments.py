"""Assignments that the trial could have had, in blocks that do not depend on who computes them.

Two mechanisms are known. ``complete``: in every cell as many are treated as were, each choice equally likely (the
distribution conditional on the numbers treated, which is also what a stream of lotteries within cells gives once these
numbers are held fixed). ``bernoulli``: each person (or cluster) independently with its own probability, by default the
cell's share; then the numbers treated vary too. Any other mechanism can be given as a matrix of assignments.

Draw r is number r mod BLOCK of block r div BLOCK, and each block has its own stream, the child of the seed numbered as
the block; so the numbers depend on the seed alone, neither on how many draws follow nor on threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    Vector,
    as_vector,
    check_choice,
    check_length,
)
from refino_eval.estimation.core.regression_inputs import RegressionInputs

Scheme = Literal["complete", "bernoulli"]

# Draws in a block: part of what a seed means, so never tuned to a machine.
BLOCK = 256

Result = TypeVar("Result")


class Mechanism(Protocol):
    """How people were assigned to their arm: a source of blocks of assignments.

    ``unit`` is the row of a block that each person reads, shape (n,); ``n_units`` its rows; ``fixed_shares`` says that
    every cell's share of treated people is the same in all draws.
    """

    @property
    def unit(self) -> IntArray: ...  # noqa: D102
    @property
    def n_units(self) -> int: ...  # noqa: D102
    @property
    def fixed_shares(self) -> bool: ...  # noqa: D102
    def block(self, index: int) -> BoolArray: ...  # noqa: D102


@dataclass(frozen=True, eq=False, repr=False)
class CompleteDraw:
    """A fixed number of units treated in every cell.

    Units are in the order of their turn within the cell, cells from the largest to the smallest, so that one turn of
    all cells is a run of rows.

    Attributes
    ----------
    unit
        Row of each person's unit, shape (n,).
    n_units
        Units: people, or clusters.
    left
        Units to treat in each cell, shape (C,), in the order of the turns.
    sizes
        Units in each cell, shape (C,), decreasing.
    fixed_shares
        Whether units are people.
    seed
        Of all blocks.
    """

    unit: IntArray
    n_units: int
    left: FloatArray
    sizes: IntArray
    fixed_shares: bool
    seed: int

    def block(self, index: int) -> BoolArray:
        """Draw one block, shape (n_units, BLOCK).

        Selection sampling (Fan, Muller and Rezucha 1962; Knuth's algorithm S): the next of m units is taken with
        probability (still to take) / m, which makes every subset of the right size equally likely.
        """
        rng = random_stream(self.seed, index)
        assigned = np.empty((self.n_units, BLOCK), dtype=np.bool_)
        left = np.repeat(self.left[:, None], BLOCK, axis=1)
        # Uniform x (units left in the cell) < (units still to treat) is the draw with probability left / units, without a
        # division.
        uniform = np.empty((self.sizes.size, BLOCK))
        start = 0
        for turn in range(int(self.sizes[0])):
            count = int(np.searchsorted(-self.sizes, -turn, side="left"))
            chance = uniform[:count]
            rng.random(out=chance)
            chance *= (self.sizes[:count] - turn)[:, None]
            chosen = assigned[start : start + count]
            np.less(chance, left[:count], out=chosen)
            left[:count] -= chosen
            start += count
        return assigned


@dataclass(frozen=True, eq=False, repr=False)
class BernoulliDraw:
    """Each unit independently, with its own probability, shape (n_units,)."""

    unit: IntArray
    probability: FloatArray
    seed: int
    fixed_shares: bool = False

    @property
    def n_units(self) -> int:
        """People, or clusters."""
        return int(self.probability.size)

    def block(self, index: int) -> BoolArray:
        """Draw one block, shape (n_units, BLOCK)."""
        uniform = random_stream(self.seed, index).random((self.n_units, BLOCK))
        return np.asarray(uniform < self.probability[:, None])


@dataclass(frozen=True, eq=False, repr=False)
class GivenAssignments:
    """Given assignments, boolean of shape (units, draws); ``units`` is the row of each person, (n,), None when a row is one."""

    assignments: BoolArray
    fixed_shares: bool = False
    units: IntArray | None = None

    @property
    def unit(self) -> IntArray:
        """The row of each person."""
        return np.arange(self.n_units) if self.units is None else self.units

    @property
    def n_units(self) -> int:
        """People, or clusters."""
        return int(self.assignments.shape[0])

    @property
    def n_draws(self) -> int:
        """How many there are."""
        return int(self.assignments.shape[1])

    def block(self, index: int) -> BoolArray:
        """Return one block, shape (units, BLOCK), the last one as far as it goes."""
        return self.assignments[:, index * BLOCK : (index + 1) * BLOCK]


MOST_LISTED = 200_000_000
"""Units times assignments that are listed, a byte each."""


def every_other_assignment(
    treated: FloatArray, codes: IntArray, *, cluster: IntArray | None, most: int
) -> GivenAssignments | None:
    """Return all assignments with each cell's number treated except the observed one; None when there are more than ``most``.

    With all of them, p = (1 + as extreme) / (1 + all others) is the exact p-value of Fisher (1935), without Monte Carlo error.

    Parameters
    ----------
    treated, codes, cluster
        As in `build_mechanism`.
    most
        Other assignments that may be listed.
    """
    unit, first = arm_units(treated, codes, cluster)
    observed, cells = treated[first] > 0, np.unique(codes[first], return_inverse=True)[1]
    rows = [np.flatnonzero(cells == cell) for cell in range(int(cells.max()) + 1)]
    total = 1
    for members in rows:
        total *= math.comb(members.size, int(np.count_nonzero(observed[members])))
        if total - 1 > most or total * observed.size > MOST_LISTED:
            return None
    if total == 1:
        return None
    listed, stride = np.zeros((observed.size, total), dtype=np.bool_), 1
    for members in rows:
        chosen = list(combinations(range(members.size), int(np.count_nonzero(observed[members]))))
        pattern = np.zeros((members.size, len(chosen)), dtype=np.bool_)
        for column, members_treated in enumerate(chosen):
            pattern[list(members_treated), column] = True
        # The choice of this cell is a digit of the assignment's number, written with the cells' numbers of choices as bases:
        # every combination of choices has one number.
        listed[members] = pattern[:, (np.arange(total) // stride) % len(chosen)]
        stride *= len(chosen)
    other = (listed != observed[:, None]).any(axis=0)
    return GivenAssignments(np.ascontiguousarray(listed[:, other]), fixed_shares=cluster is None, units=unit)


def build_mechanism(
    treated: FloatArray,
    codes: IntArray,
    *,
    cluster: IntArray | None,
    scheme: Scheme,
    probabilities: Vector | None,
    seed: int,
) -> CompleteDraw | BernoulliDraw:
    """Return the mechanism by which people were assigned.

    Parameters
    ----------
    treated
        The observed assignment, shape (n,).
    codes
        Cell of each person, shape (n,).
    cluster
        Cluster codes when clusters were assigned, shape (n,).
    scheme
        ``complete`` or ``bernoulli``.
    probabilities
        For ``bernoulli``: of each person, shape (n,); None means the cell's share of treated units.
    seed
        Of all blocks.

    Raises
    ------
    UserError
        When a cluster has people in both arms or in several cells, or probabilities are not shares.
    """
    check_choice(scheme, Scheme, what="scheme")
    if seed < 0:
        raise UserError(f"The seed of the draws must not be negative, and is {seed}.")
    if probabilities is not None and scheme != "bernoulli":
        raise UserError(
            "probabilities belong to the scheme 'bernoulli'; 'complete' keeps each cell's number treated. Choose one."
        )
    unit, first = arm_units(treated, codes, cluster)
    unit_treated, cells = treated[first], np.unique(codes[first], return_inverse=True)[1]
    sizes = np.bincount(cells)
    n_treated = np.bincount(cells, weights=unit_treated).astype(np.float64)
    if scheme == "bernoulli":
        chance = (n_treated / sizes)[cells]
        if probabilities is not None:
            chance = as_probabilities(probabilities, treated.size)[first]
        return BernoulliDraw(unit=unit, probability=chance, seed=seed)
    # Cells from the largest to the smallest: then the cells that still have a turn are the first ones.
    by_size = np.argsort(-sizes, kind="stable")
    rank = np.empty(sizes.size, dtype=np.int64)
    rank[by_size] = np.arange(sizes.size)
    order = np.lexsort((rank[cells], _turns(cells, sizes)))
    row = np.empty(order.size, dtype=np.int64)
    row[order] = np.arange(order.size)
    return CompleteDraw(
        unit=row[unit],
        n_units=int(order.size),
        left=n_treated[by_size],
        sizes=sizes[by_size],
        fixed_shares=cluster is None,
        seed=seed,
    )


def drawn_assignments(inputs: RegressionInputs, *, units: IntArray | None = None, draws: int, seed: int) -> BoolArray:
    """Return re-randomisations of the people in question, for tests on parts of them that share these, shape (n_rows, draws).

    As many are treated in each cell as were. ``units`` are codes of what was assigned when it was not people, shape (n_rows,).
    """
    rows = np.flatnonzero(inputs.rows)
    cluster = None if units is None else units[rows]
    mechanism = build_mechanism(
        inputs.treated[rows], inputs.cells[rows], cluster=cluster, scheme="complete", probabilities=None, seed=seed
    )
    assigned = np.zeros((inputs.n_rows, draws), dtype=np.bool_)
    for span, block in over_blocks(mechanism.block, draws, 1):
        assigned[rows, span] = block[mechanism.unit, : span.stop - span.start]
    return assigned


def given_assignments(assignments: npt.ArrayLike, n: int) -> GivenAssignments:
    """Check a matrix of assignments, 0/1 of shape (n, draws).

    Raises
    ------
    UserError
        When the shape or the values are others.
    """
    matrix = np.asarray(assignments)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise UserError("assignments must be a matrix with one row per person and one column per draw, at least one.")
    check_length(matrix.shape[0], n, what="assignments")
    if not np.isin(matrix, (0, 1)).all():
        raise UserError("assignments must be 0 or 1 throughout; recode the arms.")
    return GivenAssignments(matrix.astype(np.bool_))


def over_blocks(work: Callable[[int], Result], draws: int, threads: int) -> Iterator[tuple[slice, Result]]:
    """Do ``work(index)`` for every block, in order, and yield the draws of the block with the result.

    Parameters
    ----------
    work
        Gives a block's result; numpy releases the interpreter lock inside, so threads help when BLAS has one thread.
    draws
        Number of draws, at least 1; the caller cuts what the last block has beyond it.
    threads
        Blocks at work at the same time.
    """
    if draws < 1 or threads < 1:
        raise UserError(f"draws and threads must be at least 1, and are {draws} and {threads}.")
    count = -(-draws // BLOCK)
    spans = [slice(index * BLOCK, min((index + 1) * BLOCK, draws)) for index in range(count)]
    if threads == 1:
        for index, span in enumerate(spans):
            yield span, work(index)
        return
    with ThreadPoolExecutor(threads) as pool:
        # A few blocks ahead, so that a million draws do not wait in memory.
        ahead = [pool.submit(work, index) for index in range(min(2 * threads, count))]
        for index, span in enumerate(spans):
            yield span, ahead.pop(0).result()
            upcoming = index + 2 * threads
            if upcoming < count:
                ahead.append(pool.submit(work, upcoming))


def random_stream(seed: int, index: int) -> np.random.Generator:
    """Return the stream of random numbers of one block (or draw) of a seed."""
    # A spawn key is what `SeedSequence.spawn` gives its children: streams are independent, and block k is made without those
    # before it.
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(index,))))


def arm_units(treated: FloatArray | IntArray, codes: IntArray, cluster: IntArray | None) -> tuple[IntArray, IntArray]:
    """Return the unit of each person, and a person of each unit."""
    if cluster is None:
        everyone = np.arange(treated.size)
        return everyone, everyone
    _, first, unit = np.unique(cluster, return_index=True, return_inverse=True)
    problems = []
    split = np.unique(unit[treated != treated[first][unit]]).size
    if split:
        problems.append(
            f"{split} of {first.size} clusters have people in both arms, so clusters were not what was assigned; "
            "name the units of assignment as cluster, or none when people were assigned one by one."
        )
    spread = np.unique(unit[codes != codes[first][unit]]).size
    if spread:
        problems.append(
            f"{spread} of {first.size} clusters have people in several cells, so they cannot be re-randomised within cells; "
            "use cells that hold whole clusters."
        )
    if problems:
        raise UserError(*problems)
    return unit, first


def _turns(cells: IntArray, sizes: IntArray) -> IntArray:
    """Return each unit's number within its cell, from 0, shape (units,)."""
    order = np.argsort(cells, kind="stable")
    turns = np.empty(cells.size, dtype=np.int64)
    turns[order] = np.arange(cells.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return turns


def as_probabilities(probabilities: Vector, n: int) -> FloatArray:
    """Check assignment probabilities of people, shares of shape (n,)."""
    chance = as_vector(probabilities, what="probabilities")
    check_length(chance.size, n, what="probabilities")
    wrong = int(np.count_nonzero(~((chance >= 0) & (chance <= 1))))
    if wrong:
        raise UserError(f"probabilities must be shares between 0 and 1; {wrong} of {n} rows are not.")
    return chance
