"""Model of exhibits of kind `binary_models`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.covariances import Vcov


class BinaryModelsExhibit(OutcomesExhibit):
    """Effects on probabilities by logit or probit (marginal effects) next to the linear probability model."""

    kind: Literal["binary_models"]
    takes_weights: ClassVar[bool] = False
    covariances: ClassVar[tuple[Vcov, ...]] = ("iid", "HC0", "HC1", "CRV1")
    usual_chapter: ClassVar[Chapter] = "robustness"
    supplementary: ClassVar[bool] = True
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls",)
    explanations: ClassVar[tuple[str, ...]] = ("other_models",)
    specification: Name = "main"
    model: Literal["logit", "probit"] = "logit"
    effect_at: Literal["average", "means"] = Field(
        default="average",
        description="average: the effect on the probability averaged over people; means: the effect for a person with average controls "
        "and strata, as Stata's dprobit reports it.",
    )
    show_controls: bool = Field(
        default=False, description="Also the coefficient of each control (log odds of a logit), under its outcome."
    )

    @property
    def coefficient(self) -> str:
        """Key of the column of coefficients: log odds of a logit, the index of a probit."""
        return "log_odds" if self.model == "logit" else "index"
