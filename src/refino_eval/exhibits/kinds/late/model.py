"""Model of exhibits of kind `late`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import MOST_GROUPS, By, Chapter, OutcomesExhibit, Participation


class LateExhibit(OutcomesExhibit):
    """Effects of take-up for compliers: reduced form, first stage, two-stage least squares, Anderson-Rubin sets."""

    kind: Literal["late"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb", "nonresponse")
    most_groups: ClassVar[int] = MOST_GROUPS
    two_way: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "p_value",
        "late",
        "weak_instrument",
        "verified",
    )
    take_up: Name | None = Field(
        default=None, description="An outcome that is 1 for those who took part; default: the person table's take_up."
    )
    specification: Name = "main"
    by: By | None = Field(
        default=None,
        description="Show each group separately: a covariate with few values, a stratum, draw_year, or a list of subgroups.",
    )
    participation: Participation | None = Field(
        default=None,
        description="Programmes that people could take part in, that of take_up first; the table then also shows where "
        "compliers would have been otherwise.",
    )

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return () if self.by is None else (self.by,)

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if self.by is not None and self.participation is not None:
            raise ValueError("`by` and `participation` do not go together: make two exhibits")
        return self

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        beside = self.participation.outcomes if self.participation is not None else ()
        return (*self.columns.values(), *((self.take_up,) if self.take_up is not None else ()), *beside)

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The states that tell what else people took part in."""
        return self.participation.states_read if self.participation is not None else {}

    @property
    def times_read(self) -> tuple[int | None, int | None]:
        """First and last event time of the window of participation."""
        window = self.participation.window if self.participation is not None else None
        return window or (None, None)
