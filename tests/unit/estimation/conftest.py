"""A slow, plain oracle: the regression with a dummy for every cell, by pseudo-inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Plain:
    estimate: float
    std_error: dict[str, float]
    n_parameters: int
    leverage: np.ndarray
    r_squared: float


def regress_on_dummies(y, z, cells, controls=None, weights=None, cluster=None) -> Plain:
    y, z = np.asarray(y, dtype=float), np.asarray(z, dtype=float)
    n = y.size
    dummies = (np.asarray(cells)[:, None] == np.unique(cells)).astype(float)
    beside = np.empty((n, 0)) if controls is None else np.asarray(controls, dtype=float)
    root = np.ones(n) if weights is None else np.sqrt(weights)
    x = np.hstack((dummies, beside, z[:, None])) * root[:, None]
    inverse = np.linalg.pinv(x, rcond=1e-9)
    residual = y * root - x @ (inverse @ (y * root))
    leverage = np.einsum("ij,ji->i", x, inverse)
    rank = np.linalg.matrix_rank(x, tol=1e-9 * np.linalg.norm(x, 2))
    psi = inverse[-1] * residual
    slack = 1 - leverage
    inside = slack > 1e-9
    free = n - rank
    variance = {
        "iid": residual @ residual / free * (inverse[-1] @ inverse[-1]),
        "HC0": psi @ psi,
        "HC1": psi @ psi * n / free,
        "HC2": np.sum(psi[inside] ** 2 / slack[inside]),
        "HC3": np.sum(psi[inside] ** 2 / slack[inside] ** 2),
    }
    if cluster is not None:
        sums = np.array([psi[np.asarray(cluster) == g].sum() for g in np.unique(cluster)])
        variance["CRV1"] = sums @ sums * sums.size / (sums.size - 1) * (n - 1) / free
    mean = np.average(y, weights=root**2)
    return Plain(
        estimate=float(inverse[-1] @ (y * root)),
        std_error={name: float(np.sqrt(value)) for name, value in variance.items()},
        n_parameters=int(rank),
        leverage=leverage,
        r_squared=1 - float(residual @ residual) / float(np.sum((y - mean) ** 2 * root**2)),
    )


@pytest.fixture
def oracle() -> Callable[..., Plain]:
    return regress_on_dummies


@dataclass(frozen=True)
class Trial:
    y: np.ndarray
    z: np.ndarray
    cells: np.ndarray
    controls: np.ndarray
    weights: np.ndarray
    cluster: np.ndarray
    take_up: np.ndarray


def draw_trial(seed: int, *, n: int = 120, n_cells: int = 9, k: int = 3, n_outcomes: int = 4) -> Trial:
    """A stratified trial with unequal shares, one singleton cell and one one-arm cell."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    cells[0], cells[1:5] = n_cells, n_cells + 1
    share = rng.uniform(0.3, 0.8, n_cells + 2)
    z = (rng.random(n) < share[cells]).astype(float)
    z[1:5] = 1.0
    # Both arms in the first ordinary cell, whatever the draw.
    first = np.flatnonzero(cells == cells[5])
    z[first[0]], z[first[-1]] = 0.0, 1.0
    controls = rng.standard_normal((n, k)) + 0.3 * cells[:, None]
    take_up = (rng.random(n) < 0.2 + 0.5 * z).astype(float)
    y = rng.standard_normal((n, n_outcomes)) * (1 + z[:, None]) + 0.5 * take_up[:, None] + 0.2 * cells[:, None]
    y += controls @ rng.standard_normal((k, n_outcomes))
    return Trial(y, z, cells, controls, rng.uniform(0.5, 3.0, n), rng.integers(0, 15, n), take_up)


@pytest.fixture
def trial() -> Callable[..., Trial]:
    return draw_trial
