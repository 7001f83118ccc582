"""Models of `config/definitions/*.yaml`: states, outcomes, covariates, subgroups and specifications.

Definitions say what exists; an evaluation selects what to run. A definition is data with its own proof: worked
examples stand inside the entry and are run before any register is touched.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from refino_eval.config.base import DESCRIPTIVE, VCOV, Label, Name, Strict, Text, Unit
from refino_eval.config.exhibits import Exhibit
from refino_eval.config.money.cost_benefit import CostBenefit
from refino_eval.config.money.costs import Costs
from refino_eval.config.money.payments import PaymentRules
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.covariances import Vcov
from refino_eval.errors import nearest
from refino_eval.expressions.expression_tree import Kind
from refino_eval.expressions.language import names_in

Scalar = str | int | float | bool

EventTime = Annotated[int, Field(ge=-5200, le=5200)]
"""Periods since the draw's: at most a century of weeks, so that a slip of the keyboard cannot ask for a billion rows."""


class _Finite(Strict):
    """No number of a definition is infinite, or not a number."""

    model_config = ConfigDict(allow_inf_nan=False)


class Condition(_Finite):
    """A condition on one column of a spell; conditions of a state hold together (and)."""

    column: Name
    is_in: tuple[Scalar, ...] | None = Field(default=None, alias="in", description="The value is one of these.")
    not_in: tuple[Scalar, ...] | None = Field(default=None, description="The value is none of these (and not missing).")
    in_groups: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="The code belongs to one of these groups of the column's code list, or is listed under `in`.",
    )
    not_in_groups: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="The code belongs to none of these groups, and is not listed under `not_in` (and not missing).",
    )
    scheme: Name | None = Field(
        default=None,
        description="Which grouping of the code list: its column `group_<scheme>`; by default its column `group`.",
    )
    at_least: float | None = Field(default=None, description="Value >= this, in the column's natural unit.")
    at_most: float | None = Field(default=None, description="Value <= this, in the column's natural unit.")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        groups = (self.in_groups, self.not_in_groups)
        if all(part is None for part in (self.is_in, self.not_in, self.at_least, self.at_most, *groups)):
            raise ValueError("a condition needs one of: in, not_in, in_groups, not_in_groups, at_least, at_most")
        if self.scheme is not None and groups == (None, None):
            raise ValueError("a scheme is a grouping of codes, so it needs in_groups or not_in_groups")
        return self


class Within(Strict):
    """How spells of the same unit (an employer) are taken together before units are combined."""

    key: Name = Field(description="Column that identifies units, for instance employer_id.")
    combine: Literal["max", "sum"] = Field(default="max", description="max: overlapping registrations count once.")


class Deflate(_Finite):
    """Turn nominal amounts into the prices of one year."""

    index: Name = Field(description="A price index in `config/codelists` (columns year, value).")
    base_year: int


class PersonDate(_Finite):
    """A day in a person's life after which a state is no longer measured, and what it is from then on."""

    register_name: Name = Field(alias="register", description="Where the day stands: fixed, event or spell.")
    column: Name = Field(description="A column of type date; the first of several days counts.")
    where: tuple[Condition, ...] = ()
    value: Literal["missing"] | float = Field(
        default="missing", description="Value of every period that begins after the day, in the state's reported unit."
    )


class MissingRules(_Finite):
    """What a state is where the register has no answer.

    A rule about the person goes before one about the register: a person who is known to have died before the data end is
    dead after it as well.
    """

    before_coverage: Literal["missing"] | float = Field(
        default="missing", description="Value of a period that begins before the register's first day."
    )
    after_coverage: Literal["missing"] | float = Field(
        default="missing", description="Value of a period that ends after the register's last day."
    )
    after_death: PersonDate | None = Field(default=None, description="Without it a death changes nothing.")
    after_emigration: PersonDate | None = Field(default=None, description="Without it an emigration changes nothing.")

    @property
    def dates(self) -> tuple[PersonDate, ...]:
        """The days of a person's life that are read, the weightier first."""
        return tuple(each for each in (self.after_death, self.after_emigration) if each is not None)


