"""Engines of verification give the kernel's coefficients and covariances for every covariance, weighted or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv.absorbing import AbsorbingLS

from refino_eval.covariances import COVARIANCES
from refino_eval.errors import UserError
from refino_eval.estimation import balance, itt, late, prepare, regression_inputs
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.verification import engines as engines_module
from refino_eval.estimation.verification.engines import Problem, ask
from refino_eval.estimation.verification.reestimation import joint_estimates

VCOVS = tuple(COVARIANCES)


@pytest.fixture(scope="module")
def data():
    """Singletons, one-arm cells, a collinear control, one outcome with missing values, cells as integers."""
    rng = np.random.default_rng(3)
    n = 350
    cells = rng.integers(0, 45, n)
    cells[:2] = [90, 91]
    cells[2:6] = 92
    z = (rng.random(n) < rng.uniform(0.3, 0.8, 93)[cells]).astype(float)
    z[2:6] = 1.0
    x = rng.standard_normal((n, 2)) + 0.05 * cells[:, None]
    controls = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "copy": 3 * x[:, 0]})
    d = (rng.random(n) < 0.2 + 0.5 * z).astype(float)
    outcomes = pd.DataFrame({"y": d + rng.standard_normal(n) * (1 + z), "gap": rng.standard_normal(n) + cells})
    outcomes.loc[20:60, "gap"] = np.nan
    return {
        "outcomes": outcomes, "z": z, "d": d, "cells": cells, "controls": controls,
        "weights": rng.uniform(0.5, 3, n), "cluster": rng.integers(0, 30, n),
    }  # fmt: skip


def options(data, vcov, weighted=False, **others):
    return {
        "cells": data["cells"],
        "controls": data["controls"],
        "weights": data["weights"] if weighted else None,
        "cluster": data["cluster"] if COVARIANCES[vcov].is_clustered else None,
        "vcov": vcov,
        "missing": "available",
        **others,
    }


def engines_for(vcov):
    """The engines that offer a covariance."""
    if COVARIANCES[vcov].has_cluster_leverage:
        return ("textbook",)
    if COVARIANCES[vcov].leverage_power:
        return ("statsmodels", "textbook")
    return ("statsmodels", "linearmodels", "textbook", "within")


def problem_of(regression):
    return Problem(
        columns=regression.columns, n_focus=regression.coefficients.shape[0], cells=regression.cells,
        weights=regression.weights, cluster=regression.cluster, vcov=regression.vcov,
    )  # fmt: skip


def assert_agreement(regressions, vcov, engines):
    for regression in regressions:
        for engine in engines:
            answers = ask(engine, problem_of(regression), regression.outcomes, regression.take_up)
            for j, (b, cov) in enumerate(answers):
                scale = regression.std_errors[:, j]
                np.testing.assert_allclose(b, regression.coefficients[:, j], rtol=1e-8, atol=1e-8 * scale.max())
                np.testing.assert_allclose(np.sqrt(np.diag(cov)), scale, rtol=1e-8, err_msg=f"{engine} {vcov}")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", VCOVS)
def test_every_engine_gives_the_itt(data, vcov, weighted):
    with recording() as kept:
        itt(data["outcomes"], data["z"], **options(data, vcov, weighted))
    assert len(kept.regressions) == 2, "one for each outcome's people"
    assert_agreement(kept.regressions.values(), vcov, engines_for(vcov))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", VCOVS)
def test_every_engine_gives_the_late(data, vcov, weighted):
    with recording() as kept:
        late(data["outcomes"], data["d"], data["z"], **options(data, vcov, weighted))
    instrumented = [regression for regression in kept.regressions.values() if regression.take_up is not None]
    assert len(instrumented) == 2
    assert_agreement(instrumented, vcov, [engine for engine in engines_for(vcov) if engine != "within"])


@pytest.mark.parametrize("vcov", ["iid", "HC1", "HC2", "CRV1"])
def test_every_engine_gives_the_covariance_of_several_coefficients(data, vcov):
    with recording() as kept:
        table = balance(data["controls"], data["z"], **options(data, vcov, controls=None))
    joint = next(one for one in kept.regressions.values() if one.coefficients.shape[0] == 2)
    for engine in engines_for(vcov):
        b, cov = ask(engine, problem_of(joint), joint.outcomes)[0]
        assert b @ np.linalg.solve(cov, b) / 2 == pytest.approx(table.joint_test.f_stat, rel=1e-8), engine


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["iid", "HC0", "HC1", "CRV1"])
def test_the_parts_of_linearmodels_are_what_its_model_gives(data, vcov, weighted):
    with recording() as kept:
        itt(data["outcomes"], data["z"], **options(data, vcov, weighted))
    for regression in kept.regressions.values():
        [(b, cov)] = ask("linearmodels", problem_of(regression), regression.outcomes)
        clusters = {"clusters": pd.Series(regression.cluster)} if COVARIANCES[vcov].is_clustered else {}
        model = AbsorbingLS(
            pd.Series(regression.outcomes[:, 0]),
            pd.DataFrame(regression.columns).add_prefix("x"),
            absorb=pd.DataFrame({"cell": pd.Categorical(regression.cells)}),
            weights=None if regression.weights is None else pd.Series(regression.weights),
        )
        kind = "clustered" if clusters else "unadjusted" if vcov == "iid" else "robust"
        fit = model.fit(cov_type=kind, debiased=vcov != "HC0", **clusters)
        assert b[0] == pytest.approx(fit.params.iloc[0], rel=1e-9)
        assert cov[0, 0] == pytest.approx(fit.cov.iloc[0, 0], rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["HC0", "HC1", "CRV1"])
def test_influences_give_the_joint_covariance_of_outcomes(data, vcov, weighted):
    outcomes = data["outcomes"].fillna(0.0).assign(started=data["d"])
    with recording() as kept:
        table = itt(outcomes, data["z"], **options(data, vcov, weighted))
    inputs = regression_inputs(data["z"], **options(data, vcov, weighted))
    expected = prepare(inputs).fit(outcomes).joint_cov(vcov)
    [(b, cov)] = joint_estimates(kept, [(table.sources, (0, 0, 0))])
    np.testing.assert_allclose(b, table.estimate, rtol=1e-9)
    np.testing.assert_allclose(cov, expected, rtol=1e-9)
    [(_, apart)] = joint_estimates(kept, [(table.sources, (0, 1, 2))])
    np.testing.assert_allclose(apart, np.diag(np.diag(expected)), rtol=1e-9)


def test_covariances_with_leverage_have_no_influences(data):
    with recording() as kept:
        table = itt(data["outcomes"][["y"]], data["z"], **options(data, "HC2"))
    assert joint_estimates(kept, [(table.sources, (0,))]) == [None]


def test_cells_that_are_each_part_of_one_cluster_count_as_parameters_in_every_engine(data):
    with recording() as kept:
        itt(data["outcomes"], data["z"], **options(data, "CRV1") | {"cluster": data["cells"] // 3})
    assert_agreement(kept.regressions.values(), "CRV1", engines_for("CRV1"))


def test_dropping_singletons_is_seen_by_engines(data):
    kept = {}
    for rule in ("keep", "drop"):
        with recording() as opened:
            itt(data["outcomes"][["y"]], data["z"], **options(data, "HC1", singletons=rule))
        kept[rule] = next(iter(opened.regressions.values()))
        assert_agreement([kept[rule]], "HC1", engines_for("HC1"))
    keep, drop = kept["keep"], kept["drop"]
    assert keep.coefficients[0, 0] == pytest.approx(drop.coefficients[0, 0], rel=1e-12)
    assert keep.std_errors[0, 0] != pytest.approx(drop.std_errors[0, 0], rel=1e-4), "n and K differ"


def test_one_cell_is_a_constant(data):
    with recording() as kept:
        itt(data["outcomes"][["y"]], data["z"])
    assert_agreement(kept.regressions.values(), "HC1", engines_for("HC1"))


def test_an_effect_of_zero_agrees_within_its_standard_error(data):
    # An outcome orthogonal to treatment within cells: the estimate is rounding, and has no relative precision.
    y = np.random.default_rng(0).standard_normal(350)
    fit = prepare(data["z"], cells=data["cells"]).fit(y)
    with recording() as kept:
        table = itt(y - fit.estimates[0] * data["z"], data["z"], cells=data["cells"])
    assert abs(table.estimate[0]) < 1e-14
    assert_agreement(kept.regressions.values(), "HC1", engines_for("HC1"))


def test_too_many_dummies_are_refused(data, monkeypatch):
    with recording() as kept:
        itt(data["outcomes"][["y"]], data["z"], cells=data["cells"])
    regression = next(iter(kept.regressions.values()))
    monkeypatch.setattr(engines_module, "MOST_DUMMIES", 1000)
    with pytest.raises(UserError, match="absorbs cells"):
        ask("statsmodels", problem_of(regression), regression.outcomes)
    assert_agreement(kept.regressions.values(), "HC1", ("linearmodels", "within"))


def test_the_reference_trial(shared_data):
    trial = pd.read_csv(shared_data / "reference_trial" / "trial.csv")
    controls = trial[["age", "female", "immig", "edu", "earn0", "ben0"]]
    with recording() as kept:
        itt(trial[["y0", "y1", "y2"]], trial["z"], cells=trial["cell"], controls=controls)
    assert_agreement(kept.regressions.values(), "HC1", ("statsmodels", "linearmodels", "within"))


@pytest.mark.parametrize("engine", ["statsmodels", "textbook"])
def test_designs_that_differ_in_one_number_are_not_taken_for_each_other(engine):
    rng = np.random.default_rng(12)
    columns, cells = rng.standard_normal((60, 2)), np.arange(60) % 4
    other = columns.copy()
    other[7, 0] += 1.0
    outcomes = rng.standard_normal((60, 1))
    problems = [
        Problem(columns=each, n_focus=1, cells=cells, weights=None, cluster=None, vcov="HC1")
        for each in (columns, other)
    ]
    # The second round finds the decompositions of the first one kept.
    (first, second), (again, other_again) = [
        [ask(engine, problem, outcomes)[0] for problem in problems] for _ in range(2)
    ]
    expected = [
        np.linalg.lstsq(np.hstack((each, np.eye(4)[cells])), outcomes[:, 0], rcond=None)[0][0]
        for each in (columns, other)
    ]
    assert [first[0][0], second[0][0]] == pytest.approx(expected, rel=1e-10)
    for before, after in ((first, again), (second, other_again)):
        assert all(np.array_equal(one, two) for one, two in zip(before, after, strict=True))
