"""Interactions and subgroups against regressions with a dummy for every cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.errors import UserError
from refino_eval.estimation import interactions, itt, prepare, subgroups

NAMES = ["age", "female", "earnings"]


@pytest.fixture
def people(trial):
    one = trial(12)
    rng = np.random.default_rng(3)
    controls = pd.DataFrame(one.controls, columns=NAMES)
    controls["female"] = rng.integers(0, 2, one.z.size).astype(float)
    return one, controls


def by_dummies(y, z, cells, columns, vcov):
    """Fit with statsmodels; terms in order, then a dummy for every cell."""
    dummies = (np.asarray(cells)[:, None] == np.unique(cells)).astype(float)
    return sm.OLS(y, np.column_stack((columns, dummies))).fit(cov_type=vcov, use_t=True)


@pytest.mark.parametrize("vcov", ["HC0", "HC1"])
def test_one_at_a_time_shows_every_coefficient(people, vcov):
    one, controls = people
    table = interactions(one.y, one.z, controls[["age", "female"]], cells=one.cells, controls=controls, vcov=vcov)
    shown = table.coefficients()
    for m, name in enumerate(["age", "female"]):
        plain = by_dummies(
            one.y[:, 1], one.z, one.cells, np.column_stack((controls, one.z, one.z * controls[name])), vcov
        )
        rows = shown[(shown["outcome"] == "outcome_2") & (shown["moderator"] == name)]
        assert list(rows["term"]) == [*NAMES, "treated", f"treated x {name}"]
        assert np.allclose(rows["estimate"], plain.params[:5], rtol=1e-8)
        assert np.allclose(rows["std_error"], plain.bse[:5], rtol=1e-8)
        assert np.allclose(rows["p_value"], plain.pvalues[:5], rtol=1e-6)
        assert np.allclose(rows[["conf_low", "conf_high"]], plain.conf_int()[:5], rtol=1e-7, atol=1e-9)
        assert table.estimate[1, m] == pytest.approx(plain.params[4], rel=1e-8)
        assert table.main[1, m] == pytest.approx(plain.params[3], rel=1e-8)
        assert table.main_std_error[1, m] == pytest.approx(plain.bse[3], rel=1e-8)
        assert table.main_p_value[1, m] == pytest.approx(plain.pvalues[3], rel=1e-6)


def test_all_together_and_the_joint_test(people):
    one, controls = people
    table = interactions(one.y, one.z, controls, cells=one.cells)
    columns = np.column_stack((controls, one.z, one.z[:, None] * controls))
    for j in range(4):
        plain = by_dummies(one.y[:, j], one.z, one.cells, columns, "HC1")
        assert np.allclose(table.estimate_together[j], plain.params[4:7], rtol=1e-8)
        assert np.allclose(table.std_error_together[j], plain.bse[4:7], rtol=1e-8)
        restriction = np.eye(plain.params.size)[4:7]
        joint = plain.f_test(restriction)
        assert table.joint_test[j].f_stat == pytest.approx(float(joint.fvalue), rel=1e-7)
        assert table.joint_test[j].p_value == pytest.approx(float(joint.pvalue), rel=1e-6)
        assert table.joint_test[j].df_num == 3


def test_a_moderator_without_its_own_control_gets_one(people):
    one, controls = people
    without = interactions(one.y, one.z, controls[["female"]], cells=one.cells, controls=controls[["age"]])
    with_it = interactions(one.y, one.z, controls[["female"]], cells=one.cells, controls=controls[["age", "female"]])
    assert np.allclose(without.estimate, with_it.estimate, rtol=1e-12)
    assert without.regressions[0].terms == ("age", "female", "treated", "treated x female")


def test_a_moderator_of_whole_cells_has_no_main_coefficient(people):
    one, controls = people
    large = (one.cells % 2).astype(float)
    table = interactions(one.y, one.z, pd.DataFrame({"even": large}), cells=one.cells, controls=controls)
    plain = by_dummies(one.y[:, 0], one.z, one.cells, np.column_stack((controls, one.z, one.z * large)), "HC1")
    assert table.regressions[0].dropped == ("even",)
    assert table.estimate[0, 0] == pytest.approx(plain.params[4], rel=1e-8)


def test_a_moderator_without_variation_is_a_fault(people):
    one, _ = people
    with pytest.raises(UserError, match="'treated x same' cannot be distinguished"):
        interactions(one.y, one.z, pd.DataFrame({"same": np.ones(one.z.size)}), cells=one.cells)


def test_interactions_of_outcomes_with_missing_values_use_their_own_people(people):
    one, controls = people
    y = one.y.copy()
    y[::8, 1] = np.nan
    known = np.isfinite(y[:, 1])
    table = interactions(y, one.z, controls[["age"]], cells=one.cells, controls=controls, missing="available")
    alone = interactions(
        y[known, 1], one.z[known], controls.loc[known, ["age"]], cells=one.cells[known], controls=controls[known]
    )
    assert table.estimate[1, 0] == pytest.approx(alone.estimate[0, 0], rel=1e-10)
    assert table.p_value[1, 0] == pytest.approx(alone.p_value[0, 0], rel=1e-9)
    assert table.n[:, 0].tolist() == [120, known.sum(), 120, 120]


def test_subgroups_are_separate_trials_and_differ_as_one_interacted_regression(people):
    one, controls = people
    female = controls["female"].to_numpy()
    labels = np.where(female == 1, "women", "men")
    table = subgroups(one.y, one.z, labels, cells=one.cells, controls=controls[["age"]], vcov="HC0")
    assert table.groups == ("men", "women")
    for group, effects in zip(table.groups, table.effects, strict=True):
        alone = itt(one.y, one.z, cells=one.cells, controls=controls[["age"]], vcov="HC0", rows=labels == group)
        assert np.array_equal(alone.estimate, effects.estimate)
    both = pd.DataFrame({"cell": one.cells, "group": labels}).astype(str).agg("-".join, axis=1)
    full = np.column_stack((controls["age"], controls["age"] * female, one.z, one.z * female))
    for j in range(4):
        plain = by_dummies(one.y[:, j], one.z, both, full, "HC0")
        assert table.difference[0, j] == pytest.approx(plain.params[3], rel=1e-8)
        assert table.std_error[0, j] == pytest.approx(plain.bse[3], rel=1e-8)
        assert table.df[0, j] == plain.df_resid
        assert table.p_value[0, j] == pytest.approx(plain.pvalues[3], rel=1e-6)
        assert table.equality[j].f_stat == pytest.approx(plain.tvalues[3] ** 2, rel=1e-7)


def test_equality_of_three_groups_does_not_depend_on_the_first(people):
    one, _ = people
    labels = one.cluster % 3
    table = subgroups(one.y, one.z, labels, vcov="CRV1", cluster=one.cells)
    turned = subgroups(one.y, one.z, (labels + 1) % 3, vcov="CRV1", cluster=one.cells)
    assert table.difference.shape == (2, 4)
    for a, b in zip(table.equality, turned.equality, strict=True):
        assert a.df_num == 2
        assert a.f_stat == pytest.approx(b.f_stat, rel=1e-8)
    # Clusters span the groups: scores are summed in them before they are squared.
    scores = [prepare(one.z, cluster=one.cells, rows=labels == g).fit(one.y).scores("CRV1") for g in (0, 1)]
    sums = pd.DataFrame(scores[1] - scores[0]).groupby(one.cells).sum()
    assert np.allclose(table.std_error[0], np.sqrt((sums**2).sum()), rtol=1e-10)
    assert np.all(table.df == np.unique(one.cells).size - 1)
    frame = table.to_frame()
    assert len(frame) == 12
    assert frame.loc[frame["group"] == 0, "difference"].isna().all()


def test_subgroup_faults_name_the_group(people):
    one, _ = people
    labels = np.where(one.z == 1, "drawn", "other")
    with pytest.raises(UserError, match="Group 'drawn'"):
        subgroups(one.y, one.z, labels, cells=one.cells)
    with pytest.raises(UserError, match="at least two groups"):
        subgroups(one.y, one.z, np.zeros(one.z.size), cells=one.cells)
