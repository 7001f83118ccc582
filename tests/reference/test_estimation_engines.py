"""Ours against statsmodels, linearmodels and pyfixest over a matrix of designs, on simulated trials.

Each engine is asked in the way that makes it count as we do: statsmodels and linearmodels IV2SLS get a dummy for every
cell, AbsorbingLS gets cells as categories (it reads integers as a continuous variable), pyfixest keeps singletons
(`fixef_rm="none"`) and counts all cells (`k_fixef="full"`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.estimation import itt, late, prepare

# What ours and the engines' own arithmetic may differ by.
RTOL = 1e-10

DESIGNS = {
    "one cell": {"n": 200, "n_cells": 1},
    "few cells": {"n": 300, "n_cells": 8},
    "sparse cells": {"n": 500, "n_cells": 170},
    "many cells": {"n": 1500, "n_cells": 400},
    "no controls": {"n": 300, "n_cells": 12, "k": 0},
}


def simulate(n, n_cells, k=3, seed=0):
    """People with unequal draw shares, singletons and one-arm cells wherever cells are many."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"cell": rng.integers(0, n_cells, n)})
    frame["z"] = (rng.random(n) < rng.uniform(0.2, 0.9, n_cells)[frame["cell"]]).astype(float)
    for j in range(k):
        frame[f"x{j}"] = rng.standard_normal(n) + 0.02 * frame["cell"]
    frame["d"] = (rng.random(n) < 0.15 + 0.6 * frame["z"]).astype(float)
    frame["w"] = rng.uniform(0.5, 4.0, n)
    frame["g"] = rng.integers(0, 25, n)
    frame["y"] = 0.3 * frame["d"] + rng.standard_normal(n) * (1 + frame["z"]) + 0.05 * frame["cell"]
    frame["y2"] = frame["y"] ** 2 + rng.standard_normal(n)
    frame.loc[rng.random(n) < 0.1, "y2"] = np.nan
    return frame, [f"x{j}" for j in range(k)]


def ours(frame, controls, vcov, *, weighted=False, outcome="y"):
    used = frame[controls] if controls else None
    return itt(
        frame[[outcome]],
        frame["z"],
        cells=frame["cell"],
        controls=used,
        vcov=vcov,
        weights=frame["w"] if weighted else None,
        cluster=frame["g"] if vcov == "CRV1" else None,
        missing="available",
    )


def with_dummies(frame, controls):
    return np.column_stack((frame[["z", *controls]], pd.get_dummies(frame["cell"]).to_numpy(float)))


@pytest.mark.parametrize("outcome", ["y", "y2"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["iid", "HC0", "HC1", "CRV1"])
@pytest.mark.parametrize("name", DESIGNS)
def test_statsmodels_with_dummies(name, vcov, weighted, outcome):
    frame, controls = simulate(**DESIGNS[name])
    table = ours(frame, controls, vcov, weighted=weighted, outcome=outcome)
    kept = frame[frame[outcome].notna()]
    weights = kept["w"] if weighted else 1.0
    model = sm.WLS(kept[outcome].to_numpy(), with_dummies(kept, controls), weights=weights)
    options = {"cov_type": "nonrobust" if vcov == "iid" else vcov, "use_t": True}
    if vcov == "CRV1":
        options |= {"cov_type": "cluster", "cov_kwds": {"groups": kept["g"].to_numpy()}}
    plain = model.fit(**options)
    assert table.estimate[0] == pytest.approx(plain.params[0], rel=RTOL, abs=1e-12)
    assert table.std_error[0] == pytest.approx(plain.bse[0], rel=RTOL)
    assert table.p_value[0] == pytest.approx(plain.pvalues[0], rel=1e-8)
    assert table.conf_low[0] == pytest.approx(plain.conf_int()[0, 0], rel=1e-9)
    assert table.r_squared[0] == pytest.approx(plain.rsquared, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["HC2", "HC3"])
@pytest.mark.parametrize("name", DESIGNS)
def test_leverage_corrections_against_the_whole_hat_matrix(name, vcov, weighted):
    frame, controls = simulate(**DESIGNS[name])
    root = np.sqrt(frame["w"].to_numpy()) if weighted else np.ones(len(frame))
    x = with_dummies(frame, controls) * root[:, None]
    y = frame["y"].to_numpy() * root
    inverse = np.linalg.pinv(x)
    hat = x @ inverse
    slack = 1 - np.diag(hat)
    psi = inverse[0] * (y - hat @ y)
    inside = slack > 1e-9
    power = {"HC2": 1, "HC3": 2}[vcov]
    expected = np.sqrt(np.sum(psi[inside] ** 2 / slack[inside] ** power))
    assert ours(frame, controls, vcov, weighted=weighted).std_error[0] == pytest.approx(expected, rel=RTOL)


@pytest.mark.parametrize("vcov", ["HC2", "HC3"])
def test_leverage_corrections_against_statsmodels_without_singletons(vcov):
    frame, controls = simulate(**DESIGNS["few cells"])
    plain = sm.OLS(frame["y"].to_numpy(), with_dummies(frame, controls)).fit(cov_type=vcov)
    assert ours(frame, controls, vcov).std_error[0] == pytest.approx(plain.bse[0], rel=RTOL)


@pytest.mark.parametrize("vcov", ["unadjusted", "robust", "clustered"])
@pytest.mark.parametrize("name", ["few cells", "sparse cells", "many cells"])
def test_linearmodels_absorbing(name, vcov):
    from linearmodels.iv.absorbing import AbsorbingLS

    frame, controls = simulate(**DESIGNS[name])
    model = AbsorbingLS(frame["y"], frame[["z", *controls]], absorb=frame[["cell"]].astype("category"))
    options = {"clusters": frame["g"]} if vcov == "clustered" else {}
    fit = model.fit(cov_type=vcov, debiased=True, **options)
    table = ours(frame, controls, {"unadjusted": "iid", "robust": "HC1", "clustered": "CRV1"}[vcov])
    assert table.estimate[0] == pytest.approx(fit.params["z"], rel=RTOL)
    assert table.std_error[0] == pytest.approx(fit.std_errors["z"], rel=RTOL)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["iid", "HC1", "CRV1"])
