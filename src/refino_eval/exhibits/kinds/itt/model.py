"""Kind `itt`: intention-to-treat effects: outcomes as columns, specifications as panels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import DESCRIPTIVE, Label, Name, Strict
from refino_eval.config.exhibit_base import OutcomesExhibit, Several
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions, Specification
    from refino_eval.config.evaluation import Evaluation

WIDEST = 10
"""Outcomes that a column each leaves room for."""


class HeadGroup(Strict):
    """A heading over several columns."""

    label: Label
    columns: tuple[Name, ...] = Field(min_length=1, description="Columns next to each other.")


class IttExhibit(OutcomesExhibit):
    """Effects of the draw: outcomes as columns, specifications as panels."""

    kind: Literal["itt"]
    several_arms: ClassVar[Several] = "together"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb", "nonresponse")
    weights_by_outcome: ClassVar[bool] = True
    two_way: ClassVar[bool] = True
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "strata",
        "interval",
        "p_value",
        "verified",
    )
    effects_by_outcome: ClassVar[bool] = True
    specifications: tuple[Name, ...] = Field(default=("main",), min_length=1)
    comparison: Literal["pairwise", "joint"] = Field(
        default="pairwise",
        description="With several treated arms. pairwise: each on its own people and those of the control arm; joint: all in "
        "one regression.",
    )
    t_stat: bool = Field(default=False, description="Also show the t statistic of each effect.")
    show_controls: bool = Field(default=False, description="Also the coefficient of each control, under the effects.")
    control_mean_error: bool = Field(
        default=False, description="Also the standard error of the control mean, clustered where the specification is."
    )
    head_groups: Annotated[tuple[HeadGroup, ...], DESCRIPTIVE] = Field(
        default=(), description="Headings over columns that are next to each other, as a published table has them."
    )
    specification_names: dict[Name, Label] = Field(
        default={}, description="Specification -> what this exhibit calls it; default: its label."
    )
    between_arms: bool = Field(
        default=False,
        description="With several treated arms: also the difference of every two, from the joint regression.",
    )

    def refused(
        self,
        specifications: Mapping[str, Specification],
        *,
        weights: str | None,
        clusters: int,
        cluster_key: str = "person_table.cluster",
    ) -> Iterator[str]:
        """Return the options that this kind does not honour."""
        yield from super().refused(specifications, weights=weights, clusters=clusters, cluster_key=cluster_key)
        interacted = [
            name
            for name in self.specifications
            if name in specifications and specifications[name].adjustment == "interacted"
        ]
        if self.show_controls and interacted:
            named = " and ".join(f"'{name}'" for name in interacted)
            yield (
                "shows coefficients of controls (show_controls), which only additive specifications have. Of its specifications, "
                f"{named} {'is' if len(interacted) == 1 else 'are'} interacted: leave it out, or move it to an exhibit without show_controls."
            )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        for name in self.specification_names:
            if name not in self.specifications:
                yield f"The {where}: specification_names has '{name}', which it does not show.{nearest(name, self.specifications)}"
        if self.head_groups:
            yield from self._head_group_faults(where)
        if self.show_controls:
            yield from self._control_faults(where, study)

    def _head_group_faults(self, where: str) -> Iterator[str]:
        """Return why headings cannot be over the columns that they name."""
        if len(self.columns) > WIDEST:
            yield f"The {where} has head_groups and {len(self.columns)} outcomes, which are rows and not columns. Leave them out."
        columns, grouped = list(self.columns), [key for group in self.head_groups for key in group.columns]
        in_order = grouped == [key for key in columns if key in grouped]
        if not in_order or not all(_adjacent(columns, group.columns) for group in self.head_groups):
            yield (
                f"The {where}: head_groups must name columns that are next to each other, in the order of `columns`, each once. Its "
                f"columns: {', '.join(self.columns)}."
            )

    def _control_faults(self, where: str, study: Evaluation) -> Iterator[str]:
        """Return why there is no room for coefficients of controls, or several sets of them."""
        if len(self.columns) > WIDEST:
            yield f"The {where} has show_controls and {len(self.columns)} outcomes. It has room for {WIDEST}: make several exhibits."
        if len(study.arms.treated_arms) > 1 and self.arm is None and self.comparison == "pairwise":
            yield f"The {where} has show_controls and a regression for each arm. Add `comparison: joint`, or choose one `arm:`."


def _adjacent(columns: list[str], group: tuple[str, ...]) -> bool:
    """Whether columns are next to each other, in their order."""
    if group[0] not in columns:
        return False
    first = columns.index(group[0])
    return tuple(columns[first : first + len(group)]) == group
