"""Durations with censoring, against products and partial likelihoods written out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize

from refino_eval.errors import UserError
from refino_eval.estimation import cox, log_rank, survival_shares
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.models import survival
from refino_eval.estimation.verification.hazard_engine import ask_hazard


def plain_kaplan_meier(duration, ended, t):
    share, total = 1.0, 0.0
    for moment in np.unique(duration[(ended == 1) & (duration <= t)]):
        at_risk, gone = np.sum(duration >= moment), np.sum((duration == moment) & (ended == 1))
        share *= 1 - gone / at_risk
        total += gone / (at_risk * (at_risk - gone)) if at_risk > gone else np.inf
    return share, share * np.sqrt(total) if share > 0 else 0.0


def test_shares_are_the_product_of_what_is_left():
    rng = np.random.default_rng(0)
    arm = rng.integers(0, 2, 120)
    duration = rng.integers(1, 14, 120).astype(float)
    ended = (rng.random(120) < 0.7).astype(float)
    times = [0.5, 1, 3, 6.5, 12, 13]
    table = survival_shares(duration, ended, times=times, by=arm)
    for g, group in enumerate(table.groups):
        mine = arm == int(group)
        for k, t in enumerate(times):
            share, error = plain_kaplan_meier(duration[mine], ended[mine], t)
            assert table.share[g, k] == pytest.approx(share)
            assert table.std_error[g, k] == pytest.approx(error, rel=1e-8)
            assert table.at_risk[g, k] == np.sum(duration[mine] >= t)
            assert table.ended[g, k] + table.censored[g, k] == np.sum(duration[mine] <= t)
            if 0 < share < 1:
                log, reach = np.log(-np.log(share)), 1.959964 * error / abs(share * np.log(share))
                assert table.conf_low[g, k] == pytest.approx(np.exp(-np.exp(log + reach)), rel=1e-6)
                assert table.conf_high[g, k] == pytest.approx(np.exp(-np.exp(log - reach)), rel=1e-6)
    assert table.groups == ("0", "1")
    assert len(table.to_frame()) == 12


def test_without_censoring_it_is_the_share_that_lasts():
    duration = np.arange(1.0, 11.0)
    table = survival_shares(duration, np.ones(10), times=[3, 9.5, 10, 11])
    assert table.share[0] == pytest.approx([0.7, 0.1, 0.0, 0.0])
    assert table.median[0] == 5.0


def test_nothing_is_said_beyond_the_last_person_seen():
    table = survival_shares([2.0, 4.0, 5.0], [1, 0, 0], times=[2, 5, 6])
    assert table.share[0, :2] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(table.share[0, 2])
    assert np.isnan(table.conf_low[0, 2])
    assert np.isnan(table.median[0])
    all_open = survival_shares([2.0, 4.0], [0, 0], times=[1, 4, 5])
    assert all_open.share[0, :2].tolist() == [1.0, 1.0]
    assert np.isnan(all_open.share[0, 2])


def test_faults_of_durations_are_reported_together():
    with pytest.raises(UserError, match=r"2 of 3 in use are missing(.|\n)*1 of 3 in use are not"):
        survival_shares([0.0, np.nan, 2.0], [1, 0, 2], times=[1])
    used = np.array([False, False, True])
    assert survival_shares([0.0, np.nan, 2.0], [1, 0, 1], times=[1], rows=used).n[0] == 1


def test_hazards_are_compared_within_cells():
    rng = np.random.default_rng(1)
    n = 300
    cells = rng.integers(0, 10, n)
    cells[:6] = 50
    z = (rng.random(n) < 0.5).astype(float)
    z[:6] = 1.0
    duration = rng.exponential(np.exp(-0.5 * z - 0.3 * cells)) + 1e-6
    limit = rng.exponential(1.0, n)
    ended = (duration <= limit).astype(float)
    duration = np.minimum(duration, limit)

    def negative_log_likelihood(beta):
        total = 0.0
        for i in np.flatnonzero(ended == 1):
            at_risk = (cells == cells[i]) & (duration >= duration[i])
            total += beta * z[i] - np.log(np.exp(beta * z[at_risk]).sum())
        return -total

    best = optimize.minimize_scalar(
        negative_log_likelihood, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}
    ).x
    step = 1e-3
    curve = (
        negative_log_likelihood(best + step) + negative_log_likelihood(best - step) - 2 * negative_log_likelihood(best)
    )
    found = cox(duration, ended, z, cells=cells)
    assert found.log_ratio == pytest.approx(best, abs=1e-5)
    assert found.std_error == pytest.approx(np.sqrt(step**2 / curve), rel=1e-4)
    assert found.hazard_ratio == pytest.approx(np.exp(best), rel=1e-5)
    assert found.n == 300
    assert found.n_informative <= 294
    assert found.n_cells == 11
    assert found.n_cells_informative == 10
    with pytest.raises(UserError, match="both arms and an observed end"):
        cox(duration[:6], ended[:6], z[:6], cells=cells[:6])


def test_a_cell_of_one_arm_bears_on_a_cox_model_through_its_controls():
    rng = np.random.default_rng(2)
    cells = np.arange(120) // 30
    z = rng.integers(0, 2, 120).astype(float)
    z[:30] = 1.0
    age = rng.normal(size=120)
    duration, ended = rng.exponential(np.exp(-0.5 * z - age)), (rng.random(120) < 0.8).astype(float)
    fit = sm.PHReg(duration, np.column_stack((z, age)), status=ended, strata=cells, ties="efron").fit()
    found = cox(duration, ended, z, cells=cells, controls=pd.DataFrame({"age": age}))
    assert found.log_ratio == pytest.approx(fit.params[0], rel=1e-8)
    assert found.std_error == pytest.approx(fit.bse[0], rel=1e-8)
    assert (found.n, found.n_informative) == (120, 90)


def test_clustered_errors_are_those_of_a_library_without_ties():
    rng = np.random.default_rng(8)
    n, clusters, cells = 240, np.arange(240) // 4, np.arange(240) % 3
    z, x = rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    duration = rng.exponential(np.exp(-0.4 * z + rng.normal(0, 1, 60)[clusters]))
    ended = (rng.random(n) < 0.8).astype(float)
    found = cox(duration, ended, z, cells=cells, controls=x, cluster=clusters, vcov="CRV1")
    model = sm.PHReg(duration, np.column_stack((z, x)), status=ended, strata=cells, ties="efron")
    fit = model.fit()
    assert found.log_ratio == pytest.approx(fit.params[0], rel=1e-8)
    # The library's residuals of who is censored before the first end of the cell are NaN instead of 0.
    parts = np.nan_to_num(model.score_residuals(fit.params))
    sums = np.stack([np.bincount(clusters, weights=part) for part in parts.T])
    errors = np.sqrt(np.diag(fit.cov_params() @ sums @ sums.T @ fit.cov_params()) * 60 / 59)
    assert found.std_error == pytest.approx(errors[0], rel=1e-6)
    assert found.coefficients[0].std_error == pytest.approx(errors[1], rel=1e-6)
    assert found.std_error != pytest.approx(cox(duration, ended, z, cells=cells, controls=x).std_error, rel=0.01)
    # The clustered log-rank test is the score over the squares of its sums in clusters, where the score is observed less expected.
    rank = log_rank(duration, ended, z, cells=cells, cluster=clusters, vcov="CRV1")
    plain = log_rank(duration, ended, z, cells=cells)
    residuals = sm.PHReg(duration, z[:, None], status=ended, strata=cells).score_residuals(np.zeros(1))
    sums = np.bincount(clusters, weights=np.nan_to_num(residuals[:, 0]))
    assert rank.observed - rank.expected == pytest.approx(sums.sum(), rel=1e-8)
    assert rank.chi2 == pytest.approx((plain.observed - plain.expected) ** 2 / (sums @ sums), rel=1e-8)


def test_score_residuals_with_ties_are_the_derivative_of_the_likelihood_by_a_weight():
    """Efron's log-likelihood with case weights, by differences of weights and effect; at no effect it is exact for single ends."""
    duration, ended = np.array([1.0, 1, 2, 2, 2, 3, 4, 4]), np.array([1.0, 1, 1, 1, 0, 0, 1, 1])
    z = np.array([0.0, 1, 1, 0, 0, 1, 0, 1])
    sample = survival.AtRisk(duration, ended == 1, z[:, None], np.zeros(8, dtype=np.int64))
    beta = np.array([0.3])
    residuals = survival._score_residuals(sample, beta, efron=True)[:, 0]

    def likelihood(b):
        total = 0.0
        for moment in np.unique(duration[ended == 1]):
            ends = (duration == moment) & (ended == 1)
            risk, m = np.exp(b * z) * (duration >= moment), int(ends.sum())
            total += b * z[ends].sum() - sum(np.log(risk.sum() - part / m * risk[ends].sum()) for part in range(m))
        return total

    slope = (likelihood(0.3 + 1e-6) - likelihood(0.3 - 1e-6)) / 2e-6
    assert residuals.sum() == pytest.approx(slope, rel=1e-7)
    # Who is never at risk when somebody ends has no part; who is censored has only the second term.
    assert residuals[5] == pytest.approx(residuals_of_censored(duration, ended, z, 0.3, 5), rel=1e-12)


