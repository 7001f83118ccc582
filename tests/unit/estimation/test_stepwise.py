"""Steps are ITTs, and Gelbach's parts add up with the right standard errors."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.errors import UserError
from refino_eval.estimation import itt, stepwise


def grouped(t):
    return {"age": t.controls[:, [0]], "work": pd.DataFrame(t.controls[:, 1:], columns=["x", "y"])}


def test_steps_are_the_itts(trial):
    t = trial(1, n=300)
    table = stepwise(t.y, t.z, grouped(t), cells=t.cells)
    for step, k in zip(table.steps, (0, 1, 3), strict=True):
        plain = itt(t.y, t.z, cells=t.cells, controls=t.controls[:, :k] if k else None)
        np.testing.assert_allclose(step.estimate, plain.estimate, rtol=1e-10)
        np.testing.assert_allclose(step.std_error, plain.std_error, rtol=1e-10)
    frame = table.to_frame()
    assert frame["entered"].unique().tolist() == ["", "age", "work"]
    assert len(frame) == 12


def test_parts_add_up_and_are_gamma_times_beta(trial):
    t = trial(2, n=300)
    table = stepwise(t.y, t.z, grouped(t), cells=t.cells)
    np.testing.assert_allclose(table.change, table.steps[0].estimate - table.steps[-1].estimate, rtol=1e-9)
    np.testing.assert_allclose(table.contribution.sum(axis=0), table.change, rtol=1e-12)
    dummies = pd.get_dummies(t.cells).to_numpy(float)
    full = sm.OLS(t.y[:, 0], np.column_stack((t.z, t.controls, dummies))).fit()
    gamma = [sm.OLS(t.controls[:, k], np.column_stack((t.z, dummies))).fit().params[0] for k in range(3)]
    parts = np.array(gamma) * full.params[1:4]
    np.testing.assert_allclose(table.contribution[:, 0], [parts[0], parts[1] + parts[2]], rtol=1e-8)
    # Whatever the order.
    turned = dict(reversed(grouped(t).items()))
    again = stepwise(t.y, t.z, turned, cells=t.cells)
    np.testing.assert_allclose(again.contribution[::-1], table.contribution, rtol=1e-9)
    np.testing.assert_allclose(again.contribution_std_error[::-1], table.contribution_std_error, rtol=1e-9)


@pytest.mark.parametrize("imbalance", [0.4, 2.5])
def test_standard_errors_are_those_of_repeated_samples(imbalance):
    rng = np.random.default_rng(0)
    found, told, change, change_told = [], [], [], []
    for _ in range(300):
        cells = rng.integers(0, 6, 250)
        z = (rng.random(250) < 0.5).astype(float)
        x = rng.standard_normal((250, 2)) + imbalance * z[:, None] + 0.3 * cells[:, None]
        y = x @ [1.0, -0.6] + rng.standard_normal(250)
        table = stepwise(y, z, {"a": x[:, [0]], "b": x[:, [1]]}, cells=cells)
        found.append(table.contribution[:, 0])
        told.append(table.contribution_std_error[:, 0])
        change.append(table.change[0])
        change_told.append(table.change_std_error[0])
    np.testing.assert_allclose(np.mean(told, axis=0), np.std(found, axis=0), rtol=0.17)
    assert np.mean(change_told) == pytest.approx(np.std(change), rel=0.17)


def test_collinear_controls_and_one_sample_for_all_steps(trial):
    t = trial(3, n=300)
    y = t.y.copy()
    y[10:30, 1] = np.nan
    groups = grouped(t) | {"again": t.controls[:, [0]] * 2}
    table = stepwise(y, t.z, groups, cells=t.cells, missing="common", vcov="CRV1", cluster=t.cluster)
    assert [step.n.tolist() for step in table.steps] == [[280] * 4] * 4
    assert len(table.dropped) == 1
    assert table.dropped[0].startswith("again")
    np.testing.assert_array_equal(table.contribution[2], 0.0)
    frame = table.decomposition_frame()
    assert frame["group"].tolist()[:4] == ["age", "work", "again", "total"]
    assert frame.loc[3, "contribution"] == pytest.approx(table.steps[0].estimate[0] - table.steps[3].estimate[0])
    with pytest.raises(UserError, match="one sample for all steps"):
        stepwise(y, t.z, groups, missing="available")
    with pytest.raises(UserError, match="at least one group"):
        stepwise(y, t.z, {})


def test_a_trait_of_one_person_leaves_the_parts_their_standard_errors(trial):
    t = trial(4, n=300)
    person = np.zeros((t.z.size, 1))
    person[np.flatnonzero(pd.Series(t.cells).duplicated(keep=False))[0]] = 1.0
    with_trait = stepwise(t.y, t.z, {"traits": np.hstack((t.controls, person))}, cells=t.cells)
    without = stepwise(t.y, t.z, {"traits": t.controls}, cells=t.cells)
    np.testing.assert_allclose(with_trait.contribution_std_error, without.contribution_std_error, rtol=0.2)
