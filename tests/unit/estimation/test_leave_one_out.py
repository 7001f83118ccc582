"""Leaving out one group at a time."""

import numpy as np
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import itt, leave_one_out


@pytest.mark.parametrize("vcov", ["iid", "HC1", "CRV1"])
def test_each_row_is_the_estimate_on_the_others(trial, vcov):
    t = trial(1, n=400)
    group = np.array(list("BCA"))[t.cells % 3]
    cluster = t.cluster if vcov == "CRV1" else None
    table = leave_one_out(t.y, t.z, group, cells=t.cells, controls=t.controls, vcov=vcov, cluster=cluster)
    assert table.groups == ("A", "B", "C")
    for g, name in enumerate(table.groups):
        alone = itt(t.y, t.z, cells=t.cells, controls=t.controls, vcov=vcov, cluster=cluster, rows=group != name)
        np.testing.assert_allclose(table.estimate[g], alone.estimate, rtol=1e-10)
        np.testing.assert_allclose(table.std_error[g], alone.std_error, rtol=1e-10)
        np.testing.assert_allclose(table.conf_low[g], alone.conf_low, rtol=1e-9)
        assert table.n[g].tolist() == alone.n.tolist()
        assert table.n_left_out[g, 0] == np.sum(group == name)
    np.testing.assert_allclose(table.change, table.estimate - table.full.estimate)
    assert np.isnan(table.change_std_error).all() == (vcov == "iid")


def test_standard_error_of_the_change_is_that_of_repeated_draws():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 12, 300)
    group, base = cells % 3, rng.standard_normal(300)
    found, told = [], []
    for _ in range(400):
        z = (rng.random(300) < 0.5).astype(float)
        table = leave_one_out(base + rng.standard_normal(300), z, group, cells=cells, vcov="HC2")
        found.append(table.change[:, 0])
        told.append(table.change_std_error[:, 0])
    np.testing.assert_allclose(np.mean(told, axis=0), np.std(found, axis=0), rtol=0.15)


def test_outcomes_with_their_own_people(trial):
    t = trial(2, n=300)
    y = t.y.copy()
    y[5:40, 2] = np.nan
    table = leave_one_out(y, t.z, t.cells % 2, cells=t.cells, missing="available")
    alone = itt(y, t.z, cells=t.cells, missing="available", rows=t.cells % 2 != 1)
    np.testing.assert_allclose(table.estimate[1], alone.estimate)
    apart = leave_one_out(y[:, [2]], t.z, t.cells % 2, cells=t.cells, missing="available")
    np.testing.assert_allclose(table.change_std_error[:, 2], apart.change_std_error[:, 0])
    frame = table.to_frame()
    assert frame.loc[5, ["outcome", "without"]].tolist() == ["outcome_3", "1"]
    assert frame.loc[5, "estimate"] == table.estimate[1, 2]


def test_faults_name_the_group():
    y, z = np.arange(8.0), np.array([0, 1, 0, 1, 1, 1, 1, 1.0])
    with pytest.raises(UserError, match="Without 'both': 'treated' is constant"):
        leave_one_out(y, z, ["both"] * 4 + ["one"] * 4, cells=[0] * 4 + [1] * 4)
    with pytest.raises(UserError, match="at least two groups"):
        leave_one_out(y, z, ["a"] * 8)
