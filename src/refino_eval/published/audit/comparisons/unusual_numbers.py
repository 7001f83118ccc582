"""Numbers that are unusual among those of their table, by rules whose chance of a false alarm is known or that others set.

Two equal numbers
    Two unrelated numbers with many digits are seldom equal. How seldom follows from how many pairs of the same row or column
    lie near each other without being equal.
Sums of shares
    Shares that are a part of everybody's add up to about the same in all columns, and never to more than a hundred per cent.
t far from the others
    An estimate divided by its standard error is a random number of about the size of one to three. A t very near zero has a
    small probability, which is known; a very large one stands out among the others.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from refino_eval.published.audit.comparisons.sibling_models import SHARED_ROWS
from refino_eval.published.audit.document import EVERYBODY, Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, number, short
from refino_eval.published.audit.inferred_layout import is_difference
from refino_eval.published.audit.significance import TRange, t_range
from refino_eval.published.intervals import Interval, added

CHANCE = Fraction(1, 100)
"""Expected number of chance occurrences in a row, column or table below which one is reported."""

NEAR = 50
"""Two numbers are near each other if they differ by at most this many units of their last digit."""

DIGITS = 100
"""Units of the last digit that a number must have for its equality to another one to say anything."""

OTHERS = 3
"""Columns that must agree about the sum of their shares."""

DENSITY = Fraction(4, 5)
"""Density of |t| at zero, if there is no effect."""

LARGEST = 10
"""|t| above which a number may be out of place."""

TIMES = 4
"""A |t| is out of place if it is this many times the next largest."""

FEWEST = 5
"""Other t of a table that one is compared with."""

ESTIMATED = ("estimate", "std_error", "difference")
"""Statistics that are seldom equal by chance. Shares of the same people are counts divided by one number, and equal counts are
common; standard deviations of shares from 40 to 60 per cent all lie between 0.49 and 0.50; costs may follow from equal numbers."""


def unusual_numbers(document: Document) -> Iterator[Finding]:
    """Yield equal numbers, sums of shares, and t-statistics that are unusual in their table."""
    for exhibit in document.exhibits:
        cells = [cell for cell in document.cells.values() if cell.key[0] == exhibit]
        yield from _equal_numbers(document, cells)
        yield from _column_sums(document, cells)
        yield from _t_statistics(document, cells)


def expected_equal(units: Sequence[Fraction]) -> Fraction:
    """Return how many pairs of numbers, in units of their last digit, are expected to be equal by chance."""
    near = sum(0 < abs(one - other) <= NEAR for one, other in itertools.combinations(units, 2))
    # Half a pair more than was observed: where none is near, equality is not impossible.
    return (near + Fraction(1, 2)) / (2 * NEAR)


def _equal_numbers(document: Document, cells: Sequence[Cell]) -> Iterator[Finding]:
    """Yield the two long estimates of a row or column that are equal although few others are near each other."""
    for line in _lines_of_estimates(cells):
        pair = _equal_pair(line)
        if not pair or any(document.explained("copied", cell.key) for cell in pair):
            continue
        if expected_equal([_units(cell) for cell in line]) < CHANCE:
            yield finding_about(
                "audit.equal_numbers", document, pair[1], rule="copied", certainty="possible",
                suspects=[cell.key for cell in pair], other=short(pair[0].key, pair[1].key),
            )  # fmt: skip


def _lines_of_estimates(cells: Sequence[Cell]) -> Iterable[list[Cell]]:
    """Return the estimates, standard errors and differences of each row and column, by statistic."""
    estimated = [cell for cell in cells if cell.statistic in ESTIMATED]
    # Columns with many rows in common are specifications of one model, whose estimates are much alike.
    axes = (2, 3) if len({cell.key[2] for cell in estimated}) < SHARED_ROWS else (3,)
    lines: dict[tuple[object, ...], list[Cell]] = {}
    for cell, axis in itertools.product(estimated, axes):
        if not {*EVERYBODY} & {*cell.key[2:4]}:
            lines.setdefault((axis, cell.key[1], cell.key[axis], cell.statistic), []).append(cell)
    return lines.values()


def _equal_pair(line: Sequence[Cell]) -> list[Cell]:
    """Return the two numbers of a line that are equal; none if no two or more than two are, or if they are short."""
    times = Counter(cell.text for cell in line)
    equal = [cell for cell in line if times[cell.text] > 1]
    return equal if len(equal) == 2 and all(_units(cell) >= DIGITS for cell in equal) else []


def _units(cell: Cell) -> Fraction:
    """Return the size of a number in units of its last digit that is not a rounded zero."""
    return abs(Fraction(cell.printed.value)) / (cell.range.high - cell.range.low or Fraction(cell.printed.unit))


def _column_sums(document: Document, cells: Sequence[Cell]) -> Iterator[Finding]:
    columns: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if cell.statistic == "share" and cell.key[2] not in EVERYBODY and not is_difference(cell.key[:4]):
            columns.setdefault((cell.key[1], cell.key[3]), []).append(cell)
    for panel in dict.fromkeys(panel for panel, _ in columns):
        blocks = [block for (of, _), block in columns.items() if of == panel]
        if len({tuple(cell.key[2] for cell in block) for block in blocks}) == 1 and len(blocks) > OTHERS:
            yield from _sum_apart(document, blocks)


def _sum_apart(document: Document, blocks: Sequence[Sequence[Cell]]) -> Iterator[Finding]:
    """Yield the column whose shares add up to something that those of all other columns make improbable."""
    sums = [added(cell.range for cell in block) for block in blocks]
    whole = 1 if all(abs(cell.printed.value) <= 1 for block in blocks for cell in block) else 100
    for block, total in zip(blocks, sums, strict=True):
        others = [other.middle for other in sums if other is not total]
        if _is_apart(total, others, whole) and not document.explained("sums", block[0].key):
            decimals = block[0].printed.decimals
            yield finding_about(
                "audit.column_sum_apart", document, block[0], rule="sums", certainty="possible",
                suspects=[cell.key for cell in block], total=number(total.middle, decimals), columns=len(others),
                range=f"[{number(min(others), decimals)}, {number(max(others), decimals)}]",
            )  # fmt: skip
            return


def _is_apart(total: Interval, others: Sequence[Fraction], whole: int) -> bool:
    """Return whether a sum of shares is above the whole, or far from those of all other columns, which are not."""
    low, high = min(others), max(others)
    rounding = (total.high - total.low) / 2
    if high > whole + rounding:
        return False
    above = total.low > whole and low > Fraction(whole, 2)
    room = max(2 * (high - low), rounding)
    outside = total.middle < low - room or total.middle > high + room
    return above or (outside and low > Fraction(2 * whole, 3))


def _t_statistics(document: Document, cells: Sequence[Cell]) -> Iterator[Finding]:
    tested = _with_t(document, cells)
    # A small table is compared with all others of the document.
    compared = tested if len(tested) > FEWEST else _with_t(document, document.of("estimate"))
    if len(compared) <= FEWEST:
        return
    for place, t in tested:
        others = sorted(other.low for at, other in compared if at is not place)
        near_zero = t.high is not None and len(compared) * DENSITY * t.high < CHANCE
        large = t.low > max(Fraction(LARGEST), TIMES * others[-1])
        if (near_zero or large) and not document.explained("magnitude", place["estimate"].key):
            yield finding_about(
                "audit.t_far_from_others", document, place["std_error"], rule="magnitude", certainty="possible",
                suspects=[place["std_error"].key, place["estimate"].key], estimate=place["estimate"].text,
                t=number(t.low, 3), range=f"[{number(others[0], 2)}, {number(others[-1], 2)}]",
            )  # fmt: skip


def _with_t(document: Document, cells: Sequence[Cell]) -> list[tuple[Mapping[str, Cell], TRange]]:
    """Return the places of estimates other than zero with a standard error, and their |t|."""
    places = [document.places[cell.place] for cell in cells if cell.statistic == "estimate"]
    return [
        (place, t)
        for place in places
        if "std_error" in place
        and place["estimate"].printed.value
        and (t := t_range(place, published_t=False)) is not None
    ]
