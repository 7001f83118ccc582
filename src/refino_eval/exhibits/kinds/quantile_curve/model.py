"""Model of exhibits of kind `quantile_curve`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.exhibit_base import Form, Several
from refino_eval.exhibits.kinds.quantile_effects.model import Quantile, QuantilesExhibit


class QuantileCurveExhibit(QuantilesExhibit):
    """Effects over the quantiles of each outcome's distribution with pointwise intervals, and the effect on its mean."""

    kind: Literal["quantile_curve"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"
    quantiles: tuple[Quantile, ...] = Field(
        default=tuple(round(0.05 * k, 2) for k in range(1, 20)),
        min_length=2,
        description="Between 0 and 1, each once; default: every twentieth.",
    )
