"""Model of exhibits of kind `interaction_grid`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit


class InteractionGridExhibit(OutcomesExhibit):
    """Whether the effects on several outcomes differ by what was known at the draw: one regression for each pair."""

    kind: Literal["interaction_grid"]
    usual_chapter: ClassVar[Chapter] = "heterogeneity"
    supplementary: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("absorb", "nonresponse")
    two_way: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = ("itt", "groups", "verified")
    moderators: tuple[Name, ...] = Field(min_length=1, description="Covariates; a row each.")
    specification: Name = "linear"

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that the exhibit reads in addition to its controls."""
        return self.moderators
