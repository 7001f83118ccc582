"""Costs of two programmes, from published inputs to the difference in cost to society.

Every step is a separate number, so that a reader can follow it:

1. a monthly price for each arm: the plain mean of yearly prices; money paid divided by participant-months; or, for a programme
   delivered by own staff, full-time equivalents times their yearly cost, divided by participant-months;
2. times the months that a participant stays: the payment per participant, VAT included;
3. divided by 1 + VAT: VAT returns to the state and is not a cost to society;
4. times 1 + the marginal cost of public funds: a krone of taxes costs society more than a krone;
5. where there are transaction costs (own work on procurement), they are added per participant who starts, without VAT.

Nothing is rounded between the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refino_eval.config.base import Strict
from refino_eval.config.money.costs import Amount, Basis, Costs, UnitCosts, YearlyPrices
from refino_eval.errors import nearest, raise_problems


@dataclass(frozen=True)
class ArmCost:
    """The steps of one arm, in kroner per participant unless stated otherwise.

    Attributes
    ----------
    monthly_price
        Price per participant-month, VAT included.
    duration
        Months that a participant stays.
    paid
        Payment, VAT included.
    without_vat
        Payment without VAT.
    social
        Cost to society, including the cost of raising taxes.
    monthly_social
        Cost to society per participant-month.
    transaction, transaction_social
        Transaction cost per participant who starts, to the payer and to society; part of `social`, not of `paid`.
    """

    monthly_price: float
    duration: float
    paid: float
    without_vat: float
    social: float
    monthly_social: float
    transaction: float = 0.0
    transaction_social: float = 0.0

    @property
    def total(self) -> float:
        """Cost to the payer: the payment and the transaction cost."""
        return self.paid + self.transaction


@dataclass(frozen=True)
class CostTable:
    """The steps of both arms on one basis.

    Attributes
    ----------
    basis
        Name of the basis.
    inputs
        `(row, arm)` -> input: row is a calendar year, or the name of an input (`participant_months`, `payments`, ...).
    arms
        Steps by arm.
    vat_rate, tax_cost
        Shares.
    """

    basis: str
    inputs: Mapping[tuple[str, str], float]
    arms: Mapping[str, ArmCost]
    vat_rate: float
    tax_cost: float

    def difference(self, step: str, treated: str, control: str) -> float:
        """Return the treated arm's step minus the control arm's; negative if the treated arm is cheaper."""
        return float(getattr(self.arms[treated], step) - getattr(self.arms[control], step))


def arm_cost(
    *, monthly_price: float, duration: float, vat_rate: float, tax_cost: float, transaction: float = 0.0
) -> ArmCost:
    """Return the steps of one arm.

    Parameters
    ----------
    monthly_price
        Kroner per participant-month, VAT included.
    duration
        Months.
    vat_rate, tax_cost
        Shares, 0.25 for 25 per cent.
    transaction
        Kroner per participant who starts, on which there is no VAT.
    """
    paid = monthly_price * duration
    to_society = (1.0 + tax_cost) / (1.0 + vat_rate)
    return ArmCost(
        monthly_price=monthly_price,
        duration=duration,
        paid=paid,
        without_vat=paid / (1.0 + vat_rate),
        social=paid * to_society + (1.0 + tax_cost) * transaction,
        monthly_social=monthly_price * to_society,
        transaction=transaction,
        transaction_social=(1.0 + tax_cost) * transaction,
    )


def cost_table(
    costs: Costs, basis: str, published: Mapping[str, float], *, months: Mapping[str, float] | None = None
) -> CostTable:
    """Compute the costs of both arms on one basis.

    Parameters
    ----------
    costs
        The inputs.
    basis
        One of `costs.bases`.
    published
        Published numbers by `exhibit/panel/row/column/statistic`.
    months
        Months that a participant stays, by arm, in place of the durations of the inputs.

    Raises
    ------
    UserError
        When published numbers are missing (all of them at once), or participant-months are not positive.
    """
    check_inputs(costs, published)
    chosen = costs.bases[basis]
    inputs = _inputs(chosen, published)
    vat_rate, tax_cost = (0.0 if rate is None else amount(rate, published) for rate in (costs.vat_rate, costs.tax_cost))
    arms = {
        arm: arm_cost(
            monthly_price=_monthly_price(chosen, arm, inputs),
            duration=amount(duration, published) if months is None else months[arm],
            # What own staff deliver is not bought, and carries no VAT.
            vat_rate=0.0 if isinstance(chosen, UnitCosts) and chosen.arms[arm].kind == "staffed" else vat_rate,
            tax_cost=tax_cost,
            transaction=_per_starter(arm, inputs),
        )
        for arm, duration in costs.duration.items()
    }
    return CostTable(basis=basis, inputs=inputs, arms=arms, vat_rate=vat_rate, tax_cost=tax_cost)


def amount(entry: Amount, published: Mapping[str, float]) -> float:
    """Return an input in reported units."""
    return (entry.value if entry.value is not None else published[str(entry.published)]) * entry.times


def outcome_values(costs: Costs, published: Mapping[str, float]) -> dict[str, float]:
    """Return the assumed values of an outcome, in kroner, by name."""
    return {name: amount(value.amount, published) for name, value in costs.values.items()}


def check_inputs(costs: Costs, published: Mapping[str, float]) -> None:
    """Raise a problem for every input that is missing from the published values or out of range."""
    missing = [
        f"config/definitions/costs.yaml: input '{entry.published}' is not in data/published/{costs.published}.csv."
        f"{nearest(str(entry.published), published)}"
        for entry in costs.amounts
        if entry.published is not None and entry.published not in published
    ]
    divided_by = [
        (f"bases.{name}.{row} of '{arm}'", entry)
        for name, basis in costs.bases.items()
        for (row, arm), entry in _entries(basis).items()
        if row in DENOMINATORS
    ]
    raise_problems(
        missing
        + [
            f"config/definitions/costs.yaml: {where} must be above zero."
            for where, entry in divided_by
            if (entry.published is None or entry.published in published) and amount(entry, published) <= 0
        ]
    )


DENOMINATORS = ("participant_months", "starters")
"""Inputs that costs are divided by."""


def _entries(basis: Basis) -> dict[tuple[str, str], Amount]:
    """Return the inputs of a basis by row and arm; those of transaction costs by arm as well."""
    if isinstance(basis, UnitCosts):
        parts: list[tuple[str, Strict]] = list(basis.arms.items())
        named = [(arm, "", part) for arm, part in parts]
        named += [(arm, "transaction_", part) for arm, part in basis.transaction.items()]
        return {
            (name if name == "starters" else f"{prefix}{name}", arm): getattr(part, name)
            for arm, prefix, part in named
            for name in type(part).model_fields
            if isinstance(getattr(part, name), Amount)
        }
    if isinstance(basis, YearlyPrices):
        rows = {str(year): by_arm for year, by_arm in sorted(basis.years.items())}
    else:
        rows = {"participant_months": basis.participant_months, "payments": basis.payments}
    return {(row, arm): entry for row, by_arm in rows.items() for arm, entry in by_arm.items()}


def _inputs(basis: Basis, published: Mapping[str, float]) -> dict[tuple[str, str], float]:
    return {key: amount(entry, published) for key, entry in _entries(basis).items()}


def _monthly_price(basis: Basis, arm: str, inputs: Mapping[tuple[str, str], float]) -> float:
    if isinstance(basis, YearlyPrices):
        return sum(inputs[str(year), arm] for year in basis.years) / len(basis.years)
    if ("full_time_equivalents", arm) in inputs:
        yearly = inputs["full_time_equivalents", arm] * inputs["cost_per_full_time_equivalent", arm]
        return yearly / inputs["participant_months", arm]
    return inputs["payments", arm] / inputs["participant_months", arm]


def _per_starter(arm: str, inputs: Mapping[tuple[str, str], float]) -> float:
    """Return the transaction cost per participant who starts, 0 without one."""
    if ("starters", arm) not in inputs:
        return 0.0
    worked = inputs["transaction_full_time_equivalents", arm] * inputs["transaction_cost_per_full_time_equivalent", arm]
    return worked / inputs["starters", arm]
