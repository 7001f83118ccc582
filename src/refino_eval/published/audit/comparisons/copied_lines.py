"""Rows and columns that repeat another one: as many equal numbers as cannot be chance."""

from __future__ import annotations

import itertools
import math
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
    """Yield the lines along an axis that repeat another one, where that cannot be chance."""
    lines = _lines(cells, axis, other)
    order = list(lines.values())
    places = _places(order)
    neighbours = set(itertools.pairwise(lines))
    for (one, first), (two, second) in itertools.combinations(lines.items(), 2):
        # One row of two panels may have the same numbers for a reason: the same sample.
        if one[-1] == two[-1] or not _same_texts(first, second):
            continue
        certainty = _certainty(second, places, len(order), near=(one, two) in neighbours)
        at = next(iter(second.values()))
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


def _lines(cells: Sequence[Cell], axis: int, other: int) -> dict[Name, dict[Name, Cell]]:
    """Return the lines along an axis, each with its numbers by position; a row is one of its panel, a column one of its table."""
    lines: dict[Name, dict[Name, Cell]] = {}
    for cell in cells:
        if cell.key[axis] in EVERYBODY:
            continue
        panel, position = cell.key[1], (cell.key[other], cell.statistic)
        if axis == 2:
            lines.setdefault((panel, cell.key[axis]), {})[position] = cell
        else:
            lines.setdefault((cell.key[axis],), {})[panel, *position] = cell
    return lines


def _places(lines: Sequence[Mapping[Name, Cell]]) -> Mapping[Name, Sequence[Cell]]:
    """Return the numbers of each position, in the order of the lines."""
    places: dict[Name, list[Cell]] = {}
    for place, cell in itertools.chain.from_iterable(line.items() for line in lines):
        places.setdefault(place, []).append(cell)
    return places


def _same_texts(first: Mapping[Name, Cell], second: Mapping[Name, Cell]) -> bool:
    """Return whether two lines have the same positions, with the same number in each."""
    return set(first) == set(second) and all(first[place].text == cell.text for place, cell in second.items())


def _certainty(line: Mapping[Name, Cell], places: Mapping[Name, Sequence[Cell]], number: int, *, near: bool) -> str:
    """Return how sure it is that one of two equal lines is a copy: empty where that may be chance.

    Lines next to each other count as copies with less evidence, since a table has few such pairs; their numbers are compared with
    how far those of neighbouring lines usually are apart.
    """
    common = {place: sum(other.text == cell.text for other in places[place]) for place, cell in line.items()}
    # A number that many lines share (a size, a p-value of 0.000) says nothing about two of them.
    if sum(_log_chance(cell) for place, cell in line.items() if common[place] == 2) < LIMIT:
        return "likely"
    chance = sum(
        max(_log_chance(cell, _usual_gap(places[place])), _log_share(common[place] - 2, number - 2))
        for place, cell in line.items()
    )
    return "possible" if near and chance < NEIGHBOURS else ""


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
