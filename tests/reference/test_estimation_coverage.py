"""Size and coverage in repeated draws: what the intervals promise, they keep.

Each bound is the nominal rate plus or minus four standard errors of the simulation, so that a right procedure fails
about once in sixteen thousand runs (and, the seeds being fixed, never).
"""

from __future__ import annotations

import numpy as np
import pytest

from refino_eval.estimation import dynamics, itt, late

pytestmark = pytest.mark.slow

DRAWS, OUTCOMES = 200, 20


def within_bounds(rejected: np.ndarray, nominal: float) -> None:
    """Compare a rejection rate with its nominal value; ``rejected`` has one row an independent draw."""
    by_draw = rejected.mean(axis=1)
    error = max(by_draw.std(ddof=1), np.sqrt(nominal * (1 - nominal) / rejected.shape[1])) / np.sqrt(by_draw.size)
    assert abs(by_draw.mean() - nominal) < 4 * error, (by_draw.mean(), error)


def people(seed, n=600, n_cells=40):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    share = rng.uniform(0.3, 0.8, n_cells)[cells]
    controls = rng.standard_normal((n, 2))
    return rng, cells, share, controls


@pytest.mark.parametrize("vcov", ["HC1", "HC2"])
def test_size_of_the_t_test_with_unequal_shares_and_variances(vcov):
    rng, cells, share, controls = people(1)
    rejected = np.empty((DRAWS, OUTCOMES))
    for r in range(DRAWS):
        z = (rng.random(cells.size) < share).astype(float)
        noise = rng.standard_normal((cells.size, OUTCOMES)) * (0.5 + z[:, None] + 0.5 * np.abs(controls[:, [0]]))
        y = noise + controls @ np.ones((2, OUTCOMES)) + 0.3 * cells[:, None]
        rejected[r] = itt(y, z, cells=cells, controls=controls, vcov=vcov).p_value < 0.05
    within_bounds(rejected, 0.05)


def test_classical_errors_have_the_wrong_size_where_robust_ones_do_not():
    rng, cells, _, controls = people(2)
    rejected = np.empty((DRAWS, OUTCOMES))
    for r in range(DRAWS):
        z = (rng.random(cells.size) < 0.85).astype(float)
        y = rng.standard_normal((cells.size, OUTCOMES)) * np.where(z == 1, 0.4, 2.0)[:, None]
        rejected[r] = itt(y, z, cells=cells, controls=controls, vcov="iid").p_value < 0.05
    assert rejected.mean() > 0.10


def test_simultaneous_bands_and_placebo_test():
    rng, cells, share, _ = people(3)
    times = np.arange(-6, 7)
    outside, pointwise, placebo = (np.empty((DRAWS * 3, 1)) for _ in range(3))
    for r in range(DRAWS * 3):
        z = (rng.random(cells.size) < share).astype(float)
        y = 0.7 * rng.standard_normal((cells.size, 1)) + rng.standard_normal((cells.size, times.size))
        found = dynamics(y, z, times=times, cells=cells, vcov="HC2", draws=4000, seed=r)
        outside[r] = np.any((found.band_low > 0) | (found.band_high < 0))
        pointwise[r] = np.any((found.effects.conf_low > 0) | (found.effects.conf_high < 0))
        placebo[r] = found.placebo.p_value < 0.05
    within_bounds(outside, 0.05)
    within_bounds(placebo, 0.05)
    assert pointwise.mean() > 0.15, "pointwise intervals are not for whole paths"


@pytest.mark.parametrize("strength", [0.05, 0.5])
def test_anderson_rubin_sets_cover_however_weak_the_instrument(strength):
    rng, cells, share, _ = people(4)
    missed = np.empty((DRAWS * 2, 1))
    for r in range(DRAWS * 2):
        z = (rng.random(cells.size) < share).astype(float)
        nature = rng.standard_normal(cells.size)
        d = (nature + rng.standard_normal(cells.size) < -0.5 + 3 * strength * z).astype(float)
        y = 1.5 * d + nature + rng.standard_normal(cells.size)
        missed[r] = not late(y, d, z, cells=cells).ar_set[0].contains(1.5)
    within_bounds(missed, 0.05)
