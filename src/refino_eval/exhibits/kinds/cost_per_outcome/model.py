"""Model of exhibits of kind `cost_per_outcome`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from refino_eval.config.exhibit_base import Chapter, CostAndEffects

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class CostPerOutcomeExhibit(CostAndEffects):
    """What one additional person with an outcome costs: the difference in cost divided by that in the outcome, both of this run."""

    kind: Literal["cost_per_outcome"]
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message where the same months would be paid for in both programmes."""
        if len(set(self.months.values())) < len(self.months):
            yield (
                f"The {where} counts the same outcome as months in two programmes (`months`), and would pay for them twice. Name an "
                "outcome of each programme."
            )
