"""Model of `costs.yaml`: what the programmes of the two arms cost, and what an outcome is worth.

Every input is either a number with its source, or the key of a published number in `data/published`, so that
nothing is typed twice. What is computed from them, step by step, is in `refino_eval.economics.programme_costs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

from refino_eval.config.base import WITHOUT_TEXT, Label, Name, SourceText, Strict

PublishedKey = Annotated[str, StringConstraints(pattern=r"^[^/\s]+(/[^/]*){3}/[^/\s]+$")]
"""`exhibit/panel/row/column/statistic`, as in the relations of published values."""


class Amount(Strict):
    """One input of a calculation: a published number, or a number written here with its source."""

    model_config = ConfigDict(allow_inf_nan=False)

    value: float | None = None
    published: PublishedKey | None = Field(default=None, description="exhibit/panel/row/column/statistic")
    times: float = Field(default=1.0, gt=0, description="Reported units in one published unit: 1000 for thousands.")
    source: SourceText | None = Field(
        default=None,
        description="Where a value that is written here comes from, in one language or in both languages of the report.",
    )

    @model_validator(mode="after")
    def _one_origin(self, info: ValidationInfo) -> Amount:
        if (self.value is None) == (self.published is None):
            raise ValueError("an amount has either a `value` or the key of a `published` number")
        if self.value is not None and self.source is None and info.context != WITHOUT_TEXT:
            raise ValueError("a `value` needs its `source`")
        return self


ByArm = dict[Name, Amount]


class YearlyPrices(Strict):
    """A monthly price for each calendar year; the years weigh the same."""

    kind: Literal["yearly_prices"]
    label: Label
    years: dict[int, ByArm] = Field(min_length=1, description="Calendar year -> arm -> price a participant-month.")


class Accounts(Strict):
    """Money paid out, and the participant-months that it was paid for."""

    kind: Literal["accounts"]
    label: Label
    payments: ByArm = Field(description="Arm -> kroner paid.")
    participant_months: ByArm


class Bought(Strict):
    """A programme that is bought: money paid out, and the participant-months that it was paid for."""

    kind: Literal["bought"]
    payments: Amount
    participant_months: Amount


class Staffed(Strict):
    """A programme that is delivered by own staff: full-time equivalents, and the participant-months that they served."""

    kind: Literal["staffed"]
    full_time_equivalents: Amount
    cost_per_full_time_equivalent: Amount = Field(description="Kroner a year, with all costs that the study counts.")
    participant_months: Amount


class Transaction(Strict):
    """Own work on procurement and follow-up of providers, shared by those who start."""

    full_time_equivalents: Amount
    cost_per_full_time_equivalent: Amount
    starters: Amount = Field(description="Participants who start in the same year.")


class UnitCosts(Strict):
    """Cost of a participant-month by arm, bought or delivered by own staff, and transaction costs per starter."""

    kind: Literal["unit_costs"]
    label: Label
    arms: dict[Name, Annotated[Bought | Staffed, Field(discriminator="kind")]] = Field(min_length=1)
    transaction: dict[Name, Transaction] = Field(
        default={}, description="Arm -> transaction costs, where there are any."
    )


Basis = Annotated[YearlyPrices | Accounts | UnitCosts, Field(discriminator="kind")]


class PublishedEffect(Strict):
    """A published effect on the share with an outcome, that a difference in cost is divided by."""

    label: Label
    estimate: Amount = Field(description="As a share: 0.015 for 1.5 percentage points.")
    std_error: Amount | None = Field(
        default=None, description="If it is published; without it there is no confidence set."
    )


class OutcomeValue(Strict):
    """What society gains when one person more has the outcome."""

    label: Label
    amount: Amount


class Costs(Strict):
    """Inputs of the costs of two programmes, in nominal kroner including VAT."""

    label: Label
    published: Name | None = Field(
        default=None, description="`data/published/<name>.csv`, which holds published inputs."
    )
    price_year: str = Field(description="The prices that amounts are in.")
    duration: ByArm = Field(description="Arm -> months that a participant stays.")
    period: Label | None = Field(
        default=None, description="What the months of `duration` are counted in: the first year."
    )
    vat_rate: Amount | None = Field(
        default=None,
        description="Share of the price before VAT; taken out of what is bought, being no cost to society. Default: no VAT.",
    )
    tax_cost: Amount | None = Field(
        default=None,
        description="Cost to society of raising one krone of tax, put in. Default: none, so that costs are the payer's alone.",
    )
    bases: dict[Name, Basis] = Field(min_length=1)
    effects: dict[Name, PublishedEffect] = Field(default={}, description="Published effects, for cost per outcome.")
    values: dict[Name, OutcomeValue] = Field(default={}, description="What an outcome may be worth.")

    @model_validator(mode="after")
    def _same_arms(self) -> Costs:
        arms = set(self.duration)
        for name, basis in self.bases.items():
            if any(set(part) != arms for part in _arms_of(basis)):
                raise ValueError(f"bases.{name} names other arms than duration ({', '.join(sorted(arms))})")
            if isinstance(basis, UnitCosts) and (others := sorted(set(basis.transaction) - arms)):
                raise ValueError(f"bases.{name}.transaction names arms that duration lacks ({', '.join(others)})")
        return self

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """Every input."""
        return tuple(_amounts_in(self))


def _arms_of(basis: YearlyPrices | Accounts | UnitCosts) -> list[Iterable[str]]:
    """Return the parts of a basis that must name every arm."""
    if isinstance(basis, YearlyPrices):
        return list(basis.years.values())
    return [basis.arms] if isinstance(basis, UnitCosts) else [basis.payments, basis.participant_months]


def _amounts_in(part: object) -> Iterator[Amount]:
    """Yield the amounts in a part of the costs, in the order of its keys."""
    if isinstance(part, Amount):
        yield part
    elif isinstance(part, Strict):
        for name in type(part).model_fields:
            yield from _amounts_in(getattr(part, name))
    elif isinstance(part, dict):
        for entry in part.values():
            yield from _amounts_in(entry)
