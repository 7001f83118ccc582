"""Kind `value_intervals`: how uncertain the net value of programmes is, given the uncertainty of all inputs at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Level, ProgrammesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class ValueIntervalsExhibit(ProgrammesExhibit):
    """Net value to society of each programme: as assumed, and quantiles over joint draws of all uncertain inputs."""

    kind: Literal["value_intervals"]
    programmes: tuple[Name, ...] = Field(min_length=1)
    draws: int = Field(default=10_000, ge=100, le=1_000_000)
    level: Level = 0.9

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme that the model does not have."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
