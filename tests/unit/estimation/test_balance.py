"""Balance in the report's form and in the modern one."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.errors import UserError
from refino_eval.estimation import balance


def dummies_fit(z, covariates, cells):
    x = np.hstack((pd.get_dummies(pd.Series(cells)).to_numpy(float), covariates))
    return sm.OLS(z, x).fit(cov_type="HC1", use_t=True)


def test_report_form_equals_statsmodels(trial):
    t = trial(1, n=300)
    table = balance(t.controls, t.z, cells=t.cells)
    for k in range(3):
        plain = dummies_fit(t.z, t.controls[:, [k]], t.cells)
        assert table.alone.estimate[k] == pytest.approx(plain.params[-1], rel=1e-9)
        assert table.alone.std_error[k] == pytest.approx(plain.bse[-1], rel=1e-9)
        assert table.alone.p_value[k] == pytest.approx(plain.pvalues[-1], rel=1e-8)
        assert table.alone.r_squared[k] == pytest.approx(plain.rsquared, rel=1e-9)
    plain = dummies_fit(t.z, t.controls, t.cells)
    np.testing.assert_allclose(table.together.estimate, plain.params[-3:], rtol=1e-9)
    np.testing.assert_allclose(table.together.std_error, plain.bse[-3:], rtol=1e-9)
    k = plain.params.size
    joint = plain.f_test(np.eye(k)[k - 3 :])
    assert table.joint_test.f_stat == pytest.approx(float(joint.fvalue), rel=1e-8)
    assert table.joint_test.p_value == pytest.approx(float(joint.pvalue), rel=1e-8)
    assert (table.joint_test.df_num, table.joint_test.df_den) == (3, 300 - k)
    assert table.joint_test.chi2 == pytest.approx(3 * float(joint.fvalue), rel=1e-8)


def test_modern_form(oracle, trial):
    t = trial(2)
    frame = balance(pd.DataFrame(t.controls, columns=list("abc")), t.z, cells=t.cells, vcov="HC2").to_frame()
    plain = oracle(t.controls[:, 1], t.z, t.cells)
    row = frame.set_index("covariate").loc["b"]
    one, zero = t.controls[t.z == 1, 1], t.controls[t.z == 0, 1]
    assert row["difference"] == pytest.approx(plain.estimate, rel=1e-9)
    assert row["std_error"] == pytest.approx(plain.std_error["HC2"], rel=1e-9)
    assert row["mean_control"] == pytest.approx(zero.mean())
    gap = (one.mean() - zero.mean()) / np.sqrt((one.var(ddof=1) + zero.var(ddof=1)) / 2)
    assert row["normalised_difference"] == pytest.approx(gap)


def test_covariates_without_variation_within_cells_are_left_out(trial):
    t = trial(3)
    frame = pd.DataFrame(t.controls, columns=list("abc"))
    frame.insert(0, "of_cell", t.cells)
    frame["double"] = 2 * frame["a"]
    table = balance(frame, t.z, cells=t.cells)
    assert table.dropped == ("of_cell", "double")
    assert np.isnan(table.alone.estimate[0])
    assert np.isnan(table.together.estimate[4])
    assert np.isfinite(table.alone.estimate[4])
    assert table.joint_test.df_num == 3
    plain = balance(frame[["a", "b", "c"]], t.z, cells=t.cells)
    np.testing.assert_allclose(table.together.estimate[1:4], plain.together.estimate, rtol=1e-10)
    np.testing.assert_allclose(table.together.std_error[1:4], plain.together.std_error, rtol=1e-10)


def test_missing_covariates(trial):
    t = trial(4)
    frame = pd.DataFrame(t.controls, columns=list("abc"))
    frame.loc[:9, "a"] = np.nan
    with pytest.raises(UserError, match="'a' \\(10\\)"):
        balance(frame, t.z, cells=t.cells)
    own = balance(frame, t.z, cells=t.cells, missing="available")
    assert own.alone.n.tolist() == [110, 120, 120]
    assert own.together.n.tolist() == [110] * 3
    common = balance(frame, t.z, cells=t.cells, missing="common")
    assert common.alone.n.tolist() == [110] * 3
    assert common.differences.n.tolist() == [110] * 3


@pytest.mark.parametrize("missing", ["error", "common", "available"])
def test_rows_select_a_subgroup(trial, missing):
    t = trial(5, n=200)
    group = np.random.default_rng(0).random(200) < 0.8
    table = balance(t.controls, t.z, cells=t.cells, rows=group, missing=missing)
    alone = balance(t.controls[group], t.z[group], cells=t.cells[group])
    np.testing.assert_allclose(table.alone.estimate, alone.alone.estimate, rtol=1e-10)
    np.testing.assert_allclose(table.to_frame()["difference"], alone.to_frame()["difference"], rtol=1e-10, atol=1e-14)
    assert table.joint_test.f_stat == pytest.approx(alone.joint_test.f_stat)


@pytest.mark.parametrize("vcov", ["iid", "HC1", "HC2", "HC3"])
def test_a_trait_of_a_single_person_has_no_robust_standard_error_and_is_left_out_of_the_joint_test(vcov):
    rng = np.random.default_rng(4)
    treated, cells = rng.integers(0, 2, 120), np.repeat(np.arange(4), 30)
    age = rng.normal(40, 10, 120)
    rare = (np.arange(120) == 7).astype(float)
    table = balance(np.column_stack([age, rare]), treated, cells=cells, names=["age", "rare"], vcov=vcov)
    without = balance(age, treated, cells=cells, names=["age"], vcov=vcov)
    assert np.isfinite(table.alone.estimate).all()
    if vcov == "iid":
        assert table.unsupported == ()
        assert np.isfinite(table.alone.std_error).all()
        return
    assert table.unsupported == ("rare",)
    assert np.isnan(table.alone.std_error[1])
    assert np.isnan(table.alone.p_value[1])
    assert table.joint_test.p_value == without.joint_test.p_value
    two = (np.isin(np.arange(120), [7, 8])).astype(float)
    assert balance(two, treated, cells=cells, names=["two"], vcov=vcov).unsupported == ()


@pytest.mark.parametrize("vcov", ["HC1", "HC2", "HC3"])
def test_the_only_person_outside_the_other_categories_gives_the_joint_test_no_degree_of_freedom(vcov):
    # Of four categories one holds a single person: without its indicator the other three differ from that person alone.
    rng = np.random.default_rng(3)
    category = np.append(rng.integers(0, 3, 119), 3)
    indicators = (category[:, None] == np.arange(4)).astype(float)
    treated = rng.integers(0, 2, 120).astype(float)
    names = ["first", "second", "third", "single"]
    table = balance(indicators, treated, names=names, vcov=vcov)
    assert table.unsupported == ("single",)
    assert table.dropped == ("third",)
    assert table.joint_test.df_num == 2
    merged = balance(indicators[:, :2], treated, names=names[:2], vcov=vcov)
    assert table.joint_test.p_value == pytest.approx(merged.joint_test.p_value, rel=1e-9)
