"""Effects at quantiles computed again: quantiles of arms by pandas, and quantile regressions by their conditions of optimality.

The coefficients that minimise the check loss need not be unique, so that programs may differ. Whether given coefficients do minimise it
can be proved: a weight between 0 and w for each person that they go through must balance the regressors of those above and below.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from refino_eval.estimation.core.arrays import FloatArray
from refino_eval.estimation.models.quantiles import ROUNDING, QuantileSample


def ask_difference(sample: QuantileSample, point: float) -> float:
    """Return the difference of the arms' quantiles by sorted values and cumulated weights in pandas."""
    frame = pd.DataFrame({"y": sample.y, "z": sample.treated, "w": sample.weights}).sort_values("y")
    quantiles = {
        arm: float(people.loc[people["w"].cumsum() >= (point - ROUNDING) * people["w"].sum(), "y"].iloc[0])
        for arm, people in frame.groupby("z")
    }
    return quantiles[1.0] - quantiles[0.0]


def ask_coefficient(sample: QuantileSample, point: float, beta: FloatArray) -> float:
    """Return the first coefficient if the coefficients minimise the check loss (Koenker 2005, theorem 2.1), else NaN."""
    from scipy.optimize import lsq_linear

    x, w = sample.columns, sample.weights
    assert x is not None
    residual = sample.y - x @ beta
    through = np.abs(residual) < 1e-9 * max(float(np.abs(sample.y).max()), 1.0)
    above = (residual > 0) & ~through
    missing = (1 - point) * (w @ x) - w[above] @ x[above]
    limit = 1e-7 * float((w @ np.abs(x)).max())
    if not through.any():
        return float(beta[0]) if np.abs(missing).max() <= limit else np.nan
    best = lsq_linear(x[through].T, missing, bounds=(0, w[through]), tol=1e-14, max_iter=5000)
    return float(beta[0]) if np.abs(x[through].T @ best.x - missing).max() <= limit else np.nan


def ask_error(sample: QuantileSample, point: float, beta: FloatArray) -> float:
    """Return the standard error of the first coefficient with statsmodels' bandwidth, person by person."""
    from scipy.stats import norm
    from statsmodels.regression.quantile_regression import hall_sheather

    x, w = sample.columns, sample.weights
    assert x is not None
    frame = pd.DataFrame({"e": sample.y - x @ beta})
    frame.loc[frame["e"].abs() < 1e-9 * max(float(np.abs(sample.y).max()), 1.0), "e"] = 0.0
    reach = min(float(hall_sheather(len(frame), point)), 0.9 * min(point, 1 - point))
    spread = min(float(frame["e"].std()), float(frame["e"].quantile(0.75) - frame["e"].quantile(0.25)) / 1.34)
    width = spread * (norm.ppf(point + reach) - norm.ppf(point - reach))
    density = (frame["e"].between(-width, width) / (2 * width)).to_numpy()
    bread = np.linalg.pinv(np.einsum("i,ij,ik->jk", w * density, x, x))
    scores = pd.DataFrame(x * (w * (point - (frame["e"] <= 0)).to_numpy())[:, None])
    factor = 1.0
    if sample.clusters is not None:
        scores = scores.groupby(sample.clusters).sum()
        factor = len(scores) / (len(scores) - 1)
    cov = bread @ (scores.T @ scores).to_numpy() @ bread * factor
    return float(np.sqrt(cov[0, 0]))
