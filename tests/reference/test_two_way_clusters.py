"""Clusters in two dimensions (Cameron, Gelbach and Miller 2011) against pyfixest, the engines and the formula."""

import itertools

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.estimation.core.kernel import without_negative
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.verification.engines import ask
from refino_eval.estimation.verification.reestimation import _problem_of

TWO = ["firm", "year"]


@pytest.fixture(scope="module")
def frame():
    """Return 600 people in 30 cells, 24 firms and 9 years; cells lie within firms."""
    rng = np.random.default_rng(31)
    n = 600
    frame = pd.DataFrame({"firm": rng.integers(0, 24, n), "year": rng.integers(0, 9, n), "x": rng.normal(size=n)})
    frame["cell"] = frame["firm"] * 2 + rng.integers(0, 2, n)
    frame["z"] = (rng.random(n) < 0.3 + 0.04 * frame["year"]).astype(float)
    frame["d"] = (rng.random(n) < 0.2 + 0.6 * frame["z"]).astype(float)
    frame["g"], frame["w"] = (rng.random(n) < 0.5).astype(float), rng.uniform(0.5, 3, n)
    shocks = rng.normal(size=24)[frame["firm"]] + frame["z"] * rng.normal(size=9)[frame["year"]]
    frame["y"] = 0.3 * frame["d"] + 0.2 * frame["x"] + shocks + rng.normal(size=n)
    return frame


def options(frame, vcov="CRV1", weights=None):
    weights = None if weights is None else frame[weights]
    return {"cells": frame["cell"], "controls": frame[["x"]], "cluster": frame[TWO], "vcov": vcov, "weights": weights}


def by_pyfixest(frame, formula, vcov="CRV1", weights=None):
    pf = pytest.importorskip("pyfixest")
    counted = "full" if vcov == "CRV1" else "nonnested"
    ssc = pf.ssc(k_fixef=counted, G_df="min")
    return pf.feols(
        formula,
        frame,
        vcov={"CRV1": "firm + year"},
        fixef_rm="none",
        weights=weights,
        ssc=ssc,
        demeaner=pf.MapDemeaner(fixef_tol=1e-12),
    )


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("vcov", ["CRV1", "CRV1_nested"])
def test_effects_are_those_of_pyfixest_and_engines(frame, vcov, weights):
    with recording() as kept:
        table = est.itt(frame[["y"]], frame["z"], **options(frame, vcov, weights))
    theirs = by_pyfixest(frame, "y ~ z + x | cell", vcov, weights)
    assert table.std_error[0] == pytest.approx(theirs.se()["z"], rel=1e-7)
    assert table.p_value[0] == pytest.approx(theirs.pvalue()["z"], rel=1e-6)
    assert table.df[0] == 8
    (regression,) = kept.regressions.values()
    for engine in ("statsmodels", "linearmodels", "textbook", "within"):
        ((_, cov),) = ask(engine, _problem_of(regression), regression.outcomes)
        assert np.sqrt(cov[0, 0]) == pytest.approx(table.std_error[0], rel=1e-9), engine


def test_the_variance_is_that_of_both_dimensions_less_their_intersection(frame):
    design = est.prepare(frame["z"], **options(frame))
    psi = design.fit(frame[["y"]]).psi()[:, 0]
    squares = [
        sum(psi[part.to_numpy()].sum() ** 2 for _, part in frame.reset_index().groupby(by)["index"])
        for by in (["firm"], ["year"], TWO)
    ]
    factor = 9 / 8 * (600 - 1) / (600 - design.n_parameters)
    expected = factor * (squares[0] + squares[1] - squares[2])
    assert design.fit(frame[["y"]]).variances("CRV1")[0, 0] == pytest.approx(expected, rel=1e-10)


def test_two_stage_least_squares_is_that_of_pyfixest_and_engines(frame):
    with recording() as kept:
        table = est.late(frame[["y"]], frame["d"], frame["z"], **options(frame))
    assert table.std_error[0] == pytest.approx(by_pyfixest(frame, "y ~ x | cell | d ~ z").se()["d"], rel=1e-7)
    regression = next(one for one in kept.regressions.values() if one.take_up is not None)
    for engine in ("statsmodels", "linearmodels", "textbook"):
        ((_, cov),) = ask(engine, _problem_of(regression), regression.outcomes, regression.take_up)
        assert np.sqrt(cov[0, 0]) == pytest.approx(table.std_error[0], rel=1e-9), engine


def test_a_joint_test_is_that_of_pyfixest(frame):
    columns = frame.assign(zg=frame["z"] * frame["g"])[["z", "zg"]]
    rest = options(frame) | {"controls": frame[["x", "g"]]}
    design = est.prepare_columns(columns, **rest)
    fit = design.fit(frame[["y"]])
    test = est.wald_test(fit.coefficients[:, 0], fit.coefficient_cov(0, "CRV1"), design.df("CRV1"))
    theirs = by_pyfixest(frame.assign(zg=columns["zg"]), "y ~ z + zg + x + g | cell")
    cov = pd.DataFrame(theirs._vcov, theirs._coefnames, theirs._coefnames).loc[["z", "zg"], ["z", "zg"]]
    assert np.linalg.eigvalsh(theirs._vcov)[0] > 0
    np.testing.assert_allclose(fit.coefficient_cov(0, "CRV1"), cov, rtol=1e-7)
    b = theirs.coef()[["z", "zg"]].to_numpy()
    assert test.f_stat == pytest.approx(b @ np.linalg.solve(cov, b) / 2, rel=1e-6)


def test_negative_eigenvalues_are_set_to_zero():
    cov = np.array([[2.0, 3.0], [3.0, 2.0]])  # eigenvalues 5 and -1
    np.testing.assert_allclose(without_negative(cov), np.full((2, 2), 2.5))
    assert np.isnan(without_negative(np.array([[-1.0]]))).all()
    kept = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert without_negative(kept) is kept


def test_a_negative_variance_gives_no_standard_error_here_and_in_engines():
    # Each firm-year pair has one large residual that cancels within the firm and within the year.
    firm, year = (np.array(part) for part in zip(*itertools.product(range(4), range(4)), strict=True))
    frame = pd.DataFrame({"firm": np.repeat(firm, 2), "year": np.repeat(year, 2), "z": np.tile([0.0, 1.0], 16)})
    frame["y"] = np.repeat((-1.0) ** (firm + year), 2) * np.where(frame["z"] == 1, 1.0, -1.0)
    with recording() as kept:
        table = est.itt(frame[["y"]], frame["z"], cluster=frame[TWO])
    assert np.isnan(table.std_error[0])
    (regression,) = kept.regressions.values()
    for engine in ("statsmodels", "linearmodels", "textbook", "within"):
        assert np.isnan(ask(engine, _problem_of(regression), regression.outcomes)[0][1]).all(), engine


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        (lambda y, z, rest: est.itt(y, z, **rest | {"vcov": "CR2"}), "takes one dimension of clusters"),
        (lambda y, z, rest: est.randomisation_test(y, z, draws=9, seed=1, **rest), "A randomisation test takes one"),
        (lambda y, z, rest: est.estimands(y, z, **rest), "takes one dimension of clusters"),
    ],
)
def test_what_takes_one_dimension_refuses_two(frame, analysis, said):
    with pytest.raises(UserError, match=said):
        analysis(frame[["y"]], frame["z"], options(frame))
