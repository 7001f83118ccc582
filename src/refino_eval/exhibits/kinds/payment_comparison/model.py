"""Kind `payment_comparison`: the same participants paid under several sets of rules, by the position that they reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import VCOV, Name
from refino_eval.config.provider_exhibit import ProviderExhibit, rules_without_register
from refino_eval.covariances import Vcov

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class PaymentComparisonExhibit(ProviderExhibit):
    """Payment for the same spells under several sets of rules: by position, whose payment differs, and how it goes with gain."""

    kind: Literal["payment_comparison"]
    takes_weights: ClassVar[bool] = False
    payments: tuple[Name, ...] = Field(min_length=2, description="Entries of config/definitions/payments.yaml.")
    within_months: int = Field(
        default=24, ge=1, description="The largest position held so long after the programme's start counts."
    )
    edges: tuple[float, ...] = Field(
        default=(20, 50, 80),
        min_length=1,
        description="Percentages of a full position that divide the bands; the first begins at none and the last ends at a full one.",
    )
    gain: Name = Field(description="Outcome whose excess over what was predicted for the person is called gain.")
    covariates: tuple[Name, ...] = Field(
        min_length=1, description="What the outcome is predicted from, in the control arm; known at assignment."
    )
    folds: int = Field(default=5, ge=2, le=50, description="Parts of the cross-fitted prediction.")
    vcov: Vcov = Field(default="HC1", description=VCOV)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if list(self.edges) != sorted(set(self.edges)) or not 0 < self.edges[0] <= self.edges[-1] <= 100:
            raise ValueError("`edges` must rise, from above 0 to 100 per cent at most")
        return self

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Report rules that look at a register that is not given."""
        return rules_without_register(self, self.payments, where, definitions)

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands: none, below each edge, and from the last edge on."""
        return ("none", *(f"below_{edge:g}".replace(".", "_") for edge in self.edges), "above")

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome that the exhibit reads."""
        return (self.gain,)
