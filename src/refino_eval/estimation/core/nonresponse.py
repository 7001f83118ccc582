"""Weights for non-response: one over the probability of being observed, by a logit among everybody assigned.

Those observed then stand for everybody assigned to their arm, if being observed depends on nothing but the arm and the covariates of
the logit (Horvitz and Thompson 1952; Wooldridge 2007, Journal of Econometrics 141(2)). Effects that are weighted by them take the
weights as known; with weights that are estimated by maximum likelihood the usual standard errors are then conservative (Wooldridge
2007, theorem 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import BoolArray, Columns, FloatArray, IntArray, Labels, as_columns, spanning
from refino_eval.estimation.core.likelihood import NoMaximumError, Sample, maximise
from refino_eval.estimation.core.recording import note_response


@dataclass(frozen=True, eq=False, repr=False)
class ResponseFit:
    """One logit of being observed.

    Attributes
    ----------
    observed
        1 for those observed, else 0, shape (m,).
    columns
        Constant, arms, cells and covariates, shape (m, k); they may be collinear.
    weights
        Weights of these people in the logit, shape (m,).
    """

    observed: FloatArray
    columns: FloatArray
    weights: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class ResponseWeights:
    """Weights of the people observed.

    Attributes
    ----------
    weights
        One over the probability of being observed, at most ``limit``, shape (n,); NaN for those not observed.
    limit
        The quantile above which weights are set to it; infinite where none are.
    fits
        The logits, one or one for each arm.
    trim
        As given.
    """

    weights: FloatArray
    limit: float
    fits: tuple[ResponseFit, ...]
    trim: float | None


def nonresponse_weights(
    observed: BoolArray,
    arms: Labels,
    *,
    controls: Columns | None = None,
    cells: Labels | None = None,
    weights: FloatArray | None = None,
    by_arm: bool = False,
    trim: float | None = None,
) -> ResponseWeights:
    """Return weights for non-response.

    Parameters
    ----------
    observed
        Who has an outcome, among everybody assigned, shape (n,).
    arms
        Labels of the arms, shape (n,): the logit has a dummy for each.
    controls
        Covariates of the logit, shape (n, k), finite.
    cells
        Labels of cells that have a dummy each, shape (n,). Everybody in a cell without any loss has weight 1.
    weights
        Probability weights of the logit, shape (n,).
    by_arm
        Whether each arm has a logit of its own.
    trim
        Quantile of the weights, between 0 and 1; those above it are set to it.

    Raises
    ------
    UserError
        When nobody is observed, or the covariates predict exactly who is.
    """
    n = observed.size
    y, base = observed.astype(np.float64), np.ones(n) if weights is None else weights
    arm, cell = encode(arms, n, what="arms"), encode(cells, n)
    covariates = np.empty((n, 0)) if controls is None else as_columns(controls, n, what="controls")[0]
    if not observed.any():
        raise UserError(
            "nobody is observed, so that there are no weights for non-response. Look at the outcomes' windows."
        )
    probability, fits = np.ones(n), []
    for group in np.unique(arm) if by_arm else (None,):
        rows = np.ones(n, dtype=bool) if group is None else arm == group
        # Whoever is in a cell without losses is observed for certain; its constant is not finite.
        rows &= np.bincount(cell[rows], weights=1 - y[rows], minlength=int(cell.max()) + 1)[cell] > 0
        if not rows.any():
            continue
        fit = ResponseFit(y[rows], np.hstack((_dummies(arm[rows]), _dummies(cell[rows]), covariates[rows])), base[rows])
        probability[rows] = _probabilities(fit)
        fits.append(fit)
    inverse, limit = np.where(observed, 1 / probability, np.nan), np.inf
    if trim is not None:
        limit = float(np.quantile(inverse[observed], trim))
    result = ResponseWeights(np.minimum(inverse, limit), limit, tuple(fits), trim)
    note_response(result)
    return result


def _dummies(codes: IntArray) -> FloatArray:
    return np.asarray(codes[:, None] == np.unique(codes), dtype=np.float64)


def _probabilities(fit: ResponseFit) -> FloatArray:
    basis = spanning(fit.columns)
    sample = Sample(fit.observed, basis, np.zeros(fit.observed.size), fit.weights, None)
    try:
        best = maximise(sample, "logit", "HC0", np.zeros(basis.shape[1]))
    except NoMaximumError:
        raise UserError(
            "the covariates of the weights for non-response predict exactly who is observed (a category, an arm or a cell in which everybody "
            "or nobody is). Use fewer or coarser covariates."
        ) from None
    return np.asarray(special.expit(basis @ best.coefficients))
