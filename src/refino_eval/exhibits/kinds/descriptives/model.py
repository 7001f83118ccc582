"""Kind `descriptives`: means and standard deviations of covariates by arm."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit, Several


class DescriptivesExhibit(PlainExhibit):
    """Means and standard deviations of covariates by arm."""

    kind: Literal["descriptives"]
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "balance"
    covariates: tuple[Name, ...] = Field(min_length=1)
