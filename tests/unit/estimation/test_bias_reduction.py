"""CR2, CR3 and their degrees of freedom equal the papers' formulas with whole matrices, wherever clusters and cells meet."""

import numpy as np
import pytest
from scipy import special
from tests.support.dense_cr2 import dense_cr2

from refino_eval.errors import UserError
from refino_eval.estimation import (
    dynamics,
    estimands,
    interactions,
    itt,
    late,
    prepare_columns,
    subgroups,
    sup_t,
    wald_test,
)


def a_trial(shape, seed=1, n=120):
    """Cells that cross clusters, contain them, or lie within them; clusters are of unequal size."""
    rng = np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, 16, n))
    cells = {
        "crossed": rng.integers(0, 6, n),
        "clusters_in_cells": cluster // 4,
        "cells_in_clusters": cluster * 2 + rng.integers(0, 2, n),
    }[shape]
    z = (cluster % 4 < 2) * 1.0 if shape == "clusters_in_cells" else (rng.random(n) < 0.4) * 1.0
    x = rng.standard_normal((n, 2))
    y = 0.3 * z + x @ [0.5, -0.2] + rng.standard_normal(16)[cluster] + rng.standard_normal(n)
    return y, z, x, cells, cluster, rng.uniform(0.3, 3.0, n)


def dummies(cells):
    return (np.asarray(cells)[:, None] == np.unique(cells)).astype(float)


def contrasts_of(k, *columns):
    rows = np.zeros((len(columns), k))
    rows[np.arange(len(columns)), columns] = 1.0
    return rows


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["CR2", "CR3"])
@pytest.mark.parametrize("shape", ["crossed", "clusters_in_cells", "cells_in_clusters"])
def test_covariance_and_degrees_of_freedom_equal_whole_matrices(shape, vcov, weighted):
    y, z, x, cells, cluster, w = a_trial(shape)
    weights = w if weighted else None
    columns = np.column_stack((z, x, dummies(cells)))
    design = prepare_columns(
        np.column_stack((z, x[:, 0])),
        names=["z", "x"],
        controls=x[:, 1:],
        cells=cells,
        cluster=cluster,
        weights=weights,
    )
    fit = design.fit(y)
    for chosen in ((0,), (1,), (0, 1)):
        own = np.eye(2)[list(chosen)]
        b, cov, eta = dense_cr2(
            columns, y, cluster, contrasts_of(columns.shape[1], *chosen), weights=weights, power=int(vcov[2]) - 1
        )
        assert own @ fit.coefficients[:, 0] == pytest.approx(b, rel=1e-9)
        assert own @ fit.coefficient_cov(0, vcov) @ own.T == pytest.approx(cov, rel=1e-9)
        assert design.df(vcov, loadings=own) == pytest.approx(eta, rel=1e-9)
    assert design.dfs(vcov)[1] == design.df(vcov, focus=1)


def test_every_printed_number_of_an_effect_has_these_degrees_of_freedom():
    y, z, x, cells, cluster, w = a_trial("clusters_in_cells")
    table = itt(np.column_stack((y, y**2)), z, controls=x, cells=cells, cluster=cluster, weights=w)
    assert table.vcov == "CR2", "the usual covariance with clusters"
    columns = np.column_stack((z, x, dummies(cells)))
    for j, outcome in enumerate((y, y**2)):
        b, cov, eta = dense_cr2(columns, outcome, cluster, contrasts_of(columns.shape[1], 0), weights=w)
        error = np.sqrt(cov[0, 0])
        reach = special.stdtrit(eta, 0.975) * error
        assert table.df[j] == pytest.approx(eta, rel=1e-9)
        assert [table.conf_low[j], table.conf_high[j]] == pytest.approx([b[0] - reach, b[0] + reach], rel=1e-8)
        assert table.p_value[j] == pytest.approx(2 * special.stdtr(eta, -abs(b[0] / error)), rel=1e-8)
    assert eta < 16 - 1, "clusters less one is what CRV1 would take"


