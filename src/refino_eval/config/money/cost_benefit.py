"""Model of `cost_benefit.yaml`: what programmes are worth to society, to the public budget, to participants and employers.

Every input has a name with one meaning and one unit (`INPUTS`), a value or the key of a published number, its source, and
where it is uncertain a distribution. What is computed from them is in `refino_eval.cost_benefit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, SourceText, Strict
from refino_eval.config.money.costs import Amount
from refino_eval.errors import nearest

InputUnit = Literal[
    "share", "share_per_month", "share_per_year", "ratio", "months", "years", "days_per_month", "hours_per_month",
    "hours_per_year", "kroner_per_day", "kroner_per_month", "kroner_per_year",
]  # fmt: skip

INPUTS: Mapping[str, InputUnit] = {
    # Valuation
    "tax_cost": "share",
    "discount_rate": "share_per_year",
    "wage_growth": "share_per_year",
    "years": "years",
    "gross_wage": "kroner_per_month",
    "position": "share",
    "labour_cost_factor": "ratio",
    "wage_tax": "share",
    "payroll_tax": "share",
    "benefit": "kroner_per_year",
    "benefit_tax": "share",
    "benefit_per_krone": "ratio",
    "displacement": "share",
    # Costs
    "duration": "months",
    "programme_cost": "kroner_per_month",
    "transfer": "kroner_per_month",
    "other_sectors": "kroner_per_month",
    "allowance": "kroner_per_day",
    "allowance_days": "days_per_month",
    "allowance_share": "share",
    "adviser_hours": "hours_per_month",
    "adviser_cost": "kroner_per_year",
    "adviser_year": "hours_per_year",
    "leisure_hours": "hours_per_month",
    "leisure_price": "share",
    "hours_per_month": "hours_per_month",
    # Effects on employment, by hazards
    "job_finding": "share_per_month",
    "effect_during": "share",
    "effect_after": "share",
    "effect_months": "months",
    "separation": "share_per_month",
    "separation_affected": "share_per_month",
    "separation_months": "months",
    # Effects on income
    "income_during": "kroner_per_year",
    "income_after": "kroner_per_year",
    "income_months": "months",
    "income_decay": "share_per_year",
}
"""Every input and its unit."""

HAZARDS = (
    "gross_wage", "position", "benefit", "job_finding", "effect_during", "effect_after", "effect_months", "separation",
    "separation_affected", "separation_months",
)  # fmt: skip
INCOME = ("benefit_per_krone", "income_during", "income_after", "income_months", "income_decay")
COSTS = (
    "duration", "programme_cost", "transfer", "other_sectors", "allowance", "allowance_days", "allowance_share",
    "adviser_hours", "adviser_cost", "adviser_year", "leisure_hours", "leisure_price", "hours_per_month",
)  # fmt: skip
OF_OTHER_EFFECT: Mapping[str, frozenset[str]] = {
    "hazards": frozenset(INCOME),
    "income": frozenset(HAZARDS) - {"gross_wage"},
    "estimated": (frozenset(HAZARDS) - {"gross_wage", "position", "benefit"}) | frozenset((*INCOME, *COSTS)),
}
"""Inputs that the effect of a programme does not read; they may be common, and not a programme's own."""
SIGNED = ("effect_during", "effect_after", "income_during", "income_after", "wage_growth", "discount_rate")
AT_MOST_ONE = ("share", "share_per_month", "share_per_year")

Item = Literal[
    "cost_nav", "cost_other_sectors", "programme_allowance", "adviser_time", "leisure", "value_creation", "saved_benefits"
]  # fmt: skip
ITEMS: tuple[Item, ...] = (
    "cost_nav", "cost_other_sectors", "programme_allowance", "adviser_time", "leisure", "value_creation", "saved_benefits"
)  # fmt: skip
Perspective = Literal["society", "participant", "public_budget", "employer", "others"]
PERSPECTIVES: tuple[Perspective, ...] = ("society", "participant", "public_budget", "employer", "others")
Importance = Literal["small", "medium", "large"]
Extent = Literal[
    "large_positive", "medium_positive", "small_positive", "none", "small_negative", "medium_negative", "large_negative"
]  # fmt: skip


class Normal(Strict):
    """A normal distribution around the value."""

    distribution: Literal["normal"]
    std_error: float = Field(gt=0)
    source: SourceText


