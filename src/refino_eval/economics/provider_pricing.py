"""What a provider earns under rules of payment, the price at which it breaks even, the risk of a loss, and scores of bids.

A participant i releases the share s_i of the price P and stays m_i months, each of which costs the provider c. The margin per
participant is `P s_i - c m_i`, and the break-even price `P* = c mean(m) / mean(s)`: a ratio of two means of the same people, whose
confidence set is Fieller's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refino_eval.economics.break_even import Estimate, RatioSet, fieller

FloatArray = npt.NDArray[np.float64]
MONTHS = 12


@dataclass(frozen=True)
class Margin:
    """The margin of a provider in a year.

    Attributes
    ----------
    participants
        People who start in a year, from places and mean months.
    expected
        Mean margin in kroner.
    low, high
        Quantiles over draws of participants.
    loss
        Share of the draws with a loss.
    """

    participants: int
    expected: float
    low: float
    high: float
    loss: float


def break_even_price(
    shares: FloatArray, months: FloatArray, cost_per_month: float, *, level: float = 0.95
) -> tuple[float, RatioSet]:
    """Return the price at which a provider breaks even, with Fieller's confidence set.

    Parameters
    ----------
    shares
        Share of the price that each participant releases.
    months
        Months of each participant in the programme.
    cost_per_month
        The provider's cost of a participant-month.
    level
        Of confidence.

    Raises
    ------
    ValueError
        When no participant releases anything: no price covers the cost.
    """
    released, cost = float(shares.mean()), cost_per_month * months
    if not released > 0:
        raise ValueError("no participant releases a payment, so no price covers the cost")
    n = len(shares)
    covariance = np.cov(cost, shares) / n if n > 1 else np.full((2, 2), math.nan)
    parts = [
        Estimate(float(values.mean()), math.sqrt(covariance[k, k]), n - 1) for k, values in enumerate((cost, shares))
    ]
    return float(cost.mean()) / released, fieller(*parts, covariance=float(covariance[0, 1]), level=level)


def yearly_margin(
    shares: FloatArray,
    months: FloatArray,
    *,
    price: float,
    cost_per_month: float,
    places: int,
    draws: int = 10_000,
    level: float = 0.9,
    seed: int = 1,
) -> Margin:
    """Return the margin of a provider with some places, over draws of who takes part.

    Places are always taken, so that `places x 12 / mean(m)` people start in a year. Participants are drawn with replacement from those
    observed; that the labour market is the same for all of them in a year is not in the draws, so the risk is a lower one.

    Parameters
    ----------
    shares, months, cost_per_month
        As in `break_even_price`.
    price
        Kroner for all milestones of one participant.
    places
        Participants at a time.
    draws, level, seed
        Of the draws, and of the interval between `low` and `high`.
    """
    margins = price * shares - cost_per_month * months
    participants = max(1, round(places * MONTHS / float(months.mean())))
    rng = np.random.default_rng(seed)
    # How often each participant is drawn: the same distribution as drawing them one by one, in less memory.
    times = rng.multinomial(participants, np.full(len(margins), 1.0 / len(margins)), size=draws)
    years = times @ margins
    low, high = np.quantile(years, (0.5 - level / 2, 0.5 + level / 2))
    return Margin(
        participants, participants * float(margins.mean()), float(low), float(high), float((years < 0).mean())
    )


def bid_scores(
    prices: Mapping[str, float],
    qualities: Mapping[str, Mapping[str, float]],
    weights: Mapping[str, float],
    *,
    price_weight: float = 0.5,
    best: float = 10.0,
) -> dict[str, tuple[float, float, float]]:
    """Return the scores of bids for price and quality, and in total.

    The lowest price has the best score and another price `best x lowest / price`; quality is the weighted mean of its criteria.

    Parameters
    ----------
    prices
        Bid -> price.
    qualities
        Bid -> criterion -> score up to `best`.
    weights
        Criterion -> weight; they add up to 1.
    price_weight
        Weight of price in the total; quality has the rest.
    best
        Best score.
    """
    lowest = min(prices.values())
    scores = {}
    for name, price in prices.items():
        of_price = best * lowest / price
        of_quality = sum(weight * qualities[name][criterion] for criterion, weight in weights.items())
        scores[name] = (of_price, of_quality, price_weight * of_price + (1.0 - price_weight) * of_quality)
    return scores
