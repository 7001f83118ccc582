"""Model of exhibits of kind `social_costs`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, CostsReadExhibit


class SocialCostsExhibit(CostsReadExhibit):
    """From what is paid to the cost to society, basis by basis, and the effect that repays the difference."""

    kind: Literal["social_costs"]
    usual_chapter: ClassVar[Chapter] = "costs"
    about_people: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    bases: tuple[Name, ...] = Field(min_length=1)
    break_even_basis: Name = Field(description="One of the bases: whose difference an effect is to repay.")
    values: tuple[Name, ...] = Field(min_length=1, description="Values of an outcome, of the costs' `values`.")

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The bases of the costs."""
        return (*self.bases, self.break_even_basis)
