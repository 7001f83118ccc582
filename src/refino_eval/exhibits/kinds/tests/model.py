"""Kind `tests`: each effect under every test, its columns being one family; what it can and cannot exclude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import OutcomesExhibit, Several
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class TestsExhibit(OutcomesExhibit):
    """Each effect under every test, its columns being one family; what it can and cannot exclude."""

    kind: Literal["tests"]
    several_arms: ClassVar[Several] = "together"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
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
        description="With several treated arms. outcomes: a family for each arm; arms_and_outcomes: one family of all.",
    )
    margins: dict[Name, float] = Field(
        default_factory=dict, description="Key -> the effect below which it does not matter, for the equivalence test."
    )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        for key in self.margins:
            if key not in self.columns:
                yield f"The {where} gives a margin for '{key}', which is not one of its columns.{nearest(key, self.columns)}"
