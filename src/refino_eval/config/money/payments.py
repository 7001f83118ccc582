"""Model of `payments.yaml`: what a provider is paid for, as rules over a participant's spells.

A bid is the price of all milestones of one participant. Each milestone releases a share of it as soon as one of its
criteria is met. A criterion that is marked `undecided` says what the written rules leave open, or what registers cannot
tell: who meets only such a criterion is neither paid nor unpaid, and the reason is reported.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import DESCRIPTIVE, Label, Name, Strict
from refino_eval.errors import nearest

Contract = Literal["permanent", "temporary", "not_stated"]
Hired = Literal["new", "same_employer", "held"]
Position = Literal[
    "at_least", "together_same_employer", "not_stated", "disability_reduced", "disability_partly_reduced"
]


class GradedPay(Strict):
    """The part of a milestone's share that a position releases, from its percentage of a full position."""

    by: Literal["position_percent", "position_increase"] = Field(
        default="position_percent",
        description="position_percent: the job's percentage; position_increase: by how much it exceeds the largest position "
        "held `months_before` the programme's start.",
    )
    minimum: float = Field(ge=0, le=100, description="Below it, in per cent, nothing is paid.")
    full_at: float = Field(gt=0, le=100, description="From it on, in per cent, the whole share is paid.")
    at_minimum: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Part that is paid at `minimum`, from where it rises on a straight line to 1 at `full_at`.",
    )
    steps: tuple[tuple[float, float], ...] = Field(
        default=(),
        description="Instead of the line: pairs of a percentage from which a part is paid, and the part; both rising.",
    )
    months_before: int | None = Field(
        default=None, ge=0, description="For position_increase: the position of so many months before the start."
    )

    @model_validator(mode="after")
    def _coherent(self) -> GradedPay:
        if self.minimum > self.full_at:
            raise ValueError(f"`minimum` ({self.minimum:g}) is above `full_at` ({self.full_at:g})")
        if (self.months_before is not None) != (self.by == "position_increase"):
            raise ValueError("`months_before` is needed by `position_increase`, and by it alone")
        if self.steps and self.at_minimum:
            raise ValueError("`at_minimum` belongs to the line; with `steps` write the part in the first step")
        points, parts = [step[0] for step in self.steps], [step[1] for step in self.steps]
        if points != sorted(set(points)) or parts != sorted(parts) or any(not 0 <= part <= 1 for part in parts):
            raise ValueError("`steps` must rise, in percentages and in parts from 0 to 1")
        if points and not (self.minimum <= points[0] and points[-1] <= self.full_at):
            raise ValueError("`steps` must lie between `minimum` and `full_at`")
        return self

    def part(self, percent: float) -> float:
        """Return the part of the share that a percentage (or an increase of it) releases, from 0 to 1.

        Source: the model outlined in Proba 2023-15, lines 1739-1741.
        """
        if percent >= self.full_at:
            return 1.0
        if percent < self.minimum:
            return 0.0
        if self.steps:
            return max((part for point, part in self.steps if percent >= point), default=0.0)
        return self.at_minimum + (1 - self.at_minimum) * (percent - self.minimum) / (self.full_at - self.minimum)


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
        description="at_least: one job has the percentage by itself; together_same_employer: jobs at the same time with one "
        "employer reach it together, and none by itself; not_stated: the register gives none; "
        "disability_(partly_)reduced: whoever had disability benefit at the programme's start has it reduced after the "
        "hiring by the whole (or by a part) of the position, whatever its size.",
    )
    at_least_percent: float = Field(default=50, gt=0, le=100, description="Of a full position, for position at_least.")
    pay: GradedPay | None = Field(
        default=None,
        description="Pay by the size of the position, in place of `at_least_percent`; for position at_least. Of several jobs the "
        "best paid counts; in a chain of contracts, the largest position that was held throughout.",
    )
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

    @model_validator(mode="after")
    def _one_size(self) -> JobCriterion:
        if self.pay is not None and (self.position != "at_least" or "at_least_percent" in self.model_fields_set):
            raise ValueError(
                f"'{self.name}' is paid by the size of the position: leave out `at_least_percent` and keep `position: at_least`"
            )
        return self


