"""The only number of a row or column that differs from all others, by a typing error: a rate, a price, a number of observations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from refino_eval.published.audit.comparisons.model_consistency import mistyped
from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about
from refino_eval.published.audit.slips import POWERS, is_slip
from refino_eval.published.intervals import point

CONSTANT = ("value", "df", "n_clusters", "n_treated", "n_control")
"""Statistics that a line may have in common; `n`, `mean` and `mean_control` are compared by `model_consistency`."""

FEWEST = 4
"""Equal numbers."""

DIGITS = 100
"""Units of the last digit that a number must have: small numbers are one digit from each other without an error."""


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
        # A decimal point that was moved to the left may have cost a digit.
        cut = any(odd[0].range.times(power).holds(Fraction(value)) for power in POWERS)
        slip = cut or is_slip(odd[0], point(Fraction(value))) or mistyped(f"{odd[0].printed.value}", f"{value}")
        if slip and not document.explained("repeats", odd[0].key):
            yield finding_about(
                "audit.differs_from_constant", document, odd[0], rule="repeats", certainty="possible",
                fits=f"{value}", count=count, usual=f"{value}",
            )  # fmt: skip
