"""The null-result card against its definitions, statsmodels' equivalence test and power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_ind

from refino_eval.errors import UserError
from refino_eval.estimation import itt, null_card


@pytest.fixture
def effects(trial):
    one = trial(4)
    return itt(one.y, one.z, cells=one.cells, controls=one.controls, names=["wage", "hours", "days", "grade"])


def test_two_one_sided_tests_are_those_of_the_textbook():
    rng = np.random.default_rng(1)
    treated, control = rng.standard_normal(80) + 0.1, rng.standard_normal(60)
    y, z = np.concatenate((treated, control)), np.repeat((1.0, 0.0), (80, 60))
    card = null_card(itt(y, z, vcov="iid"), margin=0.4)
    p_value, lower, upper = ttost_ind(treated, control, -0.4, 0.4, usevar="pooled")
    assert card.p_equivalence[0] == pytest.approx(p_value, rel=1e-9)
    assert card.p_above_minus_margin[0] == pytest.approx(lower[1], rel=1e-9)
    assert card.p_below_margin[0] == pytest.approx(upper[1], rel=1e-9)


def test_minimum_detectable_effect_has_its_power(effects):
    card = null_card(effects, power=0.8)
    t = stats.t(effects.df[0])
    assert card.mde[0] == pytest.approx((t.ppf(0.975) + t.ppf(0.8)) * effects.std_error[0], rel=1e-12)
    # One-sample test with as many degrees of freedom: the effect in standard deviations is t / sqrt(n).
    n = int(effects.df[0]) + 1
    power = TTestPower().power(card.mde[0] / effects.std_error[0] / np.sqrt(n), n, 0.05)
    assert power == pytest.approx(0.8, abs=0.005)
    assert np.all(null_card(effects, power=0.9).mde > card.mde)


def test_bounds_verdicts_and_margins_agree(effects):
    card = null_card(effects)
    assert card.verdict == ("no margin",) * 4
    assert np.isnan(card.p_equivalence).all()
    # At the bound the one-sided p is exactly 5 per cent.
    for bound, sign in ((card.rejected_above, 1), (card.rejected_below, -1)):
        p = stats.t(effects.df).cdf(sign * (effects.estimate - bound) / effects.std_error)
        assert np.allclose(p, 0.05, rtol=1e-9)
    for k, name in enumerate(effects.outcomes):
        wide = null_card(effects, margin={name: 1.001 * card.smallest_margin[k]})
        narrow = null_card(effects, margin={name: 0.999 * card.smallest_margin[k]})
        assert wide.verdict[k] in ("equivalent", "both")
        assert narrow.verdict[k] in ("undecided", "different")
        assert (wide.verdict[k] == "both") == (effects.p_value[k] <= 0.05)
        assert [v for j, v in enumerate(wide.verdict) if j != k] == ["no margin"] * 3


def test_level_of_the_table_holds_throughout(trial):
    one = trial(4)
    effects = itt(one.y, one.z, cells=one.cells, level=0.9)
    card = null_card(effects)
    t = stats.t(effects.df[0])
    assert card.mde[0] == pytest.approx((t.ppf(0.95) + t.ppf(0.8)) * effects.std_error[0], rel=1e-12)
    assert card.rejected_above[0] == pytest.approx(effects.estimate[0] + t.ppf(0.9) * effects.std_error[0], rel=1e-12)


def test_per_cent_is_of_the_control_mean(effects):
    frame = null_card(effects, margin=0.5, p_randomisation=[0.1, 0.2, 0.3, 0.4], p_family=np.ones(4)).to_frame()
    for name in ("estimate", "conf_low", "conf_high", "mde", "margin", "rejected_above"):
        assert np.allclose(frame[f"percent_{name}"], 100 * frame[name] / effects.mean_control)
    assert list(frame["p_randomisation"]) == [0.1, 0.2, 0.3, 0.4]
    assert len(frame) == 4


def test_no_standard_error_no_card():
    y = np.column_stack((np.repeat((1.0, 0.0), 10), np.random.default_rng(1).standard_normal(20)))
    card = null_card(itt(y, np.repeat((1.0, 0.0), 10)), margin=1.0)
    assert np.isnan(card.mde[0])
    assert np.isnan(card.p_equivalence[0])
    assert np.isfinite(card.mde[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"margin": -1.0}, "must be a positive number"),
        ({"margin": {"wages": 1.0}}, "Did you mean 'wage'"),
        ({"power": 80}, "power must lie between"),
        ({"power": 0.01}, "power must lie between"),
        ({"p_family": [0.1]}, "1 values for 4 outcomes"),
    ],
)
def test_faults_are_reported(effects, options, words):
    with pytest.raises(UserError, match=words):
        null_card(effects, **options)
