"""Effects of take-up and Anderson-Rubin sets."""

import numpy as np
import pytest
from scipy import stats

from refino_eval.errors import UserError
from refino_eval.estimation import anderson_rubin_set, itt, late

ROBUST = ("iid", "HC0", "HC1", "HC2", "HC3")


def plain_two_stage(y, d, z, cells, controls, weights=None):
    """Two-stage least squares by its textbook matrices, with a dummy for every cell."""
    dummies = (np.asarray(cells)[:, None] == np.unique(cells)).astype(float)
    root = (np.ones(y.size) if weights is None else np.sqrt(weights))[:, None]
    x = np.hstack((dummies, controls, d[:, None])) * root
    instruments = np.hstack((dummies, controls, z[:, None])) * root
    project = instruments @ np.linalg.pinv(instruments)
    fitted = project @ x
    bread = np.linalg.inv(fitted.T @ fitted)
    beta = bread @ fitted.T @ (y * root[:, 0])
    u = y * root[:, 0] - x @ beta
    slack = 1 - np.einsum("ij,jk,ik->i", fitted, bread, fitted)
    slack = np.where(slack > 1e-9, slack, np.inf)
    n, k = x.shape
    scores = (fitted @ bread)[:, -1] * u
    variance = {
        "iid": bread[-1, -1] * (u @ u) / (n - k),
        "HC0": scores @ scores,
        "HC1": scores @ scores * n / (n - k),
        "HC2": np.sum(scores**2 / slack),
        "HC3": np.sum(scores**2 / slack**2),
    }
    return beta[-1], {name: np.sqrt(value) for name, value in variance.items()}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ROBUST)
def test_equals_textbook_two_stage_least_squares(trial, vcov, weighted):
    t = trial(1, n=300)
    weights = t.weights if weighted else None
    table = late(t.y, t.take_up, t.z, cells=t.cells, controls=t.controls, vcov=vcov, weights=weights)
    for j in range(4):
        estimate, std_error = plain_two_stage(t.y[:, j], t.take_up, t.z, t.cells, t.controls, weights)
        assert table.estimate[j] == pytest.approx(estimate, rel=1e-8)
        assert table.std_error[j] == pytest.approx(std_error[vcov], rel=1e-8)
    assert table.first_stage_f[0] == pytest.approx((table.first_stage[0] / table.first_stage_std_error[0]) ** 2)
    for name in ("estimate", "std_error"):
        stage = itt(t.take_up, t.z, cells=t.cells, controls=t.controls, vcov=vcov, weights=weights)
        reduced = itt(t.y, t.z, cells=t.cells, controls=t.controls, vcov=vcov, weights=weights)
        suffix = "" if name == "estimate" else "_std_error"
        np.testing.assert_allclose(getattr(table, f"first_stage{suffix}"), getattr(stage, name)[0], rtol=1e-10)
        np.testing.assert_allclose(getattr(table, f"reduced_form{suffix}"), getattr(reduced, name), rtol=1e-10)


def test_clustered_errors_are_the_ratio_influence_summed(trial):
    t = trial(2, n=300)
    table = late(t.y, t.take_up, t.z, cells=t.cells, vcov="CRV1", cluster=t.cluster)
    adjusted = itt(t.y - table.estimate * t.take_up[:, None], t.z, cells=t.cells, vcov="CRV1", cluster=t.cluster)
    np.testing.assert_allclose(table.std_error, adjusted.std_error / abs(table.first_stage), rtol=1e-9)
    assert table.df[0] == np.unique(t.cluster).size - 1


@pytest.mark.parametrize("strength", [0.0, 0.05, 0.15, 0.5])
@pytest.mark.parametrize("vcov", ["iid", "HC1"])
def test_anderson_rubin_set_is_the_inverted_test(trial, strength, vcov):
    kinds = set()
    for seed in range(12):
        t = trial(seed, n=200)
        d = (np.random.default_rng(seed).random(200) < 0.3 + strength * t.z).astype(float)
        y = t.y[:, 0] + d
        found = late(y, d, t.z, cells=t.cells, vcov=vcov).ar_set[0]
        kinds.add(found.kind)
        edges = [edge for edge in (found.low, found.high) if np.isfinite(edge)]
        near = [edge * (1 + s * 1e-6) for edge in edges for s in (-1, 1)]
        for effect in [*np.linspace(-40, 40, 41), *near]:
            accepted = itt(y - effect * d, t.z, cells=t.cells, vcov=vcov).p_value[0] >= 0.05
            assert found.contains(effect) == accepted, (seed, effect, found)
    assert "interval" in kinds if strength == 0.5 else kinds - {"interval"}


