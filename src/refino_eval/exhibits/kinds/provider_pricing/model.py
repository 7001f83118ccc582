"""Kind `provider_pricing`: the price at which a provider breaks even under rules of payment, and what bids would have earned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict
from refino_eval.config.exhibit_base import Level
from refino_eval.config.money.costs import Amount
from refino_eval.config.provider_exhibit import ProviderExhibit, rules_without_register

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class Bid(Strict):
    """A bid: its price for all milestones of one participant, and its scores for quality."""

    label: Label
    price: float = Field(gt=0, description="Kroner.")
    quality: dict[Name, float] = Field(default_factory=dict, description="Criterion -> score from 0 to 10.")


class ProviderPricingExhibit(ProviderExhibit):
    """Break-even prices by rules and arm; expected margin, risk of a loss and score of bids under the first rules."""

    kind: Literal["provider_pricing"]
    takes_weights: ClassVar[bool] = False
    payments: tuple[Name, ...] = Field(min_length=1, description="Rules of payment; the first are those of the bids.")
    cost_per_month: Amount = Field(description="What a participant-month costs the provider, in kroner.")
    bids: dict[Name, Bid] = Field(default_factory=dict)
    quality_weights: dict[Name, float] = Field(default_factory=dict, description="Criterion -> weight; the sum is 1.")
    price_weight: float = Field(
        default=0.5, ge=0, le=1, description="Weight of price in the score; quality has the rest."
    )
    places: int = Field(default=45, ge=1, description="Participants at a time, for the margin of a year.")
    draws: int = Field(default=10_000, ge=100, le=1_000_000)
    level: Level = 0.9

    @model_validator(mode="after")
    def _weighed(self) -> ProviderPricingExhibit:
        if self.cost_per_month.value is None:
            raise ValueError("cost_per_month: write a `value` with its `source`")
        if self.quality_weights and abs(sum(self.quality_weights.values()) - 1.0) > 1e-9:
            raise ValueError(f"quality_weights add up to {sum(self.quality_weights.values()):g}; they must add up to 1")
        for name, bid in self.bids.items():
            if set(bid.quality) != set(self.quality_weights):
                raise ValueError(f"bids.{name}.quality must score the criteria of quality_weights, and no other")
        return self

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Report rules that pay for education where no register of it is given."""
        yield from rules_without_register(self, self.payments, where, definitions)