class MainJob(_Finite):
    """Which of a person's spells in a period is the main one, and what is asked of it."""

    by: Name = Field(
        description="Column whose largest value makes the main spell; on a tie the spell that began first, then the one "
        "that lasts longest, then the one with the larger value."
    )
    where: tuple[Condition, ...] = Field(
        default=(),
        description="Make the state 1 when the main spell meets these, else 0; without them `value` is taken.",
    )


class Example(_Finite):
    """A worked example: spells in, expected value out, and why."""

    why: str
    spells: dict[Name, tuple[dict[str, Any], ...]] = Field(description="Rows by register, in clean form (half-open).")
    draw: dt.date = Field(ge=dt.date(1900, 1, 1), le=dt.date(2199, 12, 31))
    at: EventTime | None = Field(default=None, description="Event time of the expected value, for a state.")
    expect: float | None
    censored: float | None = Field(
        default=None, description="Expected flag of the value, for kinds that censor; null does not look at it."
    )
    boundary: bool = Field(default=False, description="It lies on an edge: the last day, the exact threshold.")


class SpellState(_Finite):
    """A monthly (or weekly) value computed from the spells of one register."""

    label: Label
    description: Text
    register_name: Name = Field(alias="register")
    where: tuple[Condition, ...] = ()
    touch: Literal["any_day", "start_of_period", "end_of_period", "all_days", "share_of_days"] = Field(
        default="any_day",
        description="Which spells count in a period: with any day in it, covering its first or last day, or covering all "
        "of it. share_of_days gives the share of the period's days that any of the spells covers, each day once.",
    )
    value: Name | None = Field(
        default=None, description="Column whose value is taken; without one a spell counts as 1."
    )
    within: Within | None = None
    combine: Literal["any", "sum", "max", "count", "main_job"] = Field(
        default="any", description="How a person's spells combine; main_job takes one of them only."
    )
    main: MainJob | None = Field(default=None, description="For main_job.")
    deflate: Deflate | None = None
    divide_by: float = Field(default=1.0, gt=0, description="Natural units per reported unit (100 000 for 100 000 kr).")
    absent: float = Field(default=0.0, description="Value of a covered period without any spell.")
    missing: MissingRules = Field(default_factory=MissingRules)
    unit: Label
    range: tuple[float, float] | None = Field(default=None, description="Values outside are a fault of the definition.")
    examples: Annotated[tuple[Example, ...], DESCRIPTIVE] = ()

    @model_validator(mode="after")
    def _coherent(self) -> SpellState:
        if self.combine in ("sum", "max") and self.value is None:
            raise ValueError(f"combine: {self.combine} needs a value column")
        if self.combine in ("any", "count") and self.value is not None:
            raise ValueError(f"combine: {self.combine} takes no value column")
        if (self.combine == "main_job") != (self.main is not None):
            raise ValueError("combine: main_job takes `main`, and nothing else does")
        if self.main is not None and bool(self.main.where) == (self.value is not None):
            raise ValueError("combine: main_job takes either a value column or main.where")
        if self.within is not None and (self.combine == "main_job" or self.touch == "share_of_days"):
            raise ValueError(
                "within does not go with main_job or share_of_days, which count nothing twice by themselves"
            )
        if self.touch == "share_of_days" and (self.combine != "any" or self.deflate or self.divide_by != 1):
            raise ValueError("touch: share_of_days is a share by itself: it takes no combine, deflate or divide_by")
        _ordered(self.range)
        return self


class DerivedState(_Finite):
    """A value computed from other states of the same period, in the small expression language."""

    label: Label
    description: Text
    expression: str = Field(description="For instance `weekly_hours_main_job >= 18.75`.")
    unit: Label
    range: tuple[float, float] | None = None
    examples: Annotated[tuple[Example, ...], DESCRIPTIVE] = ()

    @model_validator(mode="after")
    def _coherent(self) -> DerivedState:
        _ordered(self.range)
        return self


