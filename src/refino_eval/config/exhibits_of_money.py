"""Models of exhibits about money: costs, break-even, net benefit, payments under rules."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Strict
from refino_eval.config.exhibit_base import Form, PlainExhibit


class _CostsRead(PlainExhibit):
    costs: Name = Field(description="An entry of config/definitions/costs.yaml; its arms are the evaluation's.")

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads."""
        return (self.costs,)


class CostsExhibit(_CostsRead):
    """Monthly price, duration and what is paid a participant, on one basis."""

    kind: Literal["costs"]
    basis: Name


class SocialCostsExhibit(_CostsRead):
    """From what is paid to the cost to society, basis by basis, and the effect that repays the difference."""

    kind: Literal["social_costs"]
    bases: tuple[Name, ...] = Field(min_length=1)
    break_even_basis: Name = Field(description="One of the bases: whose difference an effect is to repay.")
    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")


class _BreakEven(_CostsRead):
    basis: Name
    effects: Name = Field(description="An exhibit of kind itt, whose effects of the same run are taken.")
    specification: Name = "main"
    columns: dict[Name, Name] = Field(min_length=1, description="Key in that exhibit -> its outcome.")
    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")
    months: dict[Name, Name] = Field(
        min_length=2, description="Arm -> outcome that counts a person's months in that arm's programme."
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *self.months.values())

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit whose effects are taken."""
        return (self.effects,)


class BreakEvenExhibit(_BreakEven):
    """The effect that repays the difference in cost, against the effect's interval, and the net benefit."""

    kind: Literal["break_even"]


class NetBenefitExhibit(_BreakEven):
    """Net benefit a person drawn over the value of an outcome, with its interval."""

    kind: Literal["net_benefit"]
    highest: float = Field(gt=0, description="Highest value of an outcome, in kroner.")
    points: int = Field(default=51, ge=2, le=501)

    form: ClassVar[Form] = "figure"


class PaymentRegisters(Strict):
    """Which registers hold what the rules of payment look at."""

    programmes: Name = "programmes"
    jobs: Name = "jobs"
    sickness: Name = "sickness"
    disability: Name = "disability"
    allowance: Name = Field(default="allowance", description="Spells of an allowance without degrees.")


class PaymentsExhibit(PlainExhibit):
    """What providers would have been paid for the participants of each arm, under one or more sets of rules."""

    kind: Literal["payments"]
    payments: tuple[Name, ...] = Field(min_length=1, description="Entries of config/definitions/payments.yaml.")
    programmes: dict[Name, tuple[str, ...]] = Field(min_length=1, description="Arm -> codes of its programme.")
    contracts: dict[str, Literal["permanent", "temporary"]] = Field(description="Code of a contract -> its kind.")
    wage_subsidy: tuple[str, ...] = Field(default=(), description="Programmes that are a wage subsidy.")
    registers: PaymentRegisters = PaymentRegisters()
    observed_to: dt.date = Field(description="Last day that all of these registers cover.")
    bid: float | None = Field(default=None, gt=0, description="Kroner for all milestones of one participant.")

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return tuple(self.registers.model_dump().values())
