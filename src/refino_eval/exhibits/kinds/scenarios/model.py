"""Kind `scenarios`: what programmes are worth if an assumption is another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import ProgrammesExhibit
from refino_eval.config.money.cost_benefit import Item

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class ScenariosExhibit(ProgrammesExhibit):
    """Items and net value of scenarios, next to the programme as it is assumed."""

    kind: Literal["scenarios"]
    scenarios: tuple[Name, ...] = Field(min_length=1)
    items: tuple[Item, ...] = Field(default=("value_creation",))

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each scenario that the model does not have."""
        yield from self.unknown(where, "scenarios", self.scenarios, definitions)
