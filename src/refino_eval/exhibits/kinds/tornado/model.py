"""Kind `tornado`: how much each uncertain input alone moves the net value of programmes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Form, Level, ProgrammesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class TornadoExhibit(ProgrammesExhibit):
    """A panel for each programme: net value when one input is at either end of its interval, the others as assumed."""

    kind: Literal["tornado"]
    form: ClassVar[Form] = "figure"
    programmes: tuple[Name, ...] = Field(min_length=1)
    level: Level = 0.9
    most: int = Field(default=8, ge=1, le=30, description="Inputs that are drawn, those that matter most.")

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme that the model does not have, or whose inputs are all certain."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
        if self.model in definitions.cost_benefit:
            model = definitions.cost_benefit[self.model]
            for name in self.programmes:
                if name in model.programmes and not model.is_uncertain(name):
                    yield (
                        f"The {where} shows what uncertain inputs of '{name}' do, and none has an `uncertainty`. Give one to "
                        "some of its inputs, or leave the programme out."
                    )
