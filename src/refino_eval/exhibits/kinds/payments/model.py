"""Model of exhibits of kind `payments`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Strict
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


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
    takes_weights: ClassVar[bool] = False
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
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

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm."""
        return {"programmes": tuple(self.programmes)}
