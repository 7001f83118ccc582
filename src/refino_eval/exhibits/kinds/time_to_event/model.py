"""Model of exhibits of kind `time_to_event`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Label, Name
from refino_eval.config.exhibit_base import Form, PlainExhibit, Several
from refino_eval.covariances import UNCLUSTERED, Vcov

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class TimeToEventExhibit(PlainExhibit):
    """Time from the draw to an event, by arm: Kaplan-Meier shares, stratified log-rank test, stratified Cox model."""

    kind: Literal["time_to_event"]
    takes_weights: ClassVar[bool] = False
    covariances: ClassVar[tuple[Vcov, ...]] = (*UNCLUSTERED, "CRV1", "CRV1_nested")
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    explanations: ClassVar[tuple[str, ...]] = ("other_models",)
    outcome: Name = Field(description="An outcome of kind first_month, whose flag says who is censored.")
    event: Name | None = Field(
        default=None,
        description="Of a person table: the outcome that is 1 where the end was observed, 0 where it was not.",
    )
    unit: Label | None = Field(
        default=None, description="What the axis of time says, for instance weeks since the claim; default: months."
    )
    specification: Name = "none"
    comparison: Literal["pairwise", "joint"] = Field(
        default="pairwise",
        description="With several treated arms. pairwise: a Cox model of each arm's people and those of the control arm; joint: one Cox "
        "model of all arms. The log-rank test of an arm is pairwise.",
    )
    show_controls: bool = Field(default=False, description="Also the hazard ratio of each control, in a note.")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that the exhibit reads."""
        return (self.outcome, *((self.event,) if self.event is not None else ()))

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        outcome = definitions.outcomes.get(self.outcome)
        if outcome is None or self.event is not None:
            return
        if not outcome.companion or outcome.censored != "last":
            yield (
                f"The {where} reads '{self.outcome}', which does not say how long those without the event were followed. Use an "
                "outcome of kind first_month with censored: last."
            )
