"""Kind `propensity_scores`: the distribution of the propensity score in each arm, as a figure."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several


class PropensityScoresExhibit(PlainExhibit):
    """The distribution of the propensity score in each arm."""

    kind: Literal["propensity_scores"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"
    usual_chapter: ClassVar[Chapter] = "balance"
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)
    explanations: ClassVar[tuple[str, ...]] = ("propensity",)
    specification: Name = Field(
        default="main",
        description="Its controls and fixed effects are the covariates of the propensity score (a logit).",
    )
    bins: int = Field(default=20, ge=5, le=50, description="Classes of the score, of equal width.")
