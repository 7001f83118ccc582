"""Models of `config/definitions/*.yaml`: states, outcomes, covariates, subgroups, specifications and exhibits.

Definitions say what exists; an evaluation selects what to run. A definition is data with its own proof: worked
examples stand inside the entry and are run before any register is touched.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict, Unit

Scalar = str | int | float | bool


class Condition(Strict):
    """A condition on one column of a spell; conditions of a state hold together (and)."""

    column: Name
    is_in: tuple[Scalar, ...] | None = Field(default=None, alias="in", description="The value is one of these.")
    not_in: tuple[Scalar, ...] | None = Field(default=None, description="The value is none of these (and not missing).")
    at_least: float | None = Field(default=None, description="Value >= this, in the column's natural unit.")
    at_most: float | None = Field(default=None, description="Value <= this, in the column's natural unit.")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if all(part is None for part in (self.is_in, self.not_in, self.at_least, self.at_most)):
            raise ValueError("a condition needs one of: in, not_in, at_least, at_most")
        return self


class Within(Strict):
    """How spells of the same unit (an employer) are taken together before units are combined."""

    key: Name = Field(description="Column that tells units apart, for instance employer_id.")
    combine: Literal["max", "sum"] = Field(default="max", description="max: overlapping registrations count once.")


class Deflate(Strict):
    """Turn nominal amounts into the prices of one year."""

    index: Name = Field(description="A price index in `config/codelists` (columns year, value).")
    base_year: int


class Example(Strict):
    """A worked example: spells in, expected value out, and why."""

    why: str
    spells: dict[Name, tuple[dict[str, Any], ...]] = Field(description="Rows by register, in clean form (half-open).")
    draw: dt.date
    at: int | None = Field(default=None, description="Event time of the expected value, for a state.")
    expect: float | None


class SpellState(Strict):
    """A monthly (or weekly) value computed from the spells of one register."""

    label: Label
    description: str
    register_name: Name = Field(alias="register")
    where: tuple[Condition, ...] = ()
    touch: Literal["any_day", "start_of_period", "end_of_period", "all_days"] = Field(
        default="any_day",
        description="Which spells count in a period: with any day in it, covering its first or last "
        "day, or covering all of it.",
    )
    value: Name | None = Field(
        default=None, description="Column whose value is taken; without one a spell counts as 1."
    )
    within: Within | None = None
    combine: Literal["any", "sum", "max", "count"] = Field(default="any", description="How a person's spells combine.")
    deflate: Deflate | None = None
    divide_by: float = Field(default=1.0, gt=0, description="Natural units per reported unit (100 000 for 100 000 kr).")
    absent: float = Field(default=0.0, description="Value of a covered period without any spell.")
    unit: Label
    range: tuple[float, float] | None = Field(default=None, description="Values outside are a fault of the definition.")
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> SpellState:
        if self.combine in ("sum", "max") and self.value is None:
            raise ValueError(f"combine: {self.combine} needs a value column")
        if self.combine in ("any", "count") and self.value is not None:
            raise ValueError(f"combine: {self.combine} takes no value column")
        return self


class DerivedState(Strict):
    """A value computed from other states of the same period, in the small expression language."""

    label: Label
    description: str
    expression: str = Field(description="For instance `weekly_hours_main_job >= 18.75`.")
    unit: Label
    range: tuple[float, float] | None = None
    examples: tuple[Example, ...] = ()


State = SpellState | DerivedState


class Outcome(Strict):
    """A defined result per person, computed from one state over event time."""

    label: Label
    description: str
    kind: Literal["value_at", "sum_over", "mean_over", "any_in"]
    state: Name
    at: int | None = Field(default=None, description="Event time, for value_at.")
    window: tuple[int, int] | None = Field(default=None, description="First and last event time, both included.")
    clock: Unit = "month"
    missing: Literal["any", "all"] = Field(
        default="any", description="any: missing when any period of the window is missing; all: only when all are."
    )
    unit: Label
    role: Literal["primary", "secondary", "exploratory"] = "exploratory"
    version: int = 1
    changed: dt.date | None = None
    reason: str | None = None
    deprecated: str | None = Field(default=None, description="Why it should no longer be used, and what instead.")
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _window(self) -> Outcome:
        if (self.kind == "value_at") != (self.at is not None):
            raise ValueError("kind value_at takes `at`, every other kind takes `window`")
        if (self.kind != "value_at") != (self.window is not None):
            raise ValueError("kind value_at takes `at`, every other kind takes `window`")
        if self.window is not None and self.window[1] < self.window[0]:
            raise ValueError("the window ends before it begins")
        return self

    @property
    def periods(self) -> tuple[int, int]:
        """First and last event time that the outcome reads."""
        if self.window is not None:
            return self.window
        assert self.at is not None
        return self.at, self.at


class _Covariate(Strict):
    label: Label
    description: str = ""
    unit: Label | None = None


class ColumnCovariate(_Covariate):
    """The value of a column of a `fixed` register (or of a person table), or whether it is one of some codes."""

    kind: Literal["column"]
    register_name: Name | None = Field(default=None, alias="register", description="None for a person table.")
    column: str
    equals: tuple[Scalar, ...] | None = Field(
        default=None, description="Make it 1 when the value is one of these, else 0."
    )


class AgeCovariate(_Covariate):
    """Age at the draw, in years with one decimal."""

    kind: Literal["age_at_draw"]
    register_name: Name = Field(alias="register")
    column: Name


class YearsWithCovariate(_Covariate):
    """Number of calendar years before the draw year with a positive amount."""

    kind: Literal["years_with"]
    register_name: Name = Field(alias="register")
    column: Name


class AmountInYearCovariate(_Covariate):
    """An amount in the calendar year that lies `years_before` years before the draw year."""

    kind: Literal["amount_in_year"]
    register_name: Name = Field(alias="register")
    column: Name
    years_before: int = 1
    deflate: Deflate | None = None
    divide_by: float = Field(default=1.0, gt=0)
    absent: float | None = Field(default=None, description="Value of a person without a row that year; null: missing.")


class SpellAtDrawCovariate(_Covariate):
    """Whether a spell that meets the conditions covers the day of the draw (or began at some time before it)."""

    kind: Literal["spell_at_draw", "ever_before_draw"]
    register_name: Name = Field(alias="register")
    where: tuple[Condition, ...] = ()


Covariate = Annotated[
    ColumnCovariate | AgeCovariate | YearsWithCovariate | AmountInYearCovariate | SpellAtDrawCovariate,
    Field(discriminator="kind"),
]


class ControlTerm(Strict):
    """How one covariate enters a regression."""

    covariate: Name
    encoding: Literal["linear", "categories", "quantile_bins", "edges"] = "linear"
    bins: int | None = Field(default=None, ge=2, description="Number of bins, for quantile_bins.")
    edges: tuple[float, ...] | None = Field(default=None, description="Inner edges, for edges.")
    missing: Literal["indicator", "drop", "error"] = "indicator"

    @model_validator(mode="after")
    def _complete(self) -> ControlTerm:
        if (self.encoding == "quantile_bins") != (self.bins is not None):
            raise ValueError("quantile_bins takes `bins`, and nothing else does")
        if (self.encoding == "edges") != (self.edges is not None):
            raise ValueError("edges takes `edges`, and nothing else does")
        return self


class Specification(Strict):
    """A regression: the controls beside the cells, and how the covariance is estimated."""

    label: Label
    description: str
    controls: tuple[ControlTerm, ...] = ()
    strata: bool = Field(default=True, description="Absorb the evaluation's cells.")
    vcov: Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"] = "HC1"
    level: float = Field(default=0.95, gt=0.5, lt=1)


class Subgroup(Strict):
    """A part of the sample told by one covariate."""

    label: Label
    covariate: Name
    equals: tuple[Scalar, ...] | None = None
    at_least: float | None = None
    below: float | None = None


class _Exhibit(Strict):
    title: Label
    note: Label | None = Field(
        default=None, description="Said under the exhibit, after what the program says by itself."
    )
    sample: Name = Field(default="analysed", description="One of the evaluation's samples.")


class DescriptivesExhibit(_Exhibit):
    """Means and standard deviations of covariates by arm."""

    kind: Literal["descriptives"]
    covariates: tuple[Name, ...] = Field(min_length=1)


class BalanceExhibit(_Exhibit):
    """Treatment regressed on each covariate alone and on all together, within cells."""

    kind: Literal["balance"]
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Literal["iid", "HC0", "HC1", "HC2", "HC3", "CRV1"] = "HC1"


class IttExhibit(_Exhibit):
    """Effects of the draw: outcomes as columns, specifications as panels."""

    kind: Literal["itt"]
    columns: dict[Name, Name] = Field(min_length=1, description="Column key of the table -> outcome.")
    specifications: tuple[Name, ...] = Field(default=("main",), min_length=1)


class DrawsExhibit(_Exhibit):
    """People drawn to each arm, by calendar month."""

    kind: Literal["draws"]


class PathsExhibit(_Exhibit):
    """Arm means by event time, a panel for each state; cumulative from `cumulate_from` when given."""

    kind: Literal["paths"]
    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int | None = None
    last: int | None = None
    cumulate_from: int | None = Field(default=None, description="Sum the state from this event time on.")


class EffectsExhibit(_Exhibit):
    """Effects of the draw at every event time, with pointwise and simultaneous bands."""

    kind: Literal["effects"]
    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int | None = None
    last: int | None = None
    cumulate_from: int | None = None
    specification: Name = "main"


class DesignExhibit(_Exhibit):
    """The cells of the draw: people, draw shares, one-arm and single-person cells, effective sample."""

    kind: Literal["design"]


Exhibit = Annotated[
    DescriptivesExhibit | BalanceExhibit | IttExhibit | DrawsExhibit | PathsExhibit | EffectsExhibit | DesignExhibit,
    Field(discriminator="kind"),
]


class Definitions(Strict):
    """Everything that is defined, by name."""

    states: dict[Name, State] = Field(default_factory=dict)
    outcomes: dict[Name, Outcome] = Field(default_factory=dict)
    covariates: dict[Name, Covariate] = Field(default_factory=dict)
    subgroups: dict[Name, Subgroup] = Field(default_factory=dict)
    specifications: dict[Name, Specification] = Field(default_factory=dict)
    exhibits: dict[Name, Exhibit] = Field(default_factory=dict)
