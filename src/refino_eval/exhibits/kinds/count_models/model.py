"""Model of exhibits of kind `count_models`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.exhibits.kinds.binary_models.model import ResponseModelExhibit


class CountModelsExhibit(ResponseModelExhibit):
    """Effects on counts by Poisson regression (average marginal effects and incidence rate ratios) next to the linear model."""

    kind: Literal["count_models"]
    coefficient_keys: ClassVar[Mapping[str, str]] = {"poisson": "log_rate"}
    ratio_keys: ClassVar[Mapping[str, str]] = {"poisson": "rate_ratio"}
    model: Literal["poisson"] = Field(
        default="poisson",
        description="poisson: quasi-maximum likelihood, which needs only that the mean is right, with the covariance of the specification.",
    )
    effect_at: Literal["average", "means"] = Field(
        default="average",
        description="average: the effect on the expected number averaged over people; means: the effect for a person with average controls "
        "and strata.",
    )
    show_ratio: bool = Field(default=True, description="Also the incidence rate ratio, exp of the coefficient.")
    exposure: Name | None = Field(
        default=None,
        description="A covariate above 0 that the expected number is in proportion to, such as the time that a person was observed.",
    )

    @property
    def covariates_read(self) -> tuple[str, ...]:
        """The exposure."""
        return () if self.exposure is None else (self.exposure,)
