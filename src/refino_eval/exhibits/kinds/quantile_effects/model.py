"""Model of exhibits of kind `quantile_effects`, and what it shares with `quantile_curve`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.covariances import Vcov

if TYPE_CHECKING:
    from refino_eval.config.definitions import Specification

Quantile = Annotated[float, Field(gt=0, lt=1)]


class QuantilesExhibit(OutcomesExhibit):
    """Effects on the distribution of outcomes: at each quantile, next to the effect on the mean."""

    covariances: ClassVar[tuple[Vcov, ...]] = ("HC0", "HC1", "CRV1", "CRV1_nested")
    usual_chapter: ClassVar[Chapter] = "heterogeneity"
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "absorb", "nonresponse")
    explanations: ClassVar[tuple[str, ...]] = ("itt", "quantiles", "interval")
    specification: Name = "none"
    method: Literal["unconditional", "regression"] = Field(
        default="unconditional",
        description="unconditional: the difference between the arms' quantiles, people weighted so that both arms have everybody's "
        "composition of cells, without controls; regression: the coefficient of treatment in quantile regressions with the "
        "specification's controls and a dummy for every cell.",
    )
    quantiles: tuple[Quantile, ...] = Field(
        default=(0.1, 0.25, 0.5, 0.75, 0.9), min_length=1, description="Between 0 and 1, each once."
    )
    draws: int = Field(
        default=999,
        ge=99,
        le=100_000,
        description="Of unconditional effects: resamples of the bootstrap, within cell and arm.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({f"{point:g}" for point in self.quantiles}) < len(self.quantiles):
            raise ValueError("`quantiles` names one twice")
        return self

    def refused_by_kind(self, entry: Specification, *, weighted: bool) -> Iterator[str]:
        """Return that unconditional effects take no controls and absorbed columns."""
        if self.method == "unconditional" and (entry.terms or entry.absorb):
            yield (
                "takes no controls and no fixed effects but the cells with method unconditional. Choose a specification without, or method: "
                "regression."
            )


class QuantileEffectsExhibit(QuantilesExhibit):
    """Effects at quantiles of each outcome's distribution, next to the effect on its mean: quantiles as rows, outcomes as columns."""

    kind: Literal["quantile_effects"]
