"""Model of exhibits of kind `count_models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.exhibits.kinds.binary_models.model import ResponseModelExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Specification


class CountModelsExhibit(ResponseModelExhibit):
    """Effects on counts by Poisson or negative binomial regression (average marginal effects and incidence rate ratios) next to the linear model."""

    kind: Literal["count_models"]
    coefficient_keys: ClassVar[Mapping[str, str]] = {"poisson": "log_rate", "negative_binomial": "log_rate"}
    ratio_keys: ClassVar[Mapping[str, str]] = {"poisson": "rate_ratio", "negative_binomial": "rate_ratio"}
    model: Literal["poisson", "negative_binomial"] = Field(
        default="poisson",
        description="poisson: quasi-maximum likelihood, which needs only that the mean is right, with the covariance of the specification; "
        "negative_binomial: variance mean + a mean^2 with an estimated a (Stata's nbreg), without weights.",
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

    def refused_by_kind(self, entry: Specification, *, weighted: bool) -> Iterator[str]:
        """Return that a negative binomial takes no weights."""
        yield from super().refused_by_kind(entry, weighted=weighted)
        if weighted and self.model == "negative_binomial":
            yield "takes no weights with model negative_binomial. Choose model: poisson, or a specification with `weights: false`."

    @property
    def covariates_read(self) -> tuple[str, ...]:
        """The exposure."""
        return () if self.exposure is None else (self.exposure,)
