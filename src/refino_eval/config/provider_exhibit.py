"""What exhibits about providers' participants have in common: programmes, and the registers that payment rules look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Strict
from refino_eval.config.exhibit_base import Chapter, PlainExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions


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


class ProviderExhibit(PlainExhibit):
    """An exhibit about people who started the programme of their arm, and their spells."""

    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    programmes: dict[Name, tuple[str, ...]] = Field(min_length=1, description="Arm -> codes of its programme.")
    contracts: dict[str, Literal["permanent", "temporary"]] = Field(
        default={}, description="Code of a contract -> its kind."
    )
    wage_subsidy: tuple[str, ...] = Field(default=(), description="Programmes that are a wage subsidy.")
    registers: PaymentRegisters = PaymentRegisters()
    observed_to: dt.date = Field(description="Last day that all of these registers cover.")

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return tuple(self.registers.model_dump(exclude_none=True).values())

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm."""
        return {"programmes": tuple(self.programmes)}


def rules_without_register(
    exhibit: ProviderExhibit, payments: Sequence[str], where: str, definitions: Definitions
) -> Iterator[str]:
    """Report rules that pay for education where no register of it is given."""
    for name in payments:
        rules = definitions.payments.get(name)
        if rules is not None and rules.reads_education and exhibit.registers.education is None:
            yield (
                f"The {where} applies the rules '{name}', which pay for education, and names no register of it. Add "
                "`registers: {education: ...}`, or take the criterion out of the rules."
            )