class GivenState(_Finite):
    """A value that the file of a panel holds ready-made."""

    label: Label
    description: Text
    column: str = Field(description="The column in the file; with `{period}` in it for a wide file.")
    unit: Label
    range: tuple[float, float] | None = Field(default=None, description="Values outside are a fault of the file.")

    @property
    def examples(self) -> tuple[Example, ...]:
        """None: nothing is computed."""
        return ()

    @model_validator(mode="after")
    def _coherent(self) -> GivenState:
        _ordered(self.range)
        return self


def _ordered(limits: tuple[float, float] | None) -> None:
    if limits is not None and limits[1] < limits[0]:
        raise ValueError("the range ends before it begins")


def _state_form(given: Any) -> str:
    """Separate the forms of a state by what is written, so that a problem is reported for that form alone."""
    if isinstance(given, dict):
        if "register" not in given:
            return "DerivedState" if "expression" in given else "GivenState" if "column" in given else "SpellState"
        return "SpellState"
    return type(given).__name__


State = Annotated[
    Annotated[SpellState, Tag("SpellState")]
    | Annotated[DerivedState, Tag("DerivedState")]
    | Annotated[GivenState, Tag("GivenState")],
    Discriminator(_state_form),
]


def _known_kind(kind: str) -> str:
    if kind not in OUTCOME_KINDS:
        raise ValueError(f"there is no kind of outcome '{kind}'.{nearest(kind, OUTCOME_KINDS)}")
    return kind


KindOfOutcome = Annotated[
    str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": [*OUTCOME_KINDS]})
]


class Outcome(_Finite):
    """A defined result per person, computed over event time from one state, or from an expression over several."""

    label: Label
    description: Text
    kind: KindOfOutcome
    state: Name | None = Field(default=None, description="The state that is read; or give `expression`.")
    expression: str | None = Field(
        default=None, description="Over states of the same period, for instance `aap and weekly_hours >= 4`."
    )
    at: EventTime | None = Field(default=None, description="Event time, for value_at.")
    window: tuple[EventTime, EventTime] | None = Field(
        default=None, description="First and last event time, both included."
    )
    times: tuple[EventTime, ...] | None = Field(
        default=None, description="Event times: at least two for held_at; from and to for change."
    )
    at_least: int | None = Field(default=None, ge=1, description="Periods in a row, for spell_of.")
    censored: Literal["last", "missing"] = Field(
        default="last",
        description="For first_month, where it never holds: the last period observed, or missing. The flag "
        "`<name>_censored` separates both from a period in which it held.",
    )
    spell: Name | None = Field(
        default=None,
        description="For during_spell: the state whose first stretch, from the window's beginning, is the spell.",
    )
    trim: tuple[Annotated[int, Field(ge=0, le=60)], Annotated[int, Field(ge=0, le=60)]] = Field(
        default=(0, 0), description="For during_spell: periods left out at the beginning and at the end of the spell."
    )
    clock: Unit = "month"
    missing: Literal["any", "all"] = Field(
        default="any", description="any: missing when any period that is read is missing; all: only when all are."
    )
    unit: Label
    role: Annotated[Literal["primary", "secondary", "exploratory"], DESCRIPTIVE] = "exploratory"
    family: Annotated[Name | None, DESCRIPTIVE] = Field(
        default=None, description="Outcomes of one family are tested together."
    )
    version: Annotated[int, DESCRIPTIVE] = 1
    changed: Annotated[dt.date | None, DESCRIPTIVE] = None
    reason: Annotated[str | None, DESCRIPTIVE] = None
    deprecated: Annotated[str | None, DESCRIPTIVE] = Field(
        default=None, description="Why it should no longer be used, and what instead."
    )
    examples: Annotated[tuple[Example, ...], DESCRIPTIVE] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Outcome:
        if (self.state is None) == (self.expression is None):
            raise ValueError("give either `state` or `expression`")
        takes = OUTCOME_KINDS[self.kind].keys
        for key in ("at", "window", "times", "at_least", "spell"):
            if (key in takes) != (getattr(self, key) is not None):
                needed = " and ".join(f"`{name}`" for name in takes if name not in ("censored", "trim"))
                raise ValueError(
                    f"kind {self.kind} takes {needed}, and no other of `at`, `window`, `times`, `at_least`, `spell`"
                )
        if "trim" in self.model_fields_set and "trim" not in takes:
            raise ValueError(f"kind {self.kind} trims no spell: leave `trim` out")
        if "censored" in self.model_fields_set and "censored" not in takes:
            raise ValueError(f"kind {self.kind} does not censor: leave `censored` out")
        self._times()
        return self

    def _times(self) -> None:
        if self.window is not None and self.window[1] < self.window[0]:
            raise ValueError("the window ends before it begins")
        if self.at_least is not None and self.at_least > self.count:
            raise ValueError(f"`at_least` asks for {self.at_least} periods in a row, and the window has {self.count}")
        if self.times is not None and (len(self.times) < 2 or len(set(self.times)) < len(self.times)):
            raise ValueError("`times` names at least two different event times")
        if self.kind == "change" and (len(self.times or ()) != 2 or self.missing != "any"):
            raise ValueError("kind change goes from one event time to another, and is missing when either is")

    @property
    def reads(self) -> str:
        """What is read in a period, as an expression over states."""
        own = self.expression or self.state or ""
        if self.spell is None:
            return own
        # 0 outside the spell, 1 in it, and 2 where the outcome's state holds as well.
        return f"((2 if ({own}) else 1) if {self.spell} else 0)"

    @property
    def periods(self) -> tuple[int, int]:
        """First and last event time that the outcome reads."""
        read = self.read
        return read[0], read[-1]

    @property
    def read(self) -> tuple[int, ...]:
        """Every event time that the outcome reads, in order."""
        if self.window is not None:
            return tuple(range(self.window[0], self.window[1] + 1))
        if self.times is not None:
            return tuple(sorted(self.times))
        assert self.at is not None
        return (self.at,)

    @property
    def count(self) -> int:
        """Number of event times that the outcome reads."""
        return len(self.read)

    @property
    def companion(self) -> bool:
        """Whether the outcome has a column beside it, `<name>_censored`."""
        return "censored" in OUTCOME_KINDS[self.kind].keys


