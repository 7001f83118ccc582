"""Kind `programme_starts`: what people of each arm had started since assignment: the programme offered, another one, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several


class ProgrammeStartsExhibit(PlainExhibit):
    """What people of each arm had started by each event time: the programme offered, another one, or none."""

    kind: Literal["programme_starts"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "take_up"
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    states: tuple[Name, ...] = Field(
        min_length=1,
        description="States of being in a programme, 0 or 1. Whoever has been in several counts in the one named first.",
    )
    offered: dict[Name, Name] = Field(
        default_factory=dict,
        description="Arm -> the state of being in the programme that its people were offered; in this arm it comes first.",
    )
    clock: Unit = "month"
    first: int = Field(default=0, description="First event time that counts.")
    last: int = Field(description="Last event time; people not observed until then are left out.")
    times: tuple[int, ...] = Field(
        default=(), description="Event times of which numbers are shown, the last among them; default: every one."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.last <= self.first:
            raise ValueError("`last` must be after `first`")
        if self.times and (sorted(set(self.times)) != list(self.times) or self.times[-1] != self.last):
            raise ValueError("`times` must increase and end with `last`")
        if self.times and self.times[0] < self.first:
            raise ValueError("`times` has a time before `first`")
        if unknown := sorted(set(self.offered.values()) - set(self.states)):
            raise ValueError(f"`offered` names '{unknown[0]}', which is not among `states`")
        return self

    @property
    def shown(self) -> tuple[int, ...]:
        """The event times of which numbers are shown."""
        return self.times or tuple(range(self.first, self.last + 1))

    def ranked(self, arm: str) -> tuple[str, ...]:
        """Return the states in the order in which a person of an arm counts: the programme offered is the first."""
        own = self.offered.get(arm)
        return self.states if own is None else (own, *(state for state in self.states if state != own))

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads."""
        return {self.clock: self.states}

    @property
    def arms_named(self) -> tuple[str, ...]:
        """Arms whose people were offered a programme."""
        return tuple(self.offered)