def test_two_stage_least_squares_projects_take_up_as_club_sandwich_does():
    y, z, x, cells, cluster, w = a_trial("crossed")
    d = (np.random.default_rng(2).random(y.size) < 0.2 + 0.5 * z) * 1.0
    table = late(y, d, z, controls=x, cells=cells, cluster=cluster, weights=w)
    root = np.sqrt(w)[:, None]
    exogenous = np.column_stack((x, dummies(cells)))
    instruments, regressors = np.column_stack((z, exogenous)) * root, np.column_stack((d, exogenous)) * root
    fitted = instruments @ np.linalg.lstsq(instruments, regressors, rcond=None)[0] / root
    beta = np.linalg.pinv(fitted * root) @ (y * root[:, 0])
    # The residual of the second stage is that of take-up itself; the columns are the projected ones.
    residual_outcome = y - np.column_stack((d, exogenous)) @ beta + fitted @ beta
    _, cov, eta = dense_cr2(fitted, residual_outcome, cluster, contrasts_of(fitted.shape[1], 0), weights=w)
    assert table.estimate[0] == pytest.approx(beta[0], rel=1e-9)
    assert table.std_error[0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-8)
    assert table.df[0] == pytest.approx(eta, rel=1e-8)
    ratio = (table.ar_set[0].low - table.estimate[0]) / (table.conf_low[0] - table.estimate[0])
    assert 0.5 < ratio < 2.0, "the Anderson-Rubin set has the same degrees of freedom"


@pytest.mark.parametrize("weighted", [False, True])
def test_differences_between_groups_are_those_of_the_interacted_regression(weighted):
    y, z, x, cells, cluster, w = a_trial("crossed", n=200)
    weights = w if weighted else None
    groups = np.random.default_rng(4).integers(0, 3, y.size)
    table = subgroups(y, z, groups, cells=cells, controls=x, cluster=cluster, weights=weights)
    blocks = [np.column_stack((z, x, dummies(cells))) * (groups == g)[:, None] for g in range(3)]
    columns = np.hstack([block[:, np.any(block, axis=0)] for block in blocks])
    starts = np.cumsum([0, *[np.any(block, axis=0).sum() for block in blocks]])
    apart = contrasts_of(columns.shape[1], *starts[1:3]) - contrasts_of(columns.shape[1], starts[0], starts[0])
    for k in range(2):
        b, cov, eta = dense_cr2(columns, y, cluster, apart[[k]], weights=weights)
        assert table.difference[k, 0] == pytest.approx(b[0], rel=1e-8)
        assert table.std_error[k, 0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-8)
        assert table.df[k, 0] == pytest.approx(eta, rel=1e-8)
    b, cov, eta = dense_cr2(columns, y, cluster, apart, weights=weights)
    test = table.equality[0]
    assert test.df_den == pytest.approx(eta - 1, rel=1e-8)
    assert test.f_stat == pytest.approx((eta - 1) / eta * (b @ np.linalg.solve(cov, b)) / 2, rel=1e-8)


def test_joint_test_of_interactions_is_hotellings():
    y, z, x, cells, cluster, _ = a_trial("crossed")
    table = interactions(y, z, {"a": x[:, 0], "b": x[:, 1]}, cells=cells, cluster=cluster)
    columns = np.column_stack((x, z, z * x[:, 0], z * x[:, 1], dummies(cells)))
    b, cov, eta = dense_cr2(columns, y, cluster, contrasts_of(columns.shape[1], 3, 4))
    test = table.joint_test[0]
    assert (test.df_num, test.df_den) == (2, pytest.approx(eta - 1, rel=1e-8))
    assert test.f_stat == pytest.approx((eta - 1) / eta * (b @ np.linalg.solve(cov, b)) / 2, rel=1e-8)
    assert test.p_value == pytest.approx(special.fdtrc(2, eta - 1, test.f_stat), rel=1e-10)
    alone = table.regressions[0]
    assert alone.df[-1] != alone.df[0], "each coefficient has its degrees of freedom"


