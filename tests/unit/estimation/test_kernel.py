"""The kernel against the slow oracle, its invariances, and its faults."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refino_eval.errors import UserError
from refino_eval.estimation import prepare, prepare_columns

ROBUST = ("iid", "HC0", "HC1", "HC2", "HC3")
# The oracle inverts an n x (cells + controls) matrix; its own rounding is what is allowed for.
RTOL = 1e-9

quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 10_000)


@quick
@given(seed=seeds, n_cells=st.integers(1, 25), k=st.integers(0, 4), weighted=st.booleans())
def test_equals_dummy_regression(oracle, trial, seed, n_cells, k, weighted):
    t = trial(seed, n_cells=n_cells, k=k)
    weights = t.weights if weighted else None
    design = prepare(t.z, cells=t.cells, controls=t.controls, weights=weights, cluster=t.cluster)
    fit = design.fit(t.y)
    for j in range(t.y.shape[1]):
        plain = oracle(t.y[:, j], t.z, t.cells, t.controls, weights, t.cluster)
        assert fit.estimates[j] == pytest.approx(plain.estimate, rel=RTOL, abs=1e-11)
        assert fit.r_squared[j] == pytest.approx(plain.r_squared, rel=RTOL)
        for vcov in (*ROBUST, "CRV1"):
            assert fit.std_errors(vcov)[0, j] == pytest.approx(plain.std_error[vcov], rel=RTOL), vcov
    assert design.n_parameters == plain.n_parameters
    np.testing.assert_allclose(design.leverage, plain.leverage, atol=1e-10)


@quick
@given(seed=seeds)
def test_row_order_and_cell_labels_do_not_matter(trial, seed):
    t = trial(seed)
    order = np.random.default_rng(seed).permutation(t.z.size)
    labels = np.array([f"cell {(c * 7) % 11}" for c in t.cells], dtype=object)
    fit = prepare(t.z, cells=t.cells, controls=t.controls).fit(t.y)
    again = prepare(t.z[order], cells=labels[order], controls=t.controls[order]).fit(t.y[order])
    np.testing.assert_allclose(again.estimates, fit.estimates, rtol=1e-10, atol=1e-12)
    for vcov in ROBUST:
        np.testing.assert_allclose(again.std_errors(vcov), fit.std_errors(vcov), rtol=1e-10)


@quick
@given(seed=seeds, shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100))
def test_shift_and_scale_of_outcome_controls_and_weights(trial, seed, shift, scale):
    t = trial(seed)
    fit = prepare(t.z, cells=t.cells, controls=t.controls, weights=t.weights).fit(t.y)
    again = prepare(t.z, cells=t.cells, controls=t.controls * scale + shift, weights=t.weights * scale).fit(
        t.y * scale + shift
    )
    np.testing.assert_allclose(again.estimates, fit.estimates * scale, rtol=1e-8, atol=1e-9 * scale)
    for vcov in ROBUST:
        np.testing.assert_allclose(again.std_errors(vcov), fit.std_errors(vcov) * scale, rtol=1e-8)


@quick
@given(seed=seeds)
def test_a_singleton_changes_n_and_k_alone(trial, seed):
    t = trial(seed)
    more = {
        "treated": np.append(t.z, 1.0),
        "cells": np.append(t.cells, 999),
        "controls": np.vstack((t.controls, [5.0, -3.0, 8.0])),
    }
    fit = prepare(t.z, cells=t.cells, controls=t.controls).fit(t.y)
    with_one = prepare(**more).fit(np.vstack((t.y, np.full(4, 1e3))))
    without = prepare(**more, singletons="drop").fit(np.vstack((t.y, np.full(4, 1e3))))
    assert with_one.design.n == fit.design.n + 1
    assert with_one.design.df_resid == fit.design.df_resid == without.design.df_resid
    assert without.design.n == fit.design.n - np.count_nonzero(np.bincount(t.cells) == 1)
    np.testing.assert_allclose(with_one.estimates, fit.estimates, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(without.estimates, fit.estimates, rtol=1e-10, atol=1e-12)
    for vcov in ("HC0", "HC2", "HC3", "iid"):
        np.testing.assert_allclose(with_one.std_errors(vcov), fit.std_errors(vcov), rtol=1e-10)
    factor = np.sqrt(with_one.design.n / fit.design.n)
    np.testing.assert_allclose(with_one.std_errors("HC1"), fit.std_errors("HC1") * factor, rtol=1e-10)


@pytest.mark.parametrize("seed", range(25))
def test_people_fitted_exactly_have_no_influence(trial, seed):
    # Rounding leaves 1 - h on either side of 0, so one seed proves little.
    t = trial(seed)
    rng = np.random.default_rng(seed)
    own = np.zeros((t.z.size, 4))
    people = rng.choice(np.arange(6, t.z.size), 4, replace=False)
    own[people, range(4)] = rng.uniform(0.1, 300, 4)
    rows = np.ones(t.z.size, dtype=bool)
    rows[people] = False
    fit = prepare(t.z, cells=t.cells, controls=np.column_stack((own, t.controls))).fit(t.y)
    without = prepare(t.z, cells=t.cells, controls=t.controls, rows=rows).fit(t.y)
    np.testing.assert_allclose(fit.design.leverage[people], 1.0)
    assert np.all(fit.psi()[people] == 0.0)
    for vcov in ("HC0", "HC2", "HC3"):
        np.testing.assert_allclose(fit.std_errors(vcov), without.std_errors(vcov), rtol=1e-9)


def test_many_columns_agree_with_the_oracle_one_by_one(oracle, trial):
    t = trial(5)
    fit = prepare_columns(t.controls, names=["a", "b", "c"], cells=t.cells, controls=t.z[:, None]).fit(t.y)
    for f in range(3):
        others = np.column_stack((np.delete(t.controls, f, axis=1), t.z))
        plain = oracle(t.y[:, 1], t.controls[:, f], t.cells, others)
        assert fit.coefficients[f, 1] == pytest.approx(plain.estimate, rel=RTOL)
        for vcov in ROBUST:
            assert np.sqrt(fit.coefficient_cov(1, vcov)[f, f]) == pytest.approx(plain.std_error[vcov], rel=RTOL)
            assert fit.std_errors(vcov)[f, 1] == pytest.approx(plain.std_error[vcov], rel=RTOL)


def test_control_basis_spans_the_controls_alone(trial):
    t = trial(5)
    design = prepare(t.z, cells=t.cells, controls=t.controls)
    within = design.within(t.controls)
    assert design.control_basis.shape == (120, 3)
    np.testing.assert_allclose(design.control_basis @ (design.control_basis.T @ within), within, atol=1e-12)
    z_tilde = design.within(t.z[:, None])[:, 0]
    z_tilde -= design.control_basis @ (design.control_basis.T @ z_tilde)
    np.testing.assert_allclose(z_tilde / (z_tilde @ z_tilde), design.dual[:, 0], atol=1e-12)


@pytest.mark.parametrize("vcov", [*ROBUST, "CRV1"])
def test_joint_covariance_is_that_of_sums_of_outcomes(trial, vcov):
    t = trial(8)
    design = prepare(t.z, cells=t.cells, controls=t.controls, cluster=t.cluster)
    cov = design.fit(t.y).joint_cov(vcov)
    mix = np.array([1.0, -2.0, 0.5, 3.0])
    mixed = design.fit(t.y @ mix)
    assert mix @ cov @ mix == pytest.approx(mixed.variances(vcov)[0, 0], rel=1e-10)
    if vcov != "iid":
        scores = mixed.scores(vcov)
        summed = scores if vcov != "CRV1" else pd.DataFrame(scores).groupby(t.cluster).sum().to_numpy()
        assert np.sum(summed**2) == pytest.approx(mixed.variances(vcov)[0, 0], rel=1e-10)


def test_collinear_controls_are_dropped_and_named_later_ones_first(trial):
    t = trial(2)
    frame = pd.DataFrame(t.controls, columns=["a", "b", "c"])
    frame["of_cell"] = t.cells * 2.0
    frame["sum"] = frame["a"] - 3 * frame["b"] + 4 + t.cells
    frame["late"] = np.random.default_rng(0).standard_normal(t.z.size)
    design = prepare(t.z, cells=t.cells, controls=frame)
    assert design.controls == ("a", "b", "c", "late")
    assert design.dropped == ("of_cell", "sum")
    np.testing.assert_allclose(
        design.fit(t.y).estimates,
        prepare(t.z, cells=t.cells, controls=frame[["a", "b", "c", "late"]]).fit(t.y).estimates,
    )


def test_constant_outcome_has_no_effect_and_no_t(trial):
    t = trial(4)
    fit = prepare(t.z, cells=t.cells, controls=t.controls).fit(np.full(t.z.size, 0.1))
    assert fit.estimates[0] == 0.0
    assert fit.std_errors("HC1")[0, 0] == 0.0
    assert np.isnan(fit.r_squared[0])


def test_cells_may_be_any_labels(trial):
    t = trial(6)
    pairs = [(int(c) % 3, f"m{c}") for c in t.cells]
    frame = pd.DataFrame(pairs, columns=["county", "month"])
    expected = prepare(t.z, cells=t.cells).fit(t.y).estimates
    for labels in (pairs, frame, pd.Categorical([str(c) for c in t.cells]), pd.Series(t.cells, index=t.z)):
        design = prepare(t.z, cells=labels)
        assert design.cells.n_cells == np.unique(t.cells).size
        np.testing.assert_allclose(design.fit(t.y).estimates, expected, rtol=1e-10)


def test_one_cell_is_the_difference_in_means(trial):
    t = trial(7)
    fit = prepare(t.z).fit(t.y)
    np.testing.assert_allclose(fit.estimates, t.y[t.z == 1].mean(axis=0) - t.y[t.z == 0].mean(axis=0), rtol=1e-10)
    arms = [t.y[t.z == arm].var(axis=0, ddof=1) / np.sum(t.z == arm) for arm in (0, 1)]
    np.testing.assert_allclose(fit.std_errors("HC2")[0], np.sqrt(arms[0] + arms[1]), rtol=1e-10)


def test_rows_select_people(trial):
    t = trial(9)
    rows = np.random.default_rng(1).random(t.z.size) < 0.8
    y = np.where(rows[:, None], t.y, np.nan)
    design = prepare(t.z, cells=t.cells, controls=t.controls, rows=rows)
    again = prepare(t.z[rows], cells=t.cells[rows], controls=t.controls[rows]).fit(t.y[rows])
    np.testing.assert_array_equal(design.fit(y).estimates, again.estimates)
    assert np.all(design.fit(y).scores("HC2")[~rows] == 0.0)


FAULTS = {
    "not 0 or 1": (lambda t: {"treated": t.z + 1}, "treated must be 0 or 1"),
    "missing draw": (lambda t: {"treated": np.where(t.cells == 2, np.nan, t.z)}, "of them missing"),
    "text draw": (lambda t: {"treated": np.array(["yes"] * t.z.size)}, "must be numbers"),
    "empty": (lambda t: {"treated": t.z[:0], "cells": None, "controls": None}, "sample is empty"),
    "constant": (lambda t: {"treated": (t.cells % 2).astype(float)}, "constant within every cell"),
    "all treated": (lambda t: {"treated": np.ones(t.z.size)}, "constant within every cell"),
    "collinear": (
        lambda t: {"controls": np.column_stack((t.controls, 2 * t.z - t.controls[:, 0]))},
        "collinear with the",
    ),
    "short controls": (lambda t: {"controls": t.controls[1:]}, "controls has 119 rows"),
    "missing controls": (
        lambda t: {"controls": np.where(t.cells[:, None] == 1, np.nan, t.controls)},
        "missing or infinite",
    ),
    "missing cell": (lambda t: {"cells": np.where(t.cells == 1, np.nan, t.cells)}, "have no label"),
    "short cells": (lambda t: {"cells": t.cells[:-1]}, "cells has 119 rows"),
    "weights": (lambda t: {"weights": t.weights - 1.0}, "weights must be positive"),
    "singletons": (lambda t: {"singletons": "dorp"}, "Did you mean 'drop'"),
    "rows": (lambda t: {"rows": np.arange(5)}, "boolean mask"),
    "nobody": (lambda t: {"rows": np.zeros(t.z.size, dtype=bool)}, "no person is left"),
    "degrees": (
        lambda t: {"cells": np.arange(t.z.size) // 2, "controls": np.random.default_rng(0).random((120, 59))},
        "degrees of freedom",
    ),
    "names": (lambda t: {"control_names": ["a"]}, "3 columns but 1 names"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_user_are_reported(trial, fault):
    t = trial(11)
    change, message = FAULTS[fault]
    inputs = {"treated": t.z, "cells": t.cells, "controls": t.controls} | change(t)
    with pytest.raises(UserError, match=message):
        prepare(inputs.pop("treated"), **inputs)


def test_faults_of_the_fit(trial):
    t = trial(11)
    design = prepare(t.z, cells=t.cells)
    with pytest.raises(UserError, match="Outcomes hold missing"):
        design.fit(np.where(t.cells == 1, np.nan, t.y[:, 0]))
    with pytest.raises(UserError, match="Unknown vcov 'HC9'"):
        design.fit(t.y).std_errors("HC9")
    with pytest.raises(UserError, match="needs a cluster"):
        design.fit(t.y).std_errors("CRV1")
    with pytest.raises(UserError, match="at least two clusters"):
        prepare(t.z, cells=t.cells, cluster=np.zeros(t.z.size)).fit(t.y).std_errors("CRV1")
    with pytest.raises(UserError, match="no influence form"):
        design.fit(t.y).scores("iid")


@pytest.mark.parametrize("vcov", ["HC1", "HC3", "CRV1"])
def test_a_coefficient_of_people_fitted_exactly_has_no_robust_variance_and_leaves_the_others_theirs(vcov):
    rng = np.random.default_rng(8)
    treated, rare = rng.integers(0, 2, 60).astype(float), np.arange(60) == 4
    columns = np.column_stack((rare, treated)).astype(float)
    cluster = np.arange(60) // 2 if vcov == "CRV1" else None
    fit = prepare_columns(columns, names=("rare", "treated"), cluster=cluster).fit(rng.normal(size=60))
    assert fit.design.supported.tolist() == [False, True]
    assert np.isnan(fit.std_errors(vcov)[0, 0])
    errors = fit.combination_errors(np.array([[0.0, 1.0], [1.0, 1.0]]), 0, vcov)
    assert errors[0] == pytest.approx(fit.std_errors(vcov)[1, 0], rel=1e-12)
    assert np.isnan(errors[1])
    assert np.isfinite(fit.std_errors("iid")).all()


def test_people_fitted_exactly_cost_no_matrix_of_people_times_people():
    n = 3_000
    rng = np.random.default_rng(9)
    columns = np.column_stack((np.arange(n) == 4, rng.integers(0, 2, n))).astype(float)
    design = prepare_columns(columns, names=("rare", "treated"))
    tracemalloc.start()
    assert design.supported.tolist() == [False, True]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n * n / 20
