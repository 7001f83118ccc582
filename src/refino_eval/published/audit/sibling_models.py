"""Rules that compare sister models: the same estimate under other controls, samples or tables.

Sisters of a number are of two kinds.

Same outcome
    The same row and column in another panel of the exhibit, or in another exhibit whose mean outcome is about the same (a
    month's probability and a year's months share their names, but are not sisters).
Same regressor
    The same row in another model that shares at least four rows with it: the columns of a regression table.

Standard errors of sisters differ little, since they have outcome, sample and regressor in common; clear estimates keep
their sign and their order of magnitude. A rule speaks only where the sisters agree among themselves, and at least two do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from statistics import median

from refino_eval.published.audit.document import Cell, Document, Model
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import decimal_of, finding, name_of, quoted, short
from refino_eval.published.audit.significance import t_range
from refino_eval.published.relations import fits

ALIKE = Fraction(3, 2)
"""Sisters agree when the largest is at most this many times the smallest."""

APART = Fraction(8, 5)
"""A number stands apart when it is at least this many times larger or smaller than every sister."""

NEAR = Fraction(5, 4)
"""A number fits among sisters when it is within this factor of their range."""

SHARED_ROWS = 4
CLEAR = Fraction(2)
"""|t| from which an estimate's sign and size are clear."""


class Sisters:
    """The sisters of every number of a document."""

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
        """Return a number's sisters: of the same outcome, and of the same regressor unless told not to."""
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
        return cell.key[0] == other.key[0] or self._same_scale(cell, other, known=True)

    def _same_scale(self, cell: Cell, other: Cell, *, known: bool = False) -> bool:
        """Return whether two models have about the same mean outcome; unknown means count as such unless told not to."""
        means = [self.means.get(model) for model in (cell.model, other.model)]
        if None in means or 0 in means:
            return not known
        ratio = Fraction(means[0] or 1) / Fraction(means[1] or 1)
        return Fraction(2, 3) <= ratio <= Fraction(3, 2)

    def _shared(self, one: Model, other: Model) -> int:
        models = self.document.models
        return len(set(models.get(one, ())) & set(models.get(other, ())))


def sisters(document: Document) -> Iterator[Finding]:
    """Yield what the comparison of sister models finds; exchanges first, since they explain most."""
    known = Sisters(document)
    yield from _exchanged_errors(document, known)
    yield from _signs(document, known)
    yield from _magnitudes(document, known)


def _size(cell: Cell) -> Fraction:
    return abs(Fraction(cell.printed.value))


def spread(cells: Sequence[Cell]) -> Fraction | None:
    """Return how many times the largest number is the smallest, or None when one is zero."""
    sizes = [_size(cell) for cell in cells]
    return max(sizes) / min(sizes) if sizes and min(sizes) > 0 else None


def distance(cell: Cell, others: Sequence[Cell]) -> Fraction:
    """Return the least factor between what a print can stand for and the range of other prints; 1 when it lies within."""
    own = abs(cell.range)
    low, high = min(abs(other.range).low for other in others), max(abs(other.range).high for other in others)
    if own.low > high:
        return own.low / high if high else Fraction(1)
    if own.high < low:
        return low / own.high if own.high else Fraction(10**9)
    return Fraction(1)


def _agreeing(known: Sisters, cell: Cell) -> list[Cell]:
    """Return a number's sisters when at least two agree among themselves, else nothing."""
    found = known.of(cell)
    ratio = spread(found)
    return found if len(found) >= 2 and ratio is not None and ratio <= ALIKE else []


def _exchanged_errors(document: Document, known: Sisters) -> Iterator[Finding]:
    """Find two standard errors of one row or one model that each fit where the other stands."""
    apart = [
        (cell, others)
        for cell in document.of("std_error")
        if (others := _agreeing(known, cell)) and distance(cell, others) >= APART
    ]
    told: set[Cell] = set()
    for a, at_a in apart:
        for b, at_b in apart:
            if a in told or b in told or a is b or a.key[:2] != b.key[:2]:
                continue
            if (a.key[2] != b.key[2] and a.key[3] != b.key[3]) or max(distance(a, at_b), distance(b, at_a)) > NEAR:
                continue
            told |= {a, b}
            yield _exchange(document, known, a, b)


def _exchange(document: Document, known: Sisters, a: Cell, b: Cell) -> Finding:
    """Tell an exchange: of the standard errors alone, or of the whole cells when the estimates fit better exchanged too."""
    both = _estimates_too(document, known, a, b)
    pairs = [a, b]
    if both:
        places = document.places
        pairs = [places[a.place]["estimate"], a, places[b.place]["estimate"], b]
    first, at_a, at_b = pairs[0], known.of(a), known.of(b)
    half = len(pairs) // 2
    what_nb = "Estimat og standardfeil" if both else "Standardfeilene"
    what_en = "Estimate and standard error" if both else "The standard errors"
    return finding(
        document,
        first.key,
        rule="swap",
        fits=quoted([*pairs[half:], *pairs[:half]]),
        certainty="likely",
        cells=[cell.key for cell in pairs[1:]],
        nb=f"{what_nb} i {name_of(a.key[:4])} og {short(b.key, a.key)} står på hverandres plass: standardfeilen «{a.text}» "
        f"står der søstrene har {_listed(at_a)}, og «{b.text}» der de har {_listed(at_b)}.",
        en=f"{what_en} of {name_of(a.key[:4])} and {short(b.key, a.key)} stand in each other's place: the standard error "
        f"«{a.text}» stands where its sisters have {_listed(at_a)}, and «{b.text}» where they have {_listed(at_b)}.",
    )


