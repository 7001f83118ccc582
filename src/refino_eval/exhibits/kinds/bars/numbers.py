"""Numbers of exhibits of kind `bars`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.bars.model import BarsExhibit
from refino_eval.exhibits.numbers.arm_means import arm_mean_rows
from refino_eval.exhibits.numbers.study import Context, Row, outcome_columns


def numbers(exhibit: BarsExhibit, context: Context) -> Iterator[Row]:
    """Yield the (weighted) mean of each outcome (row) in each arm (column), with an interval that honours clusters."""
    values = outcome_columns(exhibit.columns, context.cohort, context.files)
    rows = np.ones(len(values), dtype=bool) if exhibit.missing == "available" else est.common_sample(values).rows
    yield from arm_mean_rows(
        values.loc[rows].to_numpy(dtype=float), tuple(exhibit.columns), context.cohort.loc[rows], context.study
    )
