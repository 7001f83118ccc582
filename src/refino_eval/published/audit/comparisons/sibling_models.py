"""Rules that compare sibling models: the same estimate under other controls, samples or tables.

Siblings of a number are of two kinds.

Same outcome
    The same row and column in another panel of the exhibit, or in another exhibit whose mean outcome is about the same (a
    month's probability and a year's months have the same names, but are not siblings).
Same regressor
    The same row in another model that shares at least four rows with it: the columns of a regression table.

Standard errors of siblings differ little, since they have outcome, sample and regressor in common; clear estimates keep
their sign and their order of magnitude. A rule applies only where at least two siblings agree among themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from statistics import median

from refino_eval.published.audit.document import Cell, Document, Model
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import decimal_of, distinct, finding_about, name_of, quoted, short
from refino_eval.published.audit.significance import t_range

ALIKE = Fraction(3, 2)
"""Siblings agree when the largest is at most this many times the smallest."""

APART = Fraction(8, 5)
"""A number is an outlier when it is at least this many times larger or smaller than every sibling."""

NEAR = Fraction(5, 4)
"""A number fits its siblings when it is within this factor of their range."""

SHARED_ROWS = 4
CLEAR = Fraction(2)
"""|t| from which an estimate's sign and size are clear."""


class Siblings:
    """The siblings of every number of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.by_name: dict[tuple[str, str], list[Cell]] = {}
        for cell in document.of("estimate", "std_error", "t_stat"):
            self.by_name.setdefault((cell.key[2], cell.statistic), []).append(cell)
        self.means = {model: self._mean(rows) for model, rows in document.models.items()}

    def _mean(self, rows: Mapping[str, Cell]) -> Fraction | None:
        cell = self.document.common(("mean_control", "mean"), next(iter(rows.values())))
        return None if cell is None else Fraction(cell.printed.value)

    def of(self, cell: Cell, *, regressors: bool = True) -> list[Cell]:
        """Return the siblings of a number: of the same outcome and, unless excluded, of the same regressor."""
        return [
            other
            for other in self.by_name.get((cell.key[2], cell.statistic), [])
            if other.model != cell.model
            and (
                self._same_outcome(cell, other)
                or (
                    regressors
                    and self._shared(cell.model, other.model) >= SHARED_ROWS
                    and self._same_scale(cell, other)
                )
            )
        ]

    def _same_outcome(self, cell: Cell, other: Cell) -> bool:
        if cell.key[3] != other.key[3]:
            return False
        return cell.key[0] == other.key[0] or self._same_scale(cell, other, strict=True)

    def _same_scale(self, cell: Cell, other: Cell, *, strict: bool = False) -> bool:
        """Return whether two models have about the same mean outcome; unknown means count as equal unless `strict`."""
        means = [self.means.get(model) for model in (cell.model, other.model)]
        if None in means or 0 in means:
            return not strict
        ratio = Fraction(means[0] or 1) / Fraction(means[1] or 1)
        return Fraction(2, 3) <= ratio <= Fraction(3, 2)

    def _shared(self, one: Model, other: Model) -> int:
        models = self.document.models
        return len(set(models.get(one, ())) & set(models.get(other, ())))


def sibling_models(document: Document) -> Iterator[Finding]:
    """Yield the findings from comparing sibling models; exchanges first, since they explain most."""
    siblings = Siblings(document)
    yield from _exchanged_errors(document, siblings)
    yield from _signs(document, siblings)
    yield from _magnitudes(document, siblings)
    yield from _beyond_probabilities(document)


def _size(cell: Cell) -> Fraction:
    return abs(Fraction(cell.printed.value))


def spread(cells: Sequence[Cell]) -> Fraction | None:
    """Return the ratio of the largest number to the smallest, or None if one is zero."""
    sizes = [_size(cell) for cell in cells]
    return max(sizes) / min(sizes) if sizes and min(sizes) > 0 else None


def distance(cell: Cell, others: Sequence[Cell]) -> Fraction:
    """Return the smallest factor between a published number and the range of others; 1 if it is within the range."""
    own = abs(cell.range)
    low, high = min(abs(other.range).low for other in others), max(abs(other.range).high for other in others)
    if own.low > high:
        return own.low / high if high else Fraction(1)
    if own.high < low:
        return low / own.high if own.high else Fraction(10**9)
    return Fraction(1)


def _agreeing(siblings: Siblings, cell: Cell) -> list[Cell]:
    """Return the siblings of a number if at least two agree among themselves, else nothing."""
    others = siblings.of(cell)
    ratio = spread(others)
    return others if len(others) >= 2 and ratio is not None and ratio <= ALIKE else []


def _exchanged_errors(document: Document, siblings: Siblings) -> Iterator[Finding]:
    """Yield pairs of standard errors of one row or one model that each fit in the other's cell."""
    outliers = [
        (cell, others)
        for cell in document.of("std_error")
        if (others := _agreeing(siblings, cell)) and distance(cell, others) >= APART
    ]
    used: set[Cell] = set()
    for a, at_a in outliers:
        for b, at_b in outliers:
            if a in used or b in used or a is b or a.key[:2] != b.key[:2]:
                continue
            if (a.key[2] != b.key[2] and a.key[3] != b.key[3]) or max(distance(a, at_b), distance(b, at_a)) > NEAR:
                continue
            used |= {a, b}
            yield _exchange(document, siblings, a, b)


