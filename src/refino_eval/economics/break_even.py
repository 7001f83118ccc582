"""The effect that repays a difference in cost, and what the effect's uncertainty leaves of it.

Write E for the effect of the draw on the share with the outcome, C for the difference in cost to society a person
(treated less control) and V for what one person more with the outcome is worth. The treated programme pays when the net
benefit NB = V E - C is positive, that is when E lies above the break-even effect C / V. Where the treated programme is
the cheaper one, C and the break-even are negative: the programme may lose up to so much and still pay.

NB is linear in E and C, so its standard error is exact given theirs (Stinnett and Mullahy 1998): no ratio, no delta
method, no trouble where E is near zero. The ratio C / E is given as Fieller's set, which is unbounded whenever the
data do not tell E from zero; that is no defect of the method but what the data say. No statement here is a
probability that a programme pays: intervals hold for procedures, not for programmes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

SetKind = Literal["interval", "rays", "line"]


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and the degrees of freedom of its t reference (infinite: normal)."""

    value: float
    std_error: float
    df: float = math.inf

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the confidence interval."""
        reach = critical_value(self.df, level) * self.std_error
        return self.value - reach, self.value + reach

    def p_above(self, limit: float = 0.0) -> float:
        """Return the one-sided p-value of the hypothesis that the true number is at most `limit`."""
        if self.std_error == 0:
            return 0.0 if self.value > limit else 1.0
        return float(special.stdtr(self.df, (limit - self.value) / self.std_error))


@dataclass(frozen=True)
class RatioSet:
    """Fieller's set of a ratio.

    `interval` is [low, high]; `rays` is everything up to `low` and from `high` on; `line` excludes nothing.
    """

    kind: SetKind
    low: float
    high: float


def critical_value(df: float, level: float) -> float:
    """Return the two-sided critical value of the t distribution."""
    return float(special.stdtrit(df, 0.5 + level / 2))


def break_even_effect(cost: float, value: float) -> float:
    """Return the effect at which a difference in cost is repaid.

    Parameters
    ----------
    cost
        Treated less control, kroner a person.
    value
        Kroner for one person more with the outcome, positive.

    Raises
    ------
    ValueError
        When the value is not positive.
    """
    if not value > 0:
        raise ValueError("the value of an outcome must be positive: at no value, no effect repays a cost")
    return cost / value


def part_above(low: float, high: float, limit: float) -> tuple[float, float] | None:
    """Return the part of an interval that lies above a limit, or None when none of it does."""
    return None if high <= limit else (max(low, limit), high)


def net_benefit(effect: Estimate, cost: Estimate, value: float, *, covariance: float = 0.0) -> Estimate:
    """Return V E - C with its standard error.

    Parameters
    ----------
    effect
        E; its degrees of freedom are taken over.
    cost
        C; a printed number has the standard error 0.
    value
        V.
    covariance
        Of the two estimates; zero when C is no estimate.
    """
    variance = value**2 * effect.std_error**2 + cost.std_error**2 - 2.0 * value * covariance
    # Rounding alone can take the variance of a difference that is nearly certain below zero.
    return Estimate(value * effect.value - cost.value, math.sqrt(max(variance, 0.0)), effect.df)


def fieller(numerator: Estimate, denominator: Estimate, *, covariance: float = 0.0, level: float = 0.95) -> RatioSet:
    """Return the ratios r that the data do not reject: |N - r D| <= t se(N - r D), after Fieller (1954).

    Parameters
    ----------
    numerator, denominator
        N and D.
    covariance
        Of the two.
    level
        Confidence level; the reference has the denominator's degrees of freedom.
    """
    t2 = critical_value(denominator.df, level) ** 2
    a = denominator.value**2 - t2 * denominator.std_error**2
    b = numerator.value * denominator.value - t2 * covariance
    c = numerator.value**2 - t2 * numerator.std_error**2
    # Ratios with a r^2 - 2 b r + c <= 0.
    root = b * b - a * c
    if a == 0 or (a < 0 and root <= 0):
        return RatioSet("line", -math.inf, math.inf)
    ends = sorted(((b - math.sqrt(max(root, 0.0))) / a, (b + math.sqrt(max(root, 0.0))) / a))
    return RatioSet("interval" if a > 0 else "rays", ends[0], ends[1])