def test_hotellings_test_without_degrees_of_freedom_has_no_p_value():
    test = wald_test(np.ones(4), np.eye(4), 50.0, freedom=lambda directions: 2.5)
    assert np.isnan(test.p_value)
    assert np.isnan(test.f_stat)
    assert test.chi2 == 4.0


@pytest.mark.parametrize("weighted", [False, True])
def test_bell_mccaffrey_degrees_of_freedom_are_of_clusters_of_one_person(weighted):
    y, z, x, cells, _, w = a_trial("crossed")
    table = itt(y, z, cells=cells, controls=x, vcov="HC2_BM", weights=w if weighted else None)
    plain = itt(y, z, cells=cells, controls=x, vcov="HC2", weights=w if weighted else None)
    assert table.std_error[0] == plain.std_error[0]
    if not weighted:
        columns = np.column_stack((z, x, dummies(cells)))
        _, cov, eta = dense_cr2(columns, y, np.arange(y.size), contrasts_of(columns.shape[1], 0))
        assert table.std_error[0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-9)
        assert table.df[0] == pytest.approx(eta, rel=1e-9)
    assert 0 < table.df[0] < plain.df[0]


def test_two_means_have_the_published_degrees_of_freedom():
    # Imbens and Kolesar (2016), section II: with HC2 and a binary regressor the degrees of freedom are
    # (1/n0 + 1/n1)^2 / (1 / (n0^2 (n0 - 1)) + 1 / (n1^2 (n1 - 1))) under equal variances: n0 = 27, n1 = 3 gives 2.5, as in their table 1.
    n0, n1 = 27, 3
    z = np.repeat([0.0, 1.0], [n0, n1])
    y = np.random.default_rng(1).standard_normal(n0 + n1)
    formula = (1 / n0 + 1 / n1) ** 2 / (1 / (n0**2 * (n0 - 1)) + 1 / (n1**2 * (n1 - 1)))
    table = itt(y, z, vcov="HC2_BM")
    assert table.df[0] == pytest.approx(formula, rel=1e-10)
    assert round(table.df[0], 1) == 2.5
    # As many clusters of equal size, whose members are alike, are the same problem.
    copies = itt(np.repeat(y, 5), np.repeat(z, 5), cluster=np.repeat(np.arange(30), 5))
    assert copies.df[0] == pytest.approx(formula, rel=1e-10)
    assert copies.std_error[0] == pytest.approx(table.std_error[0], rel=1e-10)


