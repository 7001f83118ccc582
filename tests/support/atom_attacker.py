"""An attacker of protected releases, written apart from the program: integer programs over people by all attributes.

The program reasons in equations between the cells of tables, which it infers from their keys. This attacker is given each printed number
as a sum of people by all attributes at once, and asks in how many ways people can be distributed so that every print comes out. It shares
no code with the program but the integer solver.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

MOST = 10_000
"""More people than any family has."""


def printed_ranges(family, protected, *, base, smallest, digits):
    """Yield each printed sum of atoms with the range that its print allows.

    Parameters
    ----------
    family
        The family that the release was made from, for its sums and sizes; its atoms are not read.
    protected
        Exhibit -> protected frame and the step of each cell.
    base, smallest, digits
        Of the profile: multiple of rounded counts, smallest count shown, people that digits hide.
    """
    for name, (frame, steps) in protected.items():
        for row, step in zip(frame.itertuples(), steps, strict=True):
            key = (name, row.panel, row.row, row.column, row.statistic)
            mask = family.sums.get(key)
            if mask is None or not math.isfinite(row.value):
                continue
            if key in family.sizes and row.statistic != "count":
                people, slack = family.sizes[key], max(base, digits) / 2
                low, high = (row.value - step / 2) * people - slack, (row.value + step / 2) * people + slack
                yield mask, low - 1e-6, high + 1e-6
            elif row.value == 0:
                yield mask, 0.0, 0.0
            else:
                half = base // 2 if base > 1 else 0
                top = half - 1 if base > 1 and base % 2 == 0 else half
                yield mask, max(row.value - half, smallest), row.value + top


def largest(masks, lows, highs, target):
    """Return the largest number of people that a sum of atoms can be."""
    size = len(target)
    result = milp(
        -target,
        constraints=LinearConstraint(np.array(masks), np.array(lows), np.array(highs)),
        bounds=Bounds(0, MOST),
        integrality=np.ones(size, dtype=int),
    )
    assert result.status == 0, "what is printed agrees with no people at all: the release contradicts itself"
    return -result.fun


def recovered(family, protected, *, base, threshold, digits):
    """Return the names of small cells that what is printed bounds below the threshold."""
    ranges = list(printed_ranges(family, protected, base=base, smallest=threshold, digits=digits))
    if not ranges and not family.known:
        return []
    masks = [mask for mask, _, _ in ranges] + family.known
    sizes = [float(family.atoms @ mask) for mask in family.known]
    lows, highs = [low for _, low, _ in ranges] + sizes, [high for _, _, high in ranges] + sizes
    small = {name: mask for name, mask in family.targets.items() if 0 < family.count(mask) < threshold}
    return [name for name, mask in small.items() if largest(masks, lows, highs, mask) < threshold - 1e-6]
