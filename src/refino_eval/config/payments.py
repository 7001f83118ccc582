"""Model of `payments.yaml`: what a provider is paid for, as rules over a participant's spells.

A bid is the price of all milestones of one participant. Each milestone releases a share of it as soon as one of its
criteria is met. A criterion that is marked `undecided` says what the written rules leave open, or what registers cannot
tell: who meets only such a criterion is neither paid nor unpaid, and the reason is reported.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict

Contract = Literal["permanent", "temporary", "not_stated"]
Hired = Literal["new", "same_employer", "held"]
Position = Literal["at_least", "not_stated", "disability_reduced", "disability_partly_reduced"]


class _Criterion(Strict):
    name: Name = Field(description="The reason that is reported for people who meet it.")
    label: Label
    undecided: bool = Field(default=False, description="The rules, or the registers, do not say whether it is paid.")
    within_months: int | None = Field(
        default=None, ge=0, description="Met at most so long after the programme's start."
    )


class PhaseCriterion(_Criterion):
    """The participant has been in the programme so long; met when the phase ends."""

    kind: Literal["phase"]
    lasted_months: int = Field(default=0, ge=0, description="At least so long in the programme.")
    up_to_months: int = Field(ge=1, description="Longest duration of the phase.")


class JobCriterion(_Criterion):
    """The participant has a job, or contracts in a row, of a kind."""

    kind: Literal["job"]
    contract: tuple[Contract, ...] = Field(min_length=1)
    hired: tuple[Hired, ...] = Field(
        default=("new",),
        min_length=1,
        description="new: began after the programme's start, with an employer that the participant did not work for then; "
        "same_employer: began after it, with one that the participant did work for; held: had begun before.",
    )
    position: Position = Field(
        default="at_least",
        description="at_least: one job has the percentage by itself; not_stated: the register gives none; "
        "disability_(partly_)reduced: whoever had disability benefit at the programme's start has it reduced after the "
        "hiring by the whole (or by a part) of the position, whatever its size.",
    )
    at_least_percent: float = Field(default=50, gt=0, le=100, description="Of a full position, for position at_least.")
    longer_than_months: int | None = Field(
        default=None, ge=1, description="Lasts longer (by at least a day); without it, being hired is enough."
    )
    chain: Literal["no", "same_employer", "yes"] = Field(
        default="no",
        description="Whether jobs that follow each other without a gap count together: never, those with one employer, or all.",
    )
    gap_days: int = Field(default=0, ge=0, description="Days between contracts of a chain that do not break it.")
    wage_subsidy: bool | None = Field(
        default=None, description="Only jobs with (or without) wage subsidy at their start."
    )
    met: Literal["hired", "lasted"] = Field(
        default="lasted",
        description="Day on which it is met: when the contract begins that carries it over the limit, or when the limit is passed.",
    )


class StillEmployedCriterion(_Criterion):
    """The participant is employed a number of months and a day after the milestone that this one requires."""

    kind: Literal["still_employed"]
    after_months: int = Field(ge=1)
    contract: tuple[Contract, ...] = Field(min_length=1)
    at_least_percent: float = Field(default=50, gt=0, le=100)
    same_job: bool = Field(description="In the job that released the milestone before; or in another.")


class RecoveryCriterion(_Criterion):
    """Whoever had a job and one of these benefits at referral is in the job still, and no longer on benefit."""

    kind: Literal["recovery"]
    benefit: tuple[Literal["sickness", "allowance"], ...] = Field(min_length=1, description="At referral.")
    at_most_grade: int = Field(ge=0, le=100, description="Highest degree of either benefit left, in per cent.")
    longer_than_months: int | None = Field(default=None, ge=1, description="Without a break.")


Criterion = Annotated[
    PhaseCriterion | JobCriterion | StillEmployedCriterion | RecoveryCriterion, Field(discriminator="kind")
]


class Milestone(Strict):
    """A result that releases a share of the bid."""

    name: Name
    label: Label
    share: float = Field(gt=0, le=1, description="Of the bid.")
    requires: Name | None = Field(default=None, description="A milestone that must be met first.")
    any_of: tuple[Criterion, ...] = Field(min_length=1)


class Surcharge(Strict):
    """A raise of everything that is met in a range of days."""

    share: float = Field(gt=0, description="0.5 for half as much again.")
    first: dt.date
    last: dt.date = Field(description="Included.")


class PaymentRules(Strict):
    """How a provider is paid for one participant."""

    label: Label
    source: str = Field(description="Document and lines.")
    milestones: tuple[Milestone, ...] = Field(min_length=1)
    surcharges: tuple[Surcharge, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> PaymentRules:
        total = sum(milestone.share for milestone in self.milestones)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the milestones' shares add up to {total:g}; the bid is the price of all of them")
        earlier: list[str] = []
        for milestone in self.milestones:
            if milestone.name in earlier:
                raise ValueError(f"there are two milestones '{milestone.name}'")
            if milestone.requires is not None and milestone.requires not in earlier:
                raise ValueError(
                    f"the milestone '{milestone.name}' requires '{milestone.requires}', which is not before it"
                )
            if milestone.requires is None and any(c.kind == "still_employed" for c in milestone.any_of):
                raise ValueError(
                    f"still_employed counts from the milestone before: '{milestone.name}' needs `requires`"
                )
            earlier.append(milestone.name)
        return self

    @property
    def reasons(self) -> dict[str, Label]:
        """What the criteria are called, by name."""
        return {c.name: c.label for milestone in self.milestones for c in milestone.any_of}
