"""Kind `spell_survival`: share still in each programme by time since starting it, among those who did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several


class SpellSurvivalExhibit(PlainExhibit):
    """Share still in each programme by time since starting it, among those who did."""

    kind: Literal["spell_survival"]
    takes_weights: ClassVar[bool] = False
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "take_up"
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    states: tuple[Name, ...] = Field(min_length=1, description="States that are 1 for those in the programme.")
    clock: Unit = "month"
    first: int = Field(default=0, description="First event time at which a start counts.")
    last: int | None = Field(default=None, description="Last event time at which a start counts; default: the clock's.")
    horizon: int | None = Field(default=None, ge=1, description="Periods since the start to show; default: all.")
    gap: int = Field(
        default=1,
        ge=0,
        description="Periods out of the programme that do not end it when the person is back after them.",
    )
    level: float = Field(default=0.95, gt=0.5, lt=1)

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads."""
        return {self.clock: self.states}
