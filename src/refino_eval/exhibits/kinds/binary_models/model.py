"""Model of exhibits of kind `binary_models`, and what it shares with `count_models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.covariances import Vcov

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions, Specification
    from refino_eval.config.evaluation import Evaluation


class ResponseModelExhibit(OutcomesExhibit):
    """Effects on a mean by a model that is not linear in it, next to the linear model."""

    covariances: ClassVar[tuple[Vcov, ...]] = ("iid", "HC0", "HC1", "CRV1", "CRV1_nested")
    usual_chapter: ClassVar[Chapter] = "robustness"
    supplementary: ClassVar[bool] = True
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "absorb", "nonresponse")
    weights_by_outcome: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = ("other_models",)
    coefficient_keys: ClassVar[Mapping[str, str]]
    """Model -> key of the column of its coefficient of treatment."""
    ratio_keys: ClassVar[Mapping[str, str]]
    """Model -> key of the column of the exponential of that coefficient, for models where it has a meaning."""

    specification: Name = "main"
    model: Literal["logit", "probit", "poisson", "negative_binomial"]
    effect_at: Literal["average", "means"] = "average"
    show_ratio: bool = False
    show_controls: bool = Field(
        default=False,
        description="Also the coefficient of each control (log odds of a logit, log rates of Poisson regression), under its outcome.",
    )

    @property
    def coefficient(self) -> str:
        """Key of the column of coefficients: log odds of a logit, the index of a probit, log rates of Poisson regression."""
        return self.coefficient_keys[self.model]

    @property
    def ratio(self) -> str | None:
        """Key of the column of odds or rate ratios; None where it is not shown."""
        return self.ratio_keys.get(self.model) if self.show_ratio else None

    def refused_by_kind(self, entry: Specification, *, weighted: bool) -> Iterator[str]:
        """Return that with weights standard errors are those of a sandwich."""
        if weighted and entry.vcov == "iid":
            yield (
                "does not offer the covariance iid with weights, since the likelihood of weighted people is no likelihood. Choose HC1, "
                "HC0 or CRV1."
            )


class BinaryModelsExhibit(ResponseModelExhibit):
    """Effects on probabilities by logit or probit (marginal effects) next to the linear probability model."""

    kind: Literal["binary_models"]
    coefficient_keys: ClassVar[Mapping[str, str]] = {"logit": "log_odds", "probit": "index"}
    ratio_keys: ClassVar[Mapping[str, str]] = {"logit": "odds_ratio"}
    model: Literal["logit", "probit"] = "logit"
    effect_at: Literal["average", "means"] = Field(
        default="average",
        description="average: the effect on the probability averaged over people; means: the effect for a person with average controls "
        "and strata, as Stata's dprobit reports it.",
    )
    show_ratio: bool = Field(default=False, description="Of a logit: also the odds ratio.")

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return why a probit has no odds ratio."""
        if self.show_ratio and self.ratio is None:
            yield f"The {where} has show_ratio and model {self.model}, whose coefficients are no log odds. Choose model: logit, or leave it out."
