"""Model of exhibits of kind `subgroups`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import By, Chapter, OutcomesExhibit


class SubgroupsExhibit(OutcomesExhibit):
    """The effect in each group by itself, the difference between groups, and the test corrected for all that are made."""

    kind: Literal["subgroups"]
    usual_chapter: ClassVar[Chapter] = "heterogeneity"
    units_in_heads: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "p_value",
        "families",
        "groups",
    )
    groups: tuple[By, ...] = Field(min_length=1, description="Ways to split people, each shown separately; one family.")
    specification: Name = "main"

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return self.groups
