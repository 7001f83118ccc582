"""What earlier releases of the same people show about the cells of this one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.release_counts import Number, ReleaseCounts
from refino_eval.disclosure.release_tables import SUPPRESSED, EarlierRelease
from refino_eval.disclosure.suppression import Shown, printed_bounds


class EarlierCells:
    """Cells of this release that an earlier one has.

    Attributes
    ----------
    bounds
        Unknown -> what an earlier release says about it, where it agrees with the data now.
    hidden
        Unknowns that an earlier release hid; they stay hidden.
    changed_little
        Cells of exact counts that differ from the earlier ones by so few people that the difference shows them.
    """

    def __init__(self, releases: Sequence[EarlierRelease], counts: ReleaseCounts) -> None:
        self.bounds: dict[int, Shown] = {}
        self.hidden: set[int] = set()
        self.changed_little: set[Cell] = set()
        self.printed: dict[Cell, float] = {}
        values: dict[tuple[str, str, str, str, str], float] = {}
        suppressed: set[tuple[str, str, str, str, str]] = set()
        for release in releases:
            for name, frame in release.frames.items():
                columns = (frame[key].tolist() for key in ("panel", "row", "column", "statistic", "value", "status"))
                for panel, row, column, statistic, value, status in zip(*columns, strict=True):
                    key = (name, panel, row, column, statistic)
                    if math.isfinite(value):
                        values[key] = float(value)
                    elif status == SUPPRESSED:
                        suppressed.add(key)
        for number in counts.numbers.values() if values or suppressed else ():
            self._compare(number, counts, values, suppressed)

    def _compare(
        self,
        number: Number,
        counts: ReleaseCounts,
        values: dict[tuple[str, str, str, str, str], float],
        suppressed: set[tuple[str, str, str, str, str]],
    ) -> None:
        key = (number.cell[0], number.panel, number.row, number.column, number.statistic)
        index = counts.unknown.get(number.cell)
        if key not in values:
            if key in suppressed and index is not None:
                self.hidden.add(index)
            return
        self.printed[number.cell] = values[key]
        if index is None or number.treatment != "count":
            return
        base = counts.system.bases[index]
        bounds = printed_bounds([int(values[key])], [base], counts.profile.frequency.threshold)
        change = abs(number.value - values[key])
        if bounds.low[0] <= number.value <= bounds.high[0]:
            self.bounds[index] = Shown(np.array(bounds.low), np.array(bounds.high))
        elif base == 1 and change < counts.profile.linked_populations.minimum_difference:
            self.changed_little.add(number.cell)