def _exchange(document: Document, siblings: Siblings, a: Cell, b: Cell) -> Finding:
    """Return an exchange: of the standard errors alone, or of whole cells if the estimates fit better exchanged too."""
    both = _estimates_too(document, siblings, a, b)
    here, there = [a], [b]
    if both:
        here, there = ([document.places[cell.place]["estimate"], cell] for cell in (a, b))
    return finding_about(
        "audit.cells_exchanged" if both else "audit.errors_exchanged",
        document,
        here[0],
        rule="swap",
        fits=quoted([*there, *here]),
        certainty="likely",
        cells=[cell.key for cell in (*here[1:], *there)],
        first=name_of(a.key[:4]),
        second=short(b.key, a.key),
        published=a.text,
        others=distinct(siblings.of(a)),
        other_published=b.text,
        other_others=distinct(siblings.of(b)),
    )


def _estimates_too(document: Document, siblings: Siblings, a: Cell, b: Cell) -> bool:
    """Return whether the estimates are closer to their siblings, in standard errors, when they are exchanged as well."""
    here, there = (document.places[cell.place].get("estimate") for cell in (a, b))
    if here is None or there is None:
        return False
    at_here, at_there = siblings.of(here), siblings.of(there)
    if not at_here or not at_there:
        return False

    def gap(value: Cell, others: Sequence[Cell], error: Cell) -> Fraction:
        middle = sum((Fraction(other.printed.value) for other in others), Fraction(0)) / len(others)
        return abs(Fraction(value.printed.value) - middle) / Fraction(error.printed.value)

    # The standard errors are exchanged, so each cell is judged by the other's error.
    return gap(there, at_here, b) + gap(here, at_there, a) < gap(here, at_here, b) + gap(there, at_there, a)


def clear(document: Document, cell: Cell) -> bool:
    """Return whether an estimate is clear: |t| of two or more, or two stars or more where no t is known."""
    t = t_range(document.places[cell.place])
    return t.low >= CLEAR if t is not None else cell.printed.stars >= 2


def _signs(document: Document, siblings: Siblings) -> Iterator[Finding]:
    """Yield clear estimates with the opposite sign of all their clear siblings, and about the same size."""
    for cell in document.of("estimate"):
        if not cell.printed.value or not clear(document, cell) or document.explained("sign", cell.key):
            continue
        others = [other for other in siblings.of(cell) if clear(document, other)]
        signs = {other.printed.value > 0 for other in others}
        if len(others) < 2 or signs != {cell.printed.value < 0} or distance(cell, others) > NEAR:
            continue
        if (spread(others) or APART * 2) > APART * 2:
            continue
        turned = cell.text.replace("-", "") if cell.printed.value < 0 else f"-{cell.text.strip('()')}"
        yield finding_about(
            "audit.sign_differs", document, cell, rule="sign", fits=turned, certainty="likely", others=distinct(others)
        )


