"""Model of exhibits of kind `flow`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class FlowExhibit(PlainExhibit):
    """The cohort flow: delivered draws, each exclusion with its reason, and the samples that remain, by arm."""

    kind: Literal["flow"]
    counts_people: ClassVar[bool] = True
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "flow"
    samples: tuple[Name, ...] = Field(
        default=(), description="Samples to show, each within the one before it; default: all of the evaluation's."
    )

    @property
    def reads_flow(self) -> bool:
        """It is the flow that the exhibit shows."""
        return True

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        for name in self.samples:
            if name not in study.samples:
                yield f"The {where} names an unknown sample '{name}'.{nearest(name, study.samples)}"
        if self.arm or self.against:
            yield f"The {where} shows everybody, so `arm` and `against` do not apply. Remove them."
