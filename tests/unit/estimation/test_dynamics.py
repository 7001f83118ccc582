"""Effects over event time: bands, joint tests, sums, missing months."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from refino_eval.errors import UserError
from refino_eval.estimation import cumulate, dynamics, itt, prepare, sup_t, wald_test

TIMES = np.arange(-3, 5)


def monthly(t, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((t.z.size, TIMES.size)).cumsum(axis=1) + 0.1 * t.cells[:, None]


def test_each_time_is_an_itt(trial):
    t = trial(1)
    y = monthly(t)
    y[:9, -2:] = np.nan
    options = {"cells": t.cells, "controls": t.controls, "vcov": "HC2", "missing": "available"}
    found = dynamics(y, t.z, times=TIMES, **options)
    plain = itt(y, t.z, **options)
    for name in ("estimate", "std_error", "conf_low", "conf_high", "mean_control", "n"):
        np.testing.assert_array_equal(getattr(found.effects, name), getattr(plain, name))
    frame = found.to_frame()
    assert frame["time"].tolist() == TIMES.tolist()
    assert frame["n"].tolist() == [120] * 6 + [111] * 2
    np.testing.assert_allclose(frame["band_high"] - frame["estimate"], found.critical_value * frame["std_error"])


def test_joint_covariance_across_samples_is_that_of_stacked_people(trial):
    t = trial(2)
    y = monthly(t)
    y[:9, [2, 6]], y[4:30, 0] = np.nan, np.nan
    for vcov, cluster in (("HC0", None), ("CRV1", t.cluster)):
        found = dynamics(y, t.z, times=TIMES, cells=t.cells, controls=t.controls, vcov=vcov, cluster=cluster)
        scores = np.zeros(y.shape)
        for k in range(TIMES.size):
            rows = np.isfinite(y[:, k])
            one = None if cluster is None else cluster[rows]
            design = prepare(t.z[rows], cells=t.cells[rows], controls=t.controls[rows], cluster=one)
            scores[rows, k] = design.fit(y[rows, k]).scores(vcov)[:, 0]
        if cluster is not None:
            scores = pd.DataFrame(scores).groupby(cluster).sum().to_numpy()
        np.testing.assert_allclose(found.cov, scores.T @ scores, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), found.effects.std_error, rtol=1e-10)


def test_rows_select_a_subgroup(trial):
    t = trial(2)
    group = np.random.default_rng(0).random(120) < 0.8
    found = dynamics(monthly(t), t.z, times=TIMES, cells=t.cells, rows=group)
    alone = dynamics(monthly(t)[group], t.z[group], times=TIMES, cells=t.cells[group])
    np.testing.assert_allclose(found.cov, alone.cov, rtol=1e-10)


def test_placebo_is_the_wald_test_of_the_months_before(trial):
    t = trial(3)
    found = dynamics(monthly(t), t.z, times=TIMES, cells=t.cells, onset=0)
    b, cov = found.effects.estimate[:3], found.cov[:3, :3]
    chi2 = b @ np.linalg.solve(cov, b)
    df = found.effects.df[0]
    assert found.placebo.chi2 == pytest.approx(chi2, rel=1e-8)
    assert found.placebo.p_value == pytest.approx(stats.f.sf(chi2 / 3, 3, df), rel=1e-8)
    assert found.placebo.p_chi2 == pytest.approx(stats.chi2.sf(chi2, 3), rel=1e-8)
    assert (found.placebo.df_num, found.response.df_num) == (3, 5)
    assert dynamics(monthly(t)[:, 3:], t.z, times=TIMES[3:], cells=t.cells).placebo is None
    assert dynamics(monthly(t), t.z, times=TIMES, cells=t.cells, onset=9).response is None


def test_wald_counts_only_independent_coefficients():
    cov = np.array([[4.0, 0.0, 4.0, 0.0], [0.0, 1.0, 0.0, 0.0], [4.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    test = wald_test(np.array([2.0, 1.0, 2.0, 0.0]), cov, 50)
    assert test.df_num == 2
    assert test.chi2 == pytest.approx(2.0)
    assert test.f_stat == pytest.approx(1.0)
    nothing = wald_test(np.zeros(2), np.zeros((2, 2)), 50)
    assert nothing.df_num == 0
    assert np.isnan(nothing.p_value)


def test_wald_does_not_depend_on_units():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4))
    cov, b = root @ root.T, rng.standard_normal(4)
    units = np.array([1e-6, 1.0, 1e5, 1e8])
    assert wald_test(b * units, cov * np.outer(units, units), 30).chi2 == pytest.approx(wald_test(b, cov, 30).chi2)


def test_sup_t_has_its_known_values():
    for count in (1, 5, 40):
        sidak = stats.norm.ppf(0.5 + 0.95 ** (1 / count) / 2)
        assert sup_t(np.eye(count), draws=200_000) == pytest.approx(sidak, abs=0.015), count
    assert sup_t(np.full((6, 6), 3.0), draws=200_000) == pytest.approx(1.96, abs=0.01)
    assert sup_t(np.eye(3), level=0.5, draws=200_000) == pytest.approx(
        stats.norm.ppf(0.5 + 0.5 ** (1 / 3) / 2), abs=0.01
    )


def test_sup_t_ignores_units_and_times_without_variance_and_keeps_to_its_seed():
    rng = np.random.default_rng(4)
    root = rng.standard_normal((5, 5))
    cov = root @ root.T
    units = np.array([1.0, 10.0, 0.1, 3.0, 1e4])
    value = sup_t(cov, seed=3)
    assert sup_t(cov, seed=3) == value
    assert sup_t(cov, seed=4) != value
    assert sup_t(cov * np.outer(units, units), seed=3) == pytest.approx(value, rel=1e-10)
    padded = np.zeros((6, 6))
    padded[1:, 1:] = cov
    assert sup_t(padded, seed=3) == pytest.approx(value, rel=1e-10)
    assert np.isnan(sup_t(np.zeros((2, 2))))


def test_sup_t_is_the_multiplier_bootstrap(trial):
    t = trial(5)
    fit = prepare(t.z, cells=t.cells).fit(monthly(t))
    scores = fit.scores("HC0")
    draws = np.random.default_rng(1).standard_normal((40_000, t.z.size)) @ scores / fit.std_errors("HC0")[0]
    bootstrap = np.quantile(np.abs(draws).max(axis=1), 0.95)
    assert sup_t(fit.joint_cov("HC0"), draws=100_000) == pytest.approx(bootstrap, abs=0.03)


def test_sums_and_their_effects(trial):
    t = trial(6)
    y = monthly(t)
    y[3, 5] = np.nan
    sums, times = cumulate(y, TIMES, start=0)
    assert times.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(sums[10], np.cumsum(y[10, 3:]))
    assert np.isnan(sums[3]).tolist() == [False, False, True, True, True]
    whole = np.delete(y, 3, axis=0)
    z, cells = np.delete(t.z, 3), np.delete(t.cells, 3)
    monthwise = dynamics(whole, z, times=TIMES, cells=cells)
    summed = dynamics(*cumulate(whole, TIMES)[:1], z, times=range(5), cells=cells)
    np.testing.assert_allclose(summed.effects.estimate, np.cumsum(monthwise.effects.estimate[3:]), rtol=1e-9)
    ones = np.tril(np.ones((5, 5)))
    np.testing.assert_allclose(summed.cov, ones @ monthwise.cov[3:, 3:] @ ones.T, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("times", [[-2, 0, 1, 3], [-4, -3, -2, -1], [1, 2, 3, 4]])
def test_sums_need_every_month(times):
    with pytest.raises(UserError, match="Sums from event time 0"):
        cumulate(np.ones((3, 4)), times)


def test_a_month_nobody_is_observed_in_is_named(trial):
    t = trial(7)
    y = monthly(t)
    y[:, -1] = np.nan
    with pytest.raises(UserError, match="'time 4': The sample is empty"):
        dynamics(y, t.z, times=TIMES, cells=t.cells)


def test_classical_errors_need_one_sample(trial):
    t = trial(7)
    y = monthly(t)
    assert np.isfinite(dynamics(y, t.z, times=TIMES, cells=t.cells, vcov="iid").critical_value)
    y[0, 0] = np.nan
    with pytest.raises(UserError, match="no influence form"):
        dynamics(y, t.z, times=TIMES, cells=t.cells, vcov="iid")
