"""Nearly equal populations: numbers of two samples that differ by a few people must not show those people.

The sizes of such samples are written as that of the largest, and what both samples have in common is written equally. This is controlled
rounding (Cox 1987, Journal of the American Statistical Association 82, 520-524): a number may be rounded to a neighbouring multiple, so
that differences show nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.digits import in_steps
from refino_eval.disclosure.release_counts import Number


class Populations:
    """Sizes of the populations of a release, in clusters that differ by fewer people than a profile allows.

    Parameters
    ----------
    sizes
        Numbers of people behind statistics.
    minimum_difference
        Sizes closer than this to the largest of a cluster belong to it.
    base
        Multiple to which sizes are rounded.
    """

    def __init__(self, sizes: Iterable[int], *, minimum_difference: int, base: int) -> None:
        self._largest: dict[int, int] = {}
        self._base = base
        reference: int | None = None
        for size in sorted(set(sizes), reverse=True):
            if reference is None or reference - size >= minimum_difference:
                reference = size
            self._largest[size] = reference

    def reference(self, size: int) -> int:
        """Return the size of the largest population in the cluster of a size."""
        return self._largest.get(size, size)

    def printed(self, size: int) -> int:
        """Return the size as it is written."""
        return int(in_steps(self.reference(size), self._base))


def populations_of(numbers: Iterable[Number], profile: DisclosureProfile) -> Populations:
    """Return the populations behind the statistics of a release; the cells of tables of counts are none."""
    sizes: set[int] = set()
    for number in numbers:
        if number.statistic == "n_left_out" or number.disclosure_class in ("frequency", "flow", "density"):
            continue
        if number.treatment == "people" and number.statistic != "df_residual" and math.isfinite(number.value):
            sizes.add(round(number.value))
        if number.people and number.treatment != "count":
            sizes.add(number.people)
    gap = profile.linked_populations.minimum_difference
    return Populations(sizes, minimum_difference=gap, base=profile.people_base)
