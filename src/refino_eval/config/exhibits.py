"""Models of `config/definitions/exhibits.yaml`: one table or figure each.

A kind of exhibit is one model here, one function that makes its numbers (`exhibits.aggregate`) and one that lays them
out (`exhibits.render`). A model says by itself whether it is a table or a figure and what it reads, so that
the workflow needs no list of kinds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

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
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads, by the clock of their panel."""
        return {}

    @property
    def panels(self) -> tuple[Unit, ...]:
        """The clocks of the panels that the exhibit reads."""
        return tuple(self.states_read)

    @property
    def reads_flow(self) -> bool:
        """Whether the exhibit shows the flow of people."""
        return False

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """Other exhibits of the evaluation whose numbers this one is computed from."""
        return ()

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads, and with them the printed numbers that they name."""
        return ()

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules of payment that the exhibit applies."""
        return ()

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
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


class EstimandsExhibit(_OutcomesExhibit):
    """The effect weighted by cells' information, by people, and by inverse draw probability, and whether they differ."""

    kind: Literal["estimands"]
    specification: Name = "none"


class Participation(Strict):
    """What people can take part in, the programme that the draw is meant to fill first.

    Whoever takes part in several counts in the one that is named first; whoever takes part in none of them counts in none.
    """

    states: tuple[Name, ...] = Field(default=(), description="States of the panel that are 1 for those who take part.")
    window: tuple[int, int] | None = Field(
        default=None, description="With states: first and last event time that count, both included."
    )
    clock: Unit = "month"
    columns: dict[Name, Name] = Field(
        default_factory=dict,
        description="Instead of states: key -> an outcome that is 1 for those who took part (a person table's).",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.states) == bool(self.columns):
            raise ValueError("give either `states` with a `window`, or `columns`")
        if bool(self.states) != (self.window is not None):
            raise ValueError("`window` goes with `states`, and `states` with a `window`")
        if self.window is not None and self.window[1] < self.window[0]:
            raise ValueError("the window ends before it begins")
        return self

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states read, by the clock of their panel."""
        return {self.clock: self.states} if self.states else {}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes read."""
        return tuple(self.columns.values())


class LateExhibit(_OutcomesExhibit):
    """Effects of take-up for compliers: reduced form, first stage, two-stage least squares, Anderson-Rubin sets."""

    kind: Literal["late"]
    take_up: Name | None = Field(
        default=None, description="An outcome that is 1 for those who took part; default: the person table's take_up."
    )
    specification: Name = "main"
    participation: Participation | None = Field(
        default=None,
        description="What else there was to take part in, the programme of take_up first: shown beside the effect is what "
        "compliers would have been in without the draw.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        beside = self.participation.outcomes if self.participation is not None else ()
        return (*self.columns.values(), *((self.take_up,) if self.take_up is not None else ()), *beside)

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that tell what else people took part in."""
        return self.participation.states_read if self.participation is not None else {}


class FallBackExhibit(_Exhibit):
    """What the draw moved people into, and out of: its effect on every state of participation, and compliers' fall-back."""

    kind: Literal["fall_back"]
    participation: Participation
    specification: Name = "main"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that tell who took part in what."""
        return self.participation.outcomes

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that tell who takes part in what."""
        return self.participation.states_read


class CompliersExhibit(_Exhibit):
    """Who took part because of the draw: shares and characteristics of compliers, always-takers and never-takers."""

    kind: Literal["compliers"]
    covariates: tuple[Name, ...] = Field(min_length=1)
    take_up: Name | None = Field(
        default=None, description="An outcome that is 1 for those who took part; default: the person table's take_up."
    )
    columns: dict[Name, Name] = Field(
        default_factory=dict, description="Key -> outcome: its mean among compliers, drawn to either arm."
    )
    specification: Name = Field(default="none", description="Of the outcomes' means.")
    weighting: Literal["people", "precision"] = Field(
        default="people",
        description="Cells of the characteristics by their people, or as two-stage least squares weights them.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *((self.take_up,) if self.take_up is not None else ()))


class AttritionExhibit(_Exhibit):
    """Whether the draw changes whose outcome is seen, and the bounds on its effect that are left."""

    kind: Literal["attrition"]
    columns: dict[Name, Name] = Field(min_length=1, description="Key in the exhibit -> outcome.")
    observed: dict[Name, Name] = Field(
        default_factory=dict,
        description="Key -> an outcome: the column's values count as seen where this one is there and not 0 (a wage where "
        "there is a job). Columns that are not named are seen where they are not missing.",
    )
    ranges: dict[Name, tuple[float, float]] = Field(
        default_factory=dict,
        description="Key -> least and largest value by definition: bounds of Horowitz and Manski, nothing assumed.",
    )
    tighten: Name | None = Field(
        default=None,
        description="A covariate with few values, known before the draw, by which Lee's bounds are tightened.",
    )
    ties: Literal["fractional", "keep"] = Field(
        default="fractional",
        description="People with the same value at the edge of what is cut off. fractional: kept in part, so that exactly the "
        "extra share goes; keep: all kept, as printed tables have it, with bounds too narrow where values heap.",
    )
    weighting: Literal["people", "precision"] = Field(
        default="people", description="Cells by their people, or by n p (1 - p) as fixed effects weight them."
    )
    specification: Name = "none"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.observed.values())))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariate that tightens the bounds."""
        return () if self.tighten is None else (self.tighten,)

    @model_validator(mode="after")
    def _known_keys(self) -> Self:
        for part in ("observed", "ranges"):
            if unknown := sorted(set(getattr(self, part)) - set(self.columns)):
                raise ValueError(f"`{part}` names {', '.join(unknown)}, which is none of the columns")
        for key, (low, high) in self.ranges.items():
            if low >= high:
                raise ValueError(f"the range of {key} must go from a lower to a higher value")
        return self


class StartersExhibit(_Exhibit):
    """Which characteristics go with starting the programme that one was drawn to, in each arm."""

    kind: Literal["starters"]
    started: dict[Name, Name] = Field(
        min_length=1, description="Arm -> the outcome that is 1 for those who started its programme."
    )
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"] = "HC1"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(dict.fromkeys(self.started.values()))


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
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit shows, all by one clock."""
        return {self.clock: self.states}


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


