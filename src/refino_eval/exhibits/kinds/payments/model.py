"""Model of exhibits of kind `payments`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.provider_exhibit import ProviderExhibit, rules_without_register

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class PaymentsExhibit(ProviderExhibit):
    """What providers would have been paid for the participants of each arm, under one or more sets of rules."""

    kind: Literal["payments"]
    takes_weights: ClassVar[bool] = False
    payments: tuple[Name, ...] = Field(min_length=1, description="Entries of config/definitions/payments.yaml.")
    bid: float | None = Field(default=None, gt=0, description="Kroner for all milestones of one participant.")

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Report rules that look at a register that is not given."""
        return rules_without_register(self, self.payments, where, definitions)

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments
