"""Numbers of exhibits of kind `confounding_contours`: those that the contours follow from."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.confounding_contours.model import ConfoundingContoursExhibit
from refino_eval.exhibits.kinds.unobserved_confounding.numbers import bound_rows, confounding_tables, difference_rows
from refino_eval.exhibits.numbers.study import Context, Row


def numbers(exhibit: ConfoundingContoursExhibit, context: Context) -> Iterator[Row]:
    """Return the difference, the scale of its bias, and the strength of traits like the benchmarks."""
    for key, table in confounding_tables(exhibit, context, ()):
        yield from difference_rows(key, table)
        yield from bound_rows(key, table)
