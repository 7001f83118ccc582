"""Estimands: each against its own definition, computed the long way."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from refino_eval.covariances import ROBUST, is_clustered
from refino_eval.errors import UserError
from refino_eval.estimation import estimands, itt


@pytest.fixture
def people():
    """Cells with two or more in each arm, one one-arm cell and one singleton."""
    rng = np.random.default_rng(4)
    cells = np.repeat(np.arange(12), rng.integers(6, 25, 12))
    share = rng.uniform(0.2, 0.85, 12)[cells]
    z = (rng.random(cells.size) < share).astype(float)
    for c in range(12):
        inside = np.flatnonzero(cells == c)
        z[inside[:2]], z[inside[2:4]] = 0.0, 1.0
    z[cells == 11] = 1.0
    cells = np.append(cells, 99)
    z = np.append(z, 0.0)
    x = rng.standard_normal((cells.size, 2)) + 0.1 * (cells % 12)[:, None]
    y = 0.2 * (cells % 12) + (1 + 0.4 * (cells % 12)) * z + x @ [0.5, -1.0] + rng.standard_normal(cells.size) * (1 + z)
    return y, z, cells, x


def by_cell(y, z, cells):
    frame = pd.DataFrame({"y": y, "z": z, "c": cells})
    both = frame.groupby("c")["z"].transform("nunique") == 2
    arms = frame[both].groupby(["c", "z"])["y"].agg(["mean", "var", "size"]).unstack()
    effect = arms["mean"][1.0] - arms["mean"][0.0]
    variance = arms["var"][1.0] / arms["size"][1.0] + arms["var"][0.0] / arms["size"][0.0]
    n1, n0 = arms["size"][1.0], arms["size"][0.0]
    return effect.to_numpy(), variance.to_numpy(), n1.to_numpy(float), n0.to_numpy(float)


def test_each_estimand_is_its_weighted_sum_of_cells(people):
    y, z, cells, _ = people
    table = estimands(y, z, cells=cells, vcov="HC2")
    effect, variance, n1, n0 = by_cell(y, z, cells)
    weights = {"cell_fixed_effects": n1 * n0 / (n1 + n0), "saturated": n1 + n0, "inverse_probability": n1 + n0}
    for row, name in enumerate(table.estimands):
        w = weights[name] / weights[name].sum()
        assert table.estimate[row, 0] == pytest.approx(w @ effect, rel=1e-10)
        neyman = np.sqrt(w**2 @ variance)
        assert np.sqrt(table.cov[0, row, row]) == pytest.approx(neyman, rel=1e-10)
        if row:
            assert table.std_error[row, 0] == pytest.approx(neyman, rel=1e-10)
    v, w = (weights[k] / weights[k].sum() for k in ("saturated", "cell_fixed_effects"))
    assert table.difference[1, 0] == pytest.approx((v - w) @ effect, rel=1e-9)
    assert table.difference_std_error[1, 0] == pytest.approx(np.sqrt((v - w) ** 2 @ variance), rel=1e-9)
    chi2 = (table.difference[1, 0] / table.difference_std_error[1, 0]) ** 2
    assert table.equal[0].df_num == 1, "two of the three coincide"
    assert table.equal[0].chi2 == pytest.approx(chi2, rel=1e-6)


def test_cell_fixed_effects_is_the_itt_also_with_controls(people):
    y, z, cells, x = people
    rng = np.random.default_rng(2)
    options = {"weights": rng.uniform(0.5, 3, y.size), "cluster": rng.integers(0, 20, y.size)}
    for controls in (None, x):
        for vcov in ROBUST:
            chosen = {"cells": cells, "controls": controls, "vcov": vcov, "weights": options["weights"]}
            chosen |= {"cluster": options["cluster"]} if is_clustered(vcov) else {}
            main, table = itt(y, z, **chosen), estimands(y, z, **chosen)
            assert table.estimate[0, 0] == pytest.approx(main.estimate[0], rel=1e-10)
            assert table.std_error[0, 0] == main.std_error[0]
            assert (table.p_value[0, 0], table.df[0, 0]) == (main.p_value[0], main.df[0])
            assert np.sqrt(table.cov[0, 1, 1]) == pytest.approx(table.std_error[1, 0], rel=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["HC0", "HC1", "HC2", "HC3", "CRV1"])
def test_standard_errors_are_of_the_fully_interacted_regression(people, vcov, weighted):
    y, z, cells, x = people
    rng = np.random.default_rng(5)
    w = rng.uniform(0.5, 3.0, y.size) if weighted else np.ones(y.size)
    group = rng.integers(0, 25, y.size)
    table = estimands(
        y, z, cells=cells, controls=x, vcov=vcov, weights=w if weighted else None,
        cluster=group if vcov == "CRV1" else None,
    )  # fmt: skip
    bare = estimands(
        y, z, cells=cells, vcov=vcov, weights=w if weighted else None, cluster=group if vcov == "CRV1" else None
    )
    both = pd.Series(z).groupby(cells).transform("nunique").to_numpy() == 2
    y, z, cells, x, w, group = (part[both] for part in (y, z, cells, x, w, group))
    dummies = (cells[:, None] == np.unique(cells)).astype(float)
    share = w @ dummies / w.sum()
    means = (dummies * w[:, None]).T @ x / (w @ dummies)[:, None]
    centred = x - dummies @ means
    for result, row, columns in (
        (bare, 1, np.hstack((dummies, z[:, None] * dummies))),
        (table, 3, np.hstack((dummies, z[:, None] * dummies, centred, z[:, None] * centred))),
    ):
        contrast = np.concatenate((np.zeros(share.size), share, np.zeros(columns.shape[1] - 2 * share.size)))
        root = np.sqrt(w)[:, None]
        fit = sm.OLS(y * root[:, 0], columns * root)
        kind = {"cov_type": "cluster", "cov_kwds": {"groups": group}} if vcov == "CRV1" else {"cov_type": vcov}
        tested = fit.fit(use_t=True, **kind).t_test(contrast)
        assert result.estimate[row, 0] == pytest.approx(float(tested.effect[0]), rel=1e-8)
        assert result.std_error[row, 0] == pytest.approx(float(np.ravel(tested.sd)[0]), rel=1e-8)
        assert result.df[row, 0] == (24 if vcov == "CRV1" else y.size - columns.shape[1])


def test_weighting_by_the_inverse_share_is_the_saturated_estimate(people):
    y, z, cells, _ = people
    table = estimands(y, z, cells=cells)
    both = pd.Series(z).groupby(cells).transform("nunique").to_numpy() == 2
    p = pd.Series(z).groupby(cells).transform("mean").to_numpy()[both]
    zb, yb = z[both], y[both]
    hajek = np.average(yb, weights=zb / p) - np.average(yb, weights=(1 - zb) / (1 - p))
    assert table.estimate[2, 0] == pytest.approx(hajek, rel=1e-10)
    assert table.estimate[1, 0] == pytest.approx(hajek, rel=1e-10)
    assert np.isnan(table.difference_p_value[0, 0])
    one_cell = estimands(y, z)
    np.testing.assert_allclose(one_cell.estimate[:, 0], y[z == 1].mean() - y[z == 0].mean(), rtol=1e-10)
    assert one_cell.equal[0].df_num == 0, "nothing is left to differ"


def test_one_draw_share_makes_all_estimands_one():
    rng = np.random.default_rng(8)
    cells = np.repeat(np.arange(9), 3 * rng.integers(2, 9, 9))
    z = np.tile([1.0, 0.0, 0.0], cells.size // 3)
    table = estimands(rng.standard_normal(cells.size) + 0.3 * cells * z, z, cells=cells)
    np.testing.assert_allclose(table.estimate[:, 0], table.estimate[0, 0], rtol=1e-10)
    assert table.equal[0].df_num == 0, "rounding is not tested"
    assert np.isnan(table.difference_p_value).all()


def test_known_probabilities_leave_nobody_out(people):
    y, z, cells, _ = people
    p = np.random.default_rng(0).uniform(0.2, 0.8, z.size)
    table = estimands(y, z, cells=cells, probability=p)
    w1, w0 = z / p / np.sum(z / p), (1 - z) / (1 - p) / np.sum((1 - z) / (1 - p))
    assert table.estimate[2, 0] == pytest.approx(w1 @ y - w0 @ y, rel=1e-12)
    plain = np.sqrt(np.sum((w1 * (y - w1 @ y)) ** 2) + np.sum((w0 * (y - w0 @ y)) ** 2))
    assert table.std_error[2, 0] == pytest.approx(plain, rel=1e-12)
    lost = int(np.sum(cells == 11)) + 1
    assert table.n_left_out[:, 0].tolist() == [lost, lost, 0]
    assert table.n[2, 0] == z.size
    with pytest.raises(UserError, match=r"1 of .* rows do not"):
        estimands(y, z, cells=cells, probability=np.where(np.arange(z.size) == 3, 1.0, p))
    with pytest.raises(UserError, match="give one of them"):
        estimands(y, z, cells=cells, probability=p, share_cells=cells)


def test_coarser_share_cells_count_people_of_one_arm_cells(people):
    y, z, cells, _ = people
    coarse = cells % 3
    table = estimands(y, z, cells=cells, share_cells=coarse, vcov="HC2")
    effect, variance, n1, n0 = by_cell(y, z, coarse)
    w = (n1 + n0) / (n1 + n0).sum()
    assert table.estimate[2, 0] == pytest.approx(w @ effect, rel=1e-10)
    assert table.std_error[2, 0] == pytest.approx(np.sqrt(w**2 @ variance), rel=1e-10)
    assert table.n_left_out[2, 0] == 0
    assert table.equal[0].df_num == 2


def test_interacted_is_the_regression_with_everything_interacted(people):
    y, z, cells, x = people
    table = estimands(y, z, cells=cells, controls=x)
    frame = pd.DataFrame({"y": y, "z": z, "c": cells, "a": x[:, 0], "b": x[:, 1]})
    frame = frame[frame.groupby("c")["z"].transform("nunique") == 2]
    fit = smf.ols("y ~ C(c) * z + a + b + a:z + b:z", frame).fit()
    effect = (fit.predict(frame.assign(z=1.0)) - fit.predict(frame.assign(z=0.0))).mean()
    assert table.estimands[-1] == "interacted"
    assert table.estimate[3, 0] == pytest.approx(effect, rel=1e-8)
    # An arm's own slopes: with one slope for both arms the answer is another.
    assert table.estimate[3, 0] != pytest.approx(table.estimate[1, 0], rel=1e-6)


def test_a_trial_of_pairs_has_the_paired_variance():
    rng = np.random.default_rng(1)
    pairs = np.repeat(np.arange(40), 2)
    z = np.tile([0.0, 1.0], 40)
    y = rng.standard_normal(80) + 0.3 * pairs + z
    gaps = y[1::2] - y[::2]
    residual = estimands(y, z, cells=pairs, vcov="HC2")
    hybrid = estimands(y, z, cells=pairs, small_cells="hybrid")
    assert residual.n_small_cells[0] == 40
    assert residual.n_in_small_cells[0] == 80
    # 1/K^2 sum (d - dbar)^2, and the same with K(K - 1), for weights that are all alike.
    assert residual.std_error[1, 0] == pytest.approx(np.sqrt(gaps.var() / 40), rel=1e-10)
    assert hybrid.std_error[1, 0] == pytest.approx(np.sqrt(gaps.var(ddof=1) / 40), rel=1e-10)


def test_hybrid_variance_of_unequal_small_cells_is_the_published_sum(people):
    y, z, cells, _ = people
    rng = np.random.default_rng(7)
    sizes = rng.integers(2, 6, 15)
    small = np.repeat(np.arange(200, 215), sizes)
    zs = np.concatenate([np.eye(size)[0] for size in sizes])
    ys = rng.standard_normal(small.size) + zs
    y, z, cells = np.append(y, ys), np.append(z, zs), np.append(cells, small)
    table = estimands(y, z, cells=cells, small_cells="hybrid")
    effect, variance, n1, n0 = by_cell(y, z, cells)
    size, few = n1 + n0, (n1 == 1) | (n0 == 1)
    assert few.sum() == 15
    n, nk = size[few].sum(), size[few]
    centre = nk @ effect[few] / n
    factor = nk**2 / ((n - 2 * nk) * (n + np.sum(nk**2 / (n - 2 * nk))))
    total = (n / size.sum()) ** 2 * (factor @ (effect[few] - centre) ** 2)
    total += (size[~few] / size.sum()) ** 2 @ variance[~few]
    assert table.std_error[1, 0] == pytest.approx(np.sqrt(total), rel=1e-10)
    with pytest.raises(UserError, match="less than half is needed"):
        estimands(y[-sizes[-1] :], z[-sizes[-1] :], cells=cells[-sizes[-1] :], small_cells="hybrid")


def test_missing_outcomes_have_their_own_cells(people):
    y, z, cells, _ = people
    other = y.copy()
    other[(cells == 3) & (z == 1)] = np.nan
    table = estimands(np.column_stack((y, other)), z, cells=cells, missing="available", names=["a", "b"])
    alone = estimands(other[np.isfinite(other)], z[np.isfinite(other)], cells=cells[np.isfinite(other)])
    np.testing.assert_allclose(table.estimate[:, 1], alone.estimate[:, 0], rtol=1e-12)
    assert table.n_left_out[0, 1] == table.n_left_out[0, 0] + np.sum((cells == 3) & (z == 0))
    frame = table.to_frame()
    assert frame.loc[3, ["outcome", "estimand"]].tolist() == ["b", "cell_fixed_effects"]
    assert frame.loc[4, "estimate"] == alone.estimate[1, 0]
    assert frame.loc[4, "n_left_out"] == table.n_left_out[1, 1]


def test_no_cell_with_both_arms():
    with pytest.raises(UserError, match="No cell has both arms"):
        estimands(np.arange(4.0), [0, 0, 1, 1], cells=[0, 0, 1, 1])


def test_saturated_weights_cells_by_everybody_assigned(people):
    y, z, cells, _ = people
    rng = np.random.default_rng(9)
    # A third arm, in the same cells but in other numbers.
    others = rng.choice(cells[cells < 11], 150, p=None)
    table = estimands(
        np.append(y, rng.standard_normal(150)), np.append(z, np.ones(150)), cells=np.append(cells, others),
        rows=np.arange(y.size + 150) < y.size, population=np.ones(y.size + 150, dtype=bool),
    )  # fmt: skip
    effect, _, n1, n0 = by_cell(y, z, cells)
    both = np.unique(cells[pd.Series(z).groupby(cells).transform("nunique").to_numpy() == 2])
    everybody = n1 + n0 + [np.sum(others == cell) for cell in both]
    assert table.estimate[1, 0] == pytest.approx(everybody @ effect / everybody.sum(), rel=1e-10)
    assert table.estimate[0, 0] == pytest.approx(estimands(y, z, cells=cells).estimate[0, 0], rel=1e-10)


def test_arms_without_degrees_of_freedom_have_no_interacted_estimate():
    rng = np.random.default_rng(3)
    y, x, z, cells = *rng.standard_normal((2, 8)), np.tile([0.0, 1.0], 4), np.repeat([0, 1, 2, 3], 2)
    table = estimands(y, z, cells=cells, controls=x[:, None])
    assert np.isfinite(table.estimate[:3, 0]).all()
    assert np.isnan(table.estimate[3, 0])


def test_classical_covariance_is_refused(people):
    y, z, cells, _ = people
    with pytest.raises(UserError, match="robust covariance"):
        estimands(y, z, cells=cells, vcov="iid")
