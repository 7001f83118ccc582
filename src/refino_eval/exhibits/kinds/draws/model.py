"""Kind `draws`: people assigned to each arm, by calendar month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class DrawsExhibit(PlainExhibit):
    """People drawn to each arm, by calendar month."""

    kind: Literal["draws"]
    counts_people: ClassVar[bool] = True
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "design"

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        if study.table is not None and study.table.draw_date is None:
            yield f"The {where} needs the date of random assignment. Name its column ({study.entry}.draw_date)."