def test_anderson_rubin_set_of_every_kind():
    q = stats.f.ppf(0.95, 1, 100)

    def solve(rho, pi, var_rho, cov, var_pi):
        return anderson_rubin_set(rho=rho, pi=pi, var_rho=var_rho, cov=cov, var_pi=var_pi, df=100)

    strong = solve(2.0, 1.0, 0.25, 0.0, 0.0)
    assert strong.kind == "interval"
    assert (strong.low, strong.high) == pytest.approx((2 - 0.5 * np.sqrt(q), 2 + 0.5 * np.sqrt(q)))
    assert solve(3.0, 0.1, 1.0, 0.0, 1.0).kind == "rays"
    assert solve(0.1, 0.1, 1.0, 0.0, 1.0).kind == "line"
    # A variance that no fit can produce: every value is rejected.
    assert solve(1.0, 0.0, 0.0, 0.0, -1.0).kind == "empty"
    # Without a quadratic term the set is one ray.
    flat = anderson_rubin_set(rho=5.0, pi=0.0, var_rho=1.0, cov=1.0, var_pi=0.0, df=100)
    assert flat.kind == "rays"
    assert flat.contains(-1e9) != flat.contains(1e9)
    for effect in (-3.0, -1.0, 0.0, 3.0):
        assert flat.contains(effect) == (q * (1 - 2 * effect) >= 25)


def test_full_compliance_is_the_itt(trial):
    t = trial(3)
    table = late(t.y, t.z, t.z, cells=t.cells, controls=t.controls, vcov="HC2")
    plain = itt(t.y, t.z, cells=t.cells, controls=t.controls, vcov="HC2")
    np.testing.assert_allclose(table.estimate, plain.estimate)
    np.testing.assert_allclose(table.std_error, plain.std_error)
    assert np.isinf(table.first_stage_f).all()
    assert [one.kind for one in table.ar_set] == ["interval"] * 4
    np.testing.assert_allclose([one.low for one in table.ar_set], plain.conf_low)


def test_missing_take_up_and_outcomes(trial):
    t = trial(4)
    d, y = t.take_up.copy(), t.y.copy()
    d[6:11], y[9:30, 1] = np.nan, np.nan
    with pytest.raises(UserError, match="take_up is missing for 5 of 120"):
        late(t.y, d, t.z, cells=t.cells)
    with pytest.raises(UserError, match="Outcomes are missing for 21"):
        late(y, t.take_up, t.z, cells=t.cells)
    assert late(y, d, t.z, cells=t.cells, missing="available").n.tolist() == [115, 96, 115, 115]
    common = late(y, d, t.z, cells=t.cells, missing="common")
    rows = np.isfinite(d) & np.isfinite(y[:, 1])
    again = late(y[rows], d[rows], t.z[rows], cells=t.cells[rows])
    assert common.n.tolist() == [96] * 4
    np.testing.assert_allclose(common.estimate, again.estimate, rtol=1e-10)
    np.testing.assert_allclose(common.take_up_treated, d[rows][t.z[rows] == 1].mean())
    np.testing.assert_allclose(common.take_up_control, d[rows][t.z[rows] == 0].mean())


def test_rows_select_a_subgroup(trial):
    t = trial(4)
    d, group = t.take_up.copy(), np.random.default_rng(0).random(120) < 0.8
    d[np.flatnonzero(~group)[:5]] = np.nan
    table = late(t.y, d, t.z, cells=t.cells, rows=group)
    alone = late(t.y[group], d[group], t.z[group], cells=t.cells[group])
    np.testing.assert_allclose(table.std_error, alone.std_error, rtol=1e-10)
    d[np.flatnonzero(group)[:3]] = np.nan
    with pytest.raises(UserError, match=f"take_up is missing for 3 of {group.sum()} people"):
        late(t.y, d, t.z, cells=t.cells, rows=group)


def test_take_up_must_vary(trial):
    t = trial(5)
    with pytest.raises(UserError, match="does not vary within cells"):
        late(t.y, t.cells % 2, t.z, cells=t.cells)


def test_frame_has_one_row_an_outcome(trial):
    t = trial(6)
    frame = late(t.y, t.take_up, t.z, cells=t.cells, names=list("abcd")).to_frame()
    assert frame["outcome"].tolist() == list("abcd")
    assert {"ar_kind", "ar_low", "ar_high", "ar_kind_iid", "ar_low_iid", "ar_high_iid"} <= set(frame.columns)
    assert not {"ar_set", "ar_set_iid", "outcomes"} & set(frame.columns)
