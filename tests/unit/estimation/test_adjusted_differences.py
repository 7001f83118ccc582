"""Adjusted differences and propensity scores against statsmodels, their definitions, and stacked estimating equations."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize
from statsmodels.treatment.treatment_effects import TreatmentEffect

from refino_eval.errors import UserError
from refino_eval.estimation import adjusted_differences, overlap, regression_inputs
from refino_eval.estimation.effects.propensity import covariates_of, propensity_score

ROWS = {"regression_adjustment": 0, "ipw": 1, "entropy_balancing": 2, "aipw": 3}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(4)
    n = 700
    x, cell = rng.normal(size=(n, 2)), rng.integers(0, 4, n)
    p = 1 / (1 + np.exp(-(0.6 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * cell - 0.5)))
    z = (rng.random(n) < p).astype(float)
    y = x @ [1, 0.5] + 0.4 * cell + z * (1 + 0.6 * x[:, 0]) + rng.normal(size=n)
    columns = np.column_stack((np.ones(n), x, pd.get_dummies(cell, drop_first=True).to_numpy(float)))
    return y, z, x, cell, columns, rng.uniform(0.4, 2, n), rng.integers(0, 40, n)


def test_methods_equal_statsmodels(people):
    y, z, x, cell, columns, *_ = people
    table = adjusted_differences(y, z, cells=cell, controls=x, vcov="HC0")
    model = TreatmentEffect(sm.OLS(y, columns), z.astype(int), results_select=sm.Logit(z, columns).fit(disp=0))
    for method, p, result in (
        ("ipw", 0, model.ipw()), ("ipw", 1, model.ipw(effect_group=1)), ("aipw", 0, model.aipw()),
        ("regression_adjustment", 0, model.ra()), ("regression_adjustment", 1, model.ra(effect_group=1)),
    ):  # fmt: skip
        assert table.estimate[ROWS[method], p, 0] == pytest.approx(float(np.ravel(result.effect)[0]), rel=1e-8), method
        assert table.std_error[ROWS[method], p, 0] == pytest.approx(float(result.results_gmm.bse[0]), rel=1e-5), method


def moments(theta, y, z, w, x, method, att):
    """Return each person's estimating equations: the outcome models, the logit or balancing multipliers, and the arms' means."""
    k = x.shape[1]
    target = w * (z if att else 1.0)
    b, gamma, means = (theta[:k], theta[k : 2 * k]), theta[2 * k : 3 * k], theta[-2:]
    balance = theta[3 * k : 5 * k].reshape(2, k)
    score = 1 / (1 + np.exp(-x @ gamma))
    parts = [x * (w * (z == a) * (y - x @ b[a]))[:, None] for a in (0, 1)] + [x * (w * (z - score))[:, None]]
    for a in (0, 1):
        q = w * (z == a) * np.exp(x @ balance[a])
        parts.append(x * (q - target)[:, None])
    for a in (0, 1):
        mine = z == a
        odds = (np.ones_like(y) if a else score / (1 - score)) if att else 1 / (score if a else 1 - score)
        q, fitted = w * mine * odds, x @ b[a]
        if method == "regression_adjustment":
            g = target * (fitted - means[a])
        elif method == "ipw":
            g = q * (y - means[a])
        elif method == "entropy_balancing":
            g = w * mine * np.exp(x @ balance[a]) * (y - means[a])
        else:
            g = target * (fitted - means[a]) + q * (y - fitted)
        parts.append(g[:, None])
    return np.hstack(parts)


@pytest.mark.parametrize("att", [False, True])
def test_every_method_solves_its_estimating_equations_with_weights_and_clusters(people, att):
    """Means from the package, everything else solved here; the sandwich with a numerical Jacobian gives the standard errors."""
    y, z, x, cell, columns, w, cluster = people
    options = {"cells": cell, "controls": x, "weights": w}
    plain = adjusted_differences(y, z, vcov="HC0", **options)
    clustered = adjusted_differences(y, z, vcov="CRV1", cluster=cluster, **options)
    n, k = columns.shape
    w = w / w.mean()
    target = w * (z if att else 1.0)
    start = []
    for a in (0, 1):
        start.append(sm.WLS(y, columns, weights=w * (z == a)).fit().params)
    start.append(sm.GLM(z, columns, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-13).params)
    for a in (0, 1):
        base = w * (z == a)

        def gap(b, base=base):
            return columns.T @ (base * np.exp(columns @ b) - target)

        start.append(optimize.root(gap, np.zeros(k), tol=1e-12).x)
    for method, row in ROWS.items():
        theta = np.concatenate([*start, [0.0, 0.0]])
        for a in (0, 1):
            # The last two equations are linear in the means.
            at = [moments(np.r_[theta[:-2], m, m], y, z, w, columns, method, att)[:, -2 + a].sum() for m in (0.0, 1.0)]
            theta[-2 + a] = at[0] / (at[0] - at[1])
        p = int(att)
        assert plain.estimate[row, p, 0] == pytest.approx(theta[-1] - theta[-2], abs=1e-7), method
        psi = moments(theta, y, z, w, columns, method, att)
        step = 1e-5
        jacobian = np.stack(
            [
                (
                    moments(theta + step * e, y, z, w, columns, method, att).sum(axis=0)
                    - moments(theta - step * e, y, z, w, columns, method, att).sum(axis=0)
                )
                / (2 * step)
                for e in np.eye(theta.size)
            ],
            axis=1,
        )
        influence = -np.linalg.solve(jacobian, psi.T).T
        difference = influence[:, -1] - influence[:, -2]
        assert plain.std_error[row, p, 0] == pytest.approx(np.sqrt(difference @ difference), rel=1e-5), method
        sums = np.bincount(cluster, difference)
        groups = np.unique(cluster).size
        factor = groups / (groups - 1) * (n - 1) / (n - k - 1)
        assert clustered.std_error[row, p, 0] == pytest.approx(np.sqrt(factor * (sums @ sums)), rel=1e-5), method
        assert clustered.df[0] == groups - 1


def test_aipw_needs_one_right_model_and_regression_needs_its_own():
    """Treatment depends on x squared: with x alone in the outcome model and the right score, aipw and ipw have little bias."""
    rng = np.random.default_rng(9)
    n = 6000
    x = rng.normal(size=n)
    z = (rng.random(n) < 1 / (1 + np.exp(-(x**2 - 1) * 0.8))).astype(float)
    y = z + x**2 + rng.normal(size=n)
    wrong = adjusted_differences(y, z, controls=x[:, None], vcov="HC1")
    right = adjusted_differences(y, z, controls=np.column_stack((x, x**2)), vcov="HC1", folds=5, seed=3)
    assert abs(wrong.estimate[ROWS["aipw"], 0, 0] - 1) > 0.5
    for method, row in ROWS.items():
        assert abs(right.estimate[row, 0, 0] - 1) < 4 * right.std_error[row, 0, 0], method
    again = adjusted_differences(y, z, controls=np.column_stack((x, x**2)), vcov="HC1", folds=5, seed=4)
    assert 0 < abs(again.estimate[3, 0, 0] - right.estimate[3, 0, 0]) < right.std_error[3, 0, 0] / 3


def test_people_without_a_counterpart_and_beyond_the_threshold_are_left_out_and_counted(people):
    y, z, x, cell, *_ = people
    alone = np.where((cell == 3) & (z == 1), 9, cell)
    table = adjusted_differences(y, z, cells=alone, controls=x, vcov="HC1")
    assert table.n_left_out[0].tolist() == [int(((cell == 3) & (z == 0)).sum()), int((alone == 9).sum())]
    assert int(table.n[0] + table.n_left_out[0].sum()) == y.size
    kept = cell != 3
    same = adjusted_differences(y[kept], z[kept], cells=cell[kept], controls=x[kept], vcov="HC1")
    np.testing.assert_allclose(table.estimate, same.estimate, rtol=1e-9)
    trimmed = adjusted_differences(y, z, cells=cell, controls=x, vcov="HC1", trim=0.2)
    score = propensity_score(covariates_of(regression_inputs(z, cells=cell, controls=x, vcov="HC1"))).score
    assert int(trimmed.n_trimmed[0].sum()) == int(((score < 0.2) | (score > 0.8)).sum()) > 0
    with pytest.raises(UserError, match="predict the arm"):
        adjusted_differences(y, z, controls=z[:, None] + 0.001 * x[:, :1], vcov="HC1")


def test_no_balancing_weights_is_no_estimate():
    z = np.repeat([0.0, 1.0], 30)
    x = np.r_[np.linspace(0, 1, 30), np.linspace(0.8, 2, 30)]
    table = adjusted_differences(
        x**2, z, methods=["entropy_balancing"], populations=["att"], controls=x[:, None], vcov="HC1"
    )
    assert np.isnan(table.estimate).all()


def test_overlap_is_described_by_its_definitions(people):
    _, z, x, cell, columns, w, _ = people
    table = overlap(regression_inputs(z, cells=cell, controls=x, weights=w, vcov="HC1"))
    fit = sm.GLM(z, columns, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-13)
    score = fit.fittedvalues
    arm = z == 1
    assert table.mean[1] == pytest.approx(np.average(score[arm], weights=w[arm]), rel=1e-9)
    weight = w / np.where(arm, score, 1 - score)
    assert table.effective_n[1, 0] == pytest.approx(weight[~arm].sum() ** 2 / np.sum(weight[~arm] ** 2), rel=1e-8)
    scale = np.sqrt(np.mean([np.cov(x[side, 0], aweights=w[side], ddof=0) for side in (arm, ~arm)]))
    gaps = [np.average(x[arm, 0], weights=v[arm]) - np.average(x[~arm, 0], weights=v[~arm]) for v in (w, weight)]
    np.testing.assert_allclose(table.standardised[0, :2], np.array(gaps) / scale, rtol=1e-7)
    outside = (score < max(score[arm].min(), score[~arm].min())) | (score > min(score[arm].max(), score[~arm].max()))
    assert table.outside_support[0] == pytest.approx(np.average(outside[~arm], weights=w[~arm]))
    assert table.shares.sum(axis=0) == pytest.approx([1, 1])
    assert int(table.counts.sum()) == z.size
