"""What all models of exhibits share: words, sample, arms, what an exhibit reads, and outcomes or states as columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from refino_eval.config.base import Label, Name, Strict, Unit

Form = Literal["table", "figure"]
Several = Literal["together", "apart", "one"]
"""What a kind makes of several treated arms: all in one grid, a grid each, or one arm that the exhibit must choose."""

Chapter = Literal["flow", "design", "balance", "results", "take_up", "robustness", "heterogeneity", "costs", "methods"]
"""Chapters of the report that hold exhibits; `report.chapters` says which kind goes where."""

By = Name | tuple[Name, ...]
"""What splits people into groups: a covariate with few values, a stratum or another column of the draws that the cohort
keeps, `draw_year` or `draw_month`; or a list of subgroups that share nobody."""
Level = Annotated[float, Field(gt=0, lt=1)]
USUAL_LEVELS = (0.1, 0.05, 0.01)


def _levels(given: object) -> object:
    return USUAL_LEVELS if given is True else () if given is False else given


Stars = Annotated[tuple[Level, ...], BeforeValidator(_levels, json_schema_input_type=bool | tuple[Level, ...])]
"""Levels of p that a star each is given for; true is the usual three, false none."""


class PlainExhibit(Strict):
    """What every exhibit has."""

    title: Label
    note: Label | None = Field(
        default=None, description="Said under the exhibit, after what the program says by itself."
    )
    sample: Name = Field(default="analysed", description="One of the evaluation's samples.")
    stars: Stars | None = Field(
        default=None, description="Stars after effects: true, or levels of p; default: what config.yaml says."
    )
    chapter: Chapter | None = Field(
        default=None, description="Chapter of the report that shows it; default: that of its kind."
    )

    arm: Name | None = Field(
        default=None,
        description="Of several treated arms, the only one that the exhibit is about, or what all of them together are called "
        "(`arms.pooled`); default: all, one by one.",
    )
    against: Name | None = Field(
        default=None, description="The arm that it is compared with; default: the control arm."
    )

    form: ClassVar[Form] = "table"
    several_arms: ClassVar[Several] = "apart"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return ()

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit reads, by the clock of their panel."""
        return {}

    @property
    def panels(self) -> tuple[Unit, ...]:
        """The clocks of the panels that the exhibit reads."""
        return tuple(self.states_read)

    @property
    def reads_flow(self) -> bool:
        """Whether the exhibit shows the flow of people."""
        return False

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """Other exhibits of the evaluation whose numbers this one is computed from."""
        return ()

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs that the exhibit reads, and with them the printed numbers that they name."""
        return ()

    @property
    def payments_read(self) -> tuple[str, ...]:
        """The rules of payment that the exhibit applies."""
        return ()

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The clean registers that the exhibit reads."""
        return ()


class OutcomesExhibit(PlainExhibit):
    """An exhibit whose columns are outcomes."""

    columns: dict[Name, Name] = Field(min_length=1, description="Key in the exhibit -> outcome.")
    missing: Literal["common", "available"] = Field(
        default="common",
        description="common: the people who have every outcome; available: each outcome's own people.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(self.columns.values())


class StatesExhibit(PlainExhibit):
    """An exhibit of states by event time, read from the panel of one clock."""

    states: tuple[Name, ...] = Field(min_length=1)
    clock: Unit = "month"
    first: int | None = None
    last: int | None = None
    cumulate_from: int | None = Field(default=None, description="Sum the state from this event time on.")

    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that the exhibit shows, all by one clock."""
        return {self.clock: self.states}


class GroupedExhibit(Strict):
    """An exhibit of states that may be told group by group."""

    by: By | None = Field(
        default=None,
        description="Tell each group by itself: a covariate with few values, a stratum, draw_year, or a list of subgroups.",
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return () if self.by is None else (self.by,)