def test_pairs_of_clusters_have_the_variance_of_paired_differences():
    # With two clusters of equal size in a pair, CR2 is the variance of the pairs' differences, with pairs - 1 degrees of freedom:
    # what clustering at the pair gives (de Chaisemartin and Ramirez-Cuellar 2024).
    rng = np.random.default_rng(3)
    pair, size = np.repeat(np.arange(12), 8), 4
    cluster = np.repeat(np.arange(24), size)
    z = (cluster % 2) * 1.0
    y = rng.standard_normal(12)[pair] + rng.standard_normal(24)[cluster] + rng.standard_normal(96)
    table = itt(y, z, cells=pair, cluster=cluster)
    gaps = np.array([y[cluster == 2 * p + 1].mean() - y[cluster == 2 * p].mean() for p in range(12)])
    assert table.estimate[0] == pytest.approx(gaps.mean(), rel=1e-10)
    assert table.std_error[0] == pytest.approx(gaps.std(ddof=1) / np.sqrt(12), rel=1e-10)
    assert table.df[0] == pytest.approx(11, rel=1e-10)
    saturated = estimands(y, z, cells=pair, cluster=cluster)
    assert saturated.std_error[1, 0] == pytest.approx(table.std_error[0], rel=1e-8)
    assert saturated.df[1, 0] == pytest.approx(11, rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_saturated_and_interacted_estimates_have_their_regressions_covariance(weighted):
    y, z, x, cells, cluster, w = a_trial("crossed", n=240)
    weights = w if weighted else None
    table = estimands(y, z, cells=cells, controls=x, cluster=cluster, weights=weights)
    w = w if weighted else np.ones(y.size)
    own = dummies(cells)
    share = w @ own / w.sum()
    centred = x - own @ ((own * w[:, None]).T @ x / (w @ own)[:, None])
    columns = np.hstack((own, z[:, None] * own, centred, z[:, None] * centred))
    contrast = np.zeros((1, columns.shape[1]))
    contrast[0, share.size : 2 * share.size] = share
    b, cov, eta = dense_cr2(columns, y, cluster, contrast, weights=weights)
    assert table.estimate[3, 0] == pytest.approx(b[0], rel=1e-8)
    assert table.std_error[3, 0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-8)
    assert table.df[3, 0] == pytest.approx(eta, rel=1e-8)
    bare = estimands(y, z, cells=cells, cluster=cluster, weights=weights)
    b, cov, eta = dense_cr2(columns[:, : 2 * share.size], y, cluster, contrast[:, : 2 * share.size], weights=weights)
    assert bare.std_error[1, 0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-8)
    assert bare.df[1, 0] == pytest.approx(eta, rel=1e-8)


def test_bands_and_placebo_tests_use_the_degrees_of_freedom():
    y, z, _, cells, cluster, _ = a_trial("clusters_in_cells")
    paths = y[:, None] + np.random.default_rng(5).standard_normal((y.size, 5))
    effects = dynamics(paths, z, times=[-2, -1, 0, 1, 2], cells=cells, cluster=cluster, draws=4000)
    df = effects.effects.df[0]
    assert effects.critical_value == sup_t(effects.cov, draws=4000, df=df)
    assert effects.critical_value > special.stdtrit(df, 0.975)
    assert effects.placebo.df_den == pytest.approx(df - 1, rel=1e-12)


def test_clusters_fitted_exactly_do_not_break_the_variance():
    # A control that is 1 in one cluster alone leaves that cluster no residual in one direction.
    y, z, _, cells, cluster, _ = a_trial("crossed")
    alone = (cluster == 3) * 1.0
    columns = np.column_stack((z, alone, dummies(cells)))
    _, cov, eta = dense_cr2(columns, y, cluster, contrasts_of(columns.shape[1], 0))
    table = itt(y, z, controls=alone[:, None], cells=cells, cluster=cluster)
    assert table.std_error[0] == pytest.approx(np.sqrt(cov[0, 0]), rel=1e-8)
    assert table.df[0] == pytest.approx(eta, rel=1e-8)


def test_one_cluster_is_refused():
    y, z, _, cells, _, _ = a_trial("crossed")
    with pytest.raises(UserError, match="at least two clusters"):
        itt(y, z, cells=cells, cluster=np.zeros(y.size))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["CR2", "CR3"])
def test_one_treated_cluster_has_no_standard_error(vcov, weighted):
    # The treated cluster is fitted exactly: CRV1 and a generalised inverse would take its variance for 0.
    y, _, x, _, cluster, w = a_trial("crossed")
    z, weights = (cluster == 5) * 1.0, w if weighted else None
    table = itt(y, z, controls=x, cluster=cluster, vcov=vcov, weights=weights)
    assert np.isfinite(table.estimate[0])
    assert np.isnan([table.std_error[0], table.p_value[0], table.conf_low[0], table.df[0]]).all()
    two = itt(y, z + (cluster == 6), controls=x, cluster=cluster, vcov=vcov, weights=weights)
    assert np.isfinite([two.std_error[0], two.df[0]]).all()
    # Of several coefficients the others keep theirs.
    both = prepare_columns(np.column_stack((z, x[:, 0])), names=["z", "x"], cluster=cluster, weights=weights)
    assert np.isnan(both.df(vcov))
    assert np.isfinite(both.df(vcov, focus=1))
    assert np.isfinite(both.fit(y).std_errors(vcov)[1, 0])
