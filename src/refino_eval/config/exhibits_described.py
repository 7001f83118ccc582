"""Models of exhibits that describe: who was drawn, how the draw was made, how arms and paths look."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import By, Form, GroupedExhibit, PlainExhibit, Several, StatesExhibit


class DescriptivesExhibit(PlainExhibit):
    """Means and standard deviations of covariates by arm."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["descriptives"]
    covariates: tuple[Name, ...] = Field(min_length=1)


class DrawsExhibit(PlainExhibit):
    """People drawn to each arm, by calendar month."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"

    kind: Literal["draws"]


class DesignExhibit(PlainExhibit):
    """The cells of the draw: people, draw shares, one-arm and single-person cells, effective sample."""

    kind: Literal["design"]


class FlowExhibit(PlainExhibit):
    """The cohort flow: delivered draws, each exclusion with its reason, and the samples that remain, by arm."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"

    kind: Literal["flow"]
    samples: tuple[Name, ...] = Field(
        default=(), description="Samples to show, each within the one before it; default: all of the evaluation's."
    )

    @property
    def reads_flow(self) -> bool:
        """It is the flow that the exhibit shows."""
        return True


class CountsExhibit(PlainExhibit):
    """People by what is known of where and when they were drawn, and arm."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["counts"]
    by: tuple[Name, ...] = Field(
        min_length=1, max_length=2, description="Columns of the cohort; of two, the second stands within the first."
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """The columns that people are counted by."""
        return self.by


class PathsExhibit(StatesExhibit, GroupedExhibit):
    """Arm means by event time, a panel for each state (and group); cumulative from `cumulate_from` when given."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["paths"]


class BalanceExhibit(PlainExhibit):
    """Treatment regressed on each covariate alone and on all together, within cells."""

    kind: Literal["balance"]
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"] = "HC1"
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every covariate; available: each covariate's own people, but for the "
        "regression on all.",
    )
