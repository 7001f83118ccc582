"""Model of exhibits of kind `measured_costs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Strict, Unit
from refino_eval.config.exhibit_base import Chapter, CostsReadExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class MonthsByYear(Strict):
    """What a person's months in the programmes are counted from, by calendar year."""

    states: dict[Name, Name] = Field(description="Arm -> state that is 1 in a month in that arm's programme.")
    window: tuple[int, int] = Field(
        description="First and last event month that count: those of the outcomes of `months`."
    )


class MeasuredCostsExhibit(CostsReadExhibit):
    """Months in the programmes as the registers show them, and what they cost, next to the months of the costs' inputs."""

    kind: Literal["measured_costs"]
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    takes_weights: ClassVar[bool] = False
    basis: Name = Field(description="One of the costs' bases, for the monthly price.")
    months: dict[Name, Name] = Field(
        min_length=2,
        description="Arm -> outcome that counts a person's months in that arm's programme; those with at least one are its participants.",
    )

    by_year: MonthsByYear | None = Field(
        default=None,
        description="Also the participant-months of each calendar year, which costs and prices are given by.",
    )

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that are counted by calendar year."""
        return {} if self.by_year is None else {"month": tuple(dict.fromkeys(self.by_year.states.values()))}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that count months."""
        return tuple(self.months.values())

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)

    @property
    def arms_named(self) -> tuple[str, ...]:
        """The arms whose months are counted."""
        return tuple(self.months)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each arm whose months by year would not add up to its months."""
        if self.by_year is None:
            return
        if study.population is None:
            yield f"The {where}: by_year needs the month of random assignment or entry. Leave it out."
        for arm in sorted(set(self.months) ^ set(self.by_year.states)):
            yield f"The {where}: by_year.states and months must list the same arms; '{arm}' is in one of them."
        for arm, state in self.by_year.states.items():
            outcome = definitions.outcomes.get(self.months.get(arm, ""))
            if outcome is not None and (outcome.state, outcome.window) != (state, self.by_year.window):
                first, last = self.by_year.window
                yield (
                    f"The {where}: by_year counts '{state}' in months {first} to {last}, and the outcome '{self.months[arm]}' counts "
                    "another state or window, so that the years would not add up to it. Give both the same."
                )
