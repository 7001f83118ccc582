"""Model of exhibits of kind `fall_back`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import Chapter, Participation, PlainExhibit


class FallBackExhibit(PlainExhibit):
    """What the draw moved people into, and out of: its effect on every state of participation, and compliers' fall-back."""

    kind: Literal["fall_back"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    honoured: ClassVar[tuple[str, ...]] = ("interacted", "absorb")
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    participation: Participation
    specification: Name = "main"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that tell who took part in what."""
        return self.participation.outcomes

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that tell who takes part in what."""
        return self.participation.states_read

    @property
    def times_read(self) -> tuple[int | None, int | None]:
        """First and last event time of the window of participation."""
        return self.participation.window or (None, None)
