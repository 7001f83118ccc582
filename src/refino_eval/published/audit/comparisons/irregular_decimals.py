"""Numbers with other decimals than their whole column, and two that have each other's columns' decimals.

A column is published with one number of decimals, unless its numbers are rounded to significant digits. So a column counts only if all
its other numbers agree, a table only if no other number is irregular, and a small number that more decimals keep from zero is regular.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from refino_eval.published.audit.document import Cell, Document
from refino_eval.published.audit.findings import Finding
from refino_eval.published.audit.findings_text import finding_about, quoted, short

FEWEST = 6
"""Other numbers of the column that must agree."""

FEWEST_OF_TWO = 3
"""The same where two irregular numbers have each other's decimals."""

Column = tuple[str, str, str]


def irregular_decimals(document: Document) -> Iterator[Finding]:
    """Yield the only number of a table, or the only two, whose decimals are not those of its column."""
    tables: dict[str, dict[Column, list[Cell]]] = {}
    for cell in document.cells.values():
        if not cell.qualifier and not cell.dated and any(sign.isdigit() for sign in cell.text):
            column = cell.key[1], cell.key[3], cell.statistic
            tables.setdefault(cell.key[0], {}).setdefault(column, []).append(cell)
    for columns in tables.values():
        usual = {
            column: Counter(_decimals(cell) for cell in cells).most_common(1)[0][0] for column, cells in columns.items()
        }
        odd = {
            cell: column
            for column, cells in columns.items()
            for cell in cells
            if _decimals(cell) != usual[column] and not _small(cell, usual[column])
        }
        yield from _irregular(document, list(odd), [columns[column] for column in odd.values()], usual, odd)


def _irregular(
    document: Document, odd: Sequence[Cell], columns: Sequence[Sequence[Cell]], usual: Mapping[Column, int],
    column_of: Mapping[Cell, Column],
) -> Iterator[Finding]:  # fmt: skip
    if not odd or document.explained("displaced", odd[0].key):
        return
    # A column of values may have a different quantity in each row.
    one_quantity = len(odd) == 1 and odd[0].statistic != "value" and len(columns[0]) > FEWEST
    if one_quantity and _decimals(odd[0]) > usual[column_of[odd[0]]]:
        yield finding_about(
            "audit.irregular_decimals", document, odd[0], rule="displaced", certainty="possible",
            suspects=[odd[0].key], usual=usual[column_of[odd[0]]], n=len(columns[0]) - 1,
        )  # fmt: skip
    if len(odd) == 2 and min(map(len, columns)) > FEWEST_OF_TWO and columns[0] is not columns[1]:
        first, second = odd
        crossed = _decimals(first) == usual[column_of[second]] and _decimals(second) == usual[column_of[first]]
        if crossed:
            yield finding_about(
                "audit.decimals_exchanged", document, first, rule="swap", certainty="possible", cells=[second.key],
                fits=quoted([second, first]), other=short(second.key, first.key), other_published=second.text,
            )  # fmt: skip


def _decimals(cell: Cell) -> int:
    return cell.printed.decimals


def _small(cell: Cell, decimals: int) -> bool:
    """Return whether a number would have at most one digit with the decimals of its column."""
    return abs(cell.printed.value) < 10 * 10.0**-decimals and _decimals(cell) > decimals
