"""The worth of a programme, item by item and for each of those who gain or pay.

With W the present value of gross wages that the programme creates, c the labour cost factor, S the present value of benefits
saved net of tax, m the cost of raising one krone of tax and D the months in the programme, per participant:

====================  ============================  ===================  ==================  ====================  =========
item                  society                       participant          public budget       employer              others
====================  ============================  ===================  ==================  ====================  =========
value_creation        c W                           W (1 - tax)          W (tax + payroll)   W (c - 1 - payroll)
saved_benefits        m S                           -S                   S                                         m S
cost_nav              -(1 + m) cost D - m T D       (T D)                -(cost + T) D       T D                   -m (...)
cost_other_sectors    -(1 + m) cost D                                    -cost D                                   -m cost D
programme_allowance   -m A D                        A D                  -A D                                      -m A D
adviser_time          -hours x rate x D                                  the same
leisure               -hours x price x D            the same
====================  ============================  ===================  ==================  ====================  =========

`others` are taxpayers, who bear the cost of raising taxes, and workers who are displaced: with the share d displaced, society
and the public budget gain (1 - d) of the first two items, and others lose d of what participants gain. A transfer T (a wage
subsidy) goes to the employer or the participant, as the conventions say. The other labour costs, c - 1 - payroll tax, are
counted with the employer. The four columns add up to society, which is computed by its formula and not by adding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refino_eval.config.money.cost_benefit import ITEMS, Conventions, Item, Perspective
from refino_eval.cost_benefit.employment_paths import MONTHS, FloatArray, Values, employment_paths, income_effect

Account = Mapping[Perspective, FloatArray]
"""Perspective -> kroner per participant, shape (draws,); a perspective that is not touched is left out."""


@dataclass(frozen=True)
class ProgrammeValue:
    """What a programme is worth per participant.

    Attributes
    ----------
    items
        Item -> account.
    draws
        Number of draws of the inputs.
    """

    items: Mapping[Item, Account]
    draws: int

    def of(self, item: Item, perspective: Perspective = "society") -> FloatArray:
        """Return one item in kroner, shape (draws,)."""
        return self.items[item].get(perspective, np.zeros(self.draws))

    def total(self, perspective: Perspective = "society") -> FloatArray:
        """Return the sum of all items, shape (draws,)."""
        return np.asarray(np.sum([self.of(item, perspective) for item in ITEMS], axis=0))

    @property
    def mvpf(self) -> FloatArray:
        """Marginal value of public funds: participants' willingness to pay per krone of net cost to the public budget.

        Infinite where the programme pays for itself and participants gain; missing where participants lose as well
        (Hendren and Sprung-Keyser 2020).
        """
        gain, cost = self.total("participant"), -self.total("public_budget")
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = gain / cost
        return np.asarray(np.where(cost > 0, ratio, np.where(gain > 0, np.inf, np.nan)))


def discount_factors(values: Values, months: int, conventions: Conventions) -> FloatArray:
    """Return growth over discount by month, shape (months, draws)."""
    factor = (1.0 + values["wage_growth"]) / (1.0 + values["discount_rate"])
    first = 0 if conventions.discount_from == "second_month" else 1
    return np.asarray(factor[None, :] ** ((np.arange(months)[:, None] + first) / MONTHS))


def monthly_wages(values: Values, effect: str, months: int) -> FloatArray:
    """Return the gross wages that a programme creates by month, not discounted, shape (months, draws)."""
    if effect == "income":
        return income_effect(values, months)
    return employment_paths(values, months).effect * (values["gross_wage"] * values["position"])


def programme_value(values: Values, effect: str, conventions: Conventions) -> ProgrammeValue:
    """Return what a programme is worth per participant, item by item.

    Parameters
    ----------
    values
        Draws of all inputs that the effect reads.
    effect
        `hazards` or `income`.
    conventions
        Choices of calculation.
    """
    longest = int(np.ceil(values["years"].max() * MONTHS))
    factors = discount_factors(values, longest, conventions)
    # The share of the last month matters only where the number of years is uncertain.
    factors *= np.clip(values["years"] * MONTHS - np.arange(longest)[:, None], 0.0, 1.0)
    if effect == "income":
        wages = np.einsum("td,td->d", income_effect(values, longest), factors)
        saved = wages * values["benefit_per_krone"] * (1.0 - values["benefit_tax"])
    else:
        work = np.einsum("td,td->d", employment_paths(values, longest).effect, factors)
        wages = work * values["gross_wage"] * values["position"]
        saved = work * values["benefit"] / MONTHS * (1.0 - values["benefit_tax"])
    return account(values, wages, saved, conventions)


def account(values: Values, wages: FloatArray, saved: FloatArray, conventions: Conventions) -> ProgrammeValue:
    """Return all items, from the present value of gross wages and of benefits saved net of tax."""
    tax, months = values["tax_cost"], values["duration"]
    items: dict[Item, Account] = {
        "cost_nav": _delivery(values, months, conventions),
        "cost_other_sectors": public_cost(values["other_sectors"] * months, tax),
        "programme_allowance": _allowance(values, months),
        "adviser_time": _adviser_time(values, months),
        "leisure": _leisure(values, months),
        "value_creation": work_account(values, wages, conventions),
        "saved_benefits": saved_account(values, saved),
    }
    return ProgrammeValue(items, len(wages))


def public_cost(cost: FloatArray, tax: FloatArray) -> Account:
    """Return the account of a cost of the public budget, which taxes pay for."""
    return {"society": -(1.0 + tax) * cost, "public_budget": -cost, "others": -tax * cost}


def _delivery(values: Values, months: FloatArray, conventions: Conventions) -> Account:
    transfer, tax = values["transfer"] * months, values["tax_cost"]
    cost = public_cost(values["programme_cost"] * months, tax)
    return {
        "society": cost["society"] - tax * transfer,
        "public_budget": cost["public_budget"] - transfer,
        "others": cost["others"] - tax * transfer,
        conventions.transfer_to: transfer,
    }


def allowance_per_month(values: Values) -> FloatArray:
    """Return the expected programme allowance of a participant, kroner a month."""
    return values["allowance"] * values["allowance_days"] * values["allowance_share"]


def leisure_per_month(values: Values) -> FloatArray:
    """Return the worth of the leisure that a participant gives up, kroner a month."""
    net = values["gross_wage"] * (1.0 - values["wage_tax"]) / values["hours_per_month"]
    return values["leisure_price"] * net * values["leisure_hours"]


def adviser_per_month(values: Values) -> FloatArray:
    """Return the cost of the adviser's time, kroner a month."""
    return values["adviser_hours"] * values["adviser_cost"] / values["adviser_year"]


