"""Value of estimated effects: kroner per unit of the effect in each month, with a declared extrapolation beyond the last.

The value is linear in the monthly effects, `V = sum_t w_t d_t`, so its standard error is `sqrt(w' C w)` with C their joint
covariance; no delta method is needed. Beyond the last observed month T the effect is the mean of the last k observed ones times
a factor f(t) that the rule gives:

=========== ======================================================
none        f = 0: nothing beyond what was observed
hold        f = 1 up to the month `until`
half_life   f = 2^(-(t - T) / months), up to the end of the analysis
fade        f = (until - t) / (until - T), zero from `until` on
=========== ======================================================
"""

from __future__ import annotations

import numpy as np

from refino_eval.config.money.cost_benefit import Conventions, Extrapolation
from refino_eval.cost_benefit.employment_paths import MONTHS, FloatArray, Values
from refino_eval.cost_benefit.valuation import Account, discount_factors, public_cost, saved_account, work_account


def persistence(rule: Extrapolation, times: FloatArray, last: int) -> FloatArray:
    """Return the share of the last effect that remains at times after the last observed month, shape of `times`."""
    after = times - last
    if rule.kind == "hold":
        return np.where(times <= rule.until, 1.0, 0.0)
    if rule.kind == "half_life":
        return np.asarray(0.5 ** (after / rule.months))
    if rule.kind == "fade":
        return np.clip((rule.until - times) / (rule.until - last), 0.0, 1.0)
    return np.zeros_like(times)


def present_months(
    values: Values, rule: Extrapolation, *, first: int, last: int, base: int, conventions: Conventions
) -> FloatArray:
    """Return the present value, in months of the first month's worth, of an effect of one in each observed month.

    Parameters
    ----------
    values
        Draws of inputs.
    rule
        Extrapolation beyond `last`.
    first, last
        First and last observed month since assignment.
    base
        Number of last observed months whose mean effect is extrapolated.
    conventions
        Choices of calculation.

    Returns
    -------
    numpy.ndarray
        Shape (last - first + 1, draws).
    """
    end = max(last, int(np.ceil(values["years"].max() * MONTHS)))
    factors = discount_factors(values, end, conventions)
    weights = factors[first - 1 : last].copy()
    times = np.arange(last + 1, end + 1, dtype=np.float64)
    beyond = persistence(rule, times, last) @ factors[last:]
    weights[-base:] += beyond / base
    return weights


def accounts(values: Values, conventions: Conventions) -> tuple[Account, Account, Account]:
    """Return the accounts of one present month of work, of the benefits saved in it, and of one krone of programme cost."""
    wages = values["gross_wage"] * values["position"]
    saved = values["benefit"] / MONTHS * (1.0 - values["benefit_tax"])
    return (
        work_account(values, wages, conventions),
        saved_account(values, saved),
        public_cost(np.ones_like(wages), values["tax_cost"]),
    )
