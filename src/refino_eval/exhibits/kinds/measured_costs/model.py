"""Model of exhibits of kind `measured_costs`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, CostsReadExhibit


class MeasuredCostsExhibit(CostsReadExhibit):
    """Months in the programmes as the registers show them, and what they cost, next to the months of the costs' inputs."""

    kind: Literal["measured_costs"]
    usual_chapter: ClassVar[Chapter] = "costs"
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    takes_weights: ClassVar[bool] = False
    basis: Name = Field(description="One of the costs' bases, for the monthly price.")
    months: dict[Name, Name] = Field(
        min_length=2,
        description="Arm -> outcome that counts a person's months in that arm's programme; those with at least one are its participants.",
    )

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that count months."""
        return tuple(self.months.values())

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)

    @property
    def arms_named(self) -> tuple[str, ...]:
        """The arms whose months are counted."""
        return tuple(self.months)
