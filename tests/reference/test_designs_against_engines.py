"""Absorbed columns, interacted adjustment, several arms at once and balanced step-down, against independent programs or plain loops."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval import estimation as est
from refino_eval.config.definitions import Specification
from refino_eval.estimation.randomisation.refitted_draws import Redesign
from refino_eval.exhibits.numbers.study import controls_of, inputs_of

WORD = {"nb": "ord", "en": "word"}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(5)
    n = 600
    office, month = rng.integers(0, 25, n), rng.integers(0, 9, n)
    z = (rng.random(n) < 0.35 + 0.01 * office).astype(int)
    x = rng.normal(0, 1, n)
    frame = pd.DataFrame({"treated": z, "office": office, "month": month, "x": x, "cluster": office})
    frame["y"] = 0.4 * z + x + 0.1 * office + 0.2 * month + rng.normal(0, 1 + z, n)
    return frame.assign(cell=[f"c{o % 6}" for o in office], weight=rng.uniform(0.4, 2, n))


def specification(**change):
    return Specification.model_validate(
        {"label": WORD, "description": "x", "controls": [{"covariate": "x"}], "absorb": ["office", "month"], **change}
    )


def effect(people, spec):
    controls = controls_of(people, spec)
    return est.itt(people["y"].to_numpy(), inputs_of(people, spec, controls.to_frame() if controls.names else None))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["iid", "HC1", "CRV1"])
def test_two_absorbed_columns_are_those_of_pyfixest_and_linearmodels(people, vcov, weighted):
    import pyfixest as pf
    from linearmodels.iv.absorbing import AbsorbingLS

    given = people if weighted else people.drop(columns="weight")
    table = effect(given, specification(vcov=vcov))
    kind = {"iid": "iid", "HC1": "HC1", "CRV1": {"CRV1": "cluster"}}[vcov]
    fit = pf.feols(
        "y ~ treated + x | office + month", people, vcov=kind, weights="weight" if weighted else None,
        fixef_rm="none", ssc=pf.ssc(k_fixef="full"),
    )  # fmt: skip
    assert table.estimate[0] == pytest.approx(float(fit.coef()["treated"]), rel=1e-8)
    assert table.std_error[0] == pytest.approx(float(fit.se()["treated"]), rel=1e-7)
    # Two connected columns of 25 and 9 values have 33 constants; with treatment and x that is K = 35.
    assert table.df[0] == (24 if vcov == "CRV1" else 600 - 35)
    model = AbsorbingLS(
        people["y"], people[["treated", "x"]], absorb=people[["office", "month"]].astype("category"),
        weights=people["weight"] if weighted else None,
    )  # fmt: skip
    options = {"cov_type": "clustered", "clusters": people["cluster"]} if vcov == "CRV1" else {"cov_type": "robust"}
    other = model.fit(**({"cov_type": "unadjusted"} if vcov == "iid" else options), debiased=True)
    assert table.estimate[0] == pytest.approx(other.params["treated"], rel=1e-8)
    assert table.std_error[0] == pytest.approx(other.std_errors["treated"], rel=1e-7)


def test_absorbed_columns_that_do_not_connect_cost_one_constant_less(people):
    # Offices 0-12 have months 0-3 and the others months 4-8: two separate sets, so one more month is redundant.
    apart = people.assign(month=np.where(people["office"] < 13, people["month"] % 4, 4 + people["month"] % 5))
    table = effect(apart, specification())
    dense = pd.get_dummies(apart[["office", "month"]].astype(str)).to_numpy(float)
    x = np.column_stack((apart["treated"], apart["x"], dense))
    assert table.df[0] == len(apart) - np.linalg.matrix_rank(x)


def test_who_lacks_an_absorbed_column_is_left_out(people):
    lacking = people.assign(
        month=people["month"].astype(float).where(people.index > 20),
        office=people["office"].astype(float).where(people.index != 50),
    )
    kept = controls_of(lacking, specification()).rows
    assert (~kept).sum() == 22


@pytest.fixture(scope="module")
def arms(people):
    rng = np.random.default_rng(8)
    arm = rng.integers(0, 3, len(people))
    y = pd.DataFrame({"a": people["x"] + rng.normal(0, 1, 600) + 0.3 * (arm == 1), "b": rng.normal(0, 1, 600)})
    inputs = est.regression_inputs((arm > 0).astype(int), cells=people["cell"], controls=people[["x"]], vcov="HC2")
    return arm, y, inputs


def test_arms_of_one_regression_and_their_differences_are_those_of_statsmodels(people, arms):
    arm, y, inputs = arms
    effects = est.arm_effects(y, arm, ("one", "two"), inputs, between=True)
    x = np.column_stack((arm == 1, arm == 2, people["x"], pd.get_dummies(people["cell"]))).astype(float)
    fit = sm.OLS(y["a"], x).fit(cov_type="HC2", use_t=True)
    contrast = np.zeros(x.shape[1])
    contrast[:2] = 1, -1
    test = fit.t_test(contrast)
    for table, (value, error) in zip(
        effects.tables,
        [(fit.params.iloc[k], fit.bse.iloc[k]) for k in (0, 1)] + [(test.effect[0], test.sd[0, 0])],
        strict=True,
    ):
        assert (table.estimate[0], table.std_error[0]) == pytest.approx((value, error), rel=1e-9)


def test_re_randomised_arms_share_their_draws_and_their_controls(arms):
    arm, y, inputs = arms
    effects = est.arm_effects(y, arm, ("one", "two"), inputs)
    tests = est.arms_test(effects, arm, ("one", "two"), inputs, draws=199, seed=4)
    again = est.arms_test(effects, arm, ("one", "two"), inputs, draws=99, seed=4)
    np.testing.assert_array_equal(tests[0].draws[:99], again[0].draws)
    # t statistics of re-randomisations are close to standard normal; the planted effect is far outside.
    assert 0.85 < tests[1].draws.std() < 1.15
    assert tests[0].p_value[0] < 0.05
    # Both arms are compared with the same control people, so their draws move together: correlation about one half.
    assert 0.3 < np.corrcoef(tests[0].draws[:, 1], tests[1].draws[:, 1])[0, 1] < 0.7


def test_interactions_are_made_anew_for_every_draw(people):
    inputs = est.regression_inputs(
        people["treated"], cells=people["cell"], controls=people[["x"]], vcov="HC1", interacted=True
    )
    table = est.randomisation_test(people["y"].to_numpy(), inputs, draws=5, seed=3)
    drawn = est.drawn_assignments(inputs, draws=5, seed=3)
    centred = people["x"] - people.groupby("cell")["x"].transform("mean")
    dummies = pd.get_dummies(people["cell"]).to_numpy(float)
    for k in range(5):
        z = drawn[:, k].astype(float)
        assert [z[people["cell"] == c].sum() for c in ("c0", "c3")] == [
            people.loc[people["cell"] == c, "treated"].sum() for c in ("c0", "c3")
        ]
        fit = sm.OLS(people["y"], np.column_stack((z, people["x"], z * centred, dummies))).fit(
            cov_type="HC1", use_t=True
        )
        assert table.statistics.draws[k, 0] == pytest.approx(fit.tvalues.iloc[0], rel=1e-8)


def plain_min_p(observed, draws):
    """Westfall and Young (1993, algorithm 2.8), step by step."""
    t = np.abs(np.vstack((observed, draws)))
    p = np.array([[np.mean(t[:, j] >= t[r, j]) for j in range(t.shape[1])] for r in range(t.shape[0])])
    order = np.argsort(p[0], kind="stable")
    adjusted, before = np.empty(t.shape[1]), 0.0
    for k, j in enumerate(order):
        smallest = p[:, order[k:]].min(axis=1)
        before = max(before, np.mean(smallest <= p[0, j]))
        adjusted[j] = before
    return adjusted


def test_balanced_step_down_is_that_of_a_plain_loop():
    rng = np.random.default_rng(2)
    draws = np.column_stack((rng.normal(0, 1, 199), rng.standard_t(2, 199), rng.normal(0, 1, 199)))
    draws[:, 2] += draws[:, 0]
    observed = np.array([2.6, 3.4, 0.4])
    given = est.StatisticDraws(("a", "b", "c"), observed, draws)
    np.testing.assert_allclose(est.step_down(given, "min_p"), plain_min_p(observed, draws), rtol=1e-12)
    # The long tail of b takes most of the error by the largest |t|; by p both have the same claim.
    assert est.step_down(given, "min_p")[0] < est.step_down(given, "max_t")[0]


def test_variance_between_sampled_cells_is_that_of_bugni_canay_and_shaikh(people, arms):
    # Their theorem 3.1 for arm 1 of three: shares of arms and cells are those of everybody, variances divide by the number.
    arm, y, _ = arms
    pair = arm < 2
    inputs = est.regression_inputs((arm == 1).astype(int), cells=people["cell"], vcov="HC0", rows=pair)
    table = est.estimands(y[["a"]], inputs, population=np.ones(len(arm), dtype=bool), cells_are="sampled")
    n, effects, within, size = len(arm), [], [], []
    for _, rows in people.groupby("cell").groups.items():
        own, of = y["a"].to_numpy()[rows], arm[rows]
        parts = [(own[of == a].mean(), own[of == a].var() / np.mean(of == a)) for a in (0, 1)]
        effects.append(parts[1][0] - parts[0][0])
        within.append(parts[1][1] + parts[0][1])
        size.append(len(rows) / n)
    effects, within, size = map(np.array, (effects, within, size))
    effect = size @ effects
    variance = (size @ within + size @ (effects - effect) ** 2) / n
    saturated = table.estimands.index("saturated")
    assert table.estimate[saturated, 0] == pytest.approx(effect, rel=1e-10)
    assert table.std_error[saturated, 0] == pytest.approx(np.sqrt(variance), rel=1e-10)
    fixed = est.estimands(y[["a"]], inputs, population=np.ones(len(arm), dtype=bool))
    assert fixed.std_error[saturated, 0] == pytest.approx(np.sqrt(size @ within / n), rel=1e-10)


@pytest.mark.parametrize("vcov", ["HC2", "CR2"])
def test_designs_of_draws_are_those_prepared_from_scratch(people, arms, vcov):
    arm, y, _ = arms
    inputs = est.regression_inputs(
        (arm > 0).astype(int), cells=people["cell"], controls=people[["x", "month"]], vcov=vcov, interacted=True,
        weights=people["weight"], cluster=people["cluster"] if vcov == "CR2" else None,
    )  # fmt: skip
    effects = est.arm_effects(y, arm, ("one", "two"), inputs, between=True)
    # The draw that deals the arms as they were has the statistics of the table.
    test = Redesign.of(effects.groups[0])
    fit = test.design((arm[:, None] == (1, 2)).astype(float), ("one", "two")).fit(y)
    np.testing.assert_allclose(fit.coefficients[0], effects.tables[0].estimate, rtol=1e-9)
    np.testing.assert_allclose(fit.std_errors(vcov)[1], effects.tables[1].std_error, rtol=1e-9)
    assert fit.design.df_resid == 600 - 6 - 2 - 4 - 2


@pytest.mark.parametrize("vcov", ["HC1", "HC2_BM"])
def test_in_one_cell_the_adjustment_is_the_interacted_estimand(people, vcov):
    # With one cell all weights of cells are alike, and separate slopes in each arm are one regression with interactions.
    inputs = est.regression_inputs(people["treated"], controls=people[["x", "month"]], vcov=vcov)
    table = est.estimands(people[["y"]], inputs)
    one = est.itt(people[["y"]], people["treated"], controls=people[["x", "month"]], vcov=vcov, interacted=True)
    place = table.estimands.index("interacted")
    for name in ("estimate", "std_error", "df", "conf_low"):
        assert getattr(one, name)[0] == pytest.approx(getattr(table, name)[place, 0], rel=1e-8), name
