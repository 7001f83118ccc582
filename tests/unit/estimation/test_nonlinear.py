"""Effects of logit and probit against statsmodels' own margins, and separated cells."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import logistic, norm

from refino_eval.errors import UserError
from refino_eval.estimation import itt, response_model
from refino_eval.estimation.core.recording import handled_controls, recording
from refino_eval.estimation.verification.likelihood_engine import ask_response


def people(seed=0, n=600, n_cells=10):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    z = (rng.random(n) < 0.6).astype(float)
    x = rng.standard_normal((n, 2))
    odds = -0.5 + 0.6 * z + x @ [0.5, -0.3] + 0.1 * cells
    return (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float), z, cells, x


@pytest.mark.parametrize("vcov", ["iid", "HC0", "HC1", "CRV1"])
@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("at", ["average", "means"])
def test_equals_the_margins_of_statsmodels(vcov, link, at):
    y, z, cells, x = people()
    if at == "means":  # get_margeff takes the means with a discrete change of every dummy, cells included
        cells = np.zeros(len(y))
    columns = np.column_stack((z, x, pd.get_dummies(cells).to_numpy(float)))
    groups = np.arange(600) // 4
    kinds = {"iid": {"cov_type": "nonrobust"}, "CRV1": {"cov_type": "cluster", "cov_kwds": {"groups": groups}}}
    fit = (sm.Logit if link == "logit" else sm.Probit)(y, columns).fit(disp=0, **kinds.get(vcov, {"cov_type": "HC0"}))
    # statsmodels' sandwich has no factor with HC0, and G / (G - 1) (n - 1) / (n - K) with clusters.
    n, k = columns.shape
    factor = {"iid": 1.0, "HC0": 1.0, "HC1": n / (n - k), "CRV1": (n - k) / (n - 1)}[vcov] ** 0.5
    options = {"cluster": groups} if vcov == "CRV1" else {}
    found = response_model(y, z, family=link, at=at, cells=cells, controls=x, vcov=vcov, **options)
    if at == "average":
        margins = fit.get_margeff(at="overall", dummy=True)
        effect, error = margins.margeff[0], margins.margeff_se[0]
    else:
        effect, error = by_hand(fit, columns, link)
    assert found.estimate[0] == pytest.approx(effect, rel=1e-7)
    assert found.std_error[0] == pytest.approx(error * factor, rel=1e-6)
    assert found.coefficient[0] == pytest.approx(fit.params[0], rel=1e-7)
    assert found.coefficient_std_error[0] == pytest.approx(fit.bse[0] * factor, rel=1e-6)
    linear = itt(y, z, cells=cells, controls=x, vcov=vcov, **options)
    assert (found.linear[0], found.linear_std_error[0]) == (linear.estimate[0], linear.std_error[0])
    assert found.n_separated[0] == 0
    assert found.estimate[0] == found.estimate_varying[0]
    assert np.isnan(found.conditional_log_odds[0])


def by_hand(fit, columns, link):
    """Return the discrete change of treatment at the means of everything else, with its numerical delta-method error."""
    law = {"logit": logistic, "probit": norm}[link]
    rest = columns[:, 1:].mean(axis=0)

    def change(params):
        return law.cdf(params[0] + rest @ params[1:]) - law.cdf(rest @ params[1:])

    step = 1e-6
    slope = np.array(
        [(change(fit.params + step * e) - change(fit.params - step * e)) / (2 * step) for e in np.eye(len(fit.params))]
    )
    return change(fit.params), np.sqrt(slope @ fit.cov_params() @ slope)


def test_separated_cells_are_counted_and_have_no_effect():
    y, z, cells, _ = people()
    always, alone = np.ones(20), np.array([0.0])
    y2 = np.concatenate((y, always, alone))
    z2 = np.concatenate((z, np.tile([0.0, 1.0], 10), [1.0]))
    cells2 = np.concatenate((cells, np.full(20, 77), [78]))
    found, plain = response_model(y2, z2, cells=cells2), response_model(y, z, cells=cells)
    assert found.n_separated[0] == 21
    assert found.n_separated_cells[0] == 2
    assert found.n_singletons[0] == 1
    assert found.n_varying[0] == 600
    assert found.estimate_varying[0] == pytest.approx(plain.estimate[0], rel=1e-10)
    assert found.estimate[0] == pytest.approx(plain.estimate[0] * 600 / 621, rel=1e-10)
    assert found.std_error[0] == pytest.approx(plain.std_error[0] * 600 / 621, rel=1e-10)


def test_conditional_logit_has_no_constants_of_small_cells():
    rng = np.random.default_rng(2)
    pairs = np.repeat(np.arange(1500), 2)
    z = np.tile([0.0, 1.0], 1500)
    level = rng.standard_normal(1500)[pairs]
    y = (rng.random(3000) < 1 / (1 + np.exp(-(level + 0.8 * z)))).astype(float)
    # The dummies of 1,500 pairs are the point; their doubling is exact in theory (b = log of discordant pairs' odds).
    some = pairs < 250
    found = response_model(y[some], z[some], cells=pairs[some], conditional=True)
    first, second = y[some][::2], y[some][1::2]
    truth = np.log(np.sum((second == 1) & (first == 0)) / np.sum((second == 0) & (first == 1)))
    assert found.conditional_log_odds[0] == pytest.approx(truth, rel=1e-5)
    assert found.coefficient[0] == pytest.approx(2 * truth, rel=1e-4)


def test_poisson_without_controls_is_the_ratio_of_weighted_means():
    rng = np.random.default_rng(4)
    z, w, exposure = np.tile([0.0, 1.0], 100), rng.uniform(0.5, 3, 200), rng.uniform(0.5, 2, 200)
    y = rng.poisson(1 + z).astype(float)
    means = [np.average(y[z == arm], weights=w[z == arm]) for arm in (0, 1)]
    # The score of log(mean) is w (y - mean) / (sum of w mean): its squares are the variance of the log of a mean.
    log_errors = [np.sum((w * (y - m))[z == arm] ** 2) / (np.sum(w[z == arm]) * m) ** 2 for arm, m in enumerate(means)]
    found = response_model(y, z, family="poisson", weights=w, vcov="HC0")
    assert found.estimate[0] == pytest.approx(means[1] - means[0], rel=1e-10)
    assert found.coefficient[0] == pytest.approx(np.log(means[1] / means[0]), rel=1e-10)
    assert found.coefficient_std_error[0] == pytest.approx(np.sqrt(sum(log_errors)), rel=1e-10)
    with pytest.raises(UserError, match="takes no weights"):
        response_model(y, z, family="poisson", weights=w, vcov="iid")
    # Cells of zeros have no rate; people there count with an effect of 0, by their weights.
    cells, zeros = np.repeat([0, 1], [200, 50]), np.zeros(50)
    more = [
        np.concatenate((column, part)) for column, part in ((y, zeros), (z, np.tile([0.0, 1.0], 25)), (w, zeros + 2))
    ]
    with_zeros = response_model(more[0], more[1], family="poisson", weights=more[2], cells=cells, vcov="HC0")
    assert with_zeros.n_separated[0] == 50
    assert with_zeros.estimate[0] == pytest.approx(found.estimate[0] * w.sum() / (w.sum() + 100), rel=1e-10)
    per_unit = response_model(y, z, family="poisson", exposure=exposure, vcov="HC0")
    rates = [y[z == arm].sum() / exposure[z == arm].sum() for arm in (0, 1)]
    assert per_unit.coefficient[0] == pytest.approx(np.log(rates[1] / rates[0]), rel=1e-10)
    assert per_unit.estimate[0] == pytest.approx((rates[1] - rates[0]) * exposure.mean(), rel=1e-10)


@pytest.mark.parametrize("vcov", ["iid", "HC0", "CRV1"])
def test_negative_binomial_is_that_of_statsmodels(vcov):
    rng = np.random.default_rng(3)
    n, cells, clusters = 400, rng.integers(0, 4, 400), np.arange(400) // 4
    z, x, exposure = np.tile([0.0, 1.0], 200), rng.normal(size=n), rng.uniform(0.5, 2, n)
    mean = np.exp(0.3 + 0.4 * z + 0.3 * x + 0.1 * cells) * exposure
    y = rng.poisson(mean * rng.gamma(1 / 0.7, 0.7, n)).astype(float)
    options = {"cluster": clusters} if vcov == "CRV1" else {}
    with recording():
        found = response_model(
            y, z, family="negative_binomial", cells=cells, controls=x, exposure=exposure, vcov=vcov, **options
        )
    model = sm.NegativeBinomial(y, np.column_stack((z, x, np.eye(4)[cells])), offset=np.log(exposure))
    near = model.fit(disp=0, maxiter=2000).params
    kind = {"iid": {}, "HC0": {"cov_type": "HC0"}}.get(
        vcov, {"cov_type": "cluster", "cov_kwds": {"groups": clusters, "use_correction": False}}
    )
    fit = model.fit(start_params=near, method="newton", tol=1e-13, disp=0, **kind)
    factor = np.sqrt(100 / 99) if vcov == "CRV1" else 1.0
    assert found.coefficient[0] == pytest.approx(fit.params[0], rel=1e-8)
    assert found.dispersion[0] == pytest.approx(fit.params[-1], rel=1e-8)
    assert found.coefficient_std_error[0] == pytest.approx(fit.bse[0] * factor, rel=1e-6)
    theirs = ask_response(found.fitted[0])
    assert found.estimate[0] == pytest.approx(theirs.effect, rel=1e-9)
    assert found.std_error[0] == pytest.approx(theirs.effect_std_error, rel=1e-8)
    with pytest.raises(UserError, match="vary no more than those of a Poisson"):
        response_model(rng.binomial(5, 0.3, n).astype(float), z, family="negative_binomial")


def test_faults():
    y, z, cells, _ = people(n=100)
    with pytest.raises(UserError, match="3 of 100 values are not"):
        response_model(np.where(np.arange(100) < 3, 0.5, y), z, cells=cells)
    with pytest.raises(UserError, match="1 of 100 people in use have none"):
        response_model(y, z, family="poisson", exposure=np.where(np.arange(100) == 1, 0.0, 2.0))
    with pytest.raises(UserError, match="takes no exposure"):
        response_model(y, z, exposure=np.ones(100))
    with pytest.raises(UserError, match="2 of 100 values are not"):
        response_model(np.where(np.arange(100) < 2, -1.0, y), z, family="poisson")
    with pytest.raises(UserError, match="no finite estimate"):
        response_model(z, z)
    with pytest.raises(UserError, match="the same for everybody in every cell"):
        response_model((cells > 4).astype(float), z, cells=cells)


def test_outcomes_keep_their_places():
    y, z, cells, x = people(n=300)
    frame = pd.DataFrame({"a": y, "hole": np.where(np.arange(300) < 9, np.nan, 1 - y), "less": y, "c": y[::-1]})
    frame.loc[:19, "less"] = np.nan
    found = response_model(frame, z, cells=cells, missing="available", controls=x)
    assert found.n.tolist() == [300, 291, 280, 300]
    alone = response_model(frame[["c"]], z, cells=cells, controls=x)
    assert found.estimate[3] == pytest.approx(alone.estimate[0], rel=1e-12)
    assert found.to_frame()["outcome"].tolist() == ["a", "hole", "less", "c"]


def test_a_control_that_is_a_combination_of_others_is_left_out_by_its_name():
    rng = np.random.default_rng(8)
    age, treated = rng.normal(size=200), rng.integers(0, 2, 200)
    controls = pd.DataFrame({"age": age, "twice_age": 2 * age})
    with handled_controls() as handled:
        table = response_model(rng.integers(0, 2, 200).astype(float), treated, family="logit", controls=controls)
    assert list(handled.dropped) == ["twice_age"]
    assert [coefficient.name for coefficient in table.coefficients[0]] == ["age"]
