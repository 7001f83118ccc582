"""Prices of providers: break-even, margins, risk of loss and scores of bids."""

import numpy as np
import pytest

from refino_eval.economics.provider_pricing import bid_scores, break_even_price, yearly_margin

RNG = np.random.default_rng(1)
SHARES = RNG.choice([0.0, 0.2, 0.6, 1.0], 800, p=[0.1, 0.3, 0.2, 0.4])
MONTHS = RNG.uniform(2, 12, 800) - 2 * SHARES


def test_at_the_break_even_price_the_margin_is_zero():
    price, _ = break_even_price(SHARES, MONTHS, 5_000.0)
    assert (price * SHARES - 5_000 * MONTHS).sum() == pytest.approx(0.0, abs=1e-6)
    at_price = yearly_margin(SHARES, MONTHS, price=price, cost_per_month=5_000.0, places=45)
    assert at_price.expected == pytest.approx(0.0, abs=1e-6)
    assert at_price.loss == pytest.approx(0.5, abs=0.03)
    assert at_price.participants == round(45 * 12 / MONTHS.mean())


def test_the_confidence_set_is_that_of_a_ratio_of_means():
    price, limits = break_even_price(SHARES, MONTHS, 5_000.0)
    influence = (5_000 * MONTHS - price * SHARES) / SHARES.mean()
    error = influence.std(ddof=1) / np.sqrt(len(SHARES))
    assert limits.kind == "interval"
    assert (limits.high - limits.low) / 2 == pytest.approx(1.963 * error, rel=0.02)
    assert limits.low < price < limits.high


def test_more_places_and_a_higher_price_lower_the_risk():
    price, _ = break_even_price(SHARES, MONTHS, 5_000.0)
    risks = [
        yearly_margin(SHARES, MONTHS, price=factor * price, cost_per_month=5_000.0, places=places).loss
        for factor, places in ((1.05, 10), (1.05, 45), (1.05, 400), (1.2, 400))
    ]
    assert risks == sorted(risks, reverse=True)
    assert risks[0] > 0.3 > risks[-1]


def test_the_spread_of_a_year_is_that_of_independent_participants():
    year = yearly_margin(SHARES, MONTHS, price=60_000.0, cost_per_month=5_000.0, places=45, draws=20_000)
    spread = (60_000 * SHARES - 5_000 * MONTHS).std() * np.sqrt(year.participants)
    assert (year.high - year.low) / (2 * 1.645) == pytest.approx(spread, rel=0.03)


def test_a_price_without_payments_is_refused():
    with pytest.raises(ValueError, match="no price covers"):
        break_even_price(np.zeros(5), np.ones(5), 100.0)


def test_price_and_quality_are_weighed_as_stated():
    weights = {"content": 0.5, "competence": 0.25, "employers": 0.25}
    qualities = {"low": dict.fromkeys(weights, 6.0), "high": {"content": 9.0, "competence": 8.0, "employers": 6.0}}
    scores = bid_scores({"low": 50_000, "high": 58_500}, qualities, weights)
    assert scores["low"] == pytest.approx((10.0, 6.0, 8.0))
    assert scores["high"] == pytest.approx((10 / 1.17, 8.0, (10 / 1.17 + 8.0) / 2))
