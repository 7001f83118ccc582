"""The effect that repays a difference in cost, and its uncertainty.

Write E for the effect of assignment on the share with the outcome, C for the difference in cost to society per person
(treated minus control) and V for the value of one more person with the outcome. The treated programme pays when the net
benefit NB = V E - C is positive, that is when E exceeds the break-even effect C / V. Where the treated programme is
the cheaper one, C and the break-even effect are negative: the programme pays as long as E is not below it.

NB is linear in E and C, so its standard error is exact given theirs (Stinnett and Mullahy 1998): no ratio, no delta
method, no problem where E is near zero. The ratio C / E is given as Fieller's set, which is unbounded whenever E does
not differ significantly from zero; that reflects the data and is not a defect of the method. No statement here is a
probability that a programme pays: confidence levels are properties of procedures, not of programmes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

SetKind = Literal["interval", "rays", "line"]


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error and the degrees of freedom of its t distribution (infinite: normal)."""

    value: float
    std_error: float
    df: float = math.inf

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the confidence interval."""
        reach = critical_value(self.df, level) * self.std_error
        return self.value - reach, self.value + reach

    def p_above(self, limit: float = 0.0) -> float:
        """Return the one-sided p-value of the hypothesis that the true value is at most `limit`."""
        if self.std_error == 0:
            return 0.0 if self.value > limit else 1.0
        return float(special.stdtr(self.df, (limit - self.value) / self.std_error))


@dataclass(frozen=True)
class RatioSet:
    """Fieller's set of a ratio.

    `interval` is [low, high]; `rays` is everything up to `low` and from `high` upwards; `line` excludes nothing.
    """

    kind: SetKind
    low: float
    high: float


def critical_value(df: float, level: float) -> float:
    """Return the two-sided critical value of the t distribution."""
    return float(special.stdtrit(df, 0.5 + level / 2))


def break_even_effect(cost: float, value: float) -> float:
    """Return the effect that repays a difference in cost.

    Parameters
    ----------
    cost
        Treated minus control, kroner per person.
    value
        Kroner for one more person with the outcome, positive.

    Raises
    ------
    ValueError
        When the value is not positive.
    """
    if not value > 0:
        raise ValueError("the value of an outcome must be positive: without a value, no effect repays a cost")
    return cost / value


def net_benefit(effect: Estimate, cost: Estimate, value: float, *, covariance: float = 0.0) -> Estimate:
    """Return V E - C with its standard error.

    Parameters
    ----------
    effect
        E; its degrees of freedom are used.
    cost
        C; a published number has the standard error 0.
    value
        V.
    covariance
        Covariance of the two estimates; zero if C is not estimated.
    """
    variance = value**2 * effect.std_error**2 + cost.std_error**2 - 2.0 * value * covariance
    # Rounding error can make the variance of a nearly certain difference negative.
    return Estimate(value * effect.value - cost.value, math.sqrt(max(variance, 0.0)), effect.df)


def fieller(numerator: Estimate, denominator: Estimate, *, covariance: float = 0.0, level: float = 0.95) -> RatioSet:
    """Return the ratios r that are not rejected: |N - r D| <= t se(N - r D), after Fieller (1954).

    Parameters
    ----------
    numerator, denominator
        N and D.
    covariance
        Covariance of the two.
    level
        Confidence level; the t distribution has the denominator's degrees of freedom.
    """
    t2 = critical_value(denominator.df, level) ** 2
    a = denominator.value**2 - t2 * denominator.std_error**2
    b = numerator.value * denominator.value - t2 * covariance
    c = numerator.value**2 - t2 * numerator.std_error**2
    # Ratios with a r^2 - 2 b r + c <= 0.
    # a > 0 is a denominator that is significant at the level. Then N / D itself is in the set, and the roots are real.
    root = b * b - a * c
    if a == 0 or (a < 0 and root <= 0):
        return RatioSet("line", -math.inf, math.inf)
    ends = sorted(((b - math.sqrt(max(root, 0.0))) / a, (b + math.sqrt(max(root, 0.0))) / a))
    return RatioSet("interval" if a > 0 else "rays", ends[0], ends[1])
