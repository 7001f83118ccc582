"""Bias-reduced covariances and Satterthwaite degrees of freedom from whole matrices, for verification.

Few Python programs offer them. The formulas are those of Pustejovsky and Tipton (2018), eq. 6-14, written with a column
for every cell and a vector of n weights for the score of every cluster; nothing is shared with the kernel, which has neither.
"""

from __future__ import annotations

import numpy as np

from refino_eval.estimation.core.arrays import FloatArray, IntArray

# Above this many numbers the vectors of weights are not made, and degrees of freedom are not estimated again.
MOST_NUMBERS = 60_000_000
SINGULAR = 1e-10


def cluster_weights(
    fitted: FloatArray, inverse: FloatArray, own: FloatArray, root: FloatArray, clusters: IntArray, power: int
) -> FloatArray:
    """Return the weight of each person's residual in each coefficient's score, shape (n, f).

    Parameters
    ----------
    fitted
        Columns times root weights (projected on the instruments, in two-stage least squares), shape (n, K).
    inverse
        Its pseudo-inverse, shape (K, n).
    own
        Its rows of the coefficients of interest, shape (f, n).
    root
        Root weights, shape (n,).
    clusters
        Shape (n,).
    power
        1 for CR2, 2 for CR3.
    """
    weights = np.empty((fitted.shape[0], own.shape[0]))
    inner = (inverse * root**2) @ inverse.T
    for code in np.unique(clusters):
        i = np.flatnonzero(clusters == code)
        r = root[i]
        hat = fitted[i] @ inverse[:, i]
        if power == 2:
            weights[i] = r[:, None] * (
                np.linalg.pinv(np.eye(i.size) - hat, rcond=SINGULAR, hermitian=True) @ own[:, i].T
            )
            continue
        plain = fitted[i] / r[:, None]
        hat = hat / r[:, None] * r
        values, vectors = np.linalg.eigh(np.eye(i.size) - hat - hat.T + plain @ inner @ plain.T)
        kept = values > SINGULAR * max(1.0, values[-1])
        adjusted = (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T
        weights[i] = adjusted @ (own[:, i].T * r[:, None])
    return weights


def freedom(
    fitted: FloatArray, inverse: FloatArray, weights: FloatArray, root: FloatArray, clusters: IntArray
) -> float:
    """Return the degrees of freedom of q estimates' covariance, from the weights of residuals in their scores, (n, q).

    NaN when it would take too many numbers.
    """
    codes, place = np.unique(clusters, return_inverse=True)
    n, q = weights.shape
    if codes.size * n * q > MOST_NUMBERS:
        return float("nan")
    vectors = np.zeros((q, codes.size, n))
    vectors[:, place, np.arange(n)] = weights.T
    # The score is s_g'(I - H)_g y, with H = X (X'WX)^-1 X'W.
    plain = fitted / root[:, None]
    vectors -= (vectors @ plain) @ (inverse * root)
    spread = np.einsum("sgi,tgi->st", vectors, vectors)
    values, directions = np.linalg.eigh(spread)
    white = np.einsum("sr,sgi->rgi", directions / np.sqrt(values), vectors)
    total = 0.0
    products = {(s, t): white[s] @ white[t].T for s in range(q) for t in range(q)}
    for s in range(q):
        for t in range(q):
            total += np.sum(products[s, s] * products[t, t]) + np.sum(products[s, t] * products[s, t].T)
    return float(q * (q + 1) / total)
