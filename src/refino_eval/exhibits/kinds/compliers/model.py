"""Model of exhibits of kind `compliers`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class CompliersExhibit(PlainExhibit):
    """Who took part because of the draw: shares and characteristics of compliers, always-takers and never-takers."""

    kind: Literal["compliers"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    units_in_heads: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("compliers",)
    covariates: tuple[Name, ...] = Field(min_length=1)
    take_up: Name | None = Field(
        default=None, description="An outcome that is 1 for those who took part; default: the person table's take_up."
    )
    columns: dict[Name, Name] = Field(
        default_factory=dict, description="Key -> outcome: its mean among compliers, drawn to either arm."
    )
    specification: Name = Field(default="none", description="Of the outcomes' means.")
    weighting: Literal["people", "precision"] = Field(
        default="people",
        description="Cells of the characteristics by their people, or as two-stage least squares weights them.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (*self.columns.values(), *((self.take_up,) if self.take_up is not None else ()))
