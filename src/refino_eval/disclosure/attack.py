"""Attack a protected release before it is written: rebuild hidden cells and single people from everything that it shows.

The attacker reads the printed numbers alone, knows the keys, the rules and the steps of rounding, and the sizes of populations. The true
values serve only to see whether an attack came close. Each attack is written from the printed frames, not from what `protect` decided,
so that a fault there is detected here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.block_rules import block_problems, few_cells
from refino_eval.disclosure.earlier_releases import EarlierCells
from refino_eval.disclosure.hidden_counts import bounds_of
from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.populations import populations_of
from refino_eval.disclosure.release_counts import Number, ReleaseCounts, people_behind, release_counts
from refino_eval.disclosure.release_tables import EarlierRelease, Finding, ProtectedRelease
from refino_eval.disclosure.saturated_effects import SharesByRow
from refino_eval.disclosure.suppression import Shown, exposed

MOST_CELLS = 12
"""How many of the cells that an attack uses a finding names."""

WHOLE = 1e-6
"""How far a product of printed numbers may be from the whole number that it is."""

PATHS = {
    "(complement)": "complement",
    "(other arm)": "arms",
    "(added since": "increments",
    "(less ": "nested populations",
}
"""What the description of a count that is never printed says about the way to it."""


@dataclass(frozen=True)
class _Mean:
    """A printed mean with its people and the standard deviation between them."""

    people: int
    number: Number
    spread: float


def attack(
    protected: ProtectedRelease, profile: DisclosureProfile, *, earlier: Sequence[EarlierRelease] = ()
) -> list[Finding]:
    """Return each way to rebuild a hidden cell or a person's value; an empty list means that the release may be written.

    Parameters
    ----------
    protected
        As `protect_release` returns it.
    profile
        The data owner's rules.
    earlier
        What earlier releases of the same people show.
    """
    if not profile.protects:
        return []
    attacker = _Attacker(protected, profile, earlier)
    return [
        *attacker.small_counts(),
        *attacker.linked_counts(),
        *attacker.few_people(),
        *attacker.effects_on_shares(),
        *attacker.digits(),
        *attacker.population_sizes(),
        *attacker.nested_shares(),
        *attacker.nested_means(),
        *attacker.means_of_groups(),
        *attacker.earlier_releases(),
    ]


class _Attacker:
    """What an attacker sees of a release."""

    def __init__(
        self, protected: ProtectedRelease, profile: DisclosureProfile, earlier: Sequence[EarlierRelease]
    ) -> None:
        self.profile = profile
        self.counts: ReleaseCounts = release_counts([exhibit.source for exhibit in protected.exhibits], profile)
        self.printed: dict[Cell, float] = {}
        self.steps: dict[Cell, float] = {}
        self.people: dict[Cell, int] = {}
        for exhibit in protected.exhibits:
            columns = (
                exhibit.frame["value"].tolist(),
                exhibit.frame["n_persons"].tolist(),
                exhibit.cells["step"].tolist(),
            )
            for position, (value, people, step) in enumerate(zip(*columns, strict=True)):
                cell = (exhibit.name, position)
                if math.isfinite(value):
                    self.printed[cell], self.steps[cell] = float(value), float(step)
                    if isinstance(people, int):
                        self.people[cell] = people
        self.blocks: dict[tuple[str, str, str, str], dict[str, Number]] = defaultdict(dict)
        for number in self.counts.numbers.values():
            self.blocks[number.block][number.statistic] = number
        self.before = EarlierCells(earlier, self.counts)
        self.bounds = self._bounds()

    def _bounds(self) -> Shown:
        """Return what the printed counts and shares say about every unknown."""
        system = self.counts.system
        values = np.array(system.values, dtype=float)
        size = len(values)
        low, high = np.zeros(size), bounds_of(self.counts, {})[1]
        fixed = np.array(system.fixed, dtype=bool)
        low[fixed], high[fixed] = values[fixed], values[fixed]
        for cell, index in self.counts.unknown.items():
            if cell in self.printed:
                least, most = self._range_of(self.counts.numbers[cell])
                # What is printed as another population's number says nothing that excludes the truth.
                low[index] = max(low[index], min(least, values[index]))
                high[index] = min(high[index], max(most, values[index]))
        printed = bounds_of(self.counts, {})[0]
        for cell, index in self.counts.denominator.items():
            if cell in self.printed:
                low[index], high[index] = max(low[index], printed.low[index]), min(high[index], printed.high[index])
        for index, bounds in self.before.bounds.items():
            low[index], high[index] = max(low[index], bounds.low[0]), min(high[index], bounds.high[0])
        return Shown(low, high)

    def _range_of(self, number: Number) -> tuple[float, float]:
        """Return the counts that would be printed as a count or a share is."""
        value, step = self.printed[number.cell], self.steps[number.cell]
        threshold = self.profile.frequency.threshold
        if number.treatment == "count":
            if value == 0:
                return 0.0, 0.0
            return max(math.ceil(value - step / 2), threshold), math.ceil(value + step / 2) - 1 if step else value
        people = float(people_behind(number, self.blocks[number.block]) or 0)
        base = max(self.profile.rounding.base, self.profile.statistics.digits_for_people) if step else 0
        own = number.disclosure_class not in ("frequency", "density")
        written = float(self.people.get(number.cell, people)) if own else people
        least, most = (value - step / 2) * written - base / 2, (value + step / 2) * written + base / 2
        return math.floor(least + WHOLE), math.ceil(most - WHOLE)

    def small_counts(self) -> Iterator[Finding]:
        """Yield printed counts and shares of fewer people than the threshold."""
        for cell, index in self.counts.unknown.items():
            if cell in self.printed and self.counts.system.sensitive[index]:
                label = self.counts.numbers[cell].label
                yield Finding("threshold", (label,), "The cell shows fewer people than the threshold.")
        lists = {block: list(numbers.values()) for block, numbers in self.blocks.items()}
        few = set(few_cells(lists, self.counts))
        for cell in self.printed:
            number = self.counts.numbers[cell]
            if cell in few:
                yield Finding("threshold", (number.label,), "The share may be of fewer people than the threshold.")
            if number.statistic == "n_left_out" and self.counts.is_small(round(number.value)):
                yield Finding("threshold", (number.label,), "The cell shows fewer people than the threshold.")

    def linked_counts(self) -> Iterator[Finding]:
        """Yield hidden counts that margins, arms, complements, months or groups bound below the threshold."""
        system = self.counts.system
        sensitive = np.array(system.sensitive, dtype=bool)
        for members, matrix in system.components():
            bounds = Shown(self.bounds.low[members], self.bounds.high[members])
            targets = np.flatnonzero(sensitive[members])
            for target in exposed(matrix, bounds, targets, self.profile.frequency.threshold):
                label = system.labels[int(members[target])]
                path = next((path for text, path in PATHS.items() if text in label), "margins")
                used = tuple(
                    system.labels[int(members[k])]
                    for k in _neighbours(matrix, target)
                    if system.labels[int(members[k])]
                )
                yield Finding(path, (label, *used)[:MOST_CELLS], "Shown cells bound this count below the threshold.")

    def few_people(self) -> Iterator[Finding]:
        """Yield statistics over fewer people than the rules ask for, and others that a rule forbids."""
        lists = {block: list(numbers.values()) for block, numbers in self.blocks.items()}
        for block, rules in block_problems(lists, self.counts).items():
            for number in lists[block]:
                if number.cell in self.printed:
                    yield Finding("mean of few", (number.label,), f"The number breaks the rule {', '.join(rules)}.")

    def effects_on_shares(self) -> Iterator[Finding]:
        """Yield effects that give a suppressed share away, with the share of the other arm."""
        lists = {block: list(numbers.values()) for block, numbers in self.blocks.items()}
        shares = SharesByRow(lists, self.counts)
        for cell, written in self.printed.items():
            number = self.counts.numbers[cell]
            if number.statistic != "estimate":
                continue
            hidden = {share.cell: True for share, _ in shares.compared(number) if share.cell not in self.printed}
            if hidden and shares.gives_away(number, written, self.steps[cell], hidden):
                labels = (number.label, *(self.counts.numbers[share].label for share in hidden))
                yield Finding(
                    "rate", labels[:MOST_CELLS], "The effect and the share of one arm bound that of the other."
                )

    def digits(self) -> Iterator[Finding]:
        """Yield numbers with more digits than their step, and means in finer steps than their people justify."""
        for cell, value in self.printed.items():
            number, step = self.counts.numbers[cell], self.steps[cell]
            off = step > 0 and abs(value / step - round(value / step)) > 1e-6 * max(1.0, abs(value / step))
            if off and self.before.printed.get(cell) != value:
                yield Finding("digits", (number.label,), "The number has more digits than its step.")
            if number.treatment == "mean" and cell not in self.counts.unknown:
                block = self.blocks[number.block]
                spread = block.get(number.statistic.replace("mean", "sd"))
                people = people_behind(number, block)
                if spread is not None and people and math.isfinite(spread.value):
                    least = self.profile.statistics.digits_for_people * spread.value / people
                    if step < least * (1 - 1e-6):
                        yield Finding(
                            "digits", (number.label,), "The step is finer than the people behind the mean justify."
                        )

    def population_sizes(self) -> Iterator[Finding]:
        """Yield nearly equal populations whose sizes are written differently."""
        written: dict[int, tuple[int, str]] = {}
        for cell, people in self.people.items():
            number = self.counts.numbers[cell]
            if (
                number.people
                and number.treatment != "count"
                and number.disclosure_class not in ("frequency", "flow", "density")
            ):
                written.setdefault(number.people, (people, number.label))
        populations = populations_of(self.counts.numbers.values(), self.profile)
        first: dict[int, tuple[int, str]] = {}
        for size, (people, label) in sorted(written.items()):
            other, other_label = first.setdefault(populations.reference(size), (people, label))
            if other != people:
                yield Finding(
                    "nested populations", (label, other_label), "Two nearly equal populations have different sizes."
                )

    def nested_shares(self) -> Iterator[Finding]:
        """Yield pairs of shares over nearly equal populations whose difference is one possible count of the people between."""
        gap = self.profile.linked_populations.minimum_difference
        groups: dict[str, dict[tuple[int, int], Number]] = defaultdict(dict)
        for cell, index in self.counts.unknown.items():
            number = self.counts.numbers[cell]
            people = people_behind(number, self.blocks[number.block])
            # A count whose people are itself is a share of nobody known.
            own = number.treatment == "count" and number.people == number.value
            if cell in self.printed and people and not own and number.disclosure_class not in ("frequency", "flow"):
                groups[number.arm].setdefault((people, self.counts.system.values[index]), number)
        for members in groups.values():
            ordered = sorted(members.items())
            sizes = np.array([people for (people, _), _ in ordered])
            true = np.array([count for (_, count), _ in ordered])
            for position, ((people, count), number) in enumerate(ordered):
                between = sizes - people
                related = np.flatnonzero((between > 0) & (between < gap) & (true >= count) & (true - count <= between))
                for other in related:
                    if self._pins_difference(number, ordered[other][1], int(between[other])):
                        labels = (ordered[other][1].label, number.label)
                        yield Finding(
                            "nested populations", labels, "Two shares give the people by whom the populations differ."
                        )
                        break
                del position

    def _pins_difference(self, smaller: Number, larger: Number, between: int) -> bool:
        low, high = self._range_of(smaller)
        least, most = self._range_of(larger)
        first, last = max(0, math.ceil(least - high)), min(between, math.floor(most - low))
        true = (
            self.counts.system.values[self.counts.unknown[larger.cell]]
            - self.counts.system.values[self.counts.unknown[smaller.cell]]
        )
        return first == last == true

    def _printed_means(self) -> Iterator[_Mean]:
        """Yield the printed means whose people and standard deviation the release has."""
        for cell in self.printed:
            number = self.counts.numbers[cell]
            if number.treatment == "mean" and cell not in self.counts.unknown:
                block = self.blocks[number.block]
                spread, people = block.get(number.statistic.replace("mean", "sd")), people_behind(number, block)
                if people and spread is not None and math.isfinite(spread.value):
                    yield _Mean(people, number, spread.value)

    def nested_means(self) -> Iterator[Finding]:
        """Yield pairs of means over nearly equal populations that give the value of the people between within a standard deviation.

        A mean that is printed in steps of s over n people gives their sum to within n s; the difference of two such sums is that
        of the people between.
        """
        gap = self.profile.linked_populations.minimum_difference
        by_word: dict[tuple[str, str], dict[int, list[_Mean]]] = defaultdict(lambda: defaultdict(list))
        for mean in self._printed_means():
            number = mean.number
            for word in {number.panel.partition(":")[0], number.column, number.row} - {""}:
                by_word[(number.arm, word)][mean.people].append(mean)
        for by_size in by_word.values():
            for people, smaller in by_size.items():
                nearly_equal = (size for size in range(people + 1, people + gap) if size in by_size)
                for larger in (mean for size in nearly_equal for mean in by_size[size]):
                    yield from self._value_between(smaller, larger)

    def _value_between(self, smaller: Sequence[_Mean], larger: _Mean) -> Iterator[Finding]:
        """Yield a finding if a mean and the first related one of a slightly smaller population give the value of those between."""
        first = next((mean for mean in smaller if _is_related(mean.number, larger.number, mean.spread)), None)
        if first is not None and self._width(first) + self._width(larger) < first.spread:
            labels = (larger.number.label, first.number.label)
            yield Finding("nested populations", labels, "Two means give the value of the people between.")

    def _width(self, mean: _Mean) -> float:
        """Return the range in which the printed mean leaves the sum over its people."""
        return mean.people * self.steps[mean.number.cell]

    def means_of_groups(self) -> Iterator[Finding]:
        """Yield means of everybody and of most groups that give the mean of the few people in the others."""
        wholes: dict[tuple[str, str, str], list[_Mean]] = defaultdict(list)
        groups: dict[tuple[str, str, str, str], list[_Mean]] = defaultdict(list)
        for mean in self._printed_means():
            number = mean.number
            what, separator, _ = number.panel.partition(":")
            column = number.arm if number.arm.startswith("*") else number.column
            if separator:
                groups[(number.cell[0], what, number.row, column)].append(mean)
            else:
                wholes[(what, number.row, column)].append(mean)
        for (_, what, row, column), parts in groups.items():
            for whole in wholes.get((what, row, column), ()):
                left = whole.people - sum(part.people for part in parts)
                width = self._width(whole) + sum(map(self._width, parts))
                if 0 < left < self.profile.statistics.minimum_people and width < whole.spread:
                    labels = (whole.number.label, *(part.number.label for part in parts))
                    yield Finding(
                        "complement", labels[:MOST_CELLS], "The means of all and of the other groups give that of few."
                    )

    def earlier_releases(self) -> Iterator[Finding]:
        """Yield numbers that differ so little from an earlier release that the difference is about few people."""
        for cell, earlier in self.before.printed.items():
            number = self.counts.numbers[cell]
            if cell not in self.printed or number.treatment in ("plain", None):
                continue
            change = abs(self.printed[cell] - earlier)
            if number.treatment == "count":
                gap = self.profile.linked_populations.minimum_difference
                if self.steps[cell] == 0 and 0 < change < gap:
                    yield Finding(
                        "earlier release", (number.label,), "The count differs from an earlier one by few people."
                    )
            elif number.treatment in ("share", "mean") and change > 0:
                people = people_behind(number, self.blocks[number.block]) or 1
                spread = self.blocks[number.block].get(number.statistic.replace("mean", "sd"))
                scale = spread.value if spread is not None and number.treatment == "mean" else 1.0
                if people * (self.steps[cell] or 0.0) * 2 < scale:
                    yield Finding(
                        "earlier release", (number.label,), "The number shows who was added since an earlier release."
                    )


def _neighbours(matrix: csr_matrix, target: int) -> list[int]:
    rows = matrix[:, [target]].nonzero()[0]
    return [int(index) for index in np.unique(matrix[rows].indices) if index != target]


def _is_related(number: Number, other: Number, spread: float) -> bool:
    """Return whether two means may be of the same variable: they differ by no more than a few people can make."""
    people, larger = number.people or 1, other.people or 1
    return abs(larger * other.value - people * number.value) <= abs(larger - people) * (abs(number.value) + 10 * spread)
