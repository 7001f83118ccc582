"""Model of exhibits of kind `unit_costs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Chapter, CostsReadExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class UnitCostsExhibit(CostsReadExhibit):
    """Cost of a participant-month, cost per participant over a period, or cost per additional person with an outcome."""

    kind: Literal["unit_costs"]
    usual_chapter: ClassVar[Chapter] = "costs"
    about_people: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = ("money",)
    basis: Name = Field(description="One of the costs' bases, of kind unit_costs.")
    show: Literal["month", "period", "per_outcome"] = Field(
        description="month: from inputs to the cost of a participant-month; period: cost per participant, months times price "
        "and transaction costs; per_outcome: difference in cost per additional person with an outcome, by published effect."
    )
    of: tuple[Name, ...] = Field(default=(), description="Arms that are shown; default: both.")
    effects: tuple[Name, ...] = Field(
        default=(), description="With per_outcome: some of the costs' `effects`; default: all."
    )

    @property
    def bases_read(self) -> tuple[str, ...]:
        """The basis of the costs."""
        return (self.basis,)

    @property
    def arms_named(self) -> tuple[str, ...]:
        """The arms that are shown."""
        return self.of

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for a basis of another kind, and for effects that the costs do not have."""
        costs = definitions.costs.get(self.costs)
        if costs is None:
            return
        basis = costs.bases.get(self.basis)
        if basis is not None and basis.kind != "unit_costs":
            yield (
                f"{where}: the basis '{self.basis}' is of kind {basis.kind}. Unit costs need one of kind unit_costs: choose "
                "another basis, or an exhibit of kind costs."
            )
        if self.show == "per_outcome" and not costs.effects:
            yield f"{where}: the costs '{self.costs}' have no `effects` to divide by. Add some, or show another part."
        for name in self.effects:
            if name not in costs.effects:
                yield f"{where}: the costs '{self.costs}' have no effect '{name}'. They have: {', '.join(costs.effects) or 'none'}."