class TakeUpExhibit(StatesExhibit):
    """Share taking part by event time and arm, a panel for each programme, with intervals."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["take_up"]

    @model_validator(mode="after")
    def _no_sum(self) -> Self:
        if self.cumulate_from is not None:
            raise ValueError("take-up is told time by time: leave `cumulate_from` out")
        return self


class EverStartedExhibit(_Exhibit):
    """Share of each arm that has taken part by each horizon, and the draw's effect on it."""

    kind: Literal["ever_started"]
    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int = Field(default=0, description="First event time that counts.")
    within: tuple[int, ...] = Field(
        min_length=1, description="Horizons: taken part at any time up to and with this one."
    )
    programmes: dict[Name, Name] = Field(
        default_factory=dict,
        description="Arm -> the state of being in its programme: also whether one started one's own.",
    )
    specification: Name = "none"

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads."""
        return {self.clock: tuple(dict.fromkeys((*self.states, *self.programmes.values())))}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if min(self.within) < self.first or len(set(self.within)) < len(self.within):
            raise ValueError("`within` names different horizons, none before `first`")
        return self

    @property
    def last(self) -> int:
        """The last event time that is read."""
        return max(self.within)


class SpellSurvivalExhibit(_Exhibit):
    """Share still in each programme by time since starting it, among those who did."""

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"

    kind: Literal["spell_survival"]
    states: tuple[Name, ...] = Field(min_length=1, description="States that are 1 for those in the programme.")
    clock: Unit = "month"
    first: int = Field(default=0, description="First event time at which a start counts.")
    last: int | None = Field(default=None, description="Last event time at which a start counts; default: the clock's.")
    horizon: int | None = Field(default=None, ge=1, description="Periods since the start to show; default: all.")
    gap: int = Field(
        default=1,
        ge=0,
        description="Periods out of the programme that do not end it when the person is back after them.",
    )
    level: float = Field(default=0.95, gt=0.5, lt=1)

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads."""
        return {self.clock: self.states}


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


class _CostsRead(_Exhibit):
    costs: Name = Field(description="An entry of config/definitions/costs.yaml; its arms are the evaluation's.")

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads."""
        return (self.costs,)


class CostsExhibit(_CostsRead):
    """Monthly price, duration and what is paid a participant, on one basis."""

    kind: Literal["costs"]
    basis: Name


class SocialCostsExhibit(_CostsRead):
    """From what is paid to the cost to society, basis by basis, and the effect that repays the difference."""

    kind: Literal["social_costs"]
    bases: tuple[Name, ...] = Field(min_length=1)
    break_even_basis: Name = Field(description="One of the bases: whose difference an effect is to repay.")
    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")


class _BreakEven(_CostsRead):
    basis: Name
    effects: Name = Field(description="An exhibit of kind itt, whose effects of the same run are taken.")
    specification: Name = "main"
    columns: dict[Name, Name] = Field(min_length=1, description="Key in that exhibit -> its outcome.")
    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")
    months: dict[Name, Name] = Field(
        min_length=2, description="Arm -> outcome that counts a person's months in that arm's programme."
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *self.months.values())

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit whose effects are taken."""
        return (self.effects,)