class Triangular(Strict):
    """A triangular distribution with its mode at the value."""

    distribution: Literal["triangular"]
    low: float
    high: float
    source: SourceText


class Uniform(Strict):
    """A uniform distribution; the value need not be its middle."""

    distribution: Literal["uniform"]
    low: float
    high: float
    source: SourceText


Uncertainty = Annotated[Normal | Triangular | Uniform, Field(discriminator="distribution")]


class Input(Amount):
    """An input of the model: its value or published number, unit, source and uncertainty."""

    times: float = Field(default=1.0, description="Reported units in one published unit; -1 for a stated reduction.")
    unit: InputUnit
    uncertainty: Uncertainty | None = Field(default=None, description="Left out: the value is taken as certain.")

    @model_validator(mode="after")
    def _within(self) -> Input:
        given = self.uncertainty
        if isinstance(given, Triangular | Uniform):
            if not given.low < given.high:
                raise ValueError("the low end of an uncertain input must be below its high end")
            if self.value is not None and not given.low <= self.value * self.times <= given.high:
                raise ValueError(f"the value {self.value * self.times:g} is outside {given.low:g} to {given.high:g}")
        return self


Inputs = dict[str, Input]


class Conventions(Strict):
    """Choices of calculation that are no input, each by name."""

    discount_from: Literal["first_month", "second_month"] = Field(
        default="second_month",
        description="The first month that is discounted: second_month takes the first month at full value.",
    )
    transfer_to: Literal["employer", "participant"] = Field(
        default="employer", description="Who receives a transfer that is part of a programme, such as a wage subsidy."
    )
    tax_cost_on_taxes: bool = Field(
        default=False,
        description="Whether taxes on the value of work lower the cost of public funds, as saved benefits do.",
    )


class Programme(Strict):
    """One programme: how its effect is described, and its inputs in addition to the common ones."""

    label: Label
    effect: Literal["hazards", "income", "estimated"] = Field(
        description="hazards: monthly chances of finding and of losing work; income: kroner of income a year; estimated: the monthly "
        "effects of an evaluation, with costs from costs.yaml (kind net_value)."
    )
    inputs: Inputs = Field(default_factory=dict)


class Extrapolation(Strict):
    """What is assumed of an effect after the last month in which it is estimated."""

    label: Label
    kind: Literal["none", "hold", "half_life", "fade"] = Field(
        description="none: no effect; hold: the same until a month; half_life: halves every so many months; fade: falls evenly to "
        "nothing in a month."
    )
    until: int = Field(default=0, ge=0, description="With hold and fade: months since assignment.")
    months: float = Field(default=0.0, ge=0, description="With half_life.")

    @model_validator(mode="after")
    def _complete(self) -> Extrapolation:
        if (self.kind in ("hold", "fade")) != (self.until > 0):
            raise ValueError("`until` goes with `kind: hold` and `kind: fade`, and is needed there")
        if (self.kind == "half_life") != (self.months > 0):
            raise ValueError("`months` goes with `kind: half_life`, and is needed there")
        return self


class Scenario(Strict):
    """A programme with other inputs: what follows if an assumption is another."""

    label: Label
    programme: Name
    set: dict[str, float] = Field(default_factory=dict, description="Input -> another value, in its unit.")
    times: dict[str, float] = Field(
        default_factory=dict, description="Input -> factor by which its value is multiplied."
    )
    conventions: Conventions | None = Field(default=None, description="Other choices of calculation than the model's.")

    @model_validator(mode="after")
    def _changes(self) -> Scenario:
        if not self.set and not self.times and self.conventions is None:
            raise ValueError("a scenario changes something: give `set`, `times` or `conventions`")
        if both := sorted(set(self.set) & set(self.times)):
            raise ValueError(f"{', '.join(both)} is in `set` and in `times`: leave one of them out")
        return self


class Judgement(Strict):
    """An impact without a price, judged by the plus-minus method: importance, and extent by programme."""

    label: Label
    importance: Importance
    extent: dict[Name, Extent] = Field(min_length=1, description="Programme -> extent.")
    source: SourceText