class EducationCriterion(_Criterion):
    """The participant began an education after the programme's start."""

    kind: Literal["education"]
    levels: tuple[int, ...] = Field(
        min_length=1, description="Levels that count, as the register of education has them."
    )
    longer_than_months: int | None = Field(
        default=None, ge=1, description="Lasts longer (by at least a day); without it, having begun is enough."
    )
    met: Literal["begun", "lasted"] = Field(
        default="lasted", description="Day on which it is met: the first, or when the limit is passed."
    )


class StillEmployedCriterion(_Criterion):
    """The participant is employed a number of months and a day after the milestone that this one requires."""

    kind: Literal["still_employed"]
    after_months: int = Field(ge=1)
    contract: tuple[Contract, ...] = Field(min_length=1)
    at_least_percent: float = Field(default=50, gt=0, le=100)
    job: Literal["same", "rehired", "other"] = Field(
        description="same: the job that released the milestone before, or a contract with its employer that follows without a "
        "day between; rehired: with that employer again, after a break; other: with another employer."
    )


class RecoveryCriterion(_Criterion):
    """Whoever had a job and one of these benefits at referral is in the job still, and no longer on benefit."""

    kind: Literal["recovery"]
    benefit: tuple[Literal["sickness", "allowance"], ...] = Field(min_length=1, description="At referral.")
    at_most_grade: int = Field(ge=0, le=100, description="Highest degree of either benefit left, in per cent.")
    longer_than_months: int | None = Field(default=None, ge=1, description="Without a break.")


Criterion = Annotated[
    PhaseCriterion | JobCriterion | EducationCriterion | StillEmployedCriterion | RecoveryCriterion,
    Field(discriminator="kind"),
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


class ExampleSpell(Strict):
    """Days from `start` until before `stop`; null is a spell that has not ended."""

    start: dt.date
    stop: dt.date | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"the spell ends on {self.stop}, and begins on {self.start}")
        return self


class ExampleJob(ExampleSpell):
    """A job of an example."""

    contract: Contract = "permanent"
    percent: float | None = Field(default=100, description="Of a full position; null where the register has none.")
    employer: str = "a"
    wage_subsidy: bool = False


class ExampleBenefit(ExampleSpell):
    """A benefit of an example."""

    grade: float = Field(default=100, description="Per cent.")


class ExampleEducation(ExampleSpell):
    """An enrolment of an example."""

    level: int


class PaymentExample(Strict):
    """A participant's spells, and what the rules make of them; run by `check`."""

    why: str = Field(description="What the example shows.")
    start: dt.date = Field(description="First day in the programme.")
    stop: dt.date | None = Field(default=None, description="First day after it.")
    referral: dt.date | None = Field(default=None, description="By default the first day in the programme.")
    jobs: tuple[ExampleJob, ...] = ()
    sickness: tuple[ExampleBenefit, ...] = ()
    allowance: tuple[ExampleBenefit, ...] = ()
    disability: tuple[ExampleBenefit, ...] = ()
    education: tuple[ExampleEducation, ...] = ()
    observed_to: dt.date | None = Field(
        default=None, description="Last day that the registers cover; by default ten years after the start."
    )
    expect: dict[Name, Literal["paid", "undecided", "running", "not_reached"]] = Field(
        default={}, description="Milestone -> its status; those left out are not compared."
    )
    pays: float | None = Field(
        default=None, ge=0, description="Share of the bid that is paid in all, without what is undecided."
    )

    @model_validator(mode="after")
    def _expects_something(self) -> PaymentExample:
        if not self.expect and self.pays is None:
            raise ValueError("an example says what to `expect` of milestones, or what the provider is paid (`pays`)")
        return self


class PaymentRules(Strict):
    """How a provider is paid for one participant."""

    label: Label
    source: str = Field(description="Document and lines.")
    milestones: tuple[Milestone, ...] = Field(min_length=1)
    surcharges: tuple[Surcharge, ...] = ()
    examples: Annotated[tuple[PaymentExample, ...], DESCRIPTIVE] = ()

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
        for example in self.examples:
            unknown = next((name for name in example.expect if name not in earlier), None)
            if unknown is not None:
                raise ValueError(
                    f"an example expects something of '{unknown}', which is no milestone.{nearest(unknown, earlier)}"
                )
        return self

    @property
    def reads_education(self) -> bool:
        """Whether a criterion looks at education."""
        return any(criterion.kind == "education" for milestone in self.milestones for criterion in milestone.any_of)

    @property
    def reasons(self) -> dict[str, Label]:
        """What the criteria are called, by name."""
        return {c.name: c.label for milestone in self.milestones for c in milestone.any_of}
