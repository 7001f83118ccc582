"""Models of exhibits about effects of the draw: estimates, tests, groups, choices and other models."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Label, Name
from refino_eval.config.exhibit_base import (
    By,
    Form,
    GroupedExhibit,
    OutcomesExhibit,
    PlainExhibit,
    Several,
    StatesExhibit,
)


class IttExhibit(OutcomesExhibit):
    """Effects of the draw: outcomes as columns, specifications as panels."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["itt"]
    specifications: tuple[Name, ...] = Field(default=("main",), min_length=1)
    comparison: Literal["pairwise", "joint"] = Field(
        default="pairwise",
        description="With several treated arms. pairwise: each on its own people and those of the control arm; joint: all in "
        "one regression.",
    )
    between_arms: bool = Field(
        default=False,
        description="With several treated arms: also the difference of every two, from the joint regression.",
    )


class TestsExhibit(OutcomesExhibit):
    """Each effect under every test, its columns being one family; what it can and cannot exclude."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["tests"]
    specification: Name = "main"
    draws: int = Field(default=10_000, ge=99, le=1_000_000, description="Redraws of the randomisation within cells.")
    scheme: Literal["complete", "bernoulli"] = Field(
        default="complete",
        description="complete: as many treated in each cell as there were; bernoulli: by draw share.",
    )
    draw_unit: Literal["person", "cluster"] | None = Field(
        default=None,
        description="What was drawn, and is drawn again. Default: the evaluation's clusters where none has people in both arms, "
        "otherwise people.",
    )
    family: Literal["outcomes", "arms_and_outcomes"] = Field(
        default="outcomes",
        description="With several treated arms. outcomes: a family for each arm; arms_and_outcomes: one family of all.",
    )
    margins: dict[Name, float] = Field(
        default_factory=dict, description="Key -> the effect below which it does not matter, for the equivalence test."
    )


class EstimandsExhibit(OutcomesExhibit):
    """The effect weighted by cells' information, by people, and by inverse draw probability, and whether they differ."""

    kind: Literal["estimands"]
    specification: Name = "none"


class NullCardExhibit(OutcomesExhibit):
    """What a result that finds nothing rules out, in units, in per cent and in words; read from a `tests` exhibit."""

    kind: Literal["null_card"]
    tests: Name = Field(
        description="The exhibit of kind tests whose numbers it shows, with the same columns or some of them."
    )
    specification: Name = "main"

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit with the tests."""
        return (self.tests,)


class EffectsExhibit(StatesExhibit, GroupedExhibit):
    """Effects of the draw at every event time, with pointwise and simultaneous bands.

    By group, with the test that the groups' effects are the same.
    """

    kind: Literal["effects"]
    specification: Name = "main"


class InteractionsExhibit(PlainExhibit):
    """Whether the effect on one outcome differs by what was known at the draw: one moderator at a time, and jointly."""

    kind: Literal["interactions"]
    outcome: Name
    moderators: tuple[Name, ...] = Field(min_length=1, description="Covariates.")
    specification: Name = "linear"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (self.outcome,)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that the exhibit reads beside its controls."""
        return self.moderators


class SubgroupsExhibit(OutcomesExhibit):
    """The effect in each group by itself, the difference between groups, and the test corrected for all that are made."""

    kind: Literal["subgroups"]
    groups: tuple[By, ...] = Field(min_length=1, description="Ways to split people, each told by itself; one family.")
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return self.groups


class SpecificationCurveExhibit(OutcomesExhibit):
    """The effect under every declared combination of outcome, specification and sample."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"

    kind: Literal["specification_curve"]
    specifications: tuple[Name, ...] = Field(default=("main", "none", "linear"), min_length=1)
    samples: tuple[Name, ...] = Field(default=(), description="Samples within `sample`; default: that one alone.")
    scale: Literal["units", "control_sd"] = Field(
        default="units",
        description="units: all outcomes are in the same unit; control_sd: standard deviations of the control group.",
    )


class LeaveOneOutExhibit(OutcomesExhibit):
    """The effect without each group of people in turn, the largest change marked."""

    kind: Literal["leave_one_out"]
    without: Name = Field(description="A stratum (county), another column that the cohort keeps, draw_year or cluster.")
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return (self.without,)


class StepwiseExhibit(OutcomesExhibit):
    """The effect as groups of controls enter, and what each group accounts for whatever the order."""

    kind: Literal["stepwise"]
    specification: Name = Field(default="main", description="Whose controls enter, in its own encoding.")
    steps: tuple[tuple[Name, ...], ...] = Field(
        min_length=1,
        description="Covariates of each group, in the order in which they enter; all of the specification's.",
    )

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that enter."""
        return tuple(name for step in self.steps for name in step)


class BinaryModelsExhibit(OutcomesExhibit):
    """Effects on probabilities by logit (average marginal effects) beside the linear probability model."""

    kind: Literal["binary_models"]
    specification: Name = "main"


class TimeToEventExhibit(PlainExhibit):
    """Time from the draw to an event, by arm: Kaplan-Meier shares, stratified log-rank test, stratified Cox model."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"

    kind: Literal["time_to_event"]
    outcome: Name = Field(description="An outcome of kind first_month, whose flag says who is censored.")
    event: Name | None = Field(
        default=None, description="Of a person table: the outcome that is 1 where the end was seen, 0 where it was not."
    )
    unit: Label | None = Field(
        default=None, description="What the axis of time says, for instance weeks since the claim; default: months."
    )
    specification: Name = "none"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (self.outcome, *((self.event,) if self.event is not None else ()))