class _Covariate(Strict):
    label: Label
    description: Text = ""
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
    years_before: int = Field(
        default=1, ge=1, le=120, description="At least 1: the year of the draw lies partly after the draw."
    )
    deflate: Deflate | None = None
    divide_by: float = Field(default=1.0, gt=0)
    absent: float | None = Field(default=None, description="Value of a person without a row that year; null: missing.")


class SpellAtDrawCovariate(_Covariate):
    """Whether a spell that meets the conditions covers the day of the draw (or none does, or one began before it)."""

    kind: Literal["spell_at_draw", "no_spell_at_draw", "ever_before_draw"]
    register_name: Name = Field(alias="register")
    where: tuple[Condition, ...] = ()


class SumAtDrawCovariate(_Covariate):
    """A column added up over the spells that cover the day of the draw; 0 for a person without one."""

    kind: Literal["sum_at_draw"]
    register_name: Name = Field(alias="register")
    column: Name
    where: tuple[Condition, ...] = ()


class MonthsBeforeCovariate(_Covariate):
    """In how many of the calendar months before that of the draw a spell that meets the conditions has a day; 0 without one."""

    kind: Literal["months_before_draw"]
    register_name: Name = Field(alias="register")
    months: int = Field(ge=1, le=240, description="How many calendar months before that of the draw are counted.")
    where: tuple[Condition, ...] = ()


class Place(Strict):
    """Where a register of people says which unit of a series a person belongs to."""

    register_name: Name = Field(alias="register", description="A register with one row a person.")
    column: Name = Field(description="Its column with the unit, such as the municipality.")


