"""Kind `balance`: treatment regressed on each covariate alone and on all together, within cells."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import VCOV, Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit
from refino_eval.covariances import Vcov

MISSING = "missing"
"""Panel of the people who lack a covariate."""


class BalanceExhibit(PlainExhibit):
    """Treatment regressed on each covariate alone and on all together, within cells."""

    kind: Literal["balance"]
    usual_chapter: ClassVar[Chapter] = "balance"
    verified_with_dummies: ClassVar[bool] = True
    two_way: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = (
        "interval",
        "p_value",
        "balance",
        "verified",
    )
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Vcov = Field(default="HC1", description=VCOV)
    strata: bool = Field(
        default=True,
        description="Whether everything is compared within strata; false compares all people of the arms, as a t test does "
        "(with vcov iid: the t test of equal variances).",
    )
    regress: Literal["both", "treatment", "covariates"] = Field(
        default="both",
        description="treatment: treatment on each covariate, and on all; covariates: each covariate on treatment, with the joint test "
        "of all; both: both.",
    )
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every covariate; available: each covariate's own people, but for the "
        "regression on all.",
    )
