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
        yield from self._siblings(where, study)
        if self.arm or self.against:
            yield f"The {where} shows everybody, so `arm` and `against` do not apply. Remove them."

    def _siblings(self, where: str, study: Evaluation) -> Iterator[str]:
        """Report samples that are not each within the one before: a flow takes people out, and never in again."""

        def widest(name: str | None) -> str | None:
            """Return the sample with the same people that is defined first; None for the whole population."""
            while name in study.samples and not study.samples[name].steps:
                name = study.samples[name].within
            return name

        before: str | None = None
        for name in (each for each in study.samples if each in (self.samples or study.samples)):
            if widest(study.samples[name].within) != widest(before):
                yield (
                    f"The {where} shows the sample '{name}' after {repr(before) if before else 'the population'}, of which it is not a "
                    "part less its own steps, so they make no single flow. Name those to show in `samples`, each `within` the one "
                    "before it."
                )
            before = name
