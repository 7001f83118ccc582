"""Quantities that a document publishes more than once: in two tables, in a table and the text, or as a cost and as its negative.

Two numbers may be one quantity because their rows and columns have the same names, in either order, or because the line of
numbers that they belong to agrees with another table's line, position by position. Neither is certain: the employed of one table
may be those of another year. So numbers are compared only where those next to them agree, more often than by chance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.inferred_layout import COINCIDENCE

LEVELS = ("count", "n", "value", "mean", "share")
"""Statistics that two tables may name differently: a number of people is a count in one and a value in the other."""

TIMES = 4
"""Lines, or names that two tables share, must agree in this many times as many places as they do not."""

FEW = 2
"""Tables that share at most this many names are judged by how often other such tables of the document agree."""

SEVERAL = 8
"""Agreements of such tables that are needed in the document."""

LONG = 1000
"""Units of the last digit from which one unit less or more is no typing error."""

MOST_TIMES = 9
"""How many times as often such tables must agree as not."""


Name = tuple[str, ...]


@dataclass(frozen=True)
class Repeat:
    """Two numbers that are one quantity, up to its sign, and how sure it is that they must agree."""

    target: Cell
    of: Cell
    sign: int
    sure: str

    @property
    def agrees(self) -> bool:
        """Whether the two numbers can be the same."""
        return self.target.range.agrees(self.of.range if self.sign > 0 else -self.of.range)

    @property
    def nearly(self) -> bool:
        """Whether two long numbers differ by one unit of the last digit, as samples that differ by some people make them."""
        unit = max(self.target.printed.unit, self.of.printed.unit)
        gap = abs(abs(self.target.printed.value) - abs(self.of.printed.value))
        return not self.agrees and gap <= unit and abs(self.target.printed.value) >= LONG * unit

    @property
    def chance(self) -> float:
        """The log probability that unrelated numbers of this size agree; zero if they do not, or are zero."""
        size = max(abs(self.target.range.middle), abs(self.of.range.middle))
        if not self.agrees or not size:
            return 0.0
        # Counts have no width: the next whole number is one away.
        width = self.target.range.high - self.target.range.low + self.of.range.high - self.of.range.low
        return math.log(min(float((width or 1) / size), 1.0))


def repeated_quantities(document: Document) -> Iterator[Repeat]:
    """Yield the pairs of numbers of two exhibits that are the same quantity."""
    yield from _same_names(document)
    yield from _same_lines(document)


def _kind(cell: Cell) -> tuple[str, bool]:
    """Return what two numbers must have in common to be one quantity: the statistic, or that both are levels."""
    return "level" if cell.statistic in LEVELS else cell.statistic, cell.printed.percent


def _usable(document: Document) -> list[Cell]:
    return [cell for cell in document.cells.values() if "/" not in "".join(cell.key) and not cell.dated]


def _same_names(document: Document) -> Iterator[Repeat]:
    """Yield pairs whose rows and columns have the same names, between tables that otherwise agree."""
    tables = _by_tables(document)
    equal = {pair for pair, repeats in tables.items() if _agree(repeats, 1)}
    few = {pair: repeats for pair, repeats in tables.items() if len(repeats) <= FEW and pair not in equal}
    for pair in equal:
        yield from (r for r in tables[pair] if r.agrees or not _belongs_elsewhere(r, tables, equal))
    rest = list(itertools.chain.from_iterable(few.values()))
    holding = sum(repeat.agrees for repeat in rest)
    if holding >= max(SEVERAL, MOST_TIMES * (len(rest) - holding)):
        yield from (Repeat(repeat.target, repeat.of, 1, "possible") for repeat in rest)


def _by_tables(document: Document) -> dict[tuple[Name, Name], list[Repeat]]:
    """Return the pairs of numbers of two tables whose rows and columns have the same names, in either order."""
    named: dict[tuple[object, ...], list[Cell]] = {}
    for cell in _usable(document):
        named.setdefault((frozenset(cell.key[2:4]), _kind(cell)), []).append(cell)
    tables: dict[tuple[Name, Name], list[Repeat]] = {}
    for one, other in itertools.chain.from_iterable(itertools.combinations(cells, 2) for cells in named.values()):
        if one.key[0] != other.key[0]:
            tables.setdefault((one.key[:2], other.key[:2]), []).append(Repeat(other, one, 1, "likely"))
    return tables


def _belongs_elsewhere(
    repeat: Repeat, tables: Mapping[tuple[Name, Name], list[Repeat]], equal: Container[object]
) -> bool:
    """Return whether a number of a pair agrees with that of a third table, which is not one with the other number's table."""
    pair = {repeat.target, repeat.of}
    for repeats in tables.values():
        for third in repeats:
            cells = {third.target, third.of}
            if third.agrees and len(cells & pair) == 1:
                (left,), (new,) = pair - cells, cells - pair
                ends = left.key[:2], new.key[:2]
                if ends not in equal and ends[::-1] not in equal:
                    return True
    return False


def _agree(repeats: Sequence[Repeat], tried: int) -> bool:
    """Return whether pairs agree nearly everywhere, and in too many places for chance."""
    holding = [repeat for repeat in repeats if repeat.agrees]
    # Two equal numbers of one line are one piece of evidence.
    chances = {repeat.target.text: repeat.chance for repeat in holding}
    enough = len(holding) >= TIMES * (len(repeats) - len(holding)) and len(chances) > 1
    return enough and math.fsum(chances.values()) + math.log(tried) < math.log(COINCIDENCE)


def _same_lines(document: Document) -> Iterator[Repeat]:
    """Yield pairs in a row or column of one table and a row or column of another that agree position by position."""
    at: dict[tuple[str, tuple[str, bool]], list[tuple[Name, Cell]]] = {}
    for cell in _usable(document):
        exhibit, panel, row, column, statistic = cell.key
        at.setdefault((column, _kind(cell)), []).append(((exhibit, panel, row, "", statistic), cell))
        at.setdefault((row, _kind(cell)), []).append(((exhibit, panel, "", column, statistic), cell))
    lines: dict[tuple[Name, Name], list[tuple[Cell, Cell]]] = {}
    for members in at.values():
        for (one, first), (other, second) in itertools.combinations(members, 2):
            # A number that is zero in one of two tables has a reason there.
            if one[0] != other[0] and bool(first.printed.value) == bool(second.printed.value):
                lines.setdefault((one, other), []).append((first, second))
    long = {names: pairs for names, pairs in lines.items() if len(pairs) > FEW}
    for (one, other), pairs in long.items():
        if set(one[2:4]) == set(other[2:4]):
            continue  # Lines of one name have been compared by the names of their cells.
        for sign in (1, -1):
            repeats = [Repeat(second, first, sign, "possible") for first, second in pairs]
            if _agree(repeats, len(long)):
                yield from repeats
