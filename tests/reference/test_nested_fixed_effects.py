"""CRV1_nested against pyfixest (k_fixef="nonnested"), linearmodels' AbsorbingLS, and the factor written out."""

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.estimation.core.recording import recording
from refino_eval.estimation.verification.engines import ask
from refino_eval.estimation.verification.reestimation import _problem_of

RTOL = 1e-9
ENGINES = ("statsmodels", "linearmodels", "textbook", "within")


@pytest.fixture(scope="module")
def frame():
    """Return 480 people in 120 cells; `town` holds whole cells, `round` crosses them, and `grade` is nested in `school`."""
    rng = np.random.default_rng(30)
    n = 480
    frame = pd.DataFrame({"cell": rng.integers(0, 120, n), "round": rng.integers(0, 9, n), "x": rng.normal(size=n)})
    frame["town"], frame["grade"] = frame["cell"] // 3, rng.integers(0, 60, n)
    frame["school"] = frame["grade"] // 4
    frame["z"] = (rng.random(n) < 0.5).astype(float)
    frame["d"] = (rng.random(n) < 0.2 + 0.6 * frame["z"]).astype(float)
    frame["w"] = rng.uniform(0.5, 3, n)
    frame["y"] = 0.3 * frame["d"] + 0.2 * frame["x"] + rng.normal(size=40)[frame["town"]] + rng.normal(size=n)
    return frame


def controls(frame, *absorbed):
    terms = [est.ControlTerm(name="x"), *(est.ControlTerm(name=name, encoding="categories") for name in absorbed)]
    return est.build_controls(frame, terms).to_frame()


def by_pyfixest(frame, formula, cluster, weights=None):
    pf = pytest.importorskip("pyfixest")
    # It sweeps fixed effects out step by step; with its own tolerance the eighth digit depends on the order of its threads.
    fit = pf.feols(
        formula, frame, vcov={"CRV1": cluster}, fixef_rm="none", weights=weights, ssc=pf.ssc(k_fixef="nonnested"),
        demeaner=pf.MapDemeaner(fixef_tol=1e-12),
    )  # fmt: skip
    return fit.se()


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize(
    ("cells", "absorbed", "cluster"),
    [
        ("cell", (), "town"),  # nested
        ("cell", (), "round"),  # crossed: as CRV1
        ("cell", ("round",), "town"),  # the cells are nested, the dummies are not
        ("cell", ("grade",), "school"),  # the dummies are nested, the cells are not
    ],
)
def test_standard_errors_are_those_of_pyfixest_and_engines(frame, cells, absorbed, cluster, weights):
    options = {"cells": frame[cells], "controls": controls(frame, *absorbed), "cluster": frame[cluster]}
    with recording() as kept:
        table = est.itt(
            frame[["y"]], frame["z"], vcov="CRV1_nested", absorbed=absorbed,
            weights=None if weights is None else frame[weights], **options,
        )  # fmt: skip
    theirs = by_pyfixest(frame, f"y ~ z + x | {' + '.join((cells, *absorbed))}", cluster, weights)["z"]
    assert table.std_error[0] == pytest.approx(theirs, rel=1e-7)
    assert table.df[0] == frame[cluster].nunique() - 1
    (regression,) = kept.regressions.values()
    for engine in ENGINES:
        ((_, cov),) = ask(engine, _problem_of(regression), regression.outcomes)
        assert np.sqrt(cov[0, 0]) == pytest.approx(table.std_error[0], rel=RTOL), engine


def test_linearmodels_leaves_nested_effects_out_too(frame):
    from linearmodels.iv.absorbing import AbsorbingLS

    model = AbsorbingLS(
        frame["y"], frame[["z", "x"]].assign(one=1.0), absorb=frame[["cell"]].astype("category"), drop_absorbed=True
    )
    fit = model.fit(cov_type="clustered", clusters=frame["town"], debiased=True)
    table = est.itt(
        frame[["y"]], frame["z"], cells=frame["cell"], controls=frame[["x"]], cluster=frame["town"], vcov="CRV1_nested"
    )
    assert table.std_error[0] == pytest.approx(fit.std_errors["z"], rel=1e-9)


def test_only_the_factor_differs_from_crv1(frame):
    options = {"cells": frame["cell"], "controls": frame[["x"]], "cluster": frame["town"]}
    nested, full = (est.itt(frame[["y"]], frame["z"], vcov=vcov, **options) for vcov in ("CRV1_nested", "CRV1"))
    n, columns, cells = len(frame), 2, frame["cell"].nunique()
    ratio = (n - columns - cells) / (n - columns - 1)
    assert nested.std_error[0] ** 2 / full.std_error[0] ** 2 == pytest.approx(ratio, rel=1e-12)
    tests = [
        est.randomisation_test(frame[["y"]], frame["z"], vcov=vcov, draws=199, seed=1, units=np.arange(n), **options)
        for vcov in ("CRV1_nested", "CRV1")
    ]
    assert tests[0].p_value[0] == tests[1].p_value[0]
    assert tests[0].std_error[0] == pytest.approx(nested.std_error[0], rel=1e-12)


def test_two_stage_least_squares_is_that_of_pyfixest(frame):
    options = {"cells": frame["cell"], "controls": frame[["x"]], "cluster": frame["town"], "vcov": "CRV1_nested"}
    table = est.late(frame[["y"]], frame["d"], frame["z"], **options)
    theirs = by_pyfixest(frame, "y ~ x | cell | d ~ z", "town")["d"]
    assert table.std_error[0] == pytest.approx(theirs, rel=1e-7)
