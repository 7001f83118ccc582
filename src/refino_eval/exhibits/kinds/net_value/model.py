"""Kind `net_value`: what the effects of this evaluation are worth, with their uncertainty and what it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name, Unit
from refino_eval.config.exhibit_base import Chapter, Level, PlainExhibit, Several
from refino_eval.config.money.cost_benefit import Extrapolation
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class NetValueExhibit(PlainExhibit):
    """Net value per person assigned: the value of monthly effects on work, saved benefits, and the difference in cost."""

    kind: Literal["net_value"]
    model: Name = Field(description="A cost-benefit model (cost_benefit.yaml).")
    programme: Name = Field(description="A programme of the model with `effect: estimated`.")
    state: Name = Field(description="A monthly state that is 1 for those in work.")
    first: int = Field(default=1, ge=1, description="First month whose effect counts.")
    last: int = Field(ge=1, description="Last month whose effect is estimated.")
    specification: Name = "main"
    costs: Name = Field(description="An entry of the costs.")
    basis: Name
    months: dict[Name, Name] = Field(
        min_length=2, description="Arm -> outcome that counts a person's months in that arm's programme."
    )
    extrapolations: dict[Name, Extrapolation] = Field(
        min_length=1, description="What is assumed of effects after the last month; the first is that of the summary."
    )
    base_months: int = Field(default=3, ge=1, description="Last observed months whose mean effect is extrapolated.")
    draws: int = Field(default=10_000, ge=100, le=1_000_000)
    level: Level = Field(default=0.9, description="Of the interval that also has the uncertainty of inputs.")

    usual_chapter: ClassVar[Chapter] = "costs"
    several_arms: ClassVar[Several] = "one"
    explanations: ClassVar[tuple[str, ...]] = ("cost_benefit", "interval")
    rests_on_randomisation: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("interacted", "absorb")

    @property
    def states_read(self) -> Mapping[Unit, tuple[str, ...]]:
        """The state, by month."""
        return {"month": (self.state,)}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The months in programmes."""
        return tuple(self.months.values())

    @property
    def costs_read(self) -> tuple[str, ...]:
        """The costs."""
        return (self.costs,)

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)

    @property
    def arms_named(self) -> tuple[str, ...]:
        """The arms whose months are counted."""
        return tuple(self.months)

    @property
    def cost_benefit_read(self) -> tuple[str, ...]:
        """The model."""
        return (self.model,)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for a programme that does not fit, months that leave nothing, and rules that end too early."""
        if self.last - self.first + 1 < self.base_months:
            yield f"The {where} extrapolates {self.base_months} months (base_months), and has fewer from {self.first} to {self.last}."
        for name, rule in self.extrapolations.items():
            if rule.kind in ("hold", "fade") and rule.until <= self.last:
                yield f"The {where}, extrapolations.{name}: until {rule.until} is not after the last month, {self.last}."
        model = definitions.cost_benefit.get(self.model)
        if model is None:
            return
        if self.programme not in model.programmes:
            hint = nearest(self.programme, model.programmes)
            yield f"The {where} names the programme '{self.programme}', which cost_benefit.{self.model} does not have.{hint}"
        elif model.programmes[self.programme].effect != "estimated":
            yield f"The {where} values estimated effects: the programme '{self.programme}' needs `effect: estimated`."
