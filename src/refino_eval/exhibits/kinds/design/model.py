"""Kind `design`: the cells of random assignment: people, shares assigned to treatment, one-arm and single-person cells, effective sample."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.exhibit_base import Chapter, PlainExhibit


class DesignExhibit(PlainExhibit):
    """The cells of the draw: people, draw shares, one-arm and single-person cells, effective sample."""

    kind: Literal["design"]
    rests_on_randomisation: ClassVar[bool] = True
    counts_people: ClassVar[bool] = True
    usual_chapter: ClassVar[Chapter] = "design"
    explanations: ClassVar[tuple[str, ...]] = ("strata",)
