"""Counts of a release as one system of linear equations: what an attacker can add and subtract.

Every printed count, every number of people and every numerator of a share is an unknown; so are differences that nobody prints but
everybody can compute: the other arm, the complement of a share, people who started between two months, people by whom two samples
differ. Equations follow from the keys of the tidy numbers (arms, hierarchies such as ``county / office``, products such as
``county x month``, steps of a flow, groups), and hold exactly in the unprotected numbers; one that does not is not an equation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

Cell = tuple[str, int]
"""An exhibit and the position of a row in its frame."""


@dataclass
class CountSystem:
    """Unknowns, their true values, and equations.

    Attributes
    ----------
    values
        True values.
    bases
        Multiple to which a printed unknown is rounded; 0 for one that is never printed.
    sensitive
        Whether an unknown is too small to be shown.
    labels
        `exhibit/panel/row/column/statistic` of an unknown's first cell, or a description of one that is never printed.
    cells
        The cells that print an unknown.
    fixed
        Whether an unknown is known to everybody and cannot be hidden.
    equations
        Unknowns with their coefficients; the sum of the products is zero.
    """

    values: list[int] = field(default_factory=list)
    bases: list[int] = field(default_factory=list)
    sensitive: list[bool] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    cells: list[list[Cell]] = field(default_factory=list)
    fixed: list[bool] = field(default_factory=list)
    equations: list[dict[int, int]] = field(default_factory=list)

    def add(
        self, value: int, *, base: int, sensitive: bool, label: str, cell: Cell | None = None, fixed: bool = False
    ) -> int:
        """Add an unknown and return its index."""
        self.fixed.append(fixed)
        self.values.append(value)
        self.bases.append(base)
        self.sensitive.append(sensitive)
        self.labels.append(label)
        self.cells.append([] if cell is None else [cell])
        return len(self.values) - 1

    def constant(self, value: int) -> int:
        """Add a number that an attacker knows in any case, such as the size of a population.

        Each equation has its constant, so that two tables are linked by the people that they count, not by equal totals.
        """
        return self.add(value, base=0, sensitive=False, label="", cell=None, fixed=True)

    def equate(self, total: int, parts: Iterable[int]) -> bool:
        """Add the equation that parts sum to a total, if they do."""
        parts = list(parts)
        if total in parts or not parts or sum(self.values[part] for part in parts) != self.values[total]:
            return False
        equation: dict[int, int] = defaultdict(int)
        equation[total] -= 1
        for part in parts:
            equation[part] += 1
        self.equations.append(dict(equation))
        return True

    def remainder(self, total: int, parts: Iterable[int], *, sensitive: bool, label: str) -> int | None:
        """Add what is left of a total without some parts as an unknown; None if it would be negative."""
        parts = list(parts)
        rest = self.values[total] - sum(self.values[part] for part in parts)
        if rest < 0:
            return None
        index = self.add(rest, base=0, sensitive=sensitive, label=label)
        self.equate(total, [*parts, index])
        return index

    def matrix(self) -> csr_matrix:
        """Return the equations as a sparse matrix, an equation a row."""
        rows = [row for row, equation in enumerate(self.equations) for _ in equation]
        columns = [index for equation in self.equations for index in equation]
        data = [float(sign) for equation in self.equations for sign in equation.values()]
        entries = (np.array(data), (np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)))
        return coo_matrix(entries, shape=(len(self.equations), len(self.values))).tocsr()

    def components(self) -> Iterator[tuple[np.ndarray, csr_matrix]]:
        """Yield the unknowns and equations of each connected part that has a sensitive unknown."""
        matrix = self.matrix()
        if not len(self.values):
            return
        # Unknowns of one equation are connected. Without signs: products of different equations must not cancel.
        joint = abs(matrix)
        _, part_of = connected_components(joint.T @ joint, directed=False)
        sensitive = np.array(self.sensitive)
        order = np.argsort(part_of, kind="stable")
        starts = np.flatnonzero(np.diff(part_of[order], prepend=-1))
        row_part = part_of[matrix.indices[matrix.indptr[:-1]]] if matrix.shape[0] else np.array([], dtype=int)
        for members in np.split(order, starts[1:]):
            if sensitive[members].any():
                rows = np.flatnonzero(row_part == part_of[members[0]])
                yield members, matrix[rows][:, members]
