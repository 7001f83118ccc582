"""Kind `stepwise`: the effect as groups of controls enter, and what each group accounts for whatever the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import DESCRIPTIVE, Label, Name
from refino_eval.config.exhibit_base import (
    WILD_BOOTSTRAP,
    Chapter,
    OutcomesExhibit,
    WildBootstrap,
    wild_bootstrap_faults,
)
from refino_eval.covariances import ROBUST, Vcov
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class StepwiseExhibit(OutcomesExhibit):
    """The effect as groups of controls enter, and what each group accounts for whatever the order."""

    kind: Literal["stepwise"]
    covariances: ClassVar[tuple[Vcov, ...]] = ROBUST
    honoured: ClassVar[tuple[str, ...]] = ("absorb",)
    usual_chapter: ClassVar[Chapter] = "robustness"
    units_in_heads: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "choices",
    )
    specification: Name = Field(default="main", description="Whose controls enter, in its own encoding.")
    steps: tuple[tuple[Name, ...], ...] = Field(
        min_length=1,
        description="Covariates of each group, in the order in which they enter; all of the specification's. With `absorb` its "
        "columns are in the steps too, and the first step is compared with the difference without fixed effects.",
    )
    step_labels: Annotated[tuple[Label, ...], DESCRIPTIVE] = Field(
        default=(), description="What each step is called; default: its covariates, listed."
    )
    wild_bootstrap: WildBootstrap = WILD_BOOTSTRAP

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        specification = definitions.specifications.get(self.specification)
        if specification is None:
            return
        if specification.interact:
            yield f"The {where} enters controls one by one, and cannot enter products (`interact`). Choose a specification without them."
        if self.step_labels and len(self.step_labels) != len(self.steps):
            yield f"The {where} has {len(self.steps)} steps and {len(self.step_labels)} step_labels. Give each step one, or none."
        yield from wild_bootstrap_faults(where, self.wild_bootstrap, self.specification, definitions)
        controls = [*(term.covariate for term in specification.controls), *specification.absorb]
        named = [name for step in self.steps for name in step]
        for name in dict.fromkeys(named):
            if name not in controls:
                yield (
                    f"The {where} enters '{name}', which is not a control (or absorbed column) of the specification '{self.specification}'."
                    f"{nearest(name, controls)}"
                )
            elif named.count(name) > 1:
                yield f"The {where} enters '{name}' {named.count(name)} times. Name it in one step."
        for name in controls:
            if name not in named:
                yield (
                    f"The {where} leaves out '{name}', a control or absorbed column of the specification '{self.specification}'. Add it to a step, so "
                    "that the last step is that specification."
                )
