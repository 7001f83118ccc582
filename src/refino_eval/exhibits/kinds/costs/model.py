"""Kind `costs`: monthly price, duration and what is paid a participant, on one basis."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, CostsReadExhibit


class CostsExhibit(CostsReadExhibit):
    """Monthly price, duration and what is paid a participant, on one basis."""

    kind: Literal["costs"]
    usual_chapter: ClassVar[Chapter] = "costs"
    about_people: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    basis: Name

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)
