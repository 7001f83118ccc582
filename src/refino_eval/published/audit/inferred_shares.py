"""Shares that belong together: blocks that add up to a hundred, and lines that are in proportion to counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from refino_eval.published.audit.document import EVERYBODY, Cell
from refino_eval.published.audit.inferred_layout import (
    MOST_LINES,
    MULTIPLIED,
    Candidate,
    Flags,
    Floats,
    Lines,
    accepted,
    evidence,
    group_of,
    lines_of,
)

NATURAL = 1e-2
"""Probability of coincidence below which the whole of a panel, or of a table, is taken to add up to a hundred."""

FEW_LINES = 10
"""Columns of one table among which a product with an unknown factor is looked for."""

SIMILAR = (0.25, 4.0)
"""Factors between two lines of one statistic that may be chance: the means of two arms are similar in all rows."""

ALIKE = (0.8, 1.2)
"""Factors between two lines that are nearly equal for another reason than a proportion: rows and people, starters and completers."""

NEAR = 0.6
"""A single block that no other block supports is suspect only if its sum is within this share of a hundred."""


PRECISE = math.log(5e-4)
"""Log probability of coincidence below which a product may fail in nearly as many rows as it holds."""


def hundreds(cells: Sequence[Cell], axis: str) -> Iterator[list[Candidate]]:
    """Yield the blocks of shares that add up to a hundred (or to one) in most columns (or rows); a group per block."""
    for panel in dict.fromkeys(cell.key[1] for cell in cells):
        inside = [cell for cell in cells if cell.key[1] == panel and not {*EVERYBODY} & {*cell.key[2:4]}]
        lines, total = lines_of(inside, axis, ("share",)), _total(inside)
        # Longer blocks first, the whole panel before all others; a line belongs to one block.
        blocks = list(itertools.combinations(range(len(lines) + 1), 2))
        blocks = sorted((block for block in blocks if block[1] - block[0] >= 2), key=lambda block: block[0] - block[1])
        covered: set[int] = set()
        for start, stop in blocks:
            natural = (start, stop) == (0, len(lines))
            if not covered & {*range(start, stop)} and _adds_up(lines, start, stop, float(total), natural, len(blocks)):
                covered |= {*range(start, stop)}
                yield _shares_of(lines, start, stop, total)


def _shares_of(lines: Lines, start: int, stop: int, total: int) -> list[Candidate]:
    """Return the relation that a block of lines adds up to a total, a candidate for each position with two shares or more."""
    columns = ([part for part in column if part is not None] for column in zip(*lines.cells[start:stop], strict=True))
    return [Candidate("shares", parts[0], tuple(parts), str(total)) for parts in columns if len(parts) >= 2]


def _total(cells: Sequence[Cell]) -> int:
    """Return what shares of everybody add up to: 100, or 1 for fractions and numbers with a % sign."""
    shares = [cell for cell in cells if cell.statistic == "share"]
    fractions = all(cell.printed.percent or abs(cell.printed.value) <= 1 for cell in shares)
    return 1 if shares and fractions else 100


def _adds_up(lines: Lines, start: int, stop: int, total: float, natural: bool, tried: int) -> bool:
    """Return whether a block of lines adds up to the total in too many positions for chance."""
    low, high = np.nansum(lines.low[start:stop], axis=0), np.nansum(lines.high[start:stop], axis=0)
    parts = (~np.isnan(lines.low[start:stop])).sum(axis=0)
    low, high = np.where(parts >= 2, low, np.nan), np.where(parts >= 2, high, np.nan)
    own = np.full(low.shape, total)
    chance, holds, fails = evidence(low, high, own, own, own)
    if natural and holds.sum() == 1 == fails.sum():
        # Two columns of which one adds up: the other is suspect if it does not miss by more than a slip.
        near = np.abs((low + high)[fails] / 2 / total - 1) < NEAR
        return bool(near.all() and np.exp(chance.sum()) < 2 * NATURAL)
    return bool(accepted(chance, fails, 1, coincidence=NATURAL) if natural else accepted(chance, fails, tried))


def proportions(cells: Sequence[Cell], axis: str) -> Iterator[list[Candidate]]:
    """Yield the lines that are in one proportion to another line: percentages of counts, amounts in another unit.

    The factor is inferred: that which most positions allow. A position fails if no factor that the others allow fits.
    """
    lines = lines_of(cells, axis, MULTIPLIED)
    number = len(lines)
    if not 2 <= number <= MOST_LINES:
        return
    taken: set[int] = set()
    # With the numbers as rounded before the numbers as published: the weaker claim goes first.
    for exact, target, of in itertools.product((False, True), range(number), range(number)):
        if of == target or {of, target} <= taken or not _may_be_proportional(lines, target, of, exact):
            continue
        limits = common_range(*_factors(lines, target, of, exact))
        if limits is None or _may_be_chance(lines, target, of, limits):
            continue
        part_low, part_high = _ends(lines, of, exact)
        middle = np.abs(lines.low[target] + lines.high[target]) / 2
        low, high = part_low * limits[0], part_high * limits[1]
        # A number that is zero has a reason of its own.
        low = np.where((middle == 0) | (part_high == 0), np.nan, low)
        chance, _, fails = evidence(low, high, lines.low[target], lines.high[target], middle)
        # One position determines the factor, and is no evidence.
        enough = fails.sum() + 3 <= (chance < 0).sum()
        if enough and accepted(np.sort(chance)[1:], np.sort(fails)[1:], 2 * number * (number - 1)):
            taken |= {target, of}
            yield _multiples(lines, target, of, str(Fraction((limits[0] + limits[1]) / 2)), exact, ~np.isnan(low))


def _may_be_chance(lines: Lines, target: int, of: int, limits: tuple[float, float]) -> bool:
    """Return whether two lines are so nearly equal that they have about one ratio without being in proportion."""
    low, high = SIMILAR if _one_kind(lines, target, of) else ALIKE
    return low < limits[1] and limits[0] < high


def _multiples(lines: Lines, target: int, of: int, factor: str, exact: bool, checked: Flags) -> list[Candidate]:
    """Return the relation that one line is a multiple of another, a candidate for each position that is checked."""
    positions = zip(lines.cells[target], lines.cells[of], checked, strict=True)
    return [
        Candidate("product", cell, (part,), factor, exact) for cell, part, known in positions if cell and part and known
    ]


def _one_kind(lines: Lines, one: int, other: int) -> bool:
    """Return whether two lines are of one statistic: two arms, which are similar without being in proportion."""
    kinds = [{cell.statistic for cell in lines.cells[line] if cell} for line in (one, other)]
    return bool(kinds[0] & kinds[1])


def _ends(lines: Lines, line: int, exact: bool) -> tuple[Floats, Floats]:
    """Return the ends of the numbers of a line, or the numbers as published."""
    if exact:
        middle = (lines.low[line] + lines.high[line]) / 2
        return middle, middle
    return lines.low[line], lines.high[line]


def proportional_products(cells: Sequence[Cell]) -> Iterator[list[Candidate]]:
    """Yield the columns that are in one proportion to the product of two others: a cost with tax, a sum in thousands.

    Each is tried with the numbers as rounded and as published, as in `products_of_lines`, which knows the usual factors.
    """
    lines = lines_of(cells, "column", MULTIPLIED)
    number = len(lines)
    if not 3 <= number <= FEW_LINES:
        return
    found: list[tuple[float, bool, int, tuple[int, int], str, tuple[int, ...]]] = []
    for target, of in itertools.product(range(number), itertools.combinations(range(number), 2)):
        for exact in (False, True) if target not in of else ():
            found += _proportional_product(lines, target, of, exact)
    taken: set[frozenset[int]] = set()
    for _, exact, target, of, factor, rows in sorted(found):
        if frozenset((target, *of)) not in taken:
            taken.add(frozenset((target, *of)))
            inside = {lines.cells[target][row] for row in rows}
            group = group_of(lines, "product", target, of, factor, exact=exact)
            yield [candidate for candidate in group if candidate.target in inside]


def _proportional_product(
    lines: Lines, target: int, of: tuple[int, int], exact: bool
) -> Iterator[tuple[float, bool, int, tuple[int, int], str, tuple[int, ...]]]:
    """Yield the log chance of a product with one factor throughout, the product, its factor, and the rows that it is about."""
    a, b = of
    middle = (lines.low + lines.high) / 2
    low, high = (middle, middle) if exact else (lines.low, lines.high)
    with np.errstate(divide="ignore", invalid="ignore"):
        part_low, part_high = low[a] * low[b], high[a] * high[b]
        factors = lines.low[target] / part_high, lines.high[target] / part_low
    usable = (low[a] > 0) & (low[b] > 0) & (lines.low[target] > 0)
    limits = common_range(*(np.where(usable, end, np.nan) for end in factors))
    if limits is None or any(len(np.unique(middle[k][usable])) < 3 for k in of):
        return
    # A row with another round factor is calculated in another way: a transfer of which only the tax is a cost.
    other = _other_round_factor(*factors, limits)
    usable &= ~other
    part_low, part_high = (np.where(usable, end, np.nan) for end in (part_low, part_high))
    chance, _, fails = evidence(
        part_low * limits[0], part_high * limits[1], lines.low[target], lines.high[target], middle[target]
    )
    ranked, holding, failing = np.sort(chance), (chance < 0).sum(), fails.sum()
    tried = len(lines) * (len(lines) - 1) * (len(lines) - 2)
    often = holding >= max(4, 5 * failing) and accepted(ranked[1:], np.sort(fails)[1:], tried)
    # Three precise rows are no chance, even where nearly as many rows fail.
    precise = holding > max(2, failing) and ranked[1:].sum() + math.log(tried) < PRECISE
    if often or precise:
        yield float(ranked[1:].sum()), exact, target, of, _shortest(*limits), tuple(np.flatnonzero(~other))


def _shortest(low: float, high: float) -> str:
    """Return the number with fewest digits between two positive ends."""
    middle = (low + high) / 2
    options = (f"{Decimal(f'{middle:.{digits}e}'):f}" for digits in range(16))
    return next((text for text in options if low <= float(text) <= high), str(Fraction(middle)))


def _other_round_factor(low: Floats, high: Floats, limits: tuple[float, float]) -> Flags:
    """Return where a factor is a number of one digit, and no power of ten times the usual factor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (low + high) / 2
        power = 10.0 ** np.floor(np.log10(middle))
        digit = np.round(middle / power) * power
        turns = np.log10(middle / ((limits[0] + limits[1]) / 2))
        return (low <= digit) & (digit <= high) & (high < 1.005 * low) & (np.abs(turns - np.round(turns)) > 0.01)


