"""Model of exhibits of kind `quantile_effects`, and what it shares with `quantile_curve`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

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

    def refused(
        self,
        specifications: Mapping[str, Specification],
        *,
        weights: str | None,
        clusters: int,
        cluster_key: str = "person_table.cluster",
    ) -> Iterator[str]:
        """Return the options that this kind does not honour: controls and absorbed columns of unconditional effects."""
        yield from super().refused(specifications, weights=weights, clusters=clusters, cluster_key=cluster_key)
        entry = specifications.get(self.specification)
        if entry is not None and (entry.terms or entry.absorb) and self.method == "unconditional":
            yield (
                f"takes no controls and no fixed effects but the cells with method unconditional, and the specification '{self.specification}' "
                "has some. Choose one without, or method: regression."
            )


class QuantileEffectsExhibit(QuantilesExhibit):
    """Effects at quantiles of each outcome's distribution, next to the effect on its mean: quantiles as rows, outcomes as columns."""

    kind: Literal["quantile_effects"]
