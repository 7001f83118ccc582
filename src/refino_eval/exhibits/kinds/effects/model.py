"""Kind `effects`: intention-to-treat effects at every event time, with pointwise and simultaneous bands."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import GroupedExhibit, StatesExhibit

SHARED_CLUSTERS = "clusters_in_several_groups"
"""Status of a test of equal effects that is not made, because groups share clusters."""


class EffectsExhibit(StatesExhibit, GroupedExhibit):
    """Effects of the draw at every event time, with pointwise and simultaneous bands.

    By group, with the test that the groups' effects are the same.
    """

    kind: Literal["effects"]
    honoured: ClassVar[tuple[str, ...]] = ("interacted", "absorb")
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "interval",
        "p_value",
        "over_time",
        "verified",
    )
    specification: Name = "main"
