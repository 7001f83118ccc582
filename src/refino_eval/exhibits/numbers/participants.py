"""From people to numbers, for exhibits of who took part in what: take-up, stays, the fall-back mix, effects of taking part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.compliers.model import CompliersExhibit
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.numbers.clustered_means import clustered_errors
from refino_eval.exhibits.numbers.study import PersonFiles, Row, cell, outcome_columns, weights_of

FloatMatrix = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]


Times = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]


def share_rows(
    row: str,
    column: str,
    values: FloatMatrix,
    among: npt.NDArray[np.bool_],
    people: pd.DataFrame,
    *,
    panel: str,
    level: float = 0.95,
) -> Iterator[Row]:
    """Return the (weighted) share of people with a 1 among those observed, with Wilson's interval and the number of people.

    With weights the interval is that of as many people as are as precise without them, (sum w)^2 / sum w^2 (Kish 1965); with
    clusters it is that of p (1 - p) / v people, with v the clustered variance of the share p, times the squared ratio of the
    quantiles of t with as many degrees of freedom as people and as clusters (Korn and Graubard 1998, p. 194).
    """
    observed = among & np.isfinite(values)
    ones, n = values[observed], int(np.count_nonzero(observed))
    if n == 0:
        yield cell(row, column, "share", np.nan, 0, panel=panel, status="no_data")
        return
    weights, count, size = weights_of(people), float(ones.sum()), float(n)
    share = count / n
    if weights is not None:
        mass = weights[observed]
        share, size = float(mass @ ones / mass.sum()), float(mass.sum() ** 2 / (mass @ mass))
    clustered = clustered_errors(values[observed][:, None], people.loc[observed])
    if clustered is not None:
        error, df = float(clustered[0][0]), int(clustered[1][0])
        size = _effective_people(share, error, df, size, level)
        yield cell(row, column, "df", df, n, panel=panel)
    changed = weights is not None or clustered is not None
    low, high = est.share_interval(share * size if changed else count, size, level=level)
    for statistic, value in (("share", share), ("count", count), ("n", n), ("conf_low", low), ("conf_high", high)):
        yield cell(row, column, statistic, value, n, panel=panel)


def _effective_people(share: float, error: float, df: int, people: float, level: float) -> float:
    """Return how many independent people would give a share this precise; where nobody varies, the number of clusters."""
    if df < 1:
        return 1.0
    if not error > 0:
        return float(min(people, df + 1))
    ratio = special.stdtrit(max(people - 1, 1.0), 0.5 + level / 2) / special.stdtrit(df, 0.5 + level / 2)
    return float(min(people, share * (1 - share) / error**2 * ratio**2))


def take_up_of(exhibit: LateExhibit | CompliersExhibit, people: pd.DataFrame, files: PersonFiles) -> FloatMatrix:
    """Return who took part, in the people's order."""
    if exhibit.take_up is not None:
        return outcome_columns({"take_up": exhibit.take_up}, people, files)["take_up"].to_numpy()
    if "take_up" not in people:
        raise UserError(
            "names no take_up, and neither does the evaluation (person_table.take_up). Name the outcome or the column."
        )
    return people["take_up"].to_numpy(dtype=float)
