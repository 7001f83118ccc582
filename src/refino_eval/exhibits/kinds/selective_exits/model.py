"""Kind `selective_exits`: whether people with poor prospects leave the programme of one arm early more often than of the other."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import VCOV, Name
from refino_eval.config.exhibit_base import Chapter
from refino_eval.config.provider_exhibit import ProviderExhibit
from refino_eval.covariances import Vcov


class SelectiveExitsExhibit(ProviderExhibit):
    """Early exits from the programmes by the outcome predicted at assignment, which show whether providers keep who is easy to place."""

    kind: Literal["selective_exits"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    predicted: Name = Field(description="Outcome that is predicted from the covariates, in the control arm.")
    covariates: tuple[Name, ...] = Field(
        min_length=1, description="What the outcome is predicted from; known at assignment."
    )
    within_months: int = Field(default=3, ge=1, description="An exit is early that comes before so many months.")
    groups: int = Field(
        default=4, ge=2, le=10, description="Groups of equal size by predicted outcome, of everybody assigned."
    )
    folds: int = Field(default=5, ge=2, le=50, description="Parts of the cross-fitted prediction.")
    vcov: Vcov = Field(default="HC1", description=VCOV)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome that the exhibit reads."""
        return (self.predicted,)

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean register that the exhibit reads."""
        return (self.registers.programmes,)
