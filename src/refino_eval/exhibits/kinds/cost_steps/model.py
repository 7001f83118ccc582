"""Kind `cost_steps`: one cost of each programme, from months and cost a month to the cost to society."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import ProgrammesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class CostStepsExhibit(ProgrammesExhibit):
    """One item of cost: duration, kroner (or hours) a month, and the cost to society per participant."""

    kind: Literal["cost_steps"]
    programmes: tuple[Name, ...] = Field(min_length=1)
    item: Literal["cost_nav", "cost_other_sectors", "programme_allowance", "adviser_time", "leisure"]

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme that the model does not have."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
