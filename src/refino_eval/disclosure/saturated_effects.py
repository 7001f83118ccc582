"""Effects on shares whose share in one arm is suppressed: with the other arm's share, the effect would give it away.

A regression of a share on arms is a table in another form (a saturated model). Its effect is written in steps of several thresholds of
people, and suppressed if even that bounds the small count below the threshold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

from refino_eval.disclosure.block_rules import Block
from refino_eval.disclosure.digits import step_at_least
from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.release_counts import CONTROL, TREATED, Number, ReleaseCounts, people_behind

THRESHOLDS = 4
"""Width of a step of such an effect, in thresholds of people."""

Row = tuple[str, str, str]
OTHER = {TREATED: CONTROL, CONTROL: TREATED}


class SharesByRow:
    """The shares of both arms in the rows of a release, which effects of the same rows compare.

    Parameters
    ----------
    blocks
        The statistics of each cell of a table.
    counts
        The counts of the release.
    """

    def __init__(self, blocks: Mapping[Block, list[Number]], counts: ReleaseCounts) -> None:
        self._threshold = counts.profile.frequency.threshold
        self._shares: dict[tuple[Row, str], list[tuple[Number, float]]] = defaultdict(list)
        for block, numbers in blocks.items():
            by_statistic = {number.statistic: number for number in numbers}
            for number in numbers:
                if number.treatment in ("share", "mean") and number.arm in OTHER and 0 <= number.value <= 1:
                    # Where the size of an arm is not given, it may be a small part of both.
                    behind = people_behind(number, by_statistic) or (number.people or 0) / 4
                    own = block[3] if number.statistic.startswith("mean_") else ""
                    self._shares[(block[:3], own)].append((number, float(behind)))

    def compared(self, effect: Number) -> Iterator[tuple[Number, float]]:
        """Yield the shares that an effect compares, with the people behind each."""
        yield from self._shares.get((effect.block[:3], effect.column), ())
        yield from self._shares.get((effect.block[:3], ""), ())

    def least_step(self, effect: Number, hidden: Mapping[Cell, object]) -> float:
        """Return the smallest step of an effect, given the shares that are suppressed."""
        sizes = [people for share, people in self.compared(effect) if share.cell in hidden and people > 0]
        return step_at_least(THRESHOLDS * self._threshold / min(sizes)) if sizes else 0.0

    def gives_away(self, effect: Number, written: float, step: float, hidden: Mapping[Cell, object]) -> bool:
        """Return whether an effect as it is written, and the other arm's share, bound a small suppressed count below the threshold."""
        shares = list(self.compared(effect))
        for share, people in shares:
            if share.cell not in hidden:
                continue
            for other, _ in shares:
                if other.arm != OTHER[share.arm]:
                    continue
                sign = -1.0 if share.arm == CONTROL else 1.0
                # Share = other share + effect (treated) or - effect (control), with the effect anywhere in its step; times people
                # it is a count.
                low, high = (people * (other.value + sign * written + end * step / 2) for end in (-1, 1))
                for true, largest in ((share.value * people, high), ((1 - share.value) * people, people - low)):
                    # A bound below zero shows that the effect is adjusted, and nothing about the count.
                    if 0.5 < true < self._threshold - 0.5 and 0 <= math.floor(largest + 1e-6) < self._threshold:
                        return True
        return False
