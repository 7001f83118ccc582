"""Numbers of exhibits of kind `counts`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.exhibits.kinds.counts.model import CountsExhibit
from refino_eval.exhibits.numbers.groups import values_as_text
from refino_eval.exhibits.numbers.study import Context, Row, Study, cell, of_arm


def numbers(exhibit: CountsExhibit, context: Context) -> Iterator[Row]:
    """People by arm: row the value of the first column, or both values; `all` at the end."""
    cohort, study = context.cohort, context.study
    first, *rest = exhibit.by
    outer = values_as_text(cohort, first)
    inner = values_as_text(cohort, rest[0]) if rest else None
    for value in sorted(set(outer)):
        yield from _count(value, outer == value, cohort, study)
        for place in sorted(set(inner[outer == value])) if inner is not None else ():
            yield from _count(f"{value} / {place}", (outer == value) & (inner == place), cohort, study)
    yield from _count("all", np.ones(len(cohort), dtype=bool), cohort, study)


def _count(row: str, rows: npt.NDArray[np.bool_], cohort: pd.DataFrame, study: Study) -> Iterator[Row]:
    people = int(np.count_nonzero(rows))
    yield cell(row, "all", "count", people, people)
    for column in (*study.treated_arms, study.control):
        count = int(np.count_nonzero(rows & of_arm(cohort, column, study)))
        yield cell(row, column, "count", count, count)
        if column != study.control:
            yield cell(row, column, "share", count / people, people)
