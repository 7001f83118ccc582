"""Kind `leave_one_out`: the effect without each group of people in turn, the largest change marked."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import By, Chapter, OutcomesExhibit


class LeaveOneOutExhibit(OutcomesExhibit):
    """The effect without each group of people in turn, the largest change marked."""

    kind: Literal["leave_one_out"]
    usual_chapter: ClassVar[Chapter] = "robustness"
    supplementary: ClassVar[bool] = True
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb", "nonresponse")
    most_groups: ClassVar[int] = 60
    """More groups than this are not left out in turn: a table of so many rows shows nothing."""
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "choices",
    )
    without: Name = Field(
        description="A stratum (county), another column that the cohort keeps, draw_year or cluster; 60 groups at most."
    )
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return (self.without,)
