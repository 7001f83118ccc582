"""Model of exhibits of kind `paths`."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.exhibit_base import GroupedExhibit, Several, StatesExhibit


class PathsExhibit(StatesExhibit, GroupedExhibit):
    """Arm means by event time, a panel for each state (and group); cumulative from `cumulate_from` when given."""

    kind: Literal["paths"]
    several_arms: ClassVar[Several] = "together"
    explanations: ClassVar[tuple[str, ...]] = ("over_time",)
