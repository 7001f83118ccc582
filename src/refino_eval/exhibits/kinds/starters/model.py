"""Kind `starters`: which characteristics go with starting the programme that people were assigned to, in each arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import VCOV, Name
from refino_eval.config.exhibit_base import Chapter, PlainExhibit
from refino_eval.covariances import Vcov


class StartersExhibit(PlainExhibit):
    """Which characteristics go with starting the programme that one was drawn to, in each arm."""

    kind: Literal["starters"]
    rests_on_randomisation: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "take_up"
    explanations: ClassVar[tuple[str, ...]] = ("late",)
    started: dict[Name, Name] = Field(
        min_length=1, description="Arm -> the outcome that is 1 for those who started its programme."
    )
    covariates: tuple[Name, ...] = Field(min_length=1)
    vcov: Vcov = Field(default="HC1", description=VCOV)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(dict.fromkeys(self.started.values()))

    @property
    def arms_listed(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that must list every arm."""
        return {"started": tuple(self.started)}