class SeriesCovariate(_Covariate):
    """A number of the person's place (or other unit) in a month, such as the unemployment rate of the municipality."""

    kind: Literal["series"]
    register_name: Name = Field(alias="register", description="A register of temporality series.")
    column: Name = Field(description="The column of numbers.")
    place: Place
    months_after: int = Field(
        default=0,
        ge=-240,
        le=240,
        description="Calendar months from that of the draw, or of the entry, to that of the number.",
    )


class Change(Strict):
    """A change on a day, for those who meet the conditions: a new contract in an area."""

    first: dt.date = Field(alias="from", description="First day of random assignment (or entry) to which it applies.")
    where: tuple[Condition, ...] = Field(default=(), description="Over columns of the register of assignments.")


class AfterChangeCovariate(_Covariate):
    """Whether a person was assigned (or entered) after one of several changes that concern the person."""

    kind: Literal["after_change"]
    register_name: Name = Field(alias="register", description="The register of random assignments.")
    changes: tuple[Change, ...] = Field(min_length=1)

    @property
    def where(self) -> tuple[Condition, ...]:
        """The conditions of all changes."""
        return tuple(condition for change in self.changes for condition in change.where)


class ExpressionCovariate(_Covariate):
    """An expression over other covariates, for instance `aap_at_draw and not female`; missing where one of them is."""

    kind: Literal["expression"]
    expression: str = Field(description="Over covariates that are no expressions.")

    @property
    def register_name(self) -> None:
        """None: it is computed from other covariates."""
        return None

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates that it names."""
        return tuple(dict.fromkeys(names_in(self.expression)))


Covariate = Annotated[
    ColumnCovariate
    | AgeCovariate
    | MonthsBeforeCovariate
    | SeriesCovariate
    | AfterChangeCovariate
    | ExpressionCovariate
    | YearsWithCovariate
    | AmountInYearCovariate
    | SpellAtDrawCovariate
    | SumAtDrawCovariate,
    Field(discriminator="kind"),
]


def covariate_kinds(covariates: Mapping[str, Covariate]) -> dict[str, Kind]:
    """Return which covariates are true or false and which are numbers, for expressions over them."""
    truths = (SpellAtDrawCovariate, AfterChangeCovariate)
    return {
        name: "boolean"
        if isinstance(entry, truths) or (isinstance(entry, ColumnCovariate) and entry.equals is not None)
        else "number"
        for name, entry in covariates.items()
        if not isinstance(entry, ExpressionCovariate)
    }


class ControlTerm(Strict):
    """How one covariate enters a regression."""

    covariate: Name
    encoding: Literal["linear", "categories", "quantile_bins", "edges"] = "linear"
    bins: int | None = Field(default=None, ge=2, description="Number of bins, for quantile_bins.")
    edges: tuple[float, ...] | None = Field(default=None, description="Inner edges, for edges.")
    missing: Literal["indicator", "drop", "error"] = "indicator"
    degree: int = Field(
        default=1,
        ge=1,
        le=5,
        description="For linear: the highest power that enters; 2 adds the square, 3 the cube as well.",
    )

    @model_validator(mode="after")
    def _complete(self) -> ControlTerm:
        if (self.encoding == "quantile_bins") != (self.bins is not None):
            raise ValueError("quantile_bins takes `bins`, and nothing else does")
        if (self.encoding == "edges") != (self.edges is not None):
            raise ValueError("edges takes `edges`, and nothing else does")
        if self.degree > 1 and self.encoding != "linear":
            raise ValueError("`degree` is of linear controls")
        return self


def _terms(given: object) -> object:
    return (
        [{"covariate": term} if isinstance(term, str) else term for term in given] if isinstance(given, list) else given
    )


class NonresponseWeights(Strict):
    """Weights for non-response: one over the probability of having every outcome of the exhibit, by a logit among everybody assigned."""

    nonresponse: Annotated[
        tuple[ControlTerm, ...], BeforeValidator(_terms, json_schema_input_type=tuple[ControlTerm | Name, ...])
    ] = Field(
        description="Covariates of the logit of being observed, in addition to the arm: names, or controls with their encoding."
    )
    strata: bool = Field(default=False, description="Also a dummy for each of the evaluation's cells.")
    by_arm: bool = Field(
        default=False, description="A logit for each arm, so that the covariates may matter differently."
    )
    trim: float | None = Field(
        default=None,
        gt=0.5,
        lt=1,
        description="Set weights above this quantile of the weights to it, for instance 0.99; default: no trimming.",
    )
    base: Name | Literal[False] | None = Field(
        default=None,
        description="A covariate that holds probability weights by which they are multiplied; default: the person table's; false: none.",
    )

    @model_validator(mode="after")
    def _everybody(self) -> NonresponseWeights:
        if dropped := [term.covariate for term in self.nonresponse if term.missing == "drop"]:
            raise ValueError(f"`nonresponse` weights everybody: '{dropped[0]}' cannot have `missing: drop`")
        return self


class Specification(Strict):
    """A regression: the controls in addition to the cells, and how the covariance is estimated."""

    label: Label
    description: Text
    controls: tuple[ControlTerm, ...] = ()
    outcome_controls: dict[Name, tuple[ControlTerm, ...]] = Field(
        default_factory=dict,
        description="Outcome -> further controls that only its regression has, such as its value at baseline (ANCOVA).",
    )
    interact: tuple[Name, ...] = Field(
        default=(),
        max_length=4,
        description="Controls whose products of two and more enter as well, of categories the products of their dummies: [a, b, c] adds "
        "ab, ac, bc and abc.",
    )
    adjustment: Literal["additive", "interacted"] = Field(
        default="additive",
        description="additive: a coefficient for each control. interacted: also an interaction of treatment with each control, "
        "centred at its mean in the cell, or in the sample without cells (Lin 2013).",
    )
    strata: bool = Field(default=True, description="Absorb the evaluation's cells.")
    absorb: tuple[Name, ...] = Field(
        default=(),
        description="Instead of the cells: fixed effects of each of these columns (a stratum, another column that the cohort keeps, "
        "or a covariate with few values), for instance [office, month].",
    )
    vcov: Vcov = Field(default="HC1", description=VCOV)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    weights: Name | Literal[False] | NonresponseWeights | None = Field(
        default=None,
        description="A covariate that holds probability weights, instead of the person table's; who has none, or 0, is left out. "
        "false: no weights. {nonresponse: [...]}: weights for non-response, from a logit of being observed.",
    )

    @property
    def given_weights(self) -> str | Literal[False] | None:
        """The weights that data hold: a covariate, none (False), or the evaluation's (None)."""
        return self.weights.base if isinstance(self.weights, NonresponseWeights) else self.weights

    @property
    def response_terms(self) -> tuple[ControlTerm, ...]:
        """The covariates of the logit of being observed."""
        return self.weights.nonresponse if isinstance(self.weights, NonresponseWeights) else ()

    @model_validator(mode="after")
    def _fixed_effects(self) -> Specification:
        if self.absorb and not self.strata:
            raise ValueError("`absorb` takes the place of the cells: leave `strata: false` out")
        if len(set(self.absorb)) < len(self.absorb):
            raise ValueError("`absorb` names a column twice")
        among = [term.covariate for term in self.controls]
        for name in self.interact:
            if name not in among or self.interact.count(name) > 1:
                raise ValueError(f"`interact` names '{name}', which must be one of the controls, and named once")
        if len(self.interact) == 1:
            raise ValueError("`interact` names at least two controls; for the square of one, give it `degree: 2`")
        if self.absorb and self.adjustment == "interacted":
            raise ValueError("`adjustment: interacted` centres controls within cells; it does not go with `absorb`")
        return self

    @property
    def terms(self) -> tuple[ControlTerm, ...]:
        """All controls, of all outcomes or of some, each covariate once."""
        listed = [*self.controls, *(term for terms in self.outcome_controls.values() for term in terms)]
        return tuple({term.covariate: term for term in listed}.values())

    def terms_of(self, outcomes: Iterable[str]) -> tuple[ControlTerm, ...]:
        """Return the controls of all outcomes, and those of each of these."""
        listed = [*self.controls, *(term for name in outcomes for term in self.outcome_controls.get(name, ()))]
        return tuple({term.covariate: term for term in listed}.values())

    @property
    def options(self) -> dict[str, bool]:
        """The options that not every kind of exhibit honours, and whether each is set."""
        return {
            "outcome_controls": bool(self.outcome_controls),
            "interacted": self.adjustment == "interacted",
            "absorb": bool(self.absorb),
            "nonresponse": isinstance(self.weights, NonresponseWeights),
        }


