"""Mean paths by arm and event time: no model, only means."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    Vector,
    as_columns,
    as_treated,
    as_vector,
    check_length,
)
from refino_eval.estimation.effects.descriptives import moments


@dataclass(frozen=True, eq=False)
class PathTable:
    """Mean paths, every array of shape (G, 2, T): group, arm (0 control, 1 treated), event time.

    ``std_error`` is that of the mean, sd / sqrt(n) (weights enter through sd alone). ``groups`` is ``("all",)`` without a grouping.
    """

    times: IntArray
    groups: tuple[str, ...]
    n: IntArray
    mean: FloatArray
    sd: FloatArray
    std_error: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """One row per group, arm (control, treated) and time: group, arm, time, n, mean, sd, std_error."""
        index = pd.MultiIndex.from_product(
            (self.groups, ("control", "treated"), self.times), names=("group", "arm", "time")
        )
        columns = {name: getattr(self, name).ravel() for name in ("n", "mean", "sd", "std_error")}
        return pd.DataFrame(columns, index=index).reset_index()


def paths(
    values: Columns,
    treated: Vector,
    *,
    times: Sequence[int] | IntArray | None = None,
    by: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series | None = None,
    weights: Vector | None = None,
) -> PathTable:
    """Average a monthly variable by arm at each event time, over the people observed then.

    Parameters
    ----------
    values
        Shape (n, T), one column an event time; missing as NaN.
    treated
        Assignment to treatment, 0 or 1, shape (n,).
    times
        Event times of the columns, shape (T,); None numbers them from 0.
    by
        Labels that split people into groups (draw year, subgroup), shape (n,); groups are in sorted order.
    weights
        Probability weights, shape (n,).
    """
    assigned = as_treated(treated)
    matrix, _ = as_columns(values, assigned.size, what="values")
    moment = check_times(times, matrix.shape[1])
    weight = None if weights is None else as_vector(weights, what="weights")
    if weight is not None:
        check_length(weight.size, assigned.size, what="weights")
    groups, member = _groups(by, assigned.size)
    n = np.zeros((len(groups), 2, moment.size), dtype=np.int64)
    mean, sd = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    for g in range(len(groups)):
        for arm in (0, 1):
            rows = (member == g) & (assigned == arm)
            part = moments(matrix[rows], weights=None if weight is None else weight[rows])
            n[g, arm], mean[g, arm], sd[g, arm] = part.n, part.mean, part.sd
    return PathTable(times=moment, groups=groups, n=n, mean=mean, sd=sd, std_error=sd / np.sqrt(np.maximum(n, 1)))


@dataclass(frozen=True, eq=False, repr=False)
class PanelGrid:
    """Where the rows of a long panel stand among people x times; all columns of the panel share it.

    Attributes
    ----------
    people, times
        Labels, sorted.
    place
        Number of each row's place, person by person, shape (n_rows,).
    """

    people: pd.Index
    times: pd.Index
    place: IntArray

    @classmethod
    def of(cls, panel: pd.DataFrame, *, person: str, time: str) -> PanelGrid:
        """Return the grid of a panel.

        Raises
        ------
        UserError
            When a row has no person or time, or a person has two rows for one time.
        """
        absent = int(panel[[person, time]].isna().any(axis=1).sum())
        if absent:
            raise UserError(f"The panel has {absent} rows without '{person}' or '{time}'; leave them out.")
        (person_codes, people), (time_codes, times) = (pd.factorize(panel[name], sort=True) for name in (person, time))
        place = np.asarray(person_codes, dtype=np.int64) * len(times) + time_codes
        seen = np.zeros(len(people) * len(times), dtype=bool)
        seen[place] = True
        twice = int(place.size - np.count_nonzero(seen))
        if twice:
            raise UserError(
                f"The panel has {twice} rows beyond the first for one '{person}' and '{time}'; keep one row per person and time."
            )
        return cls(pd.Index(people), pd.Index(times), place)

    def matrix(self, values: FloatArray, people: pd.Index | pd.Series | None = None) -> FloatArray:
        """Return a column of the panel, shape (n_rows,), as people x times; missing where a person has no row.

        `people` are the rows wanted, all when None.
        """
        matrix: FloatArray = np.full((len(self.people), len(self.times)), np.nan)
        np.put(matrix, self.place, values)
        if people is None:
            return matrix
        rows = self.people.get_indexer(pd.Index(people))
        matrix = matrix[rows]
        matrix[rows < 0] = np.nan
        return matrix


def widen(panel: pd.DataFrame, *, person: str, time: str, value: str) -> pd.DataFrame:
    """Reshape a long person x time panel to one row per person (sorted) and one column per time (sorted), as numbers.

    Months for which a person has no row are missing.

    Raises
    ------
    UserError
        When a column is absent, a row has no person or time, or a person has two rows for one time.
    """
    absent = [name for name in (person, time, value) if name not in panel.columns]
    if absent:
        raise UserError(
            f"The panel has no column {', '.join(repr(name) for name in absent)}; it has: {', '.join(map(str, panel.columns))}."
        )
    grid = PanelGrid.of(panel, person=person, time=time)
    matrix = grid.matrix(panel[value].to_numpy(dtype=np.float64))
    return pd.DataFrame(matrix, index=grid.people.rename(person), columns=grid.times.rename(time))


def check_times(times: Sequence[int] | IntArray | None, n_times: int) -> IntArray:
    """Return event times as increasing integers, one a column of the values, shape (T,)."""
    moment = np.arange(n_times) if times is None else np.asarray(times)
    whole = moment.astype(np.int64)
    if moment.size != n_times or not np.array_equal(whole, moment) or np.any(np.diff(whole) <= 0):
        raise UserError(
            f"times must be increasing whole numbers, one for each of the {n_times} columns of values, and has {moment.size}; "
            "sort the columns by event time and name each."
        )
    return whole


def _groups(
    by: Sequence[Hashable] | npt.NDArray[np.generic] | pd.Series | None, n: int
) -> tuple[tuple[str, ...], IntArray]:
    if by is None:
        return ("all",), np.zeros(n, dtype=np.int64)
    codes = encode(by, n, what="by")
    listed = list(by)
    first = [listed[row] for row in np.unique(codes, return_index=True)[1]]
    try:
        order = sorted(range(len(first)), key=lambda k: first[k])
    except TypeError:
        order = sorted(range(len(first)), key=lambda k: str(first[k]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return tuple(str(first[k]) for k in order), rank[codes]
