"""Models of `config/definitions/exhibits.yaml`: one table or figure each.

A kind of exhibit is one model here, one function that makes its numbers (`exhibits.aggregate`) and one that lays them
out (`exhibits.render`). A model says by itself whether it is a table or a figure and what it reads, so that
the workflow needs no list of kinds.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field

from refino_eval.config.base import Label, Name, Strict, Unit

Form = Literal["table", "figure"]
Several = Literal["together", "apart", "one"]
"""What a kind makes of several treated arms: all in one grid, a grid each, or one arm that the exhibit must choose."""

Chapter = Literal["flow", "design", "balance", "results", "take_up", "robustness", "heterogeneity", "costs", "methods"]
"""Chapters of the report that hold exhibits; `report.chapters` says which kind goes where."""

By = Name | tuple[Name, ...]
"""What splits people into groups: a covariate with few values, a stratum or another column of the draws that the cohort
keeps, `draw_year` or `draw_month`; or a list of subgroups that share nobody."""
Level = Annotated[float, Field(gt=0, lt=1)]
USUAL_LEVELS = (0.1, 0.05, 0.01)


def _levels(given: object) -> object:
    return USUAL_LEVELS if given is True else () if given is False else given


Stars = Annotated[tuple[Level, ...], BeforeValidator(_levels, json_schema_input_type=bool | tuple[Level, ...])]
"""Levels of p that a star each is given for; true is the usual three, false none."""


class _Exhibit(Strict):
    title: Label
    note: Label | None = Field(
        default=None, description="Said under the exhibit, after what the program says by itself."
    )
    sample: Name = Field(default="analysed", description="One of the evaluation's samples.")
    stars: Stars | None = Field(
        default=None, description="Stars after effects: true, or levels of p; default: what config.yaml says."
    )
    chapter: Chapter | None = Field(
        default=None, description="Chapter of the report that shows it; default: that of its kind."
    )

    arm: Name | None = Field(
        default=None,
        description="Of several treated arms, the only one that the exhibit is about, or what all of them together are called "
        "(`arms.pooled`); default: all, one by one.",
    )
    against: Name | None = Field(
        default=None, description="The arm that it is compared with; default: the control arm."
    )

    form: ClassVar[Form] = "table"
    several_arms: ClassVar[Several] = "apart"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return ()

    @property
    def panels(self) -> tuple[Unit, ...]:
        """The clocks of the panels that the exhibit reads."""
        return ()

    @property
    def reads_flow(self) -> bool:
        """Whether the exhibit shows the flow of people."""
        return False

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """Other exhibits of the evaluation whose numbers this one is computed from."""
        return ()


class DescriptivesExhibit(_Exhibit):
    """Means and standard deviations of covariates by arm."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["descriptives"]
    covariates: tuple[Name, ...] = Field(min_length=1)


class BalanceExhibit(_Exhibit):
    """Treatment regressed on each covariate alone and on all together, within cells."""

    kind: Literal["balance"]
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"] = "HC1"
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every covariate; available: each covariate's own people, but for the "
        "regression on all.",
    )


class _OutcomesExhibit(_Exhibit):
    columns: dict[Name, Name] = Field(min_length=1, description="Key in the exhibit -> outcome.")
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every outcome; available: each outcome's own people.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(self.columns.values())


class IttExhibit(_OutcomesExhibit):
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


class TestsExhibit(_OutcomesExhibit):
    """Each effect under every test, its columns being one family; what it can and cannot exclude."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["tests"]
    specification: Name = "main"
    draws: int = Field(default=10_000, ge=99, le=1_000_000, description="Redraws of the randomisation within cells.")
    scheme: Literal["complete", "bernoulli"] = Field(
        default="complete",
        description="complete: as many treated in each cell as there were; bernoulli: by draw share.",
    )
    family: Literal["outcomes", "arms_and_outcomes"] = Field(
        default="outcomes",
        description="With several treated arms. outcomes: a family for each arm; arms_and_outcomes: one family of all.",
    )
    margins: dict[Name, float] = Field(
        default_factory=dict, description="Key -> the effect below which it does not matter, for the equivalence test."
    )


class EstimandsExhibit(_OutcomesExhibit):
    """The effect weighted by cells' information, by people, and by inverse draw probability, and whether they differ."""

    kind: Literal["estimands"]
    specification: Name = "none"


class LateExhibit(_OutcomesExhibit):
    """Effects of take-up for compliers: reduced form, first stage, two-stage least squares, Anderson-Rubin sets."""

    kind: Literal["late"]
    take_up: Name | None = Field(
        default=None, description="An outcome that is 1 for those who took part; default: the person table's take_up."
    )
    specification: Name = "main"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *((self.take_up,) if self.take_up is not None else ()))


class InteractionsExhibit(_Exhibit):
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


class StatesExhibit(_Exhibit):
    """An exhibit of states by event time, read from the panel of one clock."""

    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int | None = None
    last: int | None = None
    cumulate_from: int | None = Field(default=None, description="Sum the state from this event time on.")

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"

    @property
    def panels(self) -> tuple[Unit, ...]:
        """The clock of the panel that the exhibit reads."""
        return (self.clock,)


class _GroupedExhibit(Strict):
    """An exhibit of states that may be told group by group."""

    by: By | None = Field(
        default=None,
        description="Tell each group by itself: a covariate with few values, a stratum, draw_year, or a list of subgroups.",
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return () if self.by is None else (self.by,)


class DrawsExhibit(_Exhibit):
    """People drawn to each arm, by calendar month."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"

    kind: Literal["draws"]


class PathsExhibit(StatesExhibit, _GroupedExhibit):
    """Arm means by event time, a panel for each state (and group); cumulative from `cumulate_from` when given."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["paths"]


class EffectsExhibit(StatesExhibit, _GroupedExhibit):
    """Effects of the draw at every event time, with pointwise and simultaneous bands.

    By group, with the test that the groups' effects are the same.
    """

    kind: Literal["effects"]
    specification: Name = "main"


class DesignExhibit(_Exhibit):
    """The cells of the draw: people, draw shares, one-arm and single-person cells, effective sample."""

    kind: Literal["design"]


class FlowExhibit(_Exhibit):
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


Exhibit = Annotated[
    DescriptivesExhibit
    | BalanceExhibit
    | IttExhibit
    | TestsExhibit
    | EstimandsExhibit
    | LateExhibit
    | InteractionsExhibit
    | DrawsExhibit
    | PathsExhibit
    | EffectsExhibit
    | DesignExhibit
    | FlowExhibit,
    Field(discriminator="kind"),
]


def kinds_of(form: Form) -> tuple[str, ...]:
    """Return the kinds of exhibits that are tables, or figures."""
    models = get_args(get_args(Exhibit)[0])
    return tuple(get_args(model.model_fields["kind"].annotation)[0] for model in models if model.form == form)
