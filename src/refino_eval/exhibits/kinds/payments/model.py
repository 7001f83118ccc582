"""Model of exhibits of kind `payments`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Strict
from refino_eval.config.exhibit_base import Chapter, PlainExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class PaymentRegisters(Strict):
    """Which registers hold what the rules of payment look at."""

    programmes: Name = "programmes"
    jobs: Name = "jobs"
    sickness: Name = "sickness"
    disability: Name = "disability"
    allowance: Name = Field(default="allowance", description="Spells of an allowance without degrees.")
    education: Name | None = Field(
        default=None, description="Enrolments with a `level`; needed where a set of rules pays for education."
    )


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

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Report rules that pay for education where no register of it is given."""
        for name in self.payments:
            rules = definitions.payments.get(name)
            if rules is not None and rules.reads_education and self.registers.education is None:
                yield (
                    f"The {where} applies the rules '{name}', which pay for education, and names no register of it. Add "
                    "`registers: {education: ...}`, or take the criterion out of the rules."
                )

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return tuple(self.registers.model_dump(exclude_none=True).values())

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm."""
        return {"programmes": tuple(self.programmes)}
