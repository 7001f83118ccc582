"""Model of `costs.yaml`: what the programmes of the two arms cost, and what an outcome is worth.

Every input is either a number with its source, or the key of a published number in `data/published`, so that
nothing is typed twice. What is computed from them, step by step, is in `refino_eval.economics.programme_costs`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from refino_eval.config.base import Label, Name, Strict

PublishedKey = Annotated[str, StringConstraints(pattern=r"^[^/\s]+(/[^/]*){3}/[^/\s]+$")]
"""`exhibit/panel/row/column/statistic`, as in the relations of published values."""


class Amount(Strict):
    """One input of a calculation: a published number, or a number written here with its source."""

    model_config = ConfigDict(allow_inf_nan=False)

    value: float | None = None
    published: PublishedKey | None = Field(default=None, description="exhibit/panel/row/column/statistic")
    times: float = Field(default=1.0, gt=0, description="Reported units in one published unit: 1000 for thousands.")
    source: str | None = Field(default=None, description="Where a value that is written here comes from.")

    @model_validator(mode="after")
    def _one_origin(self) -> Amount:
        if (self.value is None) == (self.published is None):
            raise ValueError("an amount has either a `value` or the key of a `published` number")
        if self.value is not None and not (self.source or "").strip():
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


Basis = Annotated[YearlyPrices | Accounts, Field(discriminator="kind")]


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
    vat_rate: Amount = Field(description="Share of the price before VAT; taken out, being no cost to society.")
    tax_cost: Amount = Field(description="Cost to society of raising one krone of tax, put in.")
    bases: dict[Name, Basis] = Field(min_length=1)
    values: dict[Name, OutcomeValue] = Field(default={}, description="What an outcome may be worth.")

    @model_validator(mode="after")
    def _same_arms(self) -> Costs:
        arms = set(self.duration)
        for name, basis in self.bases.items():
            named = (
                list(basis.years.values())
                if isinstance(basis, YearlyPrices)
                else [basis.payments, basis.participant_months]
            )
            if any(set(part) != arms for part in named):
                raise ValueError(f"bases.{name} names other arms than duration ({', '.join(sorted(arms))})")
        return self

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """Every input."""
        values = [self.vat_rate, self.tax_cost, *self.duration.values()]
        values += [value.amount for value in self.values.values()]
        for basis in self.bases.values():
            if isinstance(basis, YearlyPrices):
                values += [amount for year in basis.years.values() for amount in year.values()]
            else:
                values += [*basis.payments.values(), *basis.participant_months.values()]
        return tuple(values)
