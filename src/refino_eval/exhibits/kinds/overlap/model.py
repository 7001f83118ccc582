"""Kind `overlap`: whether each arm has people like those of the other, by the propensity score."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class OverlapExhibit(PlainExhibit):
    """The propensity score by arm: common support, effective sample size, and balance before and after weighting."""

    kind: Literal["overlap"]
    usual_chapter: ClassVar[Chapter] = "balance"
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)
    explanations: ClassVar[tuple[str, ...]] = ("propensity",)
    specification: Name = Field(
        default="main",
        description="Its controls and fixed effects are the covariates of the propensity score (a logit).",
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=0.5)], ...] = Field(
        default=(0.01, 0.05, 0.1),
        description="a: the share of people with a score below a or above 1 - a, who would be trimmed.",
    )
