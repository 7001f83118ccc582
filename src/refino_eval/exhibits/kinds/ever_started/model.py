"""Kind `ever_started`: share of each arm that has taken part by each horizon, and the effect of assignment on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class EverStartedExhibit(PlainExhibit):
    """Share of each arm that has taken part by each horizon, and the draw's effect on it."""

    kind: Literal["ever_started"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    honoured: ClassVar[tuple[str, ...]] = ("interacted", "absorb")
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int = Field(default=0, description="First event time that counts.")
    within: tuple[int, ...] = Field(
        min_length=1, description="Horizons: taken part at any time up to and with this one."
    )
    programmes: dict[Name, Name] = Field(
        default_factory=dict,
        description="Arm -> the state of being in its programme: also whether one started one's own.",
    )
    specification: Name = "none"

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads."""
        return {self.clock: tuple(dict.fromkeys((*self.states, *self.programmes.values())))}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if min(self.within) < self.first or len(set(self.within)) < len(self.within):
            raise ValueError("`within` names different horizons, none before `first`")
        return self

    @property
    def last(self) -> int:
        """The last event time that is read."""
        return max(self.within)

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm."""
        return {"programmes": tuple(self.programmes)} if self.programmes else {}
