"""Rows and columns that repeat another one: as many equal numbers as cannot be chance."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from statistics import median

from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, name_of

LIMIT = math.log(1e-5)
"""Log probability below which equal lines are no coincidence."""

NEIGHBOURS = math.log(1e-3)
"""The same for two lines next to each other, of which a table has few."""

SIZES = ("n", "n_treated", "n_control", "n_clusters", "df", "df_residual")
"""Statistics that lines of one sample have in common."""

Name = tuple[str, ...]


def copied_lines(document: Document) -> Iterator[Finding]:
    """Yield rows, and columns, all of whose numbers are those of another line with another name in the same table."""
    for exhibit in document.exhibits:
        cells = [
            cell
            for cell in document.cells.values()
            if cell.key[0] == exhibit and cell.statistic not in SIZES and not cell.dated
        ]
        for axis, other in ((2, 3), (3, 2)):
            yield from _copies(document, cells, axis, other)


def _copies(document: Document, cells: Sequence[Cell], axis: int, other: int) -> Iterator[Finding]:
    lines: dict[Name, dict[Name, Cell]] = {}
    for cell in cells:
        if cell.key[axis] not in EVERYBODY:
            place = (cell.key[other], cell.statistic) if axis == 2 else (cell.key[1], cell.key[other], cell.statistic)
            lines.setdefault((cell.key[1], cell.key[axis]) if axis == 2 else (cell.key[axis],), {})[place] = cell
    # A number that many lines share (a size, a p-value of 0.000) says nothing about two of them.
    common = {place: Counter(line[place].text for line in lines.values() if place in line) for place in
              dict.fromkeys(itertools.chain.from_iterable(lines.values()))}  # fmt: skip
    order = list(lines.values())
    neighbours = set(itertools.pairwise(lines))
    gaps = {place: _usual_gap([line[place] for line in order if place in line]) for place in common}
    for (one, first), (two, second) in itertools.combinations(lines.items(), 2):
        # One row of two panels may have the same numbers for a reason: the same sample.
        if (
            one[-1] == two[-1]
            or set(first) != set(second)
            or any(first[place].text != cell.text for place, cell in second.items())
        ):
            continue
        shared = {place: _log_share(common[place][cell.text] - 2, len(order) - 2) for place, cell in second.items()}
        at = next(iter(second.values()))
        certainty = ""
        if sum(_log_chance(cell) for place, cell in second.items() if common[place][cell.text] == 2) < LIMIT:
            certainty = "likely"
        elif (one, two) in neighbours:
            near = sum(max(_log_chance(cell, gaps[place]), shared[place]) for place, cell in second.items())
            certainty = "possible" if near < NEIGHBOURS else ""
        equal_by_construction = len(order) <= 2 or _estimate_one_quantity(order, second)
        if certainty and not equal_by_construction and not document.explained("copied", at.key):
            yield finding_about(
                "audit.line_repeated",
                document,
                at,
                rule="copied",
                certainty=certainty,
                cells=[cell.key for cell in [*second.values(), *first.values()] if cell is not at],
                number=name_of((*at.key[:2], at.key[axis])),
                other=name_of((next(iter(first.values())).key[axis],)),
                same=len(second),
            )


def _estimate_one_quantity(lines: Sequence[Mapping[Name, Cell]], line: Mapping[Name, Cell]) -> bool:
    """Return whether all other lines have estimates within one standard error of a line's: then two may be equal by algebra."""
    gaps = [
        abs(other[place].printed.value - cell.printed.value) <= line[error].printed.value
        for place, cell in line.items()
        for other in lines
        if place[-1] == "estimate" and (error := (*place[:-1], "std_error")) in line and place in other
    ]
    return len(gaps) > 2 and all(gaps)


def _usual_gap(cells: Sequence[Cell]) -> Decimal | None:
    """Return the median difference between a line's number and the next line's; None where there are too few."""
    gaps = [abs(one.printed.value - other.printed.value) for one, other in itertools.pairwise(cells)]
    return median(gaps) if len(gaps) > 2 else None


def _log_share(others: int, lines: int) -> float:
    """Return the log of the share of other lines that have the same number; minus infinity for none."""
    return math.log(others / lines) if others > 0 and lines > 0 else -math.inf


def _log_chance(cell: Cell, size: Decimal | None = None) -> float:
    """Return about how probable it is that an unrelated number of this size, or within this distance, has the same text."""
    size = abs(cell.printed.value) if size is None else min(2 * size, abs(cell.printed.value))
    return min(math.log(float(cell.printed.unit / size)), 0.0) if size else 0.0
