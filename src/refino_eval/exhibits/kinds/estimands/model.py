"""Model of exhibits of kind `estimands`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

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
    cells_are: Literal["fixed", "sampled"] = Field(
        default="fixed",
        description="fixed: the people of each cell as they are; sampled: people are a sample of a population in which effects differ "
        "between cells, which adds the variance between cells to that of the saturated estimate (Bugni, Canay and Shaikh 2019).",
    )
