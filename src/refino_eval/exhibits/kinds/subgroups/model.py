"""Model of exhibits of kind `subgroups`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import MOST_GROUPS, By, Chapter, OutcomesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class SubgroupsExhibit(OutcomesExhibit):
    """The effect in each group by itself, the difference between groups, and the test corrected for all that are made."""

    kind: Literal["subgroups"]
    usual_chapter: ClassVar[Chapter] = "heterogeneity"
    units_in_heads: ClassVar[bool] = False
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb", "nonresponse")
    most_groups: ClassVar[int] = MOST_GROUPS
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "p_value",
        "families",
        "groups",
    )
    groups: tuple[By, ...] = Field(min_length=1, description="Ways to split people, each shown separately; one family.")
    specification: Name = "main"
    arm_means: bool = Field(
        default=False, description="Also the mean of each arm in each group, with its standard deviation and people."
    )
    draws: int | None = Field(
        default=None,
        ge=99,
        le=1_000_000,
        description="Re-randomisations for p-values of the effects in all groups as one family; default: none.",
    )
    draw_unit: Literal["person", "cluster"] | None = Field(
        default=None, description="With draws: what was drawn, and is drawn again; as in the kind `tests`."
    )
    step_down: Literal["max_t", "min_p"] = Field(
        default="max_t",
        description="With draws: family-wise p-values by the largest |t|, or balanced between tests by the smallest p-value.",
    )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        specification = definitions.specifications.get(self.specification)
        if self.draws is not None and study.design == "observational":
            yield f"The {where} re-randomises people (`draws`), and nobody was assigned at random (design: observational). Leave `draws` out."
        if self.draws is not None and specification is not None and specification.absorb:
            yield f"The {where} re-randomises within the cells, which `absorb` does not name. Leave `draws` or `absorb` out."

    @property
    def splits(self) -> tuple[By, ...]:
        """What splits people into groups."""
        return self.groups
