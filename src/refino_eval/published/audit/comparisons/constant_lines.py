"""The only number of a row or column that differs from all others, by a typing error: a rate, a price, a number of observations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about
from refino_eval.published.audit.slips import POWERS, is_slip, mistyped, slips
from refino_eval.published.intervals import point

CONSTANT = ("value", "df", "n_clusters", "n_treated", "n_control")
"""Statistics that a line may have in common; `n`, `mean` and `mean_control` are compared by `model_consistency`."""

FEWEST = 4
"""Equal numbers."""

DIGITS = 100
"""Units of the last digit that a number must have: small numbers are one digit from each other without an error."""


CLOSE = Fraction(21, 20)
"""Sizes of one sample differ by at most five per cent between the columns of a table."""

FAR = Fraction(6, 5)
"""Factor by which a size is far from all others."""


def constant_lines(document: Document) -> Iterator[Finding]:
    """Yield the number that differs by a typing error from the others of its row or column, which are all equal or zero."""
    lines: dict[tuple[object, ...], list[Cell]] = {}
    for cell in document.of(*CONSTANT):
        for axis in (2, 3):
            if cell.printed.value:
                lines.setdefault((axis, *cell.key[:2], cell.key[axis], cell.statistic), []).append(cell)
    for line in lines.values():
        value, count = Counter(cell.printed.value for cell in line).most_common(1)[0]
        odd = [cell for cell in line if cell.printed.value != value]
        if len(odd) != 1 or count < FEWEST or abs(value) < DIGITS * odd[0].printed.unit:
            continue
        if _is_typing_error(odd[0], value) and not document.explained("repeats", odd[0].key):
            yield finding_about(
                "audit.differs_from_constant", document, odd[0], rule="repeats", certainty="possible",
                fits=f"{value}", count=count, usual=f"{value}",
            )  # fmt: skip
    yield from _far_sizes(document)


def _is_typing_error(cell: Cell, value: Decimal) -> bool:
    """Return whether a number is another one mistyped; a decimal point that was moved to the left may have cost a digit."""
    cut = any(cell.range.times(power).holds(Fraction(value)) for power in POWERS)
    return cut or is_slip(cell, point(Fraction(value))) or mistyped(f"{cell.printed.value}", f"{value}")


def _far_sizes(document: Document) -> Iterator[Finding]:
    """Yield the only size of a table that is far from all others, which are about equal, by a typing error."""
    for exhibit in document.exhibits:
        sizes = sorted(
            (cell for cell in document.of("n") if cell.key[0] == exhibit and cell.printed.value >= DIGITS),
            key=lambda cell: cell.printed.value,
        )
        for odd, others in ((sizes[-1:], sizes[:-1]), (sizes[:1], sizes[1:])):
            if len(others) <= FEWEST or len({cell.printed.value for cell in others}) < 2:
                continue
            at, low, high = odd[0], Fraction(others[0].printed.value), Fraction(others[-1].printed.value)
            own = Fraction(at.printed.value)
            apart = own > FAR * high or own * FAR < low
            slip = any(low <= value <= high for value in (*slips(at), *_other_digit(at)))
            if high <= CLOSE * low and apart and slip and not document.explained("sample", at.key):
                yield finding_about(
                    "audit.size_far_from_others", document, at, rule="sample", certainty="possible",
                    suspects=[at.key], fits=f"[{low}, {high}]", n=len(others),
                )  # fmt: skip


def _other_digit(cell: Cell) -> Iterator[Fraction]:
    """Yield the whole numbers that differ from a size in one digit."""
    digits = f"{int(cell.printed.value)}"
    for place in range(len(digits)):
        for digit in "0123456789":
            yield Fraction(int(digits[:place] + digit + digits[place + 1 :]))
