"""Kind `funnel`: how many of those referred to a programme reach each stage, from counts that are published or reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict
from refino_eval.config.exhibit_base import Chapter, PlainExhibit
from refino_eval.config.money.costs import Amount
from refino_eval.errors import nearest


class Area(Strict):
    """A column."""

    label: Label


class Stage(Strict):
    """A stage: its counts by area, or what is left of one stage without another."""

    label: Label
    counts: dict[Name, Amount] | None = Field(default=None, description="Area -> how many.")
    left_of: tuple[Name, Name] | None = Field(
        default=None, description="In place of counts: an earlier stage, and the one that is taken from it."
    )
    of: Name | None = Field(
        default=None, description="An earlier stage of which the share is shown, with its interval."
    )

    interval: bool = Field(
        default=True, description="Whether the share has an interval: not where it is a share of places, for instance."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.counts is None) == (self.left_of is None):
            raise ValueError("a stage has either `counts` or `left_of`")
        return self


class FunnelExhibit(PlainExhibit):
    """Counts by stage and area, their sums, and shares of an earlier stage with Wilson's intervals."""

    kind: Literal["funnel"]
    about_people: ClassVar[bool] = False
    from_regressions: ClassVar[bool] = False
    usual_chapter: ClassVar[Chapter] = "take_up"
    published: Name | None = Field(
        default=None, description="Published values that counts name: `data/published/<name>.csv`."
    )
    areas: dict[Name, Area] = Field(min_length=1, description="Columns, in order; their sum follows.")
    stages: dict[Name, Stage] = Field(min_length=1, description="Rows, in order.")
    sum: bool = Field(default=True, description="Whether a column has the sum of the areas.")
    level: float = Field(default=0.95, gt=0, lt=1, description="Confidence level of the intervals.")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        earlier: list[str] = []
        for name, stage in self.stages.items():
            for other in (*(stage.left_of or ()), *((stage.of,) if stage.of else ())):
                if other not in earlier:
                    raise ValueError(
                        f"the stage '{name}' refers to '{other}', which is not before it.{nearest(other, earlier)}"
                    )
            if stage.counts is not None and set(stage.counts) != set(self.areas):
                wrong = ", ".join(sorted(set(stage.counts) ^ set(self.areas)))
                raise ValueError(f"the stage '{name}' must give a count for each area, and for no other: {wrong}")
            earlier.append(name)
        if self.published is None and any(
            entry.published for stage in self.stages.values() for entry in (stage.counts or {}).values()
        ):
            raise ValueError("counts name published numbers: say in which file with `published`")
        return self

    @property
    def published_read(self) -> tuple[str, ...]:
        """The file that counts name."""
        return (self.published,) if self.published else ()

    @property
    def own_labels(self) -> Mapping[str, Label]:
        """Areas and stages."""
        return {
            **{name: area.label for name, area in self.areas.items()},
            **{name: stage.label for name, stage in self.stages.items()},
        }