class Subgroup(Strict):
    """A part of the sample, defined by one covariate."""

    label: Label
    covariate: Name
    equals: tuple[Scalar, ...] | None = Field(default=None, min_length=1)
    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Subgroup:
        """Require a condition that somebody can meet."""
        if self.equals is None and self.at_least is None and self.below is None:
            raise ValueError("a subgroup needs `equals`, `at_least` or `below`")
        if not any(self._holds(value) for value in self._critical_values()):
            raise ValueError("nobody can be in the subgroup: no value meets all of `equals`, `at_least` and `below`")
        return self

    def _holds(self, value: float | str) -> bool:
        if self.equals is not None and value not in [_as_number(given) for given in self.equals]:
            return False
        if self.at_least is None and self.below is None:
            return True
        return not isinstance(value, str) and (
            (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)
        )

    def _critical_values(self) -> list[float | str]:
        """Return values of which at least one is in the subgroup, and in its overlap with another one, if any is."""
        if self.equals is not None:
            return [_as_number(value) for value in self.equals]
        return [self.at_least if self.at_least is not None else -sys.float_info.max]

    def overlaps(self, other: Subgroup) -> bool:
        """Return whether some value of the covariate, if both read the same, puts a person into both subgroups."""
        if self.covariate != other.covariate:
            return False
        values = [*self._critical_values(), *other._critical_values()]
        return any(self._holds(value) and other._holds(value) for value in values)


