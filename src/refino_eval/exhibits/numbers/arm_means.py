"""Means of each arm with their intervals: of a state over event time, or of outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import special

from refino_eval import estimation as est
from refino_eval.exhibits.numbers.clustered_means import clustered_errors
from refino_eval.exhibits.numbers.panels import FloatArray
from refino_eval.exhibits.numbers.study import Row, Study, cell, of_arm, weights_of


def arm_mean_rows(
    values: FloatArray, keys: Sequence[str], cohort: pd.DataFrame, study: Study, *, panel: str = ""
) -> Iterator[Row]:
    """Yield the mean of each arm with its 95 % interval, over the people who have a value.

    Parameters
    ----------
    values
        Shape (people, len(keys)), in the cohort's order.
    keys
        What the columns of `values` are called: rows of the exhibit.
    cohort
        The people.
    study
        Its arms.
    panel
        The panel of the numbers.
    """
    for column in (*study.treated_arms, study.control):
        arm = int(column != study.control)
        in_pair = of_arm(cohort, column, study) | (cohort["treated"] == 0).to_numpy()
        pair = cohort.loc[in_pair]
        mine = values[in_pair][(pair["treated"] == arm).to_numpy()]
        clustered = clustered_errors(mine, pair.loc[(pair["treated"] == arm)])
        means = est.paths(values[in_pair], pair["treated"].to_numpy(), weights=weights_of(pair))
        for k, key in enumerate(keys):
            n = int(means.n[0, arm, k])
            if n == 0:
                yield cell(key, column, "mean", np.nan, 0, panel=panel, status="no_data")
                continue
            mean, error = float(means.mean[0, arm, k]), float(means.std_error[0, arm, k])
            df = max(n - 1, 1)
            if clustered is not None:
                error, df = float(clustered[0][k]), int(clustered[1][k])
                yield cell(key, column, "df", df, n, panel=panel)
            reach = error * float(special.stdtrit(max(df, 1), 0.975))
            yield cell(key, column, "mean", mean, n, panel=panel)
            yield cell(key, column, "n", n, n, panel=panel)
            if n > 1:
                yield cell(key, column, "sd", means.sd[0, arm, k], n, panel=panel)
                yield cell(key, column, "conf_low", mean - reach, n, panel=panel)
                yield cell(key, column, "conf_high", mean + reach, n, panel=panel)