@pytest.mark.parametrize("name", DESIGNS)
def test_pyfixest(name, vcov, weighted):
    pf = pytest.importorskip("pyfixest")
    frame, controls = simulate(**DESIGNS[name])
    fit = pf.feols(
        f"y ~ {' + '.join(['z', *controls])} | cell",
        frame,
        vcov={"CRV1": "g"} if vcov == "CRV1" else ("hetero" if vcov == "HC1" else vcov),
        fixef_rm="none",
        ssc=pf.ssc(k_fixef="full"),
        weights="w" if weighted else None,
    )
    table = ours(frame, controls, vcov, weighted=weighted)
    assert table.estimate[0] == pytest.approx(fit.coef()["z"], rel=RTOL)
    assert table.std_error[0] == pytest.approx(fit.se()["z"], rel=RTOL)
    assert table.p_value[0] == pytest.approx(fit.pvalue()["z"], rel=1e-8)


def test_pyfixest_drops_singletons_as_the_other_convention():
    pf = pytest.importorskip("pyfixest")
    frame, controls = simulate(**DESIGNS["sparse cells"])
    fit = pf.feols(f"y ~ {' + '.join(['z', *controls])} | cell", frame, vcov="hetero", ssc=pf.ssc(k_fixef="full"))
    design = prepare(frame["z"], cells=frame["cell"], controls=frame[controls], singletons="drop")
    mine = design.fit(frame["y"])
    assert design.n == fit._N < len(frame)
    assert mine.std_errors("HC1")[0, 0] == pytest.approx(fit.se()["z"], rel=RTOL)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["unadjusted", "robust", "clustered"])
@pytest.mark.parametrize("name", ["few cells", "sparse cells"])
def test_two_stage_least_squares_of_linearmodels(name, vcov, weighted):
    from linearmodels.iv import IV2SLS

    frame, controls = simulate(**DESIGNS[name])
    exogenous = with_dummies(frame, controls)[:, 1:]
    weights = frame["w"] if weighted else None
    options = {"clusters": frame["g"]} if vcov == "clustered" else {}
    fit = IV2SLS(frame["y"], exogenous, frame["d"], frame["z"], weights=weights).fit(
        cov_type=vcov, debiased=True, **options
    )
    table = late(
        frame[["y"]],
        frame["d"],
        frame["z"],
        cells=frame["cell"],
        controls=frame[controls],
        weights=weights,
        vcov={"unadjusted": "iid", "robust": "HC1", "clustered": "CRV1"}[vcov],
        cluster=frame["g"] if vcov == "clustered" else None,
    )
    assert table.estimate[0] == pytest.approx(fit.params["d"], rel=1e-9)
    assert table.std_error[0] == pytest.approx(fit.std_errors["d"], rel=1e-9)


def test_pyfixest_instrumental_variables():
    pf = pytest.importorskip("pyfixest")
    frame, controls = simulate(**DESIGNS["few cells"])
    fit = pf.feols(f"y ~ {' + '.join(controls)} | cell | d ~ z", frame, vcov="hetero", fixef_rm="none")
    table = late(frame[["y"]], frame["d"], frame["z"], cells=frame["cell"], controls=frame[controls])
    assert table.estimate[0] == pytest.approx(fit.coef()["d"], rel=1e-9)
    assert table.std_error[0] == pytest.approx(fit.se()["d"], rel=1e-9)