def _magnitudes(document: Document, siblings: Siblings) -> Iterator[Finding]:
    """Yield clear estimates, and standard errors, that fit their siblings once divided by a power of ten.

    Where two numbers of a table would fit by the same power, the table is in another unit.
    """
    outliers = [
        (cell, others, _moved_by(cell, others))
        for cell in document.of("estimate", "std_error")
        if (others := _of_another_size(document, siblings, cell)) and not document.explained("magnitude", cell.key)
    ]
    powers = Counter((cell.key[0], power) for cell, _, power in outliers)
    for cell, others, power in outliers:
        if power is None:
            yield from _size_differs(document, cell, others)
        elif powers[cell.key[0], power] == 1 or len({other.key[0] for other in others} | {cell.key[0]}) == 1:
            moved = Fraction(cell.printed.value) / Fraction(10) ** power
            yield finding_about(
                "audit.decimal_point_moved",
                document,
                cell,
                rule="magnitude",
                fits=f"{decimal_of(moved, max(cell.printed.decimals + power, 0)):f}",
                certainty="likely",
                others=distinct(others),
                n=abs(power),
            )


def _of_another_size(document: Document, siblings: Siblings, cell: Cell) -> list[Cell]:
    """Return the siblings of a number, if they are of one size and sign, and the number is far from them; else nothing."""
    if not _has_clear_size(document, cell):
        return []
    others = [other for other in siblings.of(cell) if _has_clear_size(document, other)]
    alike = len(others) >= 2 and (spread(others) or 9) <= 2 and len({other.printed.value > 0 for other in others}) == 1
    return others if alike and distance(cell, others) >= 4 else []


def _size_differs(document: Document, cell: Cell, others: Sequence[Cell]) -> Iterator[Finding]:
    """Yield a number that no power of ten brings near its siblings, if these nearly agree and it is nobody's copy."""
    twin = any(other.text == cell.text for other in document.models.get(cell.model, {}).values() if other != cell)
    if len(others) >= 3 and (spread(others) or 9) <= NEAR and not twin:
        yield finding_about(
            "audit.size_differs", document, cell, rule="magnitude", certainty="possible", others=distinct(others)
        )


def _beyond_probabilities(document: Document) -> Iterator[Finding]:
    """Yield effects larger than one on an outcome that is a probability, where all others of the model are far smaller."""
    for rows in document.models.values():
        for cell in rows.values():
            mean = document.common(("mean_control", "mean"), cell)
            others = [abs(other.range).high for other in rows.values() if other is not cell]
            if mean is None or len(others) < 4 or not 0 < mean.printed.value < 1 or mean.printed.decimals < 2:
                continue
            beyond = abs(cell.range).low > max(Fraction(1), 3 * max(others))
            if beyond and not document.explained("magnitude", cell.key):
                yield finding_about(
                    "audit.effect_beyond_one", document, cell, rule="magnitude", certainty="possible", mean=mean.text
                )


def _has_clear_size(document: Document, cell: Cell) -> bool:
    """Return whether a number is large enough to be compared: a clear estimate, or a standard error that is not zero."""
    return bool(cell.printed.value) and (cell.statistic != "estimate" or clear(document, cell))


def _moved_by(cell: Cell, others: Sequence[Cell]) -> int | None:
    """Return the power of ten by which a number must be divided to fit among others, or None if there is none."""
    sizes = [_size(other) for other in others]
    low, high = min(sizes) / NEAR, max(sizes) * NEAR
    return next((power for power in (-2, -1, 1, 2) if low <= _size(cell) / Fraction(10) ** power <= high), None)


def typical(cells: Sequence[Cell]) -> Fraction:
    """Return the median size of several numbers."""
    return Fraction(median([_size(cell) for cell in cells]))
