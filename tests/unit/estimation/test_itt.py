"""Effect tables, samples and descriptives."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from refino_eval.errors import UserError
from refino_eval.estimation import common_sample, itt, missing_patterns, moments, paths, widen


def test_table_holds_what_the_oracle_says(oracle, trial):
    t = trial(1)
    table = itt(pd.DataFrame(t.y, columns=list("abcd")), t.z, cells=t.cells, controls=t.controls, vcov="HC2", level=0.9)
    plain = oracle(t.y[:, 2], t.z, t.cells, t.controls)
    row = table.to_frame().set_index("outcome").loc["c"]
    df = t.z.size - plain.n_parameters
    reach = stats.t.ppf(0.95, df) * plain.std_error["HC2"]
    expected = {
        "estimate": plain.estimate,
        "std_error": plain.std_error["HC2"],
        "t": plain.estimate / plain.std_error["HC2"],
        "p_value": 2 * stats.t.sf(abs(plain.estimate / plain.std_error["HC2"]), df),
        "conf_low": plain.estimate - reach,
        "conf_high": plain.estimate + reach,
        "df": df,
        "mean_treated": t.y[t.z == 1, 2].mean(),
        "mean_control": t.y[t.z == 0, 2].mean(),
        "mean": t.y[:, 2].mean(),
        "sd_treated": t.y[t.z == 1, 2].std(ddof=1),
        "sd_control": t.y[t.z == 0, 2].std(ddof=1),
        "n": 120,
        "n_treated": t.z.sum(),
        "n_control": 120 - t.z.sum(),
        "n_cells": 11,
        "n_parameters": plain.n_parameters,
        "r_squared": plain.r_squared,
        "percent_of_control_mean": 100 * plain.estimate / t.y[t.z == 0, 2].mean(),
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_r_squared_within_is_that_of_demeaned_data(trial):
    t = trial(2)
    columns = np.column_stack((t.y[:, 0], t.z, t.controls))
    within = columns - pd.DataFrame(columns).groupby(t.cells).transform("mean").to_numpy()
    residual = within[:, 0] - within[:, 1:] @ np.linalg.lstsq(within[:, 1:], within[:, 0])[0]
    table = itt(t.y, t.z, cells=t.cells, controls=t.controls)
    assert table.r_squared_within[0] == pytest.approx(1 - residual @ residual / (within[:, 0] @ within[:, 0]))


def test_available_sample_is_each_outcome_by_itself(trial):
    t = trial(3)
    y = t.y.copy()
    y[10:20, 1], y[15:40, 3], y[10:20, 2] = np.nan, np.nan, np.nan
    options = {"cells": t.cells, "controls": t.controls, "vcov": "HC3"}
    table = itt(y, t.z, missing="available", **options)
    assert table.n.tolist() == [120, 110, 110, 95]
    for j in range(4):
        rows = np.isfinite(y[:, j])
        alone = itt(y[rows, j], t.z[rows], cells=t.cells[rows], controls=t.controls[rows], vcov="HC3")
        assert table.estimate[j] == pytest.approx(alone.estimate[0], rel=1e-12)
        assert table.std_error[j] == pytest.approx(alone.std_error[0], rel=1e-12)
        assert table.df[j] == alone.df[0]
        assert table.mean_control[j] == pytest.approx(alone.mean_control[0])


def test_common_sample_is_the_complete_rows(trial):
    t = trial(3)
    y = t.y.copy()
    y[10:20, 1], y[15:40, 3] = np.nan, np.nan
    rows = np.isfinite(y).all(axis=1)
    table = itt(y, t.z, cells=t.cells, missing="common")
    again = itt(y[rows], t.z[rows], cells=t.cells[rows])
    np.testing.assert_array_equal(table.estimate, again.estimate)
    assert table.n.tolist() == [90] * 4
    with pytest.raises(UserError, match="missing for 30 of 120 people: 'outcome_2' \\(10\\), 'outcome_4' \\(25\\)"):
        itt(y, t.z, cells=t.cells)


@pytest.mark.parametrize("missing", ["common", "available"])
def test_rows_select_a_subgroup(trial, missing):
    t = trial(3)
    y = t.y.copy()
    y[10:20, 1] = np.nan
    group = np.random.default_rng(0).random(120) < 0.8
    table = itt(y, t.z, cells=t.cells, controls=t.controls, missing=missing, rows=group)
    alone = itt(y[group], t.z[group], cells=t.cells[group], controls=t.controls[group], missing=missing)
    np.testing.assert_allclose(table.estimate, alone.estimate, rtol=1e-12)
    np.testing.assert_array_equal(table.n, alone.n)
    np.testing.assert_allclose(table.sd_control, alone.sd_control)
    with pytest.raises(UserError, match=f"missing for {np.sum(group[10:20])} of {np.sum(group)} people"):
        itt(y, t.z, cells=t.cells, rows=group)
    kept = group & np.isfinite(y[:, 1])
    np.testing.assert_allclose(itt(y, t.z, cells=t.cells, rows=kept).n, kept.sum())


def test_common_sample_gives_each_lost_person_one_reason():
    frame = pd.DataFrame({"a": [1, np.nan, 3, 4, np.nan], "b": [1, np.nan, np.nan, 4, 5], "c": [np.inf, 1, 1, 1, 1]})
    sample = common_sample(frame)
    assert sample.rows.tolist() == [False, False, False, True, False]
    assert sample.missing == {"a": 2, "b": 2, "c": 1}
    assert sample.lost == {"a": 2, "b": 1, "c": 1}
    assert (sample.n_before, sample.n_after) == (5, 1)
    assert sample.to_frame()["lost"].sum() == 4


def test_patterns_group_columns_missing_for_the_same_people():
    values = np.ones((20, 5))
    values[3, [0, 2]], values[19, 4] = np.nan, np.nan
    groups = [(one.columns.tolist(), np.flatnonzero(~one.rows).tolist()) for one in missing_patterns(values)]
    assert groups == [([0, 2], [3]), ([1, 3], []), ([4], [19])]


def test_an_unidentified_pattern_names_its_outcomes(trial):
    t = trial(4)
    y = t.y.copy()
    y[t.z == 0, 2] = np.nan
    with pytest.raises(UserError, match="Outcomes 'outcome_3': 'treated' is constant within every cell"):
        itt(y, t.z, cells=t.cells, missing="available")


def test_cluster_must_be_used_and_vcov_known(trial):
    t = trial(5)
    with pytest.raises(UserError, match="vcov is 'HC1' and cluster is given"):
        itt(t.y, t.z, cells=t.cells, cluster=t.cluster, vcov="HC1")
    with pytest.raises(UserError, match="vcov is 'CRV1' and cluster is absent"):
        itt(t.y, t.z, cells=t.cells, vcov="CRV1")
    with pytest.raises(UserError, match="Unknown vcov 'hc1'"):
        itt(t.y, t.z, cells=t.cells, vcov="hc1")
    with pytest.raises(UserError, match="for 95 per cent"):
        itt(t.y, t.z, cells=t.cells, level=95)
    assert itt(t.y, t.z, cells=t.cells, vcov="CRV1", cluster=t.cluster).df[0] == np.unique(t.cluster).size - 1


def test_percent_is_absent_where_the_control_mean_is_zero(trial):
    t = trial(5)
    y = t.z * t.y[:, 0]
    assert np.isnan(itt(y, t.z, cells=t.cells).percent_of_control_mean[0])


def test_weighted_means_are_weighted(trial):
    t = trial(6)
    table = itt(t.y, t.z, cells=t.cells, weights=t.weights)
    arm = t.z == 0
    assert table.mean_control[1] == pytest.approx(np.average(t.y[arm, 1], weights=t.weights[arm]))
    assert table.mean[1] == pytest.approx(np.average(t.y[:, 1], weights=t.weights))


def test_moments_are_missing_aware():
    values = np.array([[1.0, np.nan], [2.0, 5.0], [np.nan, np.nan], [6.0, np.nan]])
    plain = moments(values)
    assert plain.n.tolist() == [3, 1]
    assert plain.mean.tolist() == [3.0, 5.0]
    assert plain.sd[0] == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert np.isnan(plain.sd[1])
    weighted = moments(values[:, :1], weights=np.array([1.0, 2.0, 9.0, 1.0]))
    assert weighted.mean[0] == pytest.approx(11 / 4)
    assert weighted.sd[0] == pytest.approx(np.sqrt((1.75**2 + 2 * 0.75**2 + 3.25**2) / 4 * 3 / 2))
    nobody = moments(np.full((3, 1), np.nan))
    assert nobody.n[0] == 0
    assert np.isnan(nobody.mean[0])


def test_paths_equal_a_plain_groupby(trial):
    t = trial(8)
    y = t.y.copy()
    y[::7, 2] = np.nan
    year = np.array([2021, 2019, 2020, 2018])[t.cells % 4]
    found = paths(y, t.z, times=[-1, 0, 1, 2], by=year).to_frame()
    panel = pd.DataFrame(y, columns=[-1, 0, 1, 2]).assign(
        group=year.astype(str), arm=np.where(t.z == 1, "treated", "control")
    )
    expected = panel.melt(["group", "arm"], var_name="time").groupby(["group", "arm", "time"])["value"]
    expected = expected.agg(["count", "mean", "std", "sem"]).reset_index()
    found = found.sort_values(["group", "arm", "time"]).reset_index(drop=True)
    np.testing.assert_array_equal(found["n"], expected["count"])
    np.testing.assert_allclose(found["mean"], expected["mean"])
    np.testing.assert_allclose(found["sd"], expected["std"])
    np.testing.assert_allclose(found["std_error"], expected["sem"])
    assert found["group"].tolist() == expected["group"].tolist()


def test_widen_sorts_people_and_times_and_refuses_doubles():
    panel = pd.DataFrame({"pid": ["b", "a", "a"], "month": [1, 0, -1], "hours": [5.0, 7.0, 9.0]})
    wide = widen(panel, person="pid", time="month", value="hours")
    assert wide.index.tolist() == ["a", "b"]
    assert wide.columns.tolist() == [-1, 0, 1]
    assert wide.loc["a"].tolist()[:2] == [9.0, 7.0]
    assert np.isnan(wide.loc["b", 0])
    with pytest.raises(UserError, match="1 rows beyond the first"):
        widen(pd.concat([panel, panel[:1]]), person="pid", time="month", value="hours")
    with pytest.raises(UserError, match="2 rows without 'pid' or 'month'"):
        widen(panel.assign(pid=["b", None, "a"], month=[None, 0, 1]), person="pid", time="month", value="hours")
    with pytest.raises(UserError, match="no column 'wage'"):
        widen(panel, person="pid", time="month", value="wage")


@pytest.mark.parametrize("times", [[0, 1], [0, 0, 1, 2], [3, 2, 1, 0], [0.5, 1, 2, 3]])
def test_times_must_be_increasing_whole_numbers(trial, times):
    t = trial(8)
    with pytest.raises(UserError, match="increasing whole numbers"):
        paths(t.y, t.z, times=times)
