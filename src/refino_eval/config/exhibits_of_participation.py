"""Models of exhibits about taking part, compliers, and outcomes that some lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name, Strict, Unit
from refino_eval.config.exhibit_base import Form, OutcomesExhibit, PlainExhibit, Several, StatesExhibit


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


class LateExhibit(OutcomesExhibit):
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


class FallBackExhibit(PlainExhibit):
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


class CompliersExhibit(PlainExhibit):
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


class AttritionExhibit(PlainExhibit):
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


class StartersExhibit(PlainExhibit):
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


class TakeUpExhibit(StatesExhibit):
    """Share taking part by event time and arm, a panel for each programme, with intervals."""

    several_arms: ClassVar[Several] = "together"

    kind: Literal["take_up"]

    @model_validator(mode="after")
    def _no_sum(self) -> Self:
        if self.cumulate_from is not None:
            raise ValueError("take-up is told time by time: leave `cumulate_from` out")
        return self


class EverStartedExhibit(PlainExhibit):
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


class SpellSurvivalExhibit(PlainExhibit):
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