def residuals_of_censored(duration, ended, z, b, i):
    total = 0.0
    for moment in np.unique(duration[(ended == 1) & (duration <= duration[i])]):
        ends = (duration == moment) & (ended == 1)
        m = int(ends.sum())
        for part in range(m):
            risk = np.exp(b * z) * (duration >= moment) * np.where(ends, 1 - part / m, 1)
            total -= np.exp(b * z[i]) / risk.sum() * (z[i] - risk @ z / risk.sum())
    return total


def test_the_score_written_out_gives_back_coefficients_and_errors_with_ties_and_clusters():
    rng = np.random.default_rng(4)
    n, cells, clusters = 200, np.arange(200) % 3, np.arange(200) // 4
    z, x = rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    duration = np.ceil(6 * rng.exponential(np.exp(-0.4 * z + 0.2 * x)))
    ended = (rng.random(n) < 0.7).astype(float)
    for options in ({}, {"cluster": clusters, "vcov": "CRV1"}):
        with recording():
            found = cox(duration, ended, z, cells=cells, controls=x, **options)
        coefficients, errors = ask_hazard(found.fitted)
        assert coefficients[0] == pytest.approx(found.log_ratio, rel=1e-9)
        assert errors == pytest.approx([found.std_error, found.coefficients[0].std_error], rel=1e-9)
        moved = replace(found.fitted, coefficients=found.fitted.coefficients + 0.01)
        assert abs(ask_hazard(moved)[0][0] - moved.coefficients[0]) > 1e-3
    assert found.fitted.sample.clusters is not None
    assert cox(duration, ended, z, cells=cells).fitted is None
