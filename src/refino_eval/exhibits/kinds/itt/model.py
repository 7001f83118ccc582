"""Kind `itt`: intention-to-treat effects: outcomes as columns, specifications as panels."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import OutcomesExhibit, Several


class IttExhibit(OutcomesExhibit):
    """Effects of the draw: outcomes as columns, specifications as panels."""

    kind: Literal["itt"]
    several_arms: ClassVar[Several] = "together"
    units_in_heads: ClassVar[bool] = False
    verified_with_dummies: ClassVar[bool] = True
    honoured: ClassVar[tuple[str, ...]] = ("outcome_controls", "interacted", "absorb")
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
    between_arms: bool = Field(
        default=False,
        description="With several treated arms: also the difference of every two, from the joint regression.",
    )
