"""Tables that divide the same people by different characteristics: by age, by education, by earlier income.

Each such table gives the shares of the same categories in every subgroup, and the size of each subgroup. The subgroups of every
table add up to the same number of people, and the shares weighted by the sizes are the same shares of everybody. Tables are taken to
be about the same people where their sizes add up to one number and most of their weighted shares agree, more often than by chance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, name_of, quoted, short, span
from refino_eval.published.audit.inferred_layout import COINCIDENCE
from refino_eval.published.audit.slips import is_slip, mistyped, most_probable_first
from refino_eval.published.intervals import Interval, added, point

FEWEST_ROWS = 5
"""Categories that two tables must have in common."""

FEWEST_PEOPLE = 1000
"""Number of people from which two equal sums of sizes are hardly chance."""

Row = tuple[str, str]


@dataclass(frozen=True)
class Divided:
    """One table: the shares of each category by subgroup, and the sizes of the subgroups."""

    shares: Mapping[Row, tuple[Cell, ...]]
    sizes: tuple[Cell, ...]

    @cached_property
    def total(self) -> int:
        """The number of people in all subgroups."""
        return sum(int(size.printed.value) for size in self.sizes)

    def of_everybody(self, row: Row, sizes: Sequence[Fraction] = ()) -> Interval:
        """Return the share of everybody that a row's shares allow, with the sizes published or with others in their order."""
        weights = sizes or [Fraction(size.printed.value) for size in self.sizes]
        parts = zip(self.shares[row], weights, strict=True)
        return added(cell.range.times(weight / sum(weights)) for cell, weight in parts)


Group = Sequence[Divided]
Failures = Mapping[Row, Interval]


def subgroup_tables(document: Document) -> Iterator[Finding]:
    """Yield shares and sizes of subgroups that other tables about the same people contradict."""
    tables = [table for exhibit in document.exhibits if (table := _divided(document, exhibit)) is not None]
    groups: dict[int, list[Divided]] = {}
    for table in tables:
        groups.setdefault(table.total, []).append(table)
    for group in groups.values():
        for table in group:
            others = [other for other in group if other is not table and _comparable(table, other)]
            failures = _failures(table, others)
            exchanged = list(_exchanged_sizes(document, table, others, failures))
            yield from exchanged
            if others and not exchanged and _same_people(table, others, failures):
                yield from _contradicted(document, table, others, failures)
    for table in tables:
        yield from _wrong_total(document, table, [other for other in tables if _comparable(table, other)])


def _divided(document: Document, exhibit: str) -> Divided | None:
    """Return a table as divided people, or None where it is no such table."""
    cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
    shares = [cell for cell in cells if cell.statistic == "share" and not {*EVERYBODY} & {*cell.key[2:4]}]
    sizes = _sizes(cells, list(dict.fromkeys(cell.key[3] for cell in shares)))
    if len(sizes) < 2:
        return None
    rows: dict[Row, dict[str, Cell]] = {}
    for cell in shares:
        rows.setdefault((cell.key[1], cell.key[2]), {})[cell.key[3]] = cell
    full = {row: tuple(of[name] for name in sizes) for row, of in rows.items() if len(of) == len(sizes)}
    table = Divided(full, tuple(sizes.values()))
    return table if len(full) >= FEWEST_ROWS and table.total >= FEWEST_PEOPLE else None


def _sizes(cells: Sequence[Cell], columns: Sequence[str]) -> dict[str, Cell]:
    """Return the size of each column; none where a column has no size above zero, or several."""
    sizes = [cell for cell in cells if cell.statistic == "n" and cell.key[3] in columns]
    single = len(sizes) == len({size.key[3] for size in sizes}) == len(columns)
    of_columns = {size.key[3]: size for size in sizes if size.printed.value >= 1}
    return {column: of_columns[column] for column in columns} if single and len(of_columns) == len(columns) else {}


def _comparable(one: Divided, other: Divided) -> bool:
    """Return whether two tables have nearly the same categories, in different subgroups."""
    common = set(one.shares) & set(other.shares)
    percent = {cell.printed.percent for table in (one, other) for cells in table.shares.values() for cell in cells}
    enough = len(common) >= max(FEWEST_ROWS, 0.8 * max(len(one.shares), len(other.shares)))
    return one is not other and enough and len(percent) == 1


def _failures(table: Divided, others: Group) -> Failures:
    """Return the rows of a table that no other table agrees with, and the share of everybody that most of these allow."""
    failures = {}
    for row in table.shares:
        ranges = [other.of_everybody(row) for other in others if row in other.shares]
        if ranges and not any(table.of_everybody(row).meets(other) for other in ranges):
            failures[row] = max(ranges, key=lambda one: sum(one.meets(other) for other in ranges))
    return failures


def _same_people(table: Divided, others: Group, failures: Failures) -> bool:
    """Return whether most rows of a table agree with those of others, more often than by chance."""
    chance, holding = 0.0, 0
    for row in table.shares:
        ranges = [other.of_everybody(row) for other in others if row in other.shares]
        if row in failures or not ranges:
            continue
        own = table.of_everybody(row)
        width, size = own.high - own.low + ranges[0].high - ranges[0].low, abs(own.middle)
        chance += math.log(min(float(width / size), 1.0)) if size else 0.0
        holding += 1
    return chance < math.log(COINCIDENCE) and holding >= 3 * len(failures)


