"""Kind `unobserved_confounding`: how strong an unobserved trait must be to explain an adjusted difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, OutcomesExhibit
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


ALL_CONTROLS = "all_controls"
"""The benchmark that is every control of the specification together; it is always computed."""


class ConfoundingExhibit(OutcomesExhibit):
    """What the table and the figure of sensitivity to an unobserved trait share."""

    usual_chapter: ClassVar[Chapter] = "robustness"
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)
    explanations: ClassVar[tuple[str, ...]] = ("unobserved_confounding",)
    specification: Name = "main"
    benchmarks: tuple[Name, ...] = Field(
        min_length=1,
        description="Controls of the specification that give the strength of an unobserved trait a scale; all of its controls together are "
        "always a benchmark too.",
    )
    multiples: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(
        default=(1.0, 2.0, 3.0), min_length=1, description="k: traits k times as strong as a benchmark."
    )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        entry = definitions.specifications.get(self.specification)
        if entry is None:
            return
        controls = [term.covariate for term in entry.controls]
        if len(set(self.benchmarks)) < len(self.benchmarks):
            yield f"The {where} names a benchmark twice. Name each once."
        for name in self.benchmarks:
            if name not in controls:
                yield (
                    f"The {where} has the benchmark '{name}', which is not a control of the specification '{self.specification}'."
                    f"{nearest(name, controls)}"
                )
        if list(self.multiples) != sorted(set(self.multiples)):
            yield f"The {where} needs `multiples` in increasing order, each once."


class UnobservedConfoundingExhibit(ConfoundingExhibit):
    """How strong an unobserved trait must be to explain an adjusted difference: robustness values, bounds, Oster's delta."""

    kind: Literal["unobserved_confounding"]
    r_max: tuple[Annotated[float, Field(gt=1, le=100)], ...] = Field(
        default=(1.3,),
        description="Oster: R_max is this times the R2 of the regression (at most 1); R_max = 1 is always listed too.",
    )
    negative_controls: dict[Name, Name] = Field(
        default_factory=dict,
        description="Key -> an outcome that treatment cannot affect, such as one measured before the start: an adjusted difference in it is "
        "a sign of unobserved differences.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return tuple(dict.fromkeys((*self.columns.values(), *self.negative_controls.values())))

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        yield from super().faults(where, study, definitions)
        for key in self.negative_controls:
            if key in self.columns:
                yield f"The {where} has the key '{key}' in `columns` and in `negative_controls`. Give each its key."