class BreakEvenExhibit(_BreakEven):
    """The effect that repays the difference in cost, against the effect's interval, and the net benefit."""

    kind: Literal["break_even"]


class NetBenefitExhibit(_BreakEven):
    """Net benefit a person drawn over the value of an outcome, with its interval."""

    kind: Literal["net_benefit"]
    highest: float = Field(gt=0, description="Highest value of an outcome, in kroner.")
    points: int = Field(default=51, ge=2, le=501)

    form: ClassVar[Form] = "figure"


class PaymentRegisters(Strict):
    """Which registers hold what the rules of payment look at."""

    programmes: Name = "programmes"
    jobs: Name = "jobs"
    sickness: Name = "sickness"
    disability: Name = "disability"
    allowance: Name = Field(default="allowance", description="Spells of an allowance without degrees.")


class PaymentsExhibit(_Exhibit):
    """What providers would have been paid for the participants of each arm, under one or more sets of rules."""

    kind: Literal["payments"]
    payments: tuple[Name, ...] = Field(min_length=1, description="Entries of config/definitions/payments.yaml.")
    programmes: dict[Name, tuple[str, ...]] = Field(min_length=1, description="Arm -> codes of its programme.")
    contracts: dict[str, Literal["permanent", "temporary"]] = Field(description="Code of a contract -> its kind.")
    wage_subsidy: tuple[str, ...] = Field(default=(), description="Programmes that are a wage subsidy.")
    registers: PaymentRegisters = PaymentRegisters()
    observed_to: dt.date = Field(description="Last day that all of these registers cover.")
    bid: float | None = Field(default=None, gt=0, description="Kroner for all milestones of one participant.")

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules that the exhibit applies."""
        return self.payments

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return tuple(self.registers.model_dump().values())


class SubgroupsExhibit(_OutcomesExhibit):
    """The effect in each group by itself, the difference between groups, and the test corrected for all that are made."""

    kind: Literal["subgroups"]
    groups: tuple[By, ...] = Field(min_length=1, description="Ways to split people, each told by itself; one family.")
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return self.groups


class LeaveOneOutExhibit(_OutcomesExhibit):
    """The effect without each group of people in turn, the largest change marked."""

    kind: Literal["leave_one_out"]
    without: Name = Field(description="A stratum (county), another column that the cohort keeps, draw_year or cluster.")
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return (self.without,)


class StepwiseExhibit(_OutcomesExhibit):
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


class NullCardExhibit(_OutcomesExhibit):
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


class SpecificationCurveExhibit(_OutcomesExhibit):
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


class BinaryModelsExhibit(_OutcomesExhibit):
    """Effects on probabilities by logit (average marginal effects) beside the linear probability model."""

    kind: Literal["binary_models"]
    specification: Name = "main"


class TimeToEventExhibit(_Exhibit):
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


class CountsExhibit(_Exhibit):
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


Exhibit = Annotated[
    DescriptivesExhibit
    | BalanceExhibit
    | IttExhibit
    | TestsExhibit
    | EstimandsExhibit
    | LateExhibit
    | FallBackExhibit
    | CompliersExhibit
    | AttritionExhibit
    | EverStartedExhibit
    | StartersExhibit
    | TakeUpExhibit
    | SpellSurvivalExhibit
    | InteractionsExhibit
    | DrawsExhibit
    | PathsExhibit
    | EffectsExhibit
    | DesignExhibit
    | FlowExhibit
    | CostsExhibit
    | SocialCostsExhibit
    | BreakEvenExhibit
    | NetBenefitExhibit
    | PaymentsExhibit
    | SubgroupsExhibit
    | LeaveOneOutExhibit
    | StepwiseExhibit
    | NullCardExhibit
    | SpecificationCurveExhibit
    | BinaryModelsExhibit
    | TimeToEventExhibit
    | CountsExhibit,
    Field(discriminator="kind"),
]


def kinds_of(form: Form) -> tuple[str, ...]:
    """Return the kinds of exhibits that are tables, or figures."""
    models = get_args(get_args(Exhibit)[0])
    return tuple(get_args(model.model_fields["kind"].annotation)[0] for model in models if model.form == form)