class CostBenefit(Strict):
    """A cost-benefit model: common inputs, programmes, scenarios and judgements."""

    label: Label
    published: Name | None = Field(
        default=None, description="`data/published/<name>.csv`, which holds published inputs."
    )
    price_year: str = Field(description="The prices that amounts are in.")
    conventions: Conventions = Conventions()
    inputs: Inputs = Field(
        default_factory=dict, description="Inputs that programmes share; a programme's own replaces it."
    )
    programmes: dict[Name, Programme] = Field(min_length=1)
    scenarios: dict[Name, Scenario] = Field(default_factory=dict)
    judgements: dict[Name, Judgement] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _known_inputs(cls, given: Any) -> Any:
        if isinstance(given, dict) and (problems := list(_unknown(given))):
            raise ValueError(" ".join(problems))
        return given

    @model_validator(mode="after")
    def _complete(self) -> CostBenefit:
        problems = [*_wrong_units(self.inputs, "inputs")]
        for name, programme in self.programmes.items():
            problems += _wrong_units(programme.inputs, f"programmes.{name}.inputs")
            needed = [key for key in INPUTS if key not in OF_OTHER_EFFECT[programme.effect]]
            missing = [key for key in needed if key not in self.inputs and key not in programme.inputs]
            if missing:
                problems.append(
                    f"programmes.{name} lacks the inputs {', '.join(missing)}: add them there or to `inputs`."
                )
            if unread := sorted(OF_OTHER_EFFECT[programme.effect] & set(programme.inputs)):
                problems.append(
                    f"programmes.{name}.inputs: {', '.join(unread)} has no meaning for `effect: {programme.effect}`."
                )
        problems += self._wrong_names()
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _wrong_names(self) -> Iterator[str]:
        for name, scenario in self.scenarios.items():
            if scenario.programme not in self.programmes:
                hint = nearest(scenario.programme, self.programmes)
                yield f"scenarios.{name}: there is no programme '{scenario.programme}'.{hint}"
            elif self.programmes[scenario.programme].effect == "estimated":
                yield f"scenarios.{name}: the effect of {scenario.programme} is estimated, and only the kind net_value values it."
            else:
                unread = OF_OTHER_EFFECT[self.programmes[scenario.programme].effect]
                for key in sorted({*scenario.set, *scenario.times} & unread):
                    yield f"scenarios.{name} changes {key}, which {scenario.programme} does not read."
        for name, judgement in self.judgements.items():
            for programme in sorted(set(judgement.extent) - set(self.programmes)):
                yield f"judgements.{name}: there is no programme '{programme}'.{nearest(programme, self.programmes)}"

    def inputs_of(self, programme: str) -> Inputs:
        """Return the inputs that a programme reads, by name, in the order of `INPUTS`."""
        entry = self.programmes[programme]
        chosen = {**self.inputs, **entry.inputs}
        return {name: chosen[name] for name in INPUTS if name in chosen and name not in OF_OTHER_EFFECT[entry.effect]}

    def is_uncertain(self, programme: str) -> bool:
        """Whether any input that a programme reads has an uncertainty."""
        return any(entry.uncertainty for entry in self.inputs_of(programme).values())

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """Every input."""
        return (*self.inputs.values(), *(entry for each in self.programmes.values() for entry in each.inputs.values()))


def _unknown(given: Mapping[str, Any]) -> Iterator[str]:
    """Report inputs whose name has no meaning."""
    places: dict[str, Any] = {"inputs": given.get("inputs")}
    for kind, keys in (("programmes", ("inputs",)), ("scenarios", ("set", "times"))):
        entries = given.get(kind)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                places |= {f"{kind}.{name}.{key}": entry.get(key) for key in keys}
    for place, inputs in places.items():
        for name in inputs if isinstance(inputs, dict) else ():
            if name not in INPUTS:
                yield f"{place}: there is no input '{name}'.{nearest(str(name), INPUTS)}"


def _wrong_units(inputs: Inputs, where: str) -> Iterator[str]:
    for name, entry in inputs.items():
        if entry.unit != INPUTS[name]:
            yield f"{where}.{name} has the unit {entry.unit}; the model reads it in {INPUTS[name]}."
        value = None if entry.value is None else entry.value * entry.times
        if value is None:
            continue
        if value < 0 and name not in SIGNED:
            yield f"{where}.{name} is {value:g}; it must be zero or positive."
        if value > 1 and entry.unit in AT_MOST_ONE and name not in SIGNED:
            yield f"{where}.{name} is {value:g}; a share is at most 1 (write 0.2 for 20 per cent)."
