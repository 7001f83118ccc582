"""Kind `attrition`: whether assignment changes whose outcome is observed, and the bounds on its effect that are left."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class AttritionExhibit(PlainExhibit):
    """The effect of assignment on whose outcome is observed, and the bounds on the effect on the outcome."""

    kind: Literal["attrition"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "flow"
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("interacted",)
    explanations: ClassVar[tuple[str, ...]] = ("missing",)
    columns: dict[Name, Name] = Field(min_length=1, description="Key in the exhibit -> outcome.")
    observed: dict[Name, Name] = Field(
        default_factory=dict,
        description="Key -> an outcome: the column's values count as observed where this one is observed and not 0 (a "
        "wage where there is a job). Columns that are not named are observed where they are not missing.",
    )
    ranges: dict[Name, tuple[float, float]] = Field(
        default_factory=dict,
        description="Key -> least and largest value by definition: bounds of Horowitz and Manski, nothing assumed.",
    )
    tighten: Name | None = Field(
        default=None,
        description="A covariate with few values, known before the draw, by which Lee's bounds are tightened.",
    )
    ties: Literal["fractional", "keep"] = Field(
        default="fractional",
        description="People with the same value at the trimming limit. fractional: kept in part, so that exactly the "
        "extra share is trimmed; keep: all kept, as in published tables, with bounds that are too narrow "
        "where values are heaped.",
    )
    weighting: Literal["people", "precision"] = Field(
        default="precision",
        description="How trimming weights the cells: by n p (1 - p), as the regression of the difference shown does, or by their "
        "people.",
    )
    specification: Name = "none"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.observed.values())))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariate that tightens the bounds."""
        return () if self.tighten is None else (self.tighten,)

    @model_validator(mode="after")
    def _known_keys(self) -> Self:
        for part in ("observed", "ranges"):
            if unknown := sorted(set(getattr(self, part)) - set(self.columns)):
                raise ValueError(f"`{part}` names {', '.join(unknown)}, which is none of the columns")
        for key, (low, high) in self.ranges.items():
            if low >= high:
                raise ValueError(f"the range of {key} must go from a lower to a higher value")
        return self
