"""Model of exhibits of kind `binary_models`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.covariances import Vcov


class BinaryModelsExhibit(OutcomesExhibit):
    """Effects on probabilities by logit (average marginal effects) next to the linear probability model."""

    kind: Literal["binary_models"]
    takes_weights: ClassVar[bool] = False
    covariances: ClassVar[tuple[Vcov, ...]] = ("iid", "HC1")
    usual_chapter: ClassVar[Chapter] = "robustness"
    supplementary: ClassVar[bool] = True
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls",)
    explanations: ClassVar[tuple[str, ...]] = ("other_models",)
    specification: Name = "main"
    show_controls: bool = Field(default=False, description="Also the log odds of each control, under its outcome.")
