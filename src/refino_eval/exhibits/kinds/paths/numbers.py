"""Numbers of exhibits of kind `paths`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval import estimation as est
from refino_eval.exhibits.keys import panel_of
from refino_eval.exhibits.kinds.paths.model import PathsExhibit
from refino_eval.exhibits.numbers.clustered_means import clustered_errors
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.panels import FloatArray, states_of
from refino_eval.exhibits.numbers.study import Context, Row, Study, cell, of_arm, weights_of


def numbers(exhibit: PathsExhibit, context: Context) -> Iterator[Row]:
    """Return (weighted) arm means by event time, over the people observed then, with intervals that honour clusters."""
    cohort, files, study = context.cohort, context.files, context.study
    groups = None if exhibit.by is None else groups_of(exhibit.by, cohort, study)
    if groups is not None:
        yield from groups.counts(cohort, study)
    for state in exhibit.states:
        values, times = states_of(exhibit, state, cohort, files)
        if groups is None:
            yield from _paths_of(values, times, cohort, study, state)
            continue
        for place, key in enumerate(groups.keys):
            rows = groups.rows(place)
            yield from _paths_of(values[rows], times, cohort.loc[rows], study, panel_of(state, key))


def _paths_of(
    values: FloatArray, times: npt.NDArray[np.int64], cohort: pd.DataFrame, study: Study, panel: str
) -> Iterator[Row]:
    for column in (*study.treated_arms, study.control):
        arm = int(column != study.control)
        in_pair = of_arm(cohort, column, study) | (cohort["treated"] == 0).to_numpy()
        pair = cohort.loc[in_pair]
        mine = values[in_pair][(pair["treated"] == arm).to_numpy()]
        clustered = clustered_errors(mine, pair.loc[(pair["treated"] == arm)])
        means_by_time = est.paths(values[in_pair], pair["treated"].to_numpy(), times=times, weights=weights_of(pair))
        for k, time in enumerate(means_by_time.times):
            n = int(means_by_time.n[0, arm, k])
            if n == 0:
                yield cell(str(time), column, "mean", np.nan, 0, panel=panel, status="no_data")
                continue
            mean, error = float(means_by_time.mean[0, arm, k]), float(means_by_time.std_error[0, arm, k])
            df = max(n - 1, 1)
            if clustered is not None:
                error, df = float(clustered[0][k]), int(clustered[1][k])
                yield cell(str(time), column, "df", df, n, panel=panel)
            reach = error * float(special.stdtrit(max(df, 1), 0.975))
            yield cell(str(time), column, "mean", mean, n, panel=panel)
            yield cell(str(time), column, "n", n, n, panel=panel)
            if n > 1:
                yield cell(str(time), column, "sd", means_by_time.sd[0, arm, k], n, panel=panel)
                yield cell(str(time), column, "conf_low", mean - reach, n, panel=panel)
                yield cell(str(time), column, "conf_high", mean + reach, n, panel=panel)
