"""Break-even: the printed one, the sign of it, and the sets of ratios against a search over ratios."""

import math

import numpy as np
import pytest
from scipy import stats

from refino_eval.economics.break_even import (
    Estimate,
    break_even_effect,
    fieller,
    net_benefit,
)


def test_published_break_even_is_reproduced():
    assert break_even_effect(16_000, 3_200_000) == pytest.approx(0.005)
    assert break_even_effect(-16_000, 3_200_000) == pytest.approx(-0.005)
    with pytest.raises(ValueError, match="must be positive"):
        break_even_effect(16_000, 0)


def test_net_benefit_is_zero_at_break_even_and_its_interval_is_the_effects():
    effect, cost, value = Estimate(-0.005, 0.013, 4800), Estimate(-16_000, 0.0), 3_200_000
    benefit = net_benefit(effect, cost, value)
    assert benefit.value == pytest.approx(0.0, abs=1e-6)
    low, high = effect.interval()
    assert benefit.interval() == pytest.approx((value * low + 16_000, value * high + 16_000))
    assert benefit.p_above() == pytest.approx(0.5)


def test_net_benefit_of_simulated_pairs_has_its_standard_error():
    rng = np.random.default_rng(3)
    covariance = np.array([[0.02**2, 0.02 * 900 * 0.6], [0.02 * 900 * 0.6, 900**2]])
    pairs = rng.multivariate_normal([0.01, -5000], covariance, size=200_000)
    benefit = net_benefit(Estimate(0.01, 0.02), Estimate(-5000, 900), 50_000, covariance=covariance[0, 1])
    drawn = 50_000 * pairs[:, 0] - pairs[:, 1]
    assert benefit.std_error == pytest.approx(drawn.std(), rel=0.01)
    assert benefit.value == pytest.approx(drawn.mean(), rel=0.01)


@pytest.mark.parametrize(
    ("effect", "cost", "kind"),
    [
        (Estimate(0.05, 0.01), Estimate(-9000, 1500), "interval"),
        (Estimate(0.005, 0.01), Estimate(-9000, 1500), "rays"),
        (Estimate(0.005, 0.01), Estimate(-900, 1500), "line"),
    ],
)
def test_fieller_against_a_search_over_ratios(effect, cost, kind):
    covariance = 0.3 * effect.std_error * cost.std_error
    found = fieller(cost, effect, covariance=covariance)
    assert found.kind == kind
    grid = np.linspace(-6e6, 6e6, 240_001)
    errors = np.sqrt(cost.std_error**2 + grid**2 * effect.std_error**2 - 2 * grid * covariance)
    inside = np.abs(cost.value - grid * effect.value) <= stats.norm.ppf(0.975) * errors
    if kind == "interval":
        said = (grid >= found.low) & (grid <= found.high)
    elif kind == "rays":
        said = (grid <= found.low) | (grid >= found.high)
    else:
        said = np.ones_like(inside)
        assert math.isinf(found.low)
    assert (said == inside).all()


def test_a_certain_number_has_no_p_value_between():
    assert Estimate(1.0, 0.0).p_above() == 0.0
    assert Estimate(-1.0, 0.0).p_above() == 1.0
