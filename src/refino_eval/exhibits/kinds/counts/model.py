"""Kind `counts`: people by what is known of where and when they were assigned, and arm."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import By, Chapter, PlainExhibit, Several


class CountsExhibit(PlainExhibit):
    """People by what is known of where and when they were drawn, and arm."""

    kind: Literal["counts"]
    counts_people: ClassVar[bool] = True
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "design"
    by: tuple[Name, ...] = Field(
        min_length=1, max_length=2, description="Columns of the cohort; of two, the second stands within the first."
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """The columns that people are counted by."""
        return self.by
