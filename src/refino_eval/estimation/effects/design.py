"""The design: numbers assigned to each arm by cell, which cells inform the estimate, and how much."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import BoolArray, FloatArray, IntArray, Labels, Vector, as_treated, ratio


@dataclass(frozen=True)
class DesignSummary:
    """The design in a few figures.

    Singletons are one-arm cells too, and count in both. Assignment shares are over cells with both arms. ``n_informative``
    people are in these cells; the others are in n and carry no information about the effect.

    ``effective_n`` = (sum w)^2 / sum w^2 with the person weight w = p_c (1 - p_c) that cell fixed effects imply
    (Kish 1965; Aronow and Samii 2016): the number of equally weighted people that gives the same precision.
    ``equal_draw_n`` = 4 sum n_c p_c (1 - p_c): the size of a trial assigning one half everywhere that would be as
    precise.
    """

    n: int
    n_treated: int
    n_control: int
    n_cells: int
    n_one_arm_cells: int
    n_in_one_arm_cells: int
    n_singleton_cells: int
    n_informative: int
    share_treated: float
    share_min: float
    share_median: float
    share_max: float
    size_min: int
    size_median: float
    size_max: int
    effective_n: float
    equal_draw_n: float


@dataclass(frozen=True, eq=False)
class DesignTable:
    """The cells, in order of their labels when these sort, every array of shape (C,).

    ``share`` is p_c, the share assigned to treatment; ``weight`` = n_c p_c (1 - p_c), the weight that least squares with
    cell fixed effects gives the cell's difference in means (Angrist 1998), and ``weight_share`` its share of the sum.
    """

    cell: tuple[Hashable, ...]
    n: IntArray
    n_treated: IntArray
    n_control: IntArray
    share: FloatArray
    one_arm: BoolArray
    singleton: BoolArray
    weight: FloatArray
    weight_share: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """One row per cell."""
        return pd.DataFrame({"cell": list(self.cell)} | {name: getattr(self, name) for name in _CELL_FACTS})

    @property
    def summary(self) -> DesignSummary:
        """The design in a few figures."""
        informative = ~self.one_arm
        share = self.share[informative] if informative.any() else np.array([np.nan])
        spread = self.share * (1 - self.share)
        n, total = int(self.n.sum()), float(self.weight.sum())
        return DesignSummary(
            n=n,
            n_treated=int(self.n_treated.sum()),
            n_control=int(self.n_control.sum()),
            n_cells=len(self.cell),
            n_one_arm_cells=int(np.count_nonzero(self.one_arm)),
            n_in_one_arm_cells=int(self.n[self.one_arm].sum()),
            n_singleton_cells=int(np.count_nonzero(self.singleton)),
            n_informative=int(self.n[informative].sum()),
            share_treated=float(self.n_treated.sum()) / n,
            share_min=float(share.min()),
            share_median=float(np.median(share)),
            share_max=float(share.max()),
            size_min=int(self.n.min()),
            size_median=float(np.median(self.n)),
            size_max=int(self.n.max()),
            effective_n=total**2 / float(self.n @ spread**2) if total > 0 else 0.0,
            equal_draw_n=4 * total,
        )


_CELL_FACTS = ("n", "n_treated", "n_control", "share", "one_arm", "singleton", "weight", "weight_share")


def design_table(treated: Vector, cells: Labels | None = None) -> DesignTable:
    """Describe the cells of a random assignment.

    Parameters
    ----------
    treated
        Assignment to treatment, 0 or 1, shape (n,).
    cells
        Labels as in `preparation.prepare`; with a data frame the cell's label is the tuple of its values.

    Raises
    ------
    UserError
        When treatment is not 0/1 or a label is missing.
    """
    values = as_treated(treated)
    codes = encode(cells, values.size)
    labels = _labels(cells, codes)
    order = _sorted(labels)
    n = np.bincount(codes)[order]
    n_treated = np.bincount(codes, weights=values)[order].astype(np.int64)
    share = n_treated / n
    weight = n * share * (1 - share)
    return DesignTable(
        cell=tuple(labels[c] for c in order),
        n=n,
        n_treated=n_treated,
        n_control=n - n_treated,
        share=share,
        one_arm=(n_treated == 0) | (n_treated == n),
        singleton=n == 1,
        weight=weight,
        weight_share=ratio(weight, weight.sum()),
    )


def _labels(cells: Labels | None, codes: IntArray) -> list[Hashable]:
    if cells is None:
        return ["all"]
    first = np.unique(codes, return_index=True)[1]
    if isinstance(cells, pd.DataFrame):
        return [tuple(cells.iloc[row].tolist()) for row in first]
    listed = cells.tolist() if isinstance(cells, np.ndarray | pd.Series | pd.Index) else list(cells)
    return [listed[row] for row in first]


def _sorted(labels: list[Hashable]) -> list[int]:
    try:
        return sorted(range(len(labels)), key=lambda c: labels[c])  # type: ignore[arg-type,return-value]
    except TypeError:
        return sorted(range(len(labels)), key=lambda c: str(labels[c]))
