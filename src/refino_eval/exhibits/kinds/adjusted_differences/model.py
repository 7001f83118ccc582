"""Kind `adjusted_differences`: one difference adjusted for covariates by several methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import (
    WILD_BOOTSTRAP,
    Chapter,
    OutcomesExhibit,
    WildBootstrap,
    wild_bootstrap_faults,
)
from refino_eval.covariances import Vcov

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation

Method = Literal["regression_adjustment", "ipw", "entropy_balancing", "aipw"]


class AdjustedDifferencesExhibit(OutcomesExhibit):
    """One difference by regression, propensity score, entropy balancing and doubly robust estimation, for everybody and the treated."""

    kind: Literal["adjusted_differences"]
    covariances: ClassVar[tuple[Vcov, ...]] = ("HC0", "HC1", "CRV1")
    usual_chapter: ClassVar[Chapter] = "robustness"
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)
    explanations: ClassVar[tuple[str, ...]] = ("propensity", "adjusted_difference", "interval")
    specification: Name = Field(
        default="main",
        description="Its controls and fixed effects are the covariates of every method, fixed effects as dummies.",
    )
    methods: tuple[Method, ...] = Field(
        default=("regression_adjustment", "ipw", "entropy_balancing", "aipw"),
        min_length=1,
        description="regression_adjustment: a regression in each arm; ipw: inverse probability weights (Hajek); entropy_balancing: weights "
        "that make the means of all covariates equal; aipw: augmented inverse probability weighting (doubly robust).",
    )
    populations: tuple[Literal["ate", "att"], ...] = Field(
        default=("ate", "att"), min_length=1, description="ate: the average over everybody; att: over the treated."
    )
    trim: float = Field(
        default=0.0,
        ge=0.0,
        lt=0.5,
        description="People with a propensity score below this or above 1 less this are left out; 0 leaves out nobody.",
    )
    cross_fitting: Annotated[int, Field(ge=2, le=50)] | None = Field(
        default=None,
        description="Folds of cross-fitting of aipw: the models of each fold are fitted to the other folds. Default: none.",
    )
    wild_bootstrap: WildBootstrap = WILD_BOOTSTRAP

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        yield from wild_bootstrap_faults(where, self.wild_bootstrap, self.specification, definitions)
        if self.cross_fitting is not None and "aipw" not in self.methods:
            yield f"The {where} has cross_fitting, which is of the method aipw. Add aipw to `methods`, or leave cross_fitting out."
        for key in ("methods", "populations"):
            named = getattr(self, key)
            if len(set(named)) < len(named):
                yield f"The {where} names one of `{key}` twice. Name each once."
