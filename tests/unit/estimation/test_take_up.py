"""Participation: paths, horizons, every state's first stage, and who starts."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from refino_eval.errors import UserError
from refino_eval.estimation import ever_started, first_stage, itt, starters

NAN = np.nan


def test_ever_started_by_each_horizon():
    #        before  0   1   2    3
    months = [
        [1.0, 0.0, 0.0, 1.0, 0.0],  # before the start does not count
        [0.0, 0.0, NAN, 0.0, 1.0],  # not known until seen
        [0.0, 1.0, NAN, NAN, NAN],  # seen: what follows does not matter
        [NAN, 0.0, 0.0, 0.0, NAN],
    ]
    found = ever_started(months, [-1, 0, 1, 2, 3], within=[0, 1, 2, 3])
    expected = [[0, 0, 1, 1], [0, NAN, NAN, 1], [1, 1, 1, 1], [0, 0, 0, NAN]]
    np.testing.assert_array_equal(found.to_numpy(), expected)
    assert list(found) == ["by_0", "by_1", "by_2", "by_3"]
    with pytest.raises(UserError, match="every time from 0 to 4"):
        ever_started(months, [-1, 0, 1, 2, 3], within=[4])
    with pytest.raises(UserError, match="every time from 0 to 2"):
        ever_started(np.array(months)[:, [0, 1, 3, 4]], [-1, 0, 2, 3], within=[2])
    with pytest.raises(UserError, match="1 values are not"):
        ever_started([[0.0, 2.0]], [0, 1], within=[1])


def states_trial(seed=1, n=5000):
    """Compliers fall back on the control programme (.6), another (.1) and none (.3)."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 25, n)
    z = (rng.random(n) < rng.uniform(0.3, 0.8, 25)[cells]).astype(float)
    complier = rng.random(n) < 0.5
    else_in = rng.choice(["control", "other", "none"], n, p=[0.6, 0.1, 0.3])
    return np.where(complier & (z == 1), "own", else_in).astype(object), z, cells


def test_fall_back_mix_of_compliers():
    states, z, cells = states_trial(n=20000)
    table = first_stage(states, z, programme="own", cells=cells)
    found = dict(zip(table.states, table.fall_back, strict=True))
    error = dict(zip(table.states, table.fall_back_std_error, strict=True))
    for state, truth in {"control": 0.6, "other": 0.1, "none": 0.3}.items():
        assert abs(found[state] - truth) < 4 * error[state]
        assert error[state] < 0.05
    assert np.isnan(found["own"])
    assert table.effects.estimate.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.nansum(table.fall_back) == pytest.approx(1.0)
    assert table.moved_into == ()
    assert table.any_change.df_num == 3, "four states that exclude each other"


@pytest.mark.parametrize("vcov", ["iid", "HC1", "HC2", "CRV1"])
def test_fall_back_is_minus_the_wald_ratio_with_its_standard_error(vcov):
    from refino_eval.estimation import late

    states, z, cells = states_trial(n=600)
    cluster = np.random.default_rng(0).integers(0, 40, 600) if vcov == "CRV1" else None
    table = first_stage(states, z, programme="own", cells=cells, vcov=vcov, cluster=cluster)
    ratio = late(
        (states == "none").astype(float), (states == "own").astype(float), z, cells=cells, vcov=vcov, cluster=cluster
    )
    row = table.states.index("none")
    assert table.fall_back[row] == pytest.approx(-ratio.estimate[0], rel=1e-10)
    assert table.fall_back_std_error[row] == pytest.approx(ratio.std_error[0], rel=1e-9)
    assert table.fall_back_conf_low[row] == pytest.approx(-ratio.conf_high[0], rel=1e-9)
    effect = itt((states == "none").astype(float), z, cells=cells, vcov=vcov, cluster=cluster)
    assert table.effects.std_error[row] == pytest.approx(effect.std_error[0], rel=1e-12)


def test_a_draw_that_fills_another_state_is_reported():
    states, z, cells = states_trial(n=3000)
    rng = np.random.default_rng(3)
    states = np.where((states == "none") & (z == 1) & (rng.random(3000) < 0.9), "other", states)
    table = first_stage(states, z, programme="own", cells=cells)
    assert table.moved_into == ("other",)
    assert table.fall_back[table.states.index("other")] < 0


def test_states_missing_or_misspelt():
    states, z, cells = states_trial(n=100)
    with pytest.raises(UserError, match="Did you mean 'own'"):
        first_stage(states, z, programme="owm", cells=cells)
    states[3] = None
    with pytest.raises(UserError, match="missing for 1 of 100"):
        first_stage(states, z, programme="own", cells=cells)
    rows = np.arange(100) != 3
    table = first_stage(states, z, programme="own", cells=cells, rows=rows)
    assert table.effects.n[0] == 99


def test_starters_is_the_interacted_regression():
    rng = np.random.default_rng(5)
    n = 400
    frame = pd.DataFrame({"c": rng.integers(0, 8, n), "a": rng.standard_normal(n), "b": rng.integers(0, 2, n)})
    frame["z"] = (rng.random(n) < 0.6).astype(float)
    frame["s"] = (rng.random(n) < 0.3 + 0.3 * frame["z"] * (frame["a"] > 0)).astype(float)
    table = starters(frame["s"], frame[["a", "b"]], frame["z"], cells=frame["c"])
    plain = smf.ols("s ~ z + C(c) + a + b + a:z + b:z", frame).fit(cov_type="HC1", use_t=True)
    np.testing.assert_allclose(table.control, plain.params[["a", "b"]], rtol=1e-9)
    np.testing.assert_allclose(table.difference, plain.params[["a:z", "b:z"]], rtol=1e-9)
    np.testing.assert_allclose(table.difference_std_error, plain.bse[["a:z", "b:z"]], rtol=1e-9)
    np.testing.assert_allclose(table.difference_p_value, plain.pvalues[["a:z", "b:z"]], rtol=1e-8)
    np.testing.assert_allclose(table.treated, table.control + table.difference)
    joint = plain.f_test("a:z = 0, b:z = 0")
    assert table.joint_test.f_stat == pytest.approx(float(joint.fvalue), rel=1e-8)
    assert table.share_started_treated == frame.loc[frame["z"] == 1, "s"].mean()
    assert table.to_frame().shape == (2, 10)


def test_starters_leave_out_what_cannot_be_told():
    rng = np.random.default_rng(6)
    n = 200
    z, cells = (rng.random(n) < 0.5).astype(float), rng.integers(0, 4, n)
    x = np.column_stack((rng.standard_normal(n), np.where(z == 1, rng.standard_normal(n), 0.0)))
    table = starters(rng.integers(0, 2, n), x, z, cells=cells, names=["a", "only_treated"])
    assert table.dropped == ("only_treated x control",)
    assert np.isnan(table.control[1])
    assert np.isnan(table.difference[1])
    assert np.isfinite(table.difference[0])
    assert table.joint_test.df_num == 1
    hole = np.where(np.arange(n)[:, None] == 5, np.nan, x)
    with pytest.raises(UserError, match="missing for 1 of 200"):
        starters(np.ones(n) * z, hole, z, cells=cells)
    assert starters(z * (x[:, 0] > 0), hole, z, cells=cells, missing="common").n == 199
