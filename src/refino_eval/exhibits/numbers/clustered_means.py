"""Standard errors of means and shares of people who are in clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.exhibits.numbers.study import cluster_codes, weights_of

FloatMatrix = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
IntVector = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]


def clustered_errors(values: FloatMatrix, people: pd.DataFrame) -> tuple[FloatMatrix, IntVector] | None:
    """Return the clustered standard error of each column's mean and its degrees of freedom, one less than the clusters.

    Parameters
    ----------
    values
        Shape (n, k), missing as NaN.
    people
        The same people; without the column `cluster` there are no clusters, and nothing is returned.
    """
    if (codes := cluster_codes(people)) is None:
        return None
    errors = est.mean_std_error(values, "CRV1", weights=weights_of(people), cluster=codes)
    clusters = [est.fewest_clusters(codes[np.isfinite(values[:, k])]) for k in range(values.shape[1])]
    return errors, np.array(clusters, dtype=np.int64) - 1
