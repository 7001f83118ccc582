"""Find the counts of a release and how they are linked, from the keys of its tidy numbers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import pandas as pd

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.classes import DisclosureClass, Treatment, treatment_of
from refino_eval.disclosure.linked_counts import Cell, CountSystem
from refino_eval.disclosure.release_tables import ReleaseExhibit

ALL, TREATED, CONTROL = "all", "*treated", "*control"
PRODUCT, SEPARATORS = " x ", (" / ", ":")
WHOLE = 1e-6
"""How far a share times its people may be from a whole number, per person, to be a count."""


@dataclass(frozen=True)
class Number:
    """One number of a release, with how it is protected and the people that it is about."""

    cell: Cell
    disclosure_class: DisclosureClass
    panel: str
    row: str
    column: str
    statistic: str
    value: float
    people: int | None
    treatment: Treatment | None
    arm: str
    whole: int | None = None
    """Of a share in a density, whose people are those of its class: the people of all classes."""

    @property
    def block(self) -> tuple[str, str, str, str]:
        """The cell of the table that it is one statistic of."""
        return (self.cell[0], self.panel, self.row, self.column)

    @property
    def label(self) -> str:
        """Its keys, for findings and records."""
        return "/".join((self.cell[0], self.panel, self.row, self.column, self.statistic))


@dataclass
class ReleaseCounts:
    """All numbers of a release, and the system of its counts.

    Attributes
    ----------
    numbers
        By exhibit and position.
    unknown
        Cell -> the count that it shows: of a share or a mean of zeros and ones, its numerator.
    denominator
        Cell of a share in a table of counts -> the other count that it shows.
    """

    profile: DisclosureProfile
    numbers: dict[Cell, Number] = field(default_factory=dict)
    system: CountSystem = field(default_factory=CountSystem)
    unknown: dict[Cell, int] = field(default_factory=dict)
    denominator: dict[Cell, int] = field(default_factory=dict)

    def is_small(self, count: int) -> bool:
        """Return whether a count may not be shown."""
        smallest = 0 if self.profile.frequency.zeros == "disclosive" else 1
        return smallest <= count < self.profile.frequency.threshold


def release_counts(exhibits: Sequence[ReleaseExhibit], profile: DisclosureProfile) -> ReleaseCounts:
    """Return the numbers of a release and the linked counts behind them."""
    counts = ReleaseCounts(profile)
    blocks: dict[tuple[str, str, str, str], dict[str, Number]] = defaultdict(dict)
    for exhibit in exhibits:
        for number in _numbers(exhibit):
            counts.numbers[number.cell] = number
            blocks[number.block][number.statistic] = number
    _Linker(counts, exhibits, blocks).link()
    return counts


def _numbers(exhibit: ReleaseExhibit) -> Iterator[Number]:
    frame, kept = exhibit.frame, exhibit.disclosure_class
    wholes: dict[tuple[str, str], int] = defaultdict(int)
    if kept == "density":
        classes = frame[frame["statistic"] == "share"]
        for panel, column, people in zip(classes["panel"], classes["column"], classes["n_persons"], strict=True):
            wholes[(panel, column)] += 0 if pd.isna(people) else int(people)
    columns = (frame[name].tolist() for name in ("panel", "row", "column", "statistic", "value", "n_persons"))
    for position, (panel, row, column, statistic, value, people) in enumerate(zip(*columns, strict=True)):
        known = None if pd.isna(people) else int(people)
        treatment = treatment_of(kept, row, column, statistic)
        arm = _arm(exhibit, column, statistic)
        cell, whole = (exhibit.name, position), wholes.get((panel, column)) if statistic == "share" else None
        yield Number(cell, kept, panel, row, column, statistic, float(value), known, treatment, arm, whole)


def _arm(exhibit: ReleaseExhibit, column: str, statistic: str) -> str:
    """Return which people a number counts: everybody, or one arm, by the statistic's name or the column's."""
    name = column if statistic == "value" else statistic
    if name.endswith("_treated"):
        return TREATED
    if name.endswith("_control"):
        return CONTROL
    if column == exhibit.control:
        return CONTROL
    if column in exhibit.treated:
        return TREATED if column == exhibit.treated[0] else f"*{column}"
    return ALL if column in ("all", "") else column


def people_behind(number: Number, block: dict[str, Number]) -> int | None:
    """Return the people that a mean or share is over: those of its arm where the block gives them."""
    if number.whole is not None:
        return number.whole
    own = {TREATED: "n_treated", CONTROL: "n_control"}.get(number.arm)
    if number.statistic.endswith(("_treated", "_control")):
        return int(block[own].value) if own in block and math.isfinite(block[own].value) else None
    return number.people


def numerator(number: Number, block: dict[str, Number]) -> int | None:
    """Return the count behind a share or a mean of zeros and ones; None for any other number."""
    if number.treatment not in ("share", "mean") or not 0 <= number.value <= 1:
        return None
    people = people_behind(number, block)
    if not people:
        return None
    if number.whole is not None:
        return number.people
    count = number.value * people
    if abs(count - round(count)) > WHOLE * people:
        return None
    spread = block.get(number.statistic.replace("mean", "sd")) if number.treatment == "mean" else None
    if spread is not None and people > 1 and math.isfinite(spread.value):
        # Zeros and ones have the variance m (1 - m) n / (n - 1): a mean with another spread is of another variable.
        variance = number.value * (1 - number.value) * people / (people - 1)
        if abs(spread.value**2 - variance) > 1e-6:
            return None
    return round(count)


class _Linker:
    """Builds the system of one release: first the unknowns, then the equations between them."""

    def __init__(
        self,
        counts: ReleaseCounts,
        exhibits: Sequence[ReleaseExhibit],
        blocks: dict[tuple[str, str, str, str], dict[str, Number]],
    ) -> None:
        self.counts, self.system, self.profile = counts, counts.system, counts.profile
        self.exhibits = {exhibit.name: exhibit for exhibit in exhibits}
        self.blocks = blocks
        self.by_key: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
        """Panel, row and arm -> value -> unknown: equal keys with equal values are the same people."""
        self.series: dict[tuple[str, str, str, bool], dict[str, int]] = defaultdict(dict)
        """Exhibit, panel, column and whether it is a numerator -> row -> unknown."""
        self.arms: dict[tuple[str, str, str, str], dict[str, int]] = defaultdict(dict)
        self.people: dict[int, int] = {}
        """Unknown -> people that it is a part of."""
        self.sizes: dict[str, set[int]] = defaultdict(set)
        """Arm -> sizes of its populations."""

    def link(self) -> None:
        """Add all unknowns and equations."""
        for block in self.blocks.values():
            for number in block.values():
                if number.treatment == "count":
                    self._count(number)
            for number in block.values():
                self._numerator(number, block)
        self._complements()
        for key, members in self.arms.items():
            self._sum_of_arms(key, members)
        for (exhibit, panel, column, _), rows in self.series.items():
            self._partitions(rows, column)
            self._products(rows, column)
            if self.exhibits[exhibit].disclosure_class == "flow":
                self._flow(rows)
            if self.exhibits[exhibit].cumulative:
                self._increments(rows)
            del panel
        self._groups()
        self._nested()

    def _unknown(self, number: Number, value: int, base: int) -> int:
        same = self.by_key[(number.panel, number.row, number.arm)]
        if number.statistic.startswith(("n", "mean")) and number.column not in self._names_of_arms(number):
            # In tables by outcome, the column belongs to what is counted.
            same = self.by_key[(number.panel, f"{number.row}|{number.column}", number.arm)]
        if value in same:
            index = same[value]
            self.system.cells[index].append(number.cell)
            self.system.bases[index] = min(self.system.bases[index], base)
        else:
            small = self.counts.is_small(value)
            index = self.system.add(value, base=base, sensitive=small, label=number.label, cell=number.cell)
            same[value] = index
        self.counts.unknown[number.cell] = index
        return index

    def _names_of_arms(self, number: Number) -> set[str]:
        exhibit = self.exhibits[number.cell[0]]
        return {"all", "", *exhibit.treated, exhibit.control}

    def base_of(self, number: Number) -> int:
        """Return the multiple that a count is rounded to; outside tables of counts, it has the digits of its share."""
        base = self.profile.rounding.base
        if number.disclosure_class in ("frequency", "flow"):
            return base
        return max(base, self.profile.statistics.digits_for_people, 1)

    def _count(self, number: Number) -> None:
        if not math.isfinite(number.value) or number.value != round(number.value) or number.value < 0:
            return
        value = int(number.value)
        index = self._unknown(number, value, self.base_of(number))
        self._register(number, index, is_numerator=False)
        # In a table of counts, the people of a cell are another count, which may be hidden, rather than a population.
        known = (number.people or 0) >= self.profile.statistics.minimum_people
        if known and number.people and number.people > value and number.disclosure_class not in ("frequency", "flow"):
            self.people[index] = number.people

    def _numerator(self, number: Number, block: dict[str, Number]) -> None:
        count = numerator(number, block)
        if count is None:
            return
        people = people_behind(number, block) or 0
        same_block = block.get("count")
        if same_block is not None and same_block.cell in self.counts.unknown and int(same_block.value) == count:
            index = self.counts.unknown[number.cell] = self.counts.unknown[same_block.cell]
        elif (treated := self._treated_count(number, count)) is not None:
            index = self.counts.unknown[number.cell] = treated
            people = 0
        else:
            index = self._unknown(number, count, self.base_of(number))
            self._register(number, index, is_numerator=True)
        if number.disclosure_class in ("frequency", "flow"):
            self._denominator(number)
            return
        if people < self.profile.statistics.minimum_people:
            # Nor is the size of so small a group printed.
            return
        if people > count or (people == count and self.profile.frequency.zeros == "disclosive"):
            self.people[index] = people

    def _denominator(self, number: Number) -> None:
        """Add what a share in a table of counts is a share of: with the numerator, the share gives it away."""
        if not number.people:
            return
        arms = self.arms[(number.cell[0], number.panel, number.row, "")]
        index = arms.get(ALL)
        if index is None or self.system.values[index] != number.people:
            small = self.counts.is_small(number.people)
            label = f"{number.label} (denominator)"
            index = self.system.add(number.people, base=self.profile.rounding.base, sensitive=small, label=label)
            arms.setdefault(ALL, index)
            self.by_key[(number.panel, number.row, ALL)].setdefault(number.people, index)
            self.series[(number.cell[0], number.panel, ALL, False)].setdefault(number.row, index)
        self.system.cells[index].append(number.cell)
        self.counts.denominator[number.cell] = index

    def _treated_count(self, number: Number, count: int) -> int | None:
        """Return the treated arm's count that a share of treated people shows again."""
        if number.disclosure_class != "frequency":
            return None
        key = (number.cell[0], number.panel, number.row, "")
        index = self.arms[key].get(TREATED)
        return index if index is not None and self.system.values[index] == count else None

    def _register(self, number: Number, index: int, *, is_numerator: bool) -> None:
        column = number.arm if number.arm.startswith("*") or number.arm == ALL else number.column
        self.series[(number.cell[0], number.panel, column, is_numerator)].setdefault(number.row, index)
        own_column = "" if number.column in self._names_of_arms(number) else number.column
        if (
            number.statistic in ("count", "value", "share", "mean")
            and own_column
            and number.arm not in (ALL, TREATED, CONTROL)
        ):
            return
        self.arms[(number.cell[0], number.panel, number.row, own_column)].setdefault(number.arm, index)
        size = number.whole or number.people
        if size:
            self.sizes[number.arm].add(size)

    def _complements(self) -> None:
        for index, people in self.people.items():
            rest = people - self.system.values[index]
            self.system.remainder(
                self.system.constant(people),
                [index],
                sensitive=self.counts.is_small(rest),
                label=f"{self.system.labels[index]} (complement)",
            )

    def _sum_of_arms(self, key: tuple[str, str, str, str], members: dict[str, int]) -> None:
        if ALL not in members:
            return
        parts = self._without_pooled({arm: index for arm, index in members.items() if arm.startswith("*")})
        if len(parts) == 1:
            # The other arm is not printed, and follows from the total.
            arm, own = next(iter(parts.items()))
            rest = self.system.values[members[ALL]] - self.system.values[own]
            label = f"{self.system.labels[members[ALL]]} (other arm)"
            other = self.system.remainder(members[ALL], [own], sensitive=self.counts.is_small(rest), label=label)
            exhibit, panel, row, column = key
            if other is not None and not column:
                other_arm = CONTROL if arm == TREATED else TREATED
                self.series[(exhibit, panel, other_arm, False)].setdefault(row, other)
                self.by_key[(panel, row, other_arm)].setdefault(rest, other)
        elif parts:
            self.system.equate(members[ALL], parts.values())

    def _without_pooled(self, parts: dict[str, int]) -> dict[str, int]:
        """Equate what all treated arms together are called to its arms, and leave it out of the sum of all arms."""
        treated = {arm: index for arm, index in parts.items() if arm != CONTROL}
        for arm, index in treated.items():
            others = [other for name, other in treated.items() if name != arm]
            if len(others) > 1 and self.system.equate(index, others):
                return {name: other for name, other in parts.items() if name != arm}
        return parts

    def _partitions(self, rows: dict[str, int], column: str) -> None:
        """Equate rows to the row, or the population, that they are parts of."""
        children: dict[str, list[int]] = defaultdict(list)
        for row, index in rows.items():
            if PRODUCT not in row:
                children[_parent(row)].append(index)
        for parent, parts in children.items():
            if len(parts) < 2 or (parent in rows and self.system.equate(rows[parent], parts)):
                continue
            if not self._largest_is_sum(parts):
                self._equate_to_total(rows, column, parent, parts)

    def _largest_is_sum(self, parts: list[int]) -> bool:
        """Equate the largest of some rows to the others, if it is their sum."""
        values = [self.system.values[index] for index in parts]
        largest = values.index(max(values))
        others = [*parts[:largest], *parts[largest + 1 :]]
        return len(others) > 1 and self.system.equate(parts[largest], others)

    def _equate_to_total(self, rows: dict[str, int], column: str, parent: str, parts: list[int]) -> None:
        """Equate rows to a row, or a population, of as many people as they have together."""
        total = sum(self.system.values[index] for index in parts)
        wholes = (index for row, index in rows.items() if _parent(row) != parent and self.system.values[index] == total)
        whole = next(wholes, None)
        if whole is not None:
            self.system.equate(whole, parts)
        elif total in self.sizes[column] or total in {self.people.get(index) for index in parts}:
            self.system.equate(self._population(total, column), parts)

    def _population(self, total: int, arm: str) -> int:
        """Return the size of a population: the stage of the flow that prints it, or a number that everybody knows."""
        stages = (
            index
            for (exhibit, _, column, _), rows in self.series.items()
            if column == arm and self.exhibits[exhibit].disclosure_class == "flow"
            for row, index in rows.items()
            if ":" not in row and self.system.values[index] == total
        )
        stage = next(stages, None)
        return self.system.constant(total) if stage is None else stage

    def _products(self, rows: dict[str, int], column: str) -> None:
        """Equate the cells of a table of several factors to its margins, wherever these are printed."""
        factors = {row: tuple(row.split(PRODUCT)) for row in rows if PRODUCT in row}
        if not factors:
            return
        width = max(map(len, factors.values()))
        for size in range(1, width):
            for positions in combinations(range(width), size):
                margins: dict[str, list[int]] = defaultdict(list)
                for row, levels in factors.items():
                    if len(levels) == width:
                        margins[PRODUCT.join(levels[position] for position in positions)].append(rows[row])
                for level, parts in margins.items():
                    self._equate_margin(level, column, parts)
        everyone = sum(self.system.values[rows[row]] for row in factors)
        self.system.equate(self._population(everyone, column), [rows[row] for row in factors])

    def _equate_margin(self, level: str, arm: str, parts: list[int]) -> None:
        """Equate cells to the first printed count of their margin, in any table, that has as many people."""
        total = sum(self.system.values[index] for index in parts)
        for (_, row, column), same in self.by_key.items():
            if row == level and column == arm and total in same:
                self.system.equate(same[total], parts)
                return

    def _flow(self, rows: dict[str, int]) -> None:
        before: int | None = None
        losses: list[int] = []
        for row, index in rows.items():
            if ":" in row:
                losses.append(index)
                continue
            if before is not None:
                self.system.equate(before, [*losses, index])
            before, losses = index, []

    def _increments(self, rows: dict[str, int]) -> None:
        by_kind: dict[str, list[int]] = defaultdict(list)
        for row, index in rows.items():
            if not row.startswith("not_"):
                by_kind[row.partition(":")[2]].append(index)
        for earlier, later in (pair for ordered in by_kind.values() for pair in pairwise(ordered)):
            added = self.system.values[later] - self.system.values[earlier]
            if added:
                small = abs(added) < self.profile.frequency.threshold
                label = f"{self.system.labels[later]} (changed since the row before)"
                larger, smaller = (later, earlier) if added > 0 else (earlier, later)
                self.system.remainder(larger, [smaller], sensitive=small, label=label)

    def _groups(self) -> None:
        """Equate groups, whose panel is `<what>:<group>`, to the same number of everybody."""
        groups: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
        for (exhibit, panel, column, _), rows in self.series.items():
            what, separator, _group = panel.partition(":")
            if separator:
                for row, index in rows.items():
                    groups[(exhibit, what, row, column)].append(index)
        for (_, what, row, column), parts in groups.items():
            total = sum(self.system.values[index] for index in parts)
            whole = self.by_key.get((what, row, column), {}).get(total)
            if whole is not None:
                self.system.equate(whole, parts)

    def _nested(self) -> None:
        """Link counts of the same rows in samples that differ by a few people."""
        for same in list(self.by_key.values()):
            ordered = sorted(same.items())
            for (smaller, inner), (larger, outer) in pairwise(ordered):
                gap = larger - smaller
                if 0 < gap < self.profile.frequency.threshold and self._in_table(inner) and self._in_table(outer):
                    label = f"{self.system.labels[outer]} (less {self.system.labels[inner]})"
                    self.system.remainder(outer, [inner], sensitive=True, label=label)

    def _in_table(self, index: int) -> bool:
        """Return whether a table of counts shows an unknown; elsewhere, nearly equal populations are written equally."""
        numbers = (self.counts.numbers[cell] for cell in self.system.cells[index])
        return any(
            number.treatment == "count" and number.disclosure_class in ("frequency", "flow") for number in numbers
        )


def _parent(row: str) -> str:
    for separator in SEPARATORS:
        if separator in row:
            return row.rpartition(separator)[0]
    return ""