def _may_be_proportional(lines: Lines, target: int, of: int, exact: bool) -> bool:
    """Return whether a line varies, and the more precise of two lines is the one that the other follows from."""
    both = ~np.isnan(lines.low[target]) & ~np.isnan(lines.low[of])
    if both.sum() < 4:
        return False
    middle = (lines.low[of] + lines.high[of])[both] / 2
    if len(np.unique(middle)) < 3:
        return False
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = [
            np.nanmedian((lines.high[k] - lines.low[k])[both] / np.abs(lines.low[k] + lines.high[k])[both])
            for k in (of, target)
        ]
    return exact or bool((precision[0], of) < (precision[1], target))


def _factors(lines: Lines, target: int, of: int, exact: bool) -> tuple[Floats, Floats]:
    """Return the smallest and the largest factor between two lines in each position."""
    parts = _ends(lines, of, exact)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array([a / b for a in (lines.low[target], lines.high[target]) for b in parts])
    unknown = (parts[0] <= 0) & (parts[1] >= 0)
    return np.where(unknown, np.nan, ends.min(axis=0)), np.where(unknown, np.nan, ends.max(axis=0))


def common_range(low: Floats, high: Floats) -> tuple[float, float] | None:
    """Return the range of factors that most positions allow."""
    ends = np.unique(low[~np.isnan(low)])
    if len(ends) == 0:
        return None
    inside = np.array([((low <= end) & (high >= end)).sum() for end in ends])
    best = ends[int(inside.argmax())]
    within = (low <= best) & (high >= best)
    return float(low[within].max()), float(high[within].min())
