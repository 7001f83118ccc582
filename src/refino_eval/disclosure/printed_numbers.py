"""Write the numbers that a release shows, with no more digits than the people behind them justify."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter

import numpy as np

from refino_eval.disclosure.digits import in_steps, step_at_least, step_of_effect, step_of_mean, step_of_significant
from refino_eval.disclosure.earlier_releases import EarlierCells
from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.populations import Populations
from refino_eval.disclosure.release_counts import Number, ReleaseCounts, people_behind

P_VALUE_STEP, SHARE_STEP = 0.001, 0.001
OWN_SCALE = (
    "r_squared",
    "f_stat",
    "chi2",
    "t_stat",
    "ratio",
    "percent_of_control",
    "normalised_difference",
    "break_even",
    "value",
)
"""Statistics that have no standard error of the same unit in their cell."""


class Printer:
    """Writes the numbers of one release.

    Parameters
    ----------
    counts
        The numbers of the release and their counts.
    populations
        Clusters of nearly equal populations.
    hidden
        Which unknowns are hidden.
    before
        What earlier releases show.
    """

    def __init__(
        self, counts: ReleaseCounts, populations: Populations, hidden: np.ndarray, before: EarlierCells
    ) -> None:
        self.counts, self.populations, self.hidden, self.before = counts, populations, hidden, before
        self.profile = counts.profile
        self.blocks: dict[tuple[str, str, str, str], dict[str, Number]] = defaultdict(dict)
        for number in counts.numbers.values():
            self.blocks[number.block][number.statistic] = number
        self.least_steps: dict[tuple[str, str, str, str], float] = {}
        """Smallest steps of the effects of some cells."""
        self._numerators = self._equal_numerators()
        self._means = self._equal_means()

    def people(self, number: Number, value: float) -> int | None:
        """Return the number of people behind a number as it is written."""
        if number.people is None or number.statistic == "n_left_out":
            return None
        if number.treatment == "count" and number.people == number.value:
            return int(value)
        if number.disclosure_class in ("frequency", "flow") or number.whole is not None:
            # The people of another cell, which may be hidden.
            return None
        return self.populations.printed(number.people)

    def value(self, number: Number) -> tuple[float, float]:
        """Return a number as it is written, and the step that it is a multiple of (0: exact)."""
        if not math.isfinite(number.value) or number.treatment in ("plain", "extreme", "percentile", None):
            # The residual degrees of freedom are the number of people less that of coefficients.
            if number.statistic == "df" and number.people and number.value > number.people / 2:
                return in_steps(number.value, self.profile.people_base), float(self.profile.people_base)
            return number.value, 0.0
        if number.treatment == "count":
            index = self.counts.unknown.get(number.cell)
            base = float(self.profile.rounding.base if index is None else self.counts.system.bases[index])
            count = self._numerators.get(number.cell, (number.value, 0))[0]
            return in_steps(count, base), base if base > 1 else 0.0
        if number.statistic == "n_left_out":
            return in_steps(number.value, self.profile.people_base), float(self.profile.people_base)
        if number.treatment == "people":
            return float(self.populations.printed(round(number.value))), float(self.profile.people_base)
        printed, step = self._statistic(number)
        earlier = self.before.printed.get(number.cell)
        # A value that moved by less than a step since an earlier release is written as it was.
        return (earlier, step) if earlier is not None and abs(earlier - number.value) <= step else (printed, step)

    def _statistic(self, number: Number) -> tuple[float, float]:
        block = self.blocks[number.block]
        share = self._share_of(number, block)
        if share is not None and number.treatment in ("share", "mean"):
            return self._printed_share(share, block)
        if share is not None and number.statistic.startswith(("sd", "conf", "std_error")):
            return self._around_share(number, share, block)
        if number.treatment == "mean":
            return self._mean(number, block)
        if number.treatment == "spread":
            people = self._people(number, block)
            step = step_of_mean(number.value, people, digits_for_people=self.profile.statistics.digits_for_people)
            return in_steps(number.value, step), step
        step = self._step_of_effect(number, block)
        if number.statistic not in OWN_SCALE and not number.statistic.startswith(("p_value", "q_value")):
            step = max(step, self.least_steps.get(number.block, 0.0))
        if number.block in self.least_steps and number.statistic.startswith(("conf", "band")):
            # Limits move with the estimate as it is written: their middle would say more about it.
            estimate = block["estimate"].value
            return in_steps(in_steps(estimate, step) + number.value - estimate, step), step
        if number.statistic.startswith("conf") and (mean := block.get("mean")) is not None and "estimate" not in block:
            # The limits of a mean move with it, so that they show no more of it than it does.
            printed, step = self._statistic(mean)
            return in_steps(printed + number.value - mean.value, step), step
        return in_steps(number.value, step), step

    def _share_of(self, number: Number, block: dict[str, Number]) -> Number | None:
        """Return the share or mean of zeros and ones that a statistic belongs to."""
        if number.treatment == "share":
            return number if number.cell in self.counts.unknown else None
        if number.treatment == "mean":
            return number if number.cell in self.counts.unknown else None
        if "estimate" in block and number.treatment == "effect":
            return None
        name = number.statistic.replace("sd", "mean") if number.statistic.startswith("sd") else ""
        for candidate in (name, "share", "mean"):
            share = block.get(candidate)
            if share is not None and share.cell in self.counts.unknown:
                return share
        return None

    def _printed_share(self, share: Number, block: dict[str, Number]) -> tuple[float, float]:
        index = self.counts.unknown[share.cell]
        people = people_behind(share, block) or 1
        base = self.counts.system.bases[index]
        if share.disclosure_class in ("frequency", "flow"):
            # Both counts are printed, so their ratio shows no more than they do.
            printed_people = in_steps(people, self.profile.rounding.base)
            ratio = in_steps(self.counts.system.values[index], base) / max(printed_people, 1.0)
            return min(1.0, in_steps(ratio, SHARE_STEP)), SHARE_STEP
        base = max(base, self.profile.statistics.digits_for_people, 1)
        step = step_at_least(base / people)
        count, over = self._numerators.get(share.cell, (self.counts.system.values[index], people))
        return min(1.0, in_steps(in_steps(count, base) / over, step)), step

    def _around_share(self, number: Number, share: Number, block: dict[str, Number]) -> tuple[float, float]:
        """Write a standard deviation, standard error or limit of a share as it follows from the printed share."""
        printed, step = self._printed_share(share, block)
        spread, before = printed * (1 - printed), share.value * (1 - share.value)
        factor = math.sqrt(spread / before) if before > 0 else 1.0
        if number.statistic.startswith("conf"):
            return in_steps(printed + (number.value - share.value) * factor, step), step
        own = step_at_least(step_of_significant(number.value, 2))
        return in_steps(number.value * factor, own), own

    def _mean(self, number: Number, block: dict[str, Number]) -> tuple[float, float]:
        step = self._step_of_mean(number, block)
        return in_steps(self._means.get(number.cell, number.value), step), step

    def _step_of_mean(self, number: Number, block: dict[str, Number]) -> float:
        people = self._people(number, block)
        spread = block.get(number.statistic.replace("mean", "sd"))
        error = block.get("std_error")
        if spread is not None and math.isfinite(spread.value) and spread.value > 0:
            scale = spread.value
        elif error is not None and math.isfinite(error.value) and error.value > 0:
            # A standard error over n people is of the order of the standard deviation over the root of n, or twice that for an effect.
            scale = error.value * math.sqrt(people)
        else:
            scale = max(abs(number.value), 0.5 if 0 <= number.value <= 1 else 0.0)
        return step_of_mean(scale, people, digits_for_people=self.profile.statistics.digits_for_people)

    def _people(self, number: Number, block: dict[str, Number]) -> float:
        behind = people_behind(number, block)
        # Where the size of an arm is not given, it is taken as half of both.
        return float(behind if behind else (number.people or 2 * self.profile.statistics.minimum_people) / 2)

    def _step_of_effect(self, number: Number, block: dict[str, Number]) -> float:
        digits = self.profile.statistics.digits_for_people
        if digits == 0:
            return 0.0
        people = number.people or 1
        own_step = self._step_of_own_scale(number, block, people)
        if own_step is not None:
            return own_step
        error = _standard_error(block)
        if error is not None:
            return step_of_effect(error, people, digits_for_people=digits)
        size = 1.0 if number.treatment == "share" else abs(number.value)
        return step_at_least(max(step_of_significant(number.value), digits * size / people))

    def _step_of_own_scale(self, number: Number, block: dict[str, Number], people: int) -> float | None:
        """Return the step of a statistic that is not on the scale of its block's estimate; None for one that is."""
        digits = self.profile.statistics.digits_for_people
        if number.statistic.startswith(("p_value", "q_value")):
            # A person moves a test statistic by about one over the square root of the number of people.
            return step_at_least(max(P_VALUE_STEP, digits / (5 * people)))
        if number.statistic == "weight":
            return step_at_least(abs(number.value) * max(self.profile.rounding.base, 1) / people)
        error, control = block.get("std_error"), block.get("mean_control")
        if number.statistic == "percent_of_control" and error is not None and control is not None and control.value:
            return step_of_effect(100 * error.value / abs(control.value), people, digits_for_people=digits)
        if number.statistic in OWN_SCALE:
            size = 1.0 if number.statistic == "r_squared" else abs(number.value)
            return step_at_least(max(step_of_significant(number.value), digits * size / people))
        return None

    def _equal_numerators(self) -> dict[Cell, tuple[int, int]]:
        """Return numerators, with their people, that are written as those of the largest of several nearly equal populations."""
        groups: dict[tuple[str, int], dict[tuple[int, int], list[Cell]]] = defaultdict(lambda: defaultdict(list))
        for cell, index in self.counts.unknown.items():
            number = self.counts.numbers[cell]
            people = people_behind(number, self.blocks[number.block])
            own = number.treatment == "count" and number.people == number.value
            if people and not own and number.disclosure_class not in ("frequency", "flow"):
                groups[(number.arm, self.populations.reference(people))][
                    (people, self.counts.system.values[index])
                ].append(cell)
        equal: dict[Cell, tuple[int, int]] = {}
        for members in groups.values():
            if len({people for people, _ in members}) > 1:
                # The same people and a few more: the count can grow by those few at most.
                for (people, count), cells in members.items():
                    larger = [
                        (value - count, -other, (value, other))
                        for other, value in members
                        if other > people and 0 <= value - count <= other - people
                    ]
                    if larger:
                        equal.update(dict.fromkeys(cells, min(larger)[2]))
        return equal

    def _equal_means(self) -> dict[Cell, float]:
        """Return means that are written as those of the largest of several nearly equal populations."""
        equal: dict[Cell, float] = {}
        for (_, reference), members in self._means_by_population().items():
            largest = sorted((number.value, _words(number)) for people, number in members if people == reference)
            for people, number in members if largest else ():
                if people != reference:
                    step = self._step_of_mean(number, self.blocks[number.block])
                    nearest = _nearest_of_same_variable(number, step, largest)
                    if nearest is not None:
                        equal[number.cell] = nearest
        return equal

    def _means_by_population(self) -> dict[tuple[str, int], list[tuple[int, Number]]]:
        """Return means with their people, by arm and the largest of the nearly equal populations that they are of."""
        groups: dict[tuple[str, int], list[tuple[int, Number]]] = defaultdict(list)
        for number in self.counts.numbers.values():
            if number.treatment == "mean" and math.isfinite(number.value) and number.cell not in self.counts.unknown:
                people = people_behind(number, self.blocks[number.block])
                if people:
                    groups[(number.arm, self.populations.reference(people))].append((people, number))
        return groups


def _standard_error(block: Mapping[str, Number]) -> float | None:
    """Return the standard error of a block's estimate; from a 95 per cent interval, which is about four of them wide."""
    error, low, high = block.get("std_error"), block.get("conf_low"), block.get("conf_high")
    if error is not None and error.value > 0:
        return error.value
    if low is not None and high is not None and high.value > low.value:
        return (high.value - low.value) / 4
    return None


def _nearest_of_same_variable(
    number: Number, step: float, ordered: Sequence[tuple[float, frozenset[str]]]
) -> float | None:
    """Return the nearest of some means, within a step of one, that may be of the same variable by their keys."""
    value_of, words = itemgetter(0), _words(number)
    first = bisect_left(ordered, number.value - step, key=value_of)
    last = bisect_right(ordered, number.value + step, key=value_of)
    near = [(abs(value - number.value), value) for value, others in ordered[first:last] if words & others]
    return min(near)[1] if near else None


def _words(number: Number) -> frozenset[str]:
    """Return what a number may be a mean of, by its keys."""
    return frozenset({number.panel.partition(":")[0], number.column, number.row} - {"", "main", "all"})