def _listed(cells: Sequence[Cell]) -> str:
    return "; ".join(dict.fromkeys(cell.text for cell in cells))


def _estimates_too(document: Document, known: Sisters, a: Cell, b: Cell) -> bool:
    """Return whether the estimates lie nearer to their sisters, in standard errors, when they are exchanged as well."""
    here, there = (document.places[cell.place].get("estimate") for cell in (a, b))
    if here is None or there is None:
        return False
    at_here, at_there = known.of(here), known.of(there)
    if not at_here or not at_there:
        return False

    def gap(value: Cell, others: Sequence[Cell], error: Cell) -> Fraction:
        middle = sum((Fraction(other.printed.value) for other in others), Fraction(0)) / len(others)
        return abs(Fraction(value.printed.value) - middle) / Fraction(error.printed.value)

    # Where the errors belong: a's stands where b's should, so each place is judged by the other's error.
    return gap(there, at_here, b) + gap(here, at_there, a) < gap(here, at_here, b) + gap(there, at_there, a)


def clear(document: Document, cell: Cell) -> bool:
    """Return whether an estimate is clear: |t| of two or more, or two stars or more where no t is known."""
    t = t_range(document.places[cell.place])
    return t.low >= CLEAR if t is not None else cell.printed.stars >= 2


def _signs(document: Document, known: Sisters) -> Iterator[Finding]:
    """Find clear estimates of the opposite sign of all their clear sisters, and about as large."""
    for cell in document.of("estimate"):
        if not cell.printed.value or not clear(document, cell) or document.explained("sign", cell.key):
            continue
        others = [other for other in known.of(cell) if clear(document, other)]
        signs = {other.printed.value > 0 for other in others}
        if len(others) < 2 or signs != {cell.printed.value < 0} or distance(cell, others) > NEAR:
            continue
        if (spread(others) or APART * 2) > APART * 2:
            continue
        turned = cell.text.replace("-", "") if cell.printed.value < 0 else f"-{cell.text.strip('()')}"
        yield finding(
            document,
            cell.key,
            rule="sign",
            fits=turned,
            certainty="likely",
            nb=f"{name_of(cell.key)} er «{cell.text}», mens søstrene er {_listed(others)}: samme størrelse, motsatt fortegn.",
            en=f"{name_of(cell.key)} is «{cell.text}», while its sisters are {_listed(others)}: of the same size, with the "
            "opposite sign.",
        )


def _magnitudes(document: Document, known: Sisters) -> Iterator[Finding]:
    """Find clear estimates, and standard errors, that fit among their sisters once divided by a power of ten."""
    for cell in document.of("estimate", "std_error"):
        if cell.statistic == "estimate" and not clear(document, cell):
            continue
        if not cell.printed.value or document.explained("magnitude", cell.key):
            continue
        others = [o for o in known.of(cell) if o.statistic == "std_error" or clear(document, o)]
        others = [other for other in others if other.printed.value]
        if len(others) < 2 or (spread(others) or 9) > 2 or distance(cell, others) < 4:
            continue
        low, high = min(map(_size, others)), max(map(_size, others))
        fitting = [k for k in (-2, -1, 1, 2) if low / NEAR <= _size(cell) / Fraction(10) ** k <= high * NEAR]
        if len({other.printed.value > 0 for other in others}) > 1 or not fitting:
            continue
        moved = Fraction(cell.printed.value) / Fraction(10) ** fitting[0]
        right = f"{decimal_of(moved, max(cell.printed.decimals + fitting[0], 0)):f}"
        yield finding(
            document,
            cell.key,
            rule="magnitude",
            fits=right,
            certainty="likely",
            nb=f"{name_of(cell.key)} er «{cell.text}», mens søstrene er {_listed(others)}. {right} ville passe: desimaltegnet er "
            f"flyttet {abs(fitting[0])} plass(er).",
            en=f"{name_of(cell.key)} is «{cell.text}», while its sisters are {_listed(others)}. {right} would fit: the decimal "
            f"sign has moved {abs(fitting[0])} place(s).",
        )


def typical(cells: Sequence[Cell]) -> Fraction:
    """Return the median size of several numbers."""
    return Fraction(median([_size(cell) for cell in cells]))


def declared_family(document: Document, cell: Cell) -> bool:
    """Return whether the relations speak of a cell's model as one of nested models."""
    return any(fits(relation.of, cell.key) for relation in document.facts("nested"))
