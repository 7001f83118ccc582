"""CR2, CR3 and degrees of freedom straight from the papers' formulas, with n x n matrices: slow, and nothing shared with src.

Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), eq. 6-14; the working model is the identity, as in `clubSandwich` and
`estimatr` for least squares with weights.
"""

import numpy as np
from scipy import linalg


def dense_cr2(columns, y, cluster, contrasts, *, weights=None, power=1):
    """Return estimates, their covariance and its degrees of freedom eta, of q contrasts (q, K) of the coefficients."""
    x, n = np.asarray(columns, dtype=float), len(y)
    w = np.ones(n) if weights is None else np.asarray(weights)
    bread = np.linalg.pinv((x.T * w) @ x, rcond=1e-12, hermitian=True)
    hat = x @ bread @ (x.T * w)
    apart = np.eye(n) - hat
    residual = apart @ y
    scores, vectors = [], []
    for g in np.unique(cluster):
        i = np.flatnonzero(cluster == g)
        if power == 1:
            values, directions = np.linalg.eigh(apart[i] @ apart[i].T)
            kept = values > 1e-10
            adjusted = (directions[:, kept] * values[kept] ** -0.5) @ directions[:, kept].T
        else:
            adjusted = np.linalg.pinv(apart[np.ix_(i, i)], rcond=1e-9)
        weight = (contrasts @ bread @ (x[i].T * w[i]) @ adjusted).T
        scores.append(weight.T @ residual[i])
        vectors.append(apart[i].T @ weight)
    scores, vectors = np.array(scores), np.array(vectors)
    return contrasts @ bread @ (x.T * w) @ y, scores.T @ scores, _freedom(vectors)


def _freedom(vectors):
    spread = np.einsum("gns,gnt->st", vectors, vectors)
    white = vectors @ np.linalg.inv(np.real(linalg.sqrtm(spread))).T
    products = np.einsum("gns,hnt->stgh", white, white)
    q = white.shape[2]
    total = sum(
        np.sum(products[s, s] * products[t, t]) + np.sum(products[s, t] * products[s, t].T)
        for s in range(q)
        for t in range(q)
    )
    return q * (q + 1) / total
