"""The wild cluster bootstrap of an effect, by the library `wildboottest` (optional dependencies: `bootstrap`).

The restricted bootstrap of Cameron, Gelbach and Miller (2008) with Rademacher weights: the null is imposed, residuals of
whole clusters change sign together, and the clustered t is compared with its bootstrap distribution. Where clusters are few
all sign changes are enumerated. Cells enter as columns, since residuals whose signs change are no longer orthogonal to them;
with weights all columns are multiplied by root weights, which makes least squares of weighted least squares.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Columns, FloatArray, Vector, as_columns
from refino_eval.estimation.core.kernel import Design
from refino_eval.estimation.core.outcome_groups import group_outcomes
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs

MOST_COLUMNS = 400
"""Cells and controls together; the library keeps a matrix of their square for every cluster."""


def wild_cluster_p_values(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    *,
    names: Sequence[str] | None = None,
    draws: int = 9999,
    seed: int = 1,
    **options: Unpack[Options],
) -> FloatArray:
    """Return the p-value of each effect by the wild cluster bootstrap, two-sided, shape (J,).

    Parameters
    ----------
    outcomes, treated, names, options
        As in `itt.itt`, with a cluster.
    draws
        Bootstrap samples; all 2^G where these are fewer.
    seed
        The same seed gives the same p-values.

    Raises
    ------
    UserError
        As `itt.itt`; without clusters, with more than 400 cells and controls, or when the library is not installed.
    """
    inputs = regression_inputs(treated, **options)
    inputs.require_one_way("The wild cluster bootstrap")
    if inputs.cluster is None:
        raise UserError("The wild cluster bootstrap needs clusters, and the inputs have none; name a cluster.")
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    p_values = np.full(len(labels), np.nan)
    for group in group_outcomes(values, labels, inputs):
        columns = _columns(group.design, group.inputs.treated)
        for j in group.columns:
            y = group.design.used(values[:, j])
            if group.design.root_weights is not None:
                y = y * group.design.root_weights
            assert group.design.cluster is not None
            p_values[j] = _p_value(y, columns, group.design.cluster, draws, seed)
    return p_values


def _columns(design: Design, treated: FloatArray) -> FloatArray:
    """Return treatment within cells, the controls' basis and a column for every cell, times root weights, shape (n, K)."""
    if design.n_parameters > MOST_COLUMNS:
        raise UserError(
            f"The wild cluster bootstrap takes at most {MOST_COLUMNS} cells and controls, and the regression has "
            f"{design.n_parameters}. Use coarser cells, or CR2 alone."
        )
    own = np.ones(design.n) if design.root_weights is None else design.root_weights
    # Cells are columns of their own here, unlike in the kernel: signs of residuals change by cluster, and cells must be fitted
    # again.
    dummies = (design.cells.codes[:, None] == np.arange(design.cells.n_cells)) * own[:, None]
    return np.hstack((design.within(treated[:, None]), design.control_basis, dummies))


def _p_value(y: FloatArray, columns: FloatArray, cluster: np.ndarray, draws: int, seed: int) -> float:
    try:
        import statsmodels.api as sm
        from wildboottest.wildboottest import wildboottest
    except ImportError as error:
        raise UserError(
            "The wild cluster bootstrap needs the library wildboottest, which is not installed: pip install refino-eval[bootstrap]."
        ) from error
    model = sm.OLS(y, pd.DataFrame(columns, columns=[f"x{k}" for k in range(columns.shape[1])]))
    with warnings.catch_warnings():
        # The library says when it enumerates all sign changes.
        warnings.simplefilter("ignore")
        table = wildboottest(
            model,
            param="x0",
            cluster=np.unique(cluster, return_inverse=True)[1],
            B=draws,
            seed=seed,
            parallel=False,
            show=False,
        )
    return float(np.ravel(table["p-value"].iloc[0])[0])
