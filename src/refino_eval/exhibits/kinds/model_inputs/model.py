"""Kind `model_inputs`: the inputs of a cost-benefit model, with their uncertainty and sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import ProgrammesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class ModelInputsExhibit(ProgrammesExhibit):
    """The common inputs, and each programme's own, with 5 and 95 per cent quantiles of those that are uncertain."""

    kind: Literal["model_inputs"]
    supplementary: ClassVar[bool] = True
    programmes: tuple[Name, ...] = ()

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme that the model does not have; those with estimated effects have inputs too."""
        if self.model in definitions.cost_benefit:
            programmes = definitions.cost_benefit[self.model].programmes
            known = [name for name in self.programmes if getattr(programmes.get(name), "effect", "") == "estimated"]
            yield from self.unknown(where, "programmes", set(self.programmes) - set(known), definitions)
