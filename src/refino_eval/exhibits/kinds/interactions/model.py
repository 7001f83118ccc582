"""Model of exhibits of kind `interactions`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class InteractionsExhibit(PlainExhibit):
    """Whether the effect on one outcome differs by what was known at the draw: one moderator at a time, and jointly."""

    kind: Literal["interactions"]
    usual_chapter: ClassVar[Chapter] = "heterogeneity"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("absorb", "nonresponse")
    two_way: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "groups",
        "verified",
    )
    outcome: Name
    moderators: tuple[Name, ...] = Field(min_length=1, description="Covariates.")
    specification: Name = "linear"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (self.outcome,)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that the exhibit reads beside its controls."""
        return self.moderators