def _as_number(value: Scalar) -> float | str:
    """Return a value as the cohort's covariates hold it: numbers, true and false as numbers."""
    return value if isinstance(value, str) else float(value)


class Comparison(Strict):
    """Which people are compared, where an evaluation has several treatments or waves: another column of arms, or a part of the sample."""

    label: Label
    treated: Name | None = Field(
        default=None,
        description="A covariate that is 1 for people assigned to treatment, 0 for their control group, and missing for others; "
        "default: the evaluation's arms.",
    )
    treated_label: Label | None = Field(
        default=None, description="With `treated`: what those with 1 are called; default: as the comparison."
    )
    control_label: Label | None = Field(
        default=None,
        description="With `treated`: what those with 0 are called; default: as the evaluation's control arm.",
    )
    among: Name | None = Field(default=None, description="A subgroup, such as a wave; default: the exhibit's sample.")
    strata: tuple[Name, ...] | None = Field(
        default=None,
        description="Columns that together define the cells of this comparison (strata, kept columns or covariates); default: the "
        "evaluation's cells; []: none.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Comparison:
        if self.treated is None and self.among is None:
            raise ValueError("a comparison names `treated`, `among`, or both")
        if self.treated is None and (self.treated_label is not None or self.control_label is not None):
            raise ValueError("`treated_label` and `control_label` go with `treated`")
        return self


class Definitions(Strict):
    """Everything that is defined, by name."""

    states: dict[Name, State] = Field(default_factory=dict)
    outcomes: dict[Name, Outcome] = Field(default_factory=dict)
    covariates: dict[Name, Covariate] = Field(default_factory=dict)
    subgroups: dict[Name, Subgroup] = Field(default_factory=dict)
    specifications: dict[Name, Specification] = Field(default_factory=dict)
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    costs: dict[Name, Costs] = Field(default_factory=dict)
    payments: dict[Name, PaymentRules] = Field(default_factory=dict)
    cost_benefit: dict[Name, CostBenefit] = Field(default_factory=dict)
    exhibits: dict[Name, Exhibit] = Field(default_factory=dict)
