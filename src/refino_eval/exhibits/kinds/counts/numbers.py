"""Numbers of exhibits of kind `counts`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.counts.model import CountsExhibit
from refino_eval.exhibits.numbers.study import Context, Row, Study, cell, of_arm


def numbers(exhibit: CountsExhibit, context: Context) -> Iterator[Row]:
    """People by arm: row the value of the first column, or both values; `all` at the end."""
    cohort, study = context.cohort, context.study
    first, *rest = exhibit.by
    outer = _text(cohort, first)
    inner = _text(cohort, rest[0]) if rest else None
    for value in sorted(set(outer)):
        yield from _count(value, outer == value, cohort, study)
        for place in sorted(set(inner[outer == value])) if inner is not None else ():
            yield from _count(f"{value} / {place}", (outer == value) & (inner == place), cohort, study)
    yield from _count("all", np.ones(len(cohort), dtype=bool), cohort, study)


def _text(cohort: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
    if column == "draw_year" and column not in cohort:
        return cohort["draw_month"].str.slice(0, 4).to_numpy(dtype=object)
    values = cohort[column]
    return np.array(
        [
            WITHOUT_GROUP if pd.isna(v) else str(int(v)) if isinstance(v, float) and v.is_integer() else str(v)
            for v in values
        ],
        dtype=object,
    )


def _count(row: str, rows: npt.NDArray[np.bool_], cohort: pd.DataFrame, study: Study) -> Iterator[Row]:
    people = int(np.count_nonzero(rows))
    yield cell(row, "all", "count", people, people)
    for column in (*study.treated_arms, study.control):
        count = int(np.count_nonzero(rows & of_arm(cohort, column, study)))
        yield cell(row, column, "count", count, count)
        if column != study.control:
            yield cell(row, column, "share", count / people, people)
