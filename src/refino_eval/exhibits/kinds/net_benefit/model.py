"""Kind `net_benefit`: net benefit per person assigned over the value of an outcome, with its interval."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.exhibit_base import Chapter, CostComparison, Form


class NetBenefitExhibit(CostComparison):
    """Net benefit a person drawn over the value of an outcome, with its interval."""

    kind: Literal["net_benefit"]
    form: ClassVar[Form] = "figure"
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    highest: float = Field(gt=0, description="Highest value of an outcome, in kroner.")
    points: int = Field(default=51, ge=2, le=501)
