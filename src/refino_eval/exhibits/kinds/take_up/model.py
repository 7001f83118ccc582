"""Kind `take_up`: share taking part by event time and arm, a panel for each programme, with intervals."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from refino_eval.config.exhibit_base import Chapter, Several, StatesExhibit


class TakeUpExhibit(StatesExhibit):
    """Share of participants by event time and arm, a panel for each programme, with intervals."""

    kind: Literal["take_up"]
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "take_up"
    explanations: ClassVar[tuple[str, ...]] = ("late",)

    @model_validator(mode="after")
    def _no_sum(self) -> Self:
        if self.cumulate_from is not None:
            raise ValueError("take-up is shown at each time and cannot be cumulated: leave `cumulate_from` out")
        return self
