"""Attrition and bounds against their definitions, by brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from refino_eval.errors import UserError
from refino_eval.estimation import attrition, horowitz_manski_bounds, imbens_manski, itt, lee_bounds


def plain_lee(y, z):
    """Lee's bounds in one cell with exact trimming: every person split in many copies."""
    seen = np.isfinite(y)
    n1, n0 = int((z == 1).sum()), int((z == 0).sum())
    s1, s0 = int((seen & (z == 1)).sum()), int((seen & (z == 0)).sum())
    # n0 * n1 copies make the kept number s0 * n1 of s1 * n0 whole.
    treated, control = np.sort(y[seen & (z == 1)]), np.sort(y[seen & (z == 0)])
    if s1 * n0 >= s0 * n1:
        copies, kept = np.repeat(treated, n0), s0 * n1
        return copies[:kept].mean() - control.mean(), copies[-kept:].mean() - control.mean()
    copies, kept = np.repeat(control, n1), s1 * n0
    return treated.mean() - copies[-kept:].mean(), treated.mean() - copies[:kept].mean()


@pytest.mark.parametrize("seed", range(12))
def test_one_cell_trims_the_exact_share(seed):
    rng = np.random.default_rng(seed)
    z = (rng.random(90) < 0.6).astype(float)
    y = np.round(rng.standard_normal(90), 1 if seed % 2 else 6)
    y[rng.random(90) < (0.2 + 0.3 * (z == seed % 2))] = np.nan
    found = lee_bounds(y, z)
    assert (found.low, found.high) == pytest.approx(plain_lee(y, z), rel=1e-9)
    flipped = lee_bounds(-y, z)
    assert (-flipped.high, -flipped.low) == pytest.approx((found.low, found.high), rel=1e-9)
    swapped = lee_bounds(y, 1 - z)
    assert (-swapped.high, -swapped.low) == pytest.approx((found.low, found.high), rel=1e-9)
    assert (swapped.low_std_error, swapped.high_std_error) == pytest.approx((found.high_std_error, found.low_std_error))


def test_cells_enter_as_weights_of_people():
    rng = np.random.default_rng(3)
    # Cell 0 draws one half, cell 1 one in three: copying control and treated people evens the shares out.
    z = np.concatenate((np.tile([0.0, 1.0], 60), np.tile([0.0, 0.0, 1.0], 40)))
    cells = np.repeat([0, 1], 120)
    y = rng.standard_normal(240) + cells
    y[rng.random(240) < 0.4 - 0.2 * z] = np.nan
    # Inverse shares: 2 and 2 in cell 0; 3 (treated) and 1.5 in cell 1; doubled to be whole.
    copies = np.where(cells == 0, 4, np.where(z == 1, 6, 3))
    found = lee_bounds(y, z, cells=cells)
    assert (found.low, found.high) == pytest.approx(plain_lee(np.repeat(y, copies), np.repeat(z, copies)), rel=1e-9)
    pooled = lee_bounds(y, z)
    assert pooled.low != pytest.approx(found.low, rel=1e-3)


def test_everybody_seen_alike_leaves_a_point():
    rng = np.random.default_rng(4)
    z, cells = np.tile([0.0, 1.0], 50), np.repeat(np.arange(10), 10)
    y = rng.standard_normal(100)
    found = lee_bounds(y, z, cells=cells)
    point = itt(y, z, cells=cells, vcov="HC2").estimate[0]
    assert (found.low, found.high) == pytest.approx((point, point))
    assert found.trimmed_arm is None
    assert found.trimmed_share == 0.0
    assert found.share_always == pytest.approx(1.0)
    reach = stats.norm.ppf(0.975) * found.low_std_error
    assert (found.conf_low, found.conf_high) == pytest.approx((point - reach, point + reach), rel=1e-6)


def resampled(y, z, draws, seed):
    """Standard deviations of the bounds over bootstrap samples of people within arms."""
    rng, ends = np.random.default_rng(seed), np.empty((draws, 2))
    arms = [np.flatnonzero(z == arm) for arm in (0, 1)]
    for r in range(draws):
        rows = np.concatenate([rng.choice(arm, arm.size) for arm in arms])
        bounds = lee_bounds(y[rows], z[rows])
        ends[r] = bounds.low, bounds.high
    return ends.std(axis=0, ddof=1)


def test_standard_error_is_lees_formula_and_the_bootstraps():
    rng = np.random.default_rng(5)
    n = 4000
    z = (rng.random(n) < 0.6).astype(float)
    y = rng.standard_normal(n) + 0.3 * z
    y[rng.random(n) < 0.45 - 0.15 * z] = np.nan
    bounds, (low_bootstrap, high_bootstrap) = lee_bounds(y, z), resampled(y, z, 300, 2)
    seen = np.isfinite(y)
    treated, control = y[seen & (z == 1)], y[seen & (z == 0)]
    q1, q0 = seen[z == 1].mean(), seen[z == 0].mean()
    p, e, es = 1 - q0 / q1, z.mean(), (seen * z).mean()
    for quantile, error, bootstrap in (
        (p, bounds.high_std_error, high_bootstrap),
        (1 - p, bounds.low_std_error, low_bootstrap),
    ):
        edge = np.quantile(treated, quantile)
        kept = treated[treated >= edge] if quantile == p else treated[treated <= edge]
        trimmed = kept.var() / (es * (1 - p)) + (edge - kept.mean()) ** 2 * p / (es * (1 - p))
        trimmed += (edge - kept.mean()) ** 2 * ((1 - q0) / (q0 * (1 - e)) + (1 - q1) / (q1 * e))
        lees = np.sqrt((trimmed + control.var() / (seen * (1 - z)).mean()) / n)
        assert error == pytest.approx(lees, rel=5e-3)
        assert bootstrap == pytest.approx(lees, rel=0.15)


