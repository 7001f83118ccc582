"""Logit effects against statsmodels' own margins, and separated cells."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from refino_eval.errors import UserError
from refino_eval.estimation import itt, logit


def people(seed=0, n=600, n_cells=10):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, n)
    z = (rng.random(n) < 0.6).astype(float)
    x = rng.standard_normal((n, 2))
    odds = -0.5 + 0.6 * z + x @ [0.5, -0.3] + 0.1 * cells
    return (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float), z, cells, x


@pytest.mark.parametrize("vcov", ["iid", "HC1"])
def test_equals_the_margins_of_statsmodels(vcov):
    y, z, cells, x = people()
    columns = np.column_stack((z, x, pd.get_dummies(cells).to_numpy(float)))
    fit = sm.Logit(y, columns).fit(disp=0, cov_type="nonrobust" if vcov == "iid" else "HC0")
    margins = fit.get_margeff(at="overall", dummy=True)
    # statsmodels' sandwich without the factor; ours has n / (n - K) as in the linear model.
    factor = 1.0 if vcov == "iid" else np.sqrt(600 / (600 - columns.shape[1]))
    found = logit(y, z, cells=cells, controls=x, vcov=vcov)
    assert found.estimate[0] == pytest.approx(margins.margeff[0], rel=1e-7)
    assert found.std_error[0] == pytest.approx(margins.margeff_se[0] * factor, rel=1e-6)
    assert found.log_odds[0] == pytest.approx(fit.params[0], rel=1e-7)
    assert found.log_odds_std_error[0] == pytest.approx(fit.bse[0] * factor, rel=1e-6)
    linear = itt(y, z, cells=cells, controls=x, vcov=vcov)
    assert (found.linear[0], found.linear_std_error[0]) == (linear.estimate[0], linear.std_error[0])
    assert found.n_separated[0] == 0
    assert found.estimate[0] == found.estimate_varying[0]
    assert np.isnan(found.conditional_log_odds[0])


def test_separated_cells_are_counted_and_have_no_effect():
    y, z, cells, _ = people()
    always, alone = np.ones(20), np.array([0.0])
    y2 = np.concatenate((y, always, alone))
    z2 = np.concatenate((z, np.tile([0.0, 1.0], 10), [1.0]))
    cells2 = np.concatenate((cells, np.full(20, 77), [78]))
    found, plain = logit(y2, z2, cells=cells2), logit(y, z, cells=cells)
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
    found = logit(y[some], z[some], cells=pairs[some], conditional=True)
    first, second = y[some][::2], y[some][1::2]
    truth = np.log(np.sum((second == 1) & (first == 0)) / np.sum((second == 0) & (first == 1)))
    assert found.conditional_log_odds[0] == pytest.approx(truth, rel=1e-5)
    assert found.log_odds[0] == pytest.approx(2 * truth, rel=1e-4)


def test_faults():
    y, z, cells, _ = people(n=100)
    with pytest.raises(UserError, match="3 of 100 values are not"):
        logit(np.where(np.arange(100) < 3, 0.5, y), z, cells=cells)
    with pytest.raises(UserError, match="no finite estimate"):
        logit(z, z)
    with pytest.raises(UserError, match="the same for everybody in every cell"):
        logit((cells > 4).astype(float), z, cells=cells)


def test_outcomes_keep_their_places():
    y, z, cells, x = people(n=300)
    frame = pd.DataFrame({"a": y, "hole": np.where(np.arange(300) < 9, np.nan, 1 - y), "less": y, "c": y[::-1]})
    frame.loc[:19, "less"] = np.nan
    found = logit(frame, z, cells=cells, missing="available", controls=x)
    assert found.n.tolist() == [300, 291, 280, 300]
    alone = logit(frame[["c"]], z, cells=cells, controls=x)
    assert found.estimate[3] == pytest.approx(alone.estimate[0], rel=1e-12)
    assert found.to_frame()["outcome"].tolist() == ["a", "hole", "less", "c"]