def _contradicted(document: Document, table: Divided, others: Group, failures: Failures) -> Iterator[Finding]:
    for row, wanted in failures.items():
        cells = table.shares[row]
        twins = [other for other in others if row in other.shares]
        sisters = [cell for other in twins for cell in other.shares[row]]
        # With one other table either of the two may be wrong: the first is reported, with the numbers of both.
        alone = len(twins) == 1
        if document.explained("means", cells[0].key) or (alone and _later(document, cells[0], sisters[0])):
            continue
        needed = [_needed(table, cell, row, wanted) for cell in cells]
        suspects = most_probable_first(cells, needed)
        yield finding_about(
            "audit.share_of_everybody_differs", document, suspects[0], rule="means", certainty="possible",
            suspects=[cell.key for cell in (*suspects, *(sisters if alone else ()))],
            row=name_of((cells[0].key[2],)), own=span(table.of_everybody(row), cells[0].printed),
            others=span(wanted, cells[0].printed), tables=", ".join(other.sizes[0].key[0] for other in twins),
        )  # fmt: skip


def _later(document: Document, cell: Cell, other: Cell) -> bool:
    return document.exhibits.index(cell.key[0]) > document.exhibits.index(other.key[0])


def _needed(table: Divided, cell: Cell, row: Row, wanted: Interval) -> Interval:
    """Return the value of one share that would give the share of everybody, if the row's other shares are right."""
    cells = table.shares[row]
    weight = Fraction(table.sizes[cells.index(cell)].printed.value) / table.total
    rest = table.of_everybody(row) - cell.range.times(weight)
    # Subtracting an interval from one that contains it doubles its width; half of it is undone here.
    width = (cell.range.high - cell.range.low) * weight
    return (wanted - Interval(rest.low + width, rest.high - width)).times(1 / weight)


def _exchanged_sizes(document: Document, table: Divided, others: Group, failures: Failures) -> Iterator[Finding]:
    """Yield two sizes whose exchange makes the weighted shares agree with those of other tables."""
    # Of two tables either could have the wrong sizes, and one row may be wrong by itself.
    few = len(others) < 2 or len(failures) < 2
    for i, j in itertools.combinations(range(0 if few else len(table.sizes)), 2):
        sizes = [Fraction(size.printed.value) for size in table.sizes]
        sizes[i], sizes[j] = sizes[j], sizes[i]
        # A row may fail for another reason, but most failures must go.
        least = 1 - Fraction(len(failures), 3 * len(table.shares))
        if _agree_with(table, others, sizes, least=least):
            one, other = table.sizes[i], table.sizes[j]
            if not document.explained("swap", one.key):
                yield finding_about(
                    "audit.sizes_exchanged", document, one, rule="swap", certainty="likely", cells=[other.key],
                    fits=quoted([other, one]), other=short(other.key, one.key), other_published=other.text,
                    rows=len(failures),
                )  # fmt: skip
            return


def _wrong_total(document: Document, table: Divided, others: Group) -> Iterator[Finding]:
    """Yield a size whose typing error, or copy, makes a table's sizes add up to another number than those of other tables."""
    totals = [other.total for other in others]
    wanted = max(totals, key=totals.count, default=table.total)
    if totals.count(wanted) < 2 or table.total in totals:
        return
    right = {size: int(size.printed.value) + wanted - table.total for size in table.sizes}
    wrong = [
        size
        for size, value in right.items()
        if value > 0
        and _may_be_written_for(size, value, table)
        and _agree_with(table, others, _with(table, size, value))
    ]
    if wrong and not document.explained("sample", wrong[0].key):
        yield finding_about(
            "audit.sizes_of_subgroups", document, wrong[0], rule="sums", certainty="likely",
            fits=", ".join(str(right[size]) for size in wrong), suspects=[size.key for size in wrong],
            total=table.total, others_total=wanted, tables=totals.count(wanted),
        )  # fmt: skip


def _may_be_written_for(size: Cell, value: int, table: Divided) -> bool:
    """Return whether a size is a typing error for another number, or equals another size of the table and may be a copy of it."""
    copied = any(size is not other and size.text == other.text for other in table.sizes)
    return copied or is_slip(size, point(value)) or mistyped(f"{size.printed.value}", f"{value}")


def _with(table: Divided, size: Cell, value: int) -> list[Fraction]:
    """Return the sizes of a table with another number for one of them."""
    return [Fraction(value if own is size else own.printed.value) for own in table.sizes]


def _agree_with(table: Divided, others: Group, sizes: Sequence[Fraction], *, least: Fraction = Fraction(3, 4)) -> bool:
    """Return whether a share of a table's rows agree with another table if its sizes are these."""
    agreeing = sum(
        any(table.of_everybody(row, sizes).meets(other.of_everybody(row)) for other in others if row in other.shares)
        for row in table.shares
    )
    return agreeing >= least * len(table.shares)
