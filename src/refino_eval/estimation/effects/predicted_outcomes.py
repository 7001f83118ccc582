"""Outcomes that people could expect without treatment, predicted from what was known before assignment.

The prediction is learned in the control arm and cross-fitted: nobody's own outcome is in the prediction for them, in either arm. A
prediction that used it would differ from what people could expect in proportion to their luck, more in the control arm than in the
treated one, and a comparison of the arms by predicted outcome would find differences where there are none (Abadie, Chingos and
West 2018, "Endogenous stratification in randomized experiments", Review of Economics and Statistics 100(4), pp. 567-580).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Columns, FloatArray, Vector, as_columns, as_vector


def predicted_without_treatment(
    outcome: Vector,
    covariates: Columns,
    treated: Vector,
    *,
    folds: int,
    seed: int,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Predict everybody's outcome under control by least squares, cross-fitted.

    Parameters
    ----------
    outcome
        Shape (n,); missing where it was not observed.
    covariates
        Shape (n, k), measured before assignment; a person who lacks one has no prediction.
    treated
        1 for the treated arm, shape (n,); they are predicted, and nothing is learned from them.
    folds
        Number of parts that everybody is divided into at random; those of a part are predicted from the controls of the others.
    seed
        Of the division.
    weights
        Probability weights of least squares, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,), in the outcome's unit.

    Raises
    ------
    UserError
        When the control arm has too few people for the covariates.
    """
    values, _ = as_columns(covariates, None, what="covariates")
    y, z = as_vector(outcome, what="outcome"), as_vector(treated, what="treated")
    columns = np.column_stack((np.ones(values.shape[0]), _standardised(values)))
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(columns).all(axis=1))
    learns = known & (z == 0) & np.isfinite(y)
    fold = np.random.default_rng(seed).permutation(np.arange(y.size) % folds)
    root = np.ones(y.size) if weights is None else np.sqrt(weights)
    predicted = np.full(y.size, np.nan)
    for part in range(folds):
        others, own = learns & (fold != part), known & (fold == part)
        if np.count_nonzero(others) <= columns.shape[1]:
            raise UserError(
                f"Outcomes cannot be predicted from {values.shape[1]} covariates: {np.count_nonzero(others):,} people of the control "
                "arm have all of them and the outcome. Use fewer covariates or fewer folds."
            )
        scaled = columns[others] * root[others, None]
        coefficients = np.linalg.lstsq(scaled, y[others] * root[others], rcond=1e-10)[0]
        predicted[own] = columns[own] @ coefficients
    return predicted


def _standardised(values: FloatArray) -> FloatArray:
    """Return columns with mean 0 and deviation 1, so that units do not decide which are taken as collinear."""
    spread = np.nanstd(values, axis=0)
    return np.asarray((values - np.nanmean(values, axis=0)) / np.where(spread > 0, spread, 1.0))