def test_ties_kept_whole_or_in_part():
    z = np.repeat([0.0, 1.0], 10)
    y = np.concatenate((np.full(6, 1.0), np.full(4, np.nan), [0, 0, 1, 1, 2, 2, 2, 2], [np.nan] * 2))
    exact, whole = lee_bounds(y, z), lee_bounds(y, z, ties="keep")
    assert exact.trimmed_share == pytest.approx(0.25)
    assert (exact.low, exact.high) == pytest.approx((6 / 6 - 1, 10 / 6 - 1))
    assert (whole.low, whole.high) == pytest.approx((10 / 8 - 1, 10 / 6 - 1))


def test_groups_tighten_where_they_predict():
    rng = np.random.default_rng(6)
    n = 20000
    group = rng.integers(0, 2, n)
    z = (rng.random(n) < 0.5).astype(float)
    y = 4.0 * group + rng.standard_normal(n)
    y[rng.random(n) < 0.4 - 0.05 * z - 0.25 * z * (group == 1)] = np.nan
    plain, tight = lee_bounds(y, z), lee_bounds(y, z, groups=group)
    assert plain.low < tight.low < tight.high < plain.high
    assert tight.high - tight.low < 0.7 * (plain.high - plain.low)
    parts = [lee_bounds(y[group == g], z[group == g]) for g in (0, 1)]
    size = np.array([np.mean(group == g) * parts[g].share_always for g in (0, 1)])
    assert tight.high == pytest.approx(size @ [part.high for part in parts] / size.sum(), rel=1e-9)
    assert tight.n_groups == 2


def test_direction_by_group():
    rng = np.random.default_rng(7)
    n = 4000
    group = rng.integers(0, 2, n)
    z = (rng.random(n) < 0.5).astype(float)
    y = rng.standard_normal(n)
    y[rng.random(n) < np.where(group == 0, 0.5 - 0.3 * z, 0.2 + 0.1 * z)] = np.nan
    overall = lee_bounds(y, z, groups=group)
    own = lee_bounds(y, z, groups=group, direction="group")
    assert overall.n_groups_against == own.n_groups_against == 1
    # By group both are trimmed, so that the bounds are wider and hold for fewer people.
    assert own.high - own.low > overall.high - overall.low
    parts = [lee_bounds(y[group == g], z[group == g]) for g in (0, 1)]
    assert [part.trimmed_arm for part in parts] == [1, 0]


def test_group_without_observed_people_is_reported():
    y, z = np.array([1.0, 2, 3, 4, np.nan, np.nan, 5, 6]), np.tile([0.0, 1.0], 4)
    group = ["young"] * 4 + ["old"] * 4
    y[6] = np.nan
    with pytest.raises(UserError, match="'old' has 1 observed in the treated arm and 0 in the control arm"):
        lee_bounds(y, z, groups=group)


def test_horowitz_manski_fills_in_the_edges():
    rng = np.random.default_rng(8)
    z, cells = (rng.random(300) < 0.6).astype(float), rng.integers(0, 5, 300)
    y = rng.random(300).round(2)
    y[rng.random(300) < 0.2] = np.nan
    found = horowitz_manski_bounds(y, z, cells=cells, lowest=0, highest=1, weighting="precision")
    worst = np.where(np.isfinite(y), y, np.where(z == 1, 0.0, 1.0))
    best = np.where(np.isfinite(y), y, np.where(z == 1, 1.0, 0.0))
    effects = itt(np.column_stack((worst, best)), z, cells=cells).estimate
    assert (found.low, found.high) == pytest.approx(tuple(effects), rel=1e-10)
    assert found.n_observed_treated + found.n_observed_control == np.isfinite(y).sum()
    tight = lee_bounds(y, z, cells=cells, weighting="precision")
    assert found.low <= tight.low <= tight.high <= found.high
    with pytest.raises(UserError, match="lie outside"):
        horowitz_manski_bounds(y, z, lowest=0, highest=0.5)


def test_imbens_manski_between_one_and_two_sided():
    low, high = imbens_manski(0.0, 0.0, 1.0, 1.0)
    assert (low, high) == pytest.approx((-1.959964, 1.959964), abs=1e-6)
    low, high = imbens_manski(0.0, 100.0, 1.0, 2.0)
    assert (low, high) == pytest.approx((-1.644854, 100 + 2 * 1.644854), abs=1e-6)
    low, high = imbens_manski(0.0, 1.0, 0.5, 1.0, level=0.9)
    c = -low / 0.5
    assert stats.norm.cdf(c + 1.0) - stats.norm.cdf(-c) == pytest.approx(0.9)
    assert (high - 1.0) == pytest.approx(c)
    assert imbens_manski(0.3, 0.3, 0.0, 0.0) == (0.3, 0.3)


def test_attrition_is_the_effect_on_being_seen():
    rng = np.random.default_rng(9)
    z, cells = (rng.random(200) < 0.6).astype(float), rng.integers(0, 6, 200)
    frame = pd.DataFrame({"a": rng.standard_normal(200), "b": rng.standard_normal(200)})
    frame.loc[rng.random(200) < 0.3 * z, "a"] = np.nan
    table = attrition(frame, z, cells=cells)
    mine = itt(frame["a"].notna().astype(float), z, cells=cells)
    assert table.estimate[0] == pytest.approx(mine.estimate[0], rel=1e-12)
    assert table.p_value[0] == pytest.approx(mine.p_value[0], rel=1e-9)
    assert table.mean_control[1] == 1.0
    assert table.mean_treated[0] == pytest.approx(frame.loc[z == 1, "a"].notna().mean())
    assert table.outcomes == ("a", "b")
