"""Complier profiles and the reweighted effect of take-up."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import complier_profile, late


def draw(seed, n=6000, n_cells=30, varying=True):
    """Types at random within cells; x and the draw share both rise over cells, and x is not related to types."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    share = np.linspace(0.15, 0.9, n_cells)[cells] if varying else np.full(n, 0.6)
    z = (rng.random(n) < share).astype(float)
    kind = rng.choice(3, n, p=[0.4, 0.25, 0.35])  # complier, always, never
    d = np.where(kind == 0, z, (kind == 1).astype(float))
    x = rng.standard_normal(n) + 2 * (cells / n_cells - 0.5)
    return z, d, cells, x, kind


def test_cell_aware_profile_finds_the_truth_where_pooled_does_not():
    z, d, cells, x, kind = draw(0)
    truth = [x[kind == k].mean() for k in range(3)]
    mine = complier_profile({"x": x}, d, z, cells=cells)
    pooled = complier_profile({"x": x}, d, z)
    assert np.all(np.abs(mine.mean[:, 0] - truth) < 4 * mine.std_error[:, 0])
    assert np.abs(mine.share - [0.4, 0.25, 0.35]) == pytest.approx(0, abs=0.03)
    # The pooled formula takes the cells' characteristics for the types'.
    assert np.all(np.abs(pooled.mean[1:, 0] - truth[1:]) > 6 * pooled.std_error[1:, 0])
    assert abs(pooled.mean[0, 0] - truth[0]) > 0.02


def test_pooled_compliers_are_far_off_with_always_takers_alone():
    z, _, cells, x, kind = draw(1, n=20000)
    # No never-takers, whose error would offset: the control arm's participants are people of low-share cells.
    d = np.where(kind == 0, z, 1.0)
    truth = x[kind == 0].mean()
    mine = complier_profile({"x": x}, d, z, cells=cells)
    pooled = complier_profile({"x": x}, d, z)
    assert abs(truth) < 0.04
    assert abs(mine.mean[0, 0] - truth) < 4 * mine.std_error[0, 0]
    assert pooled.mean[0, 0] > 0.25


def test_equals_kappa_weighting_person_by_person():
    z, d, cells, x, _ = draw(2, n=900, n_cells=20)
    table = complier_profile({"x": x, "y": x**2}, d, z, cells=cells)
    p = pd.Series(z).groupby(cells).transform("mean").to_numpy()
    used = (p > 0) & (p < 1)
    kappa = (1 - d * (1 - z) / (1 - p) - (1 - d) * z / p)[used]
    always, never = (d * (1 - z) / (1 - p))[used], ((1 - d) * z / p)[used]
    for row, weight in enumerate((kappa, always, never)):
        assert table.share[row] == pytest.approx(weight.mean(), rel=1e-10)
        assert table.mean[row, 0] == pytest.approx(np.average(x[used], weights=weight), rel=1e-9)
    np.testing.assert_allclose(table.share @ table.mean, table.sample_mean, rtol=1e-10)
    assert table.share.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(table.difference, table.mean - table.sample_mean, rtol=1e-9, atol=1e-12)


def test_precision_weights_give_the_compliers_of_two_stage_least_squares():
    z, d, cells, x, _ = draw(3, n=900, n_cells=20)
    table = complier_profile({"x": x}, d, z, cells=cells, weighting="precision")
    stage = late({"xd": x * d, "x1d": x * (d - 1)}, d, z, cells=cells)
    assert table.share[0] == pytest.approx(stage.first_stage[0], rel=1e-9)
    # Treated and untreated compliers' means, each by the regression; kappa's lies between or near both.
    low, high = sorted(stage.estimate)
    assert low - 0.25 < table.mean[0, 0] < high + 0.25


def test_standard_errors_are_those_of_repeated_draws():
    found, told, gap, gap_told, share, share_told = ([] for _ in range(6))
    for seed in range(300):
        z, d, cells, x, _ = draw(1000 + seed, n=800, n_cells=12)
        table = complier_profile({"x": x}, d, z, cells=cells)
        found.append(table.mean[:, 0])
        told.append(table.std_error[:, 0])
        gap.append(table.difference[:, 0])
        gap_told.append(table.difference_std_error[:, 0])
        share.append(table.share)
        share_told.append(table.share_std_error)
    # The spread of 300 draws is known to 4 per cent; four of these.
    np.testing.assert_allclose(np.mean(told, axis=0), np.std(found, axis=0), rtol=0.17)
    np.testing.assert_allclose(np.mean(gap_told, axis=0), np.std(gap, axis=0), rtol=0.17)
    np.testing.assert_allclose(np.mean(share_told, axis=0), np.std(share, axis=0), rtol=0.17)


def test_standard_error_counts_that_cells_are_a_sample():
    found, told, mean, mean_told = [], [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        cells = rng.integers(0, 10, 400)
        z = (rng.random(400) < 0.5).astype(float)
        # Always-takers fill half of the cells, compliers the others: only the cells' sizes are left to chance.
        d = np.where(cells < 5, 1.0, z)
        table = complier_profile({"x": cells.astype(float)}, d, z, cells=cells)
        found.append(table.share[1])
        told.append(table.share_std_error[1])
        mean.append(table.mean[1, 0])
        mean_told.append(table.std_error[1, 0])
    assert np.mean(told) == pytest.approx(np.std(found), rel=0.17)
    assert np.mean(mean_told) == pytest.approx(np.std(mean), rel=0.17)


def test_a_type_without_people_has_no_mean():
    z, d, cells, x, kind = draw(4, n=500)
    d = np.where(kind == 1, z, d)  # nobody takes part undrawn
    table = complier_profile({"x": x}, d, z, cells=cells)
    assert table.share[1] == 0.0
    assert np.isnan(table.mean[1, 0])
    frame = table.to_frame()
    assert frame["covariate"].tolist() == ["share"] * 3 + ["x"] * 3
    with pytest.raises(UserError, match=r"take_up must be 0 or 1 .* 2 of 500"):
        complier_profile({"x": x}, np.where(np.arange(500) < 2, np.nan, d), z, cells=cells)


def test_missing_covariates_leave_shares_alone():
    z, d, cells, x, _ = draw(5, n=600)
    hole = np.where(np.arange(600) % 7 == 0, np.nan, x)
    table = complier_profile({"x": x, "hole": hole}, d, z, cells=cells, missing="available")
    whole = complier_profile({"x": x}, d, z, cells=cells)
    kept = np.isfinite(hole)
    part = complier_profile({"hole": hole[kept]}, d[kept], z[kept], cells=cells[kept])
    np.testing.assert_allclose(table.share, whole.share)
    np.testing.assert_allclose(table.mean[:, 1], part.mean[:, 0])
    assert table.n[1] + table.n_left_out[1] == kept.sum()
