"""Numbers of exhibits of kind `starters`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.starters.model import StartersExhibit
from refino_eval.exhibits.numbers.result_rows import joint_test_rows
from refino_eval.exhibits.numbers.study import Context, Row, cell, outcome_columns, weighting


def numbers(exhibit: StartersExhibit, context: Context) -> Iterator[Row]:
    """Slopes of having started one's own programme on characteristics, in each arm, and their differences."""
    cohort, files, study = context.cohort, context.files, context.study
    known = outcome_columns(exhibit.started, cohort, files)
    drawn = cohort["treated"].to_numpy()
    own = np.where(drawn == 1, known[study.treated], known[study.control])
    table = est.starters(
        own,
        cohort[list(exhibit.covariates)],
        drawn,
        cells=cohort["cell"],
        vcov=exhibit.vcov,
        missing="common",
        **weighting(cohort, exhibit.vcov),
    )
    sides = {study.treated: "treated", study.control: "control", "difference": "difference"}
    for column, side in sides.items():
        for k, covariate in enumerate(table.characteristics):
            for statistic, part in (("estimate", ""), ("std_error", "_std_error"), ("p_value", "_p_value")):
                value, source = getattr(table, f"{side}{part}")[k], table.sources[side][k]
                yield cell(covariate, column, statistic, value, table.n, source=source)
        test = table.joint_test if side == "difference" else getattr(table, f"joint_{side}")
        yield from joint_test_rows("joint_test", column, test)
        if side != "difference":
            yield cell("started", column, "share", getattr(table, f"share_started_{side}"), table.n)
    yield cell("regression", "all", "n", table.n, table.n)
    yield cell("regression", "all", "r_squared", table.r_squared, table.n)