def _allowance(values: Values, months: FloatArray) -> Account:
    paid, tax = allowance_per_month(values) * months, values["tax_cost"]
    return {"society": -tax * paid, "participant": paid, "public_budget": -paid, "others": -tax * paid}


def _adviser_time(values: Values, months: FloatArray) -> Account:
    cost = adviser_per_month(values) * months
    return {"society": -cost, "public_budget": -cost}


def _leisure(values: Values, months: FloatArray) -> Account:
    cost = leisure_per_month(values) * months
    return {"society": -cost, "participant": -cost}


def work_account(values: Values, wages: FloatArray, conventions: Conventions) -> Account:
    """Return the account of gross wages that a programme creates."""
    kept, displaced = 1.0 - values["displacement"], values["displacement"]
    to_public = values["wage_tax"] + values["payroll_tax"]
    # Taxes on the work replace others, whose collection costs society `tax_cost` a krone.
    relief = values["tax_cost"] * to_public * float(conventions.tax_cost_on_taxes)
    net = wages * (1.0 - values["wage_tax"])
    return {
        # The sum of the four accounts below, in which taxes and the wages of those displaced cancel.
        "society": wages * kept * (values["labour_cost_factor"] + relief),
        "participant": net,
        "public_budget": wages * kept * to_public,
        "employer": wages * kept * (values["labour_cost_factor"] - 1.0 - values["payroll_tax"]),
        "others": wages * kept * relief - displaced * net,
    }


def saved_account(values: Values, saved: FloatArray) -> Account:
    """Return the account of benefits, net of tax, that are saved."""
    kept, displaced, tax = 1.0 - values["displacement"], values["displacement"], values["tax_cost"]
    return {
        "society": tax * saved * kept,
        "participant": -saved,
        "public_budget": saved * kept,
        "others": tax * saved * kept + displaced * saved,
    }
