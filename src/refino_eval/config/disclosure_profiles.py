"""Model of `config/disclosure/<profile>.yaml`: what a data owner requires of results that leave the secure zone.

Every rule has a source and a date, and says whether the data owner has confirmed it. Thresholds are in profiles alone, never in
code.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from refino_eval.config.base import Label, Shown, Strict


class OwnersRule(Strict):
    """A rule with its origin."""

    source: Shown = Field(min_length=1, description="Where the rule comes from: a page, a document, a letter.")
    date: dt.date = Field(description="When the rule was entered here or last checked.")
    confirmed: bool = Field(description="Whether the data owner has confirmed the rule for this project.")


class FrequencyRule(OwnersRule):
    """The smallest number of people that a count may show."""

    threshold: int = Field(ge=1, description="Counts from 1 to one less than this are suppressed.")
    zeros: Literal["safe", "disclosive"] = Field(
        description="Whether a count of zero may be shown; where it may not, nor may a share of 0 or 100 per cent."
    )


class RoundingRule(OwnersRule):
    """To what counts are rounded."""

    base: int = Field(ge=1, description="Counts are rounded to the nearest multiple; 1 is no rounding.")


class StatisticsRule(OwnersRule):
    """How many people must be behind a mean, a regression, a survival curve or another statistic, and its digits."""

    minimum_people: int = Field(ge=1, description="Smallest unweighted number of people behind a statistic.")
    digits_for_people: int = Field(
        ge=0,
        description="A number is written in steps at least as large as the change that so many average people can make; 0 is no "
        "rounding.",
    )


class DominanceRule(OwnersRule):
    """How much of a total of money may come from a few people."""

    largest: int = Field(ge=0, description="Number n of the (n, k) rule; 0 is no rule.")
    share: float = Field(gt=0, le=1, description="Largest share k of the total that the n largest may have.")
    p_percent: float = Field(
        ge=0,
        lt=1,
        description="The others than the two largest must sum to at least this share of the largest; 0 is no rule.",
    )


class DegreesOfFreedomRule(OwnersRule):
    """How many residual degrees of freedom a regression must have."""

    minimum: int = Field(ge=0)


class PercentilesRule(OwnersRule):
    """Whether percentiles and extremes may be shown."""

    minimum_people: int = Field(ge=1, description="People at or beyond a median or percentile, on each side.")
    extremes: bool = Field(description="Whether minima and maxima may be shown.")


class LinkedPopulationsRule(OwnersRule):
    """By how many people two populations of a release must differ if both are shown."""

    minimum_difference: int = Field(ge=1, description="Populations that differ by fewer people count as one.")


class DisclosureProfile(Strict):
    """The rules of one data owner."""

    name: str = Field(default="", description="Name of the file; filled in on reading.")
    label: Label
    protects: bool = Field(
        description="False only for public and synthetic data, whose numbers are released unchanged."
    )
    frequency: FrequencyRule
    rounding: RoundingRule
    statistics: StatisticsRule
    dominance: DominanceRule
    degrees_of_freedom: DegreesOfFreedomRule
    percentiles: PercentilesRule
    linked_populations: LinkedPopulationsRule

    @property
    def people_base(self) -> int:
        """The multiple to which the number of people behind a statistic is rounded."""
        return max(self.rounding.base, self.linked_populations.minimum_difference) if self.protects else 1

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The rules that the data owner has not confirmed."""
        rules = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple(name for name, rule in rules if isinstance(rule, OwnersRule) and not rule.confirmed)
