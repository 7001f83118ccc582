"""Model of exhibits of kind `estimands`."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.covariances import ROBUST, Vcov


class EstimandsExhibit(OutcomesExhibit):
    """The effect weighted by cells' information, by people, and by inverse draw probability, and whether they differ."""

    kind: Literal["estimands"]
    covariances: ClassVar[tuple[Vcov, ...]] = ROBUST
    usual_chapter: ClassVar[Chapter] = "robustness"
    units_in_heads: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "strata",
        "interval",
        "weights",
    )
    specification: Name = "none"
