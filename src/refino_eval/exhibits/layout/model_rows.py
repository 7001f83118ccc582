"""Rows at the foot of a table of regressions: the covariance where it varies, and whether the cells are absorbed."""

from __future__ import annotations

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.layout.table import Cell, Row, label
from refino_eval.exhibits.wording.labels import LabelBook, vcov_label


def design_rows(
    specification: Specification | None, columns: int, labels: LabelBook, *, covariance: bool = False
) -> list[Row]:
    """Return the rows that say how the regressions of a table were run; none when nothing is known of them.

    Parameters
    ----------
    specification
        The one that was run.
    columns
        How many regressions there are, a column each.
    labels
        What to call things.
    covariance
        Whether to name the covariance, where a table's specifications have different ones; otherwise the notes name it once.
    """
    if specification is None:
        return []
    shown = Cell(vcov_label(specification.vcov, labels.language))
    head = [Row((label(labels.word("vcov")), *[shown] * columns), role="foot")] if covariance else []
    if specification.absorb:
        names = ", ".join(labels.column(name) for name in specification.absorb)
        return [
            *head,
            Row(
                (label(labels.word("strata") + f", {names}"), *[Cell(labels.word("yes").lower())] * columns),
                role="foot",
            ),
        ]
    return [*head, strata_row(columns, labels, absorbed=specification.strata)]


def strata_row(columns: int, labels: LabelBook, *, absorbed: bool = True) -> Row:
    """Return the row that says whether the cells are fixed effects."""
    cells = labels.cells()
    text = labels.word("strata") + (f", {cells}" if cells else "")
    answer = labels.word("yes" if absorbed and cells else "no").lower()
    return Row((label(text), *[Cell(answer)] * columns), role="foot")
