"""Kind `specification_curve`: the effect under every declared combination of outcome, specification and sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, Form, OutcomesExhibit, Several
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class SpecificationCurveExhibit(OutcomesExhibit):
    """The effect under every declared combination of outcome, specification and sample; samples that are nearly the same count once."""

    kind: Literal["specification_curve"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "one"
    usual_chapter: ClassVar[Chapter] = "robustness"
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb")
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "choices",
    )
    specifications: tuple[Name, ...] = Field(default=("main", "none", "linear"), min_length=1)
    samples: tuple[Name, ...] = Field(default=(), description="Samples within `sample`; default: that one alone.")
    scale: Literal["units", "control_sd"] = Field(
        default="units",
        description="units: all outcomes are in the same unit; control_sd: standard deviations of the control group.",
    )

    @property
    def samples_read(self) -> tuple[str, ...]:
        """The samples of the variants."""
        return self.samples or (self.sample,)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        for sample in self.samples:
            if sample not in study.samples:
                yield f"The {where} names an unknown sample '{sample}'.{nearest(sample, study.samples)}"
        units = {definitions.outcomes[name].unit.en for name in self.columns.values() if name in definitions.outcomes}
        if self.scale == "units" and len(units) > 1:
            yield (
                f"The {where} puts outcomes in different units ({', '.join(sorted(units))}) on one axis. Use outcomes of one unit, "
                "or `scale: control_sd`."
            )
