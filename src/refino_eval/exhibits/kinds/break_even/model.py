"""Model of exhibits of kind `break_even`."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.exhibit_base import Chapter, CostComparison


class BreakEvenExhibit(CostComparison):
    """The effect that repays the difference in cost, against the effect's interval, and the net benefit."""

    kind: Literal["break_even"]
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
