"""Kind `tests`: each effect under every test, its columns being one family; what it can and cannot exclude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import (
    WILD_BOOTSTRAP,
    OutcomesExhibit,
    Several,
    WildBootstrap,
    wild_bootstrap_faults,
)
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class TestsExhibit(OutcomesExhibit):
    """Each effect under every test, its columns being one family; what it can and cannot exclude."""

    kind: Literal["tests"]
    rests_on_randomisation: ClassVar[bool] = True
    several_arms: ClassVar[Several] = "together"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted")
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "p_value",
        "randomisation",
        "families",
        "null_result",
    )
    tests_by_outcome: ClassVar[bool] = True
    specification: Name = "main"
    draws: int = Field(default=10_000, ge=99, le=1_000_000, description="Permutations of the assignment within cells.")
    scheme: Literal["complete", "bernoulli"] = Field(
        default="complete",
        description="complete: as many treated in each cell as there were; bernoulli: by draw share.",
    )
    draw_unit: Literal["person", "cluster"] | None = Field(
        default=None,
        description="What was drawn, and is drawn again. Default: the evaluation's clusters where none has people in both arms, "
        "otherwise people.",
    )
    family: Literal["outcomes", "arms_and_outcomes"] = Field(
        default="outcomes",
        description="With several treated arms. outcomes: a family for each arm (or difference of two); arms_and_outcomes: one "
        "family of all.",
    )
    comparison: Literal["pairwise", "joint"] = Field(
        default="pairwise",
        description="With several treated arms. pairwise: each on its own people and those of the control arm; joint: all in "
        "one regression, all arms re-randomised at once.",
    )
    between_arms: bool = Field(
        default=False, description="With `comparison: joint`: also the difference of every two treated arms."
    )
    step_down: Literal["max_t", "min_p"] = Field(
        default="max_t",
        description="Family-wise p-values by the largest |t|, or balanced between tests by the smallest p-value (minP).",
    )
    wild_bootstrap: WildBootstrap = WILD_BOOTSTRAP
    margins: dict[Name, float] = Field(
        default_factory=dict, description="Key -> the effect below which it does not matter, for the equivalence test."
    )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        if self.between_arms and self.comparison == "pairwise":
            yield f"The {where} has between_arms, which comes from one regression of all arms. Add `comparison: joint`."
        if self.comparison == "joint" and self.scheme == "bernoulli":
            yield f"The {where} re-randomises several arms at once, with as many of each in every cell. Choose `scheme: complete`."
        if self.wild_bootstrap is not None and self.comparison == "joint":
            yield f"The {where} has wild_bootstrap, which tests one arm at a time. Choose `comparison: pairwise`."
        yield from wild_bootstrap_faults(where, self.wild_bootstrap, self.specification, definitions)
        for key in self.margins:
            if key not in self.columns:
                yield f"The {where} gives a margin for '{key}', which is not one of its columns.{nearest(key, self.columns)}"
