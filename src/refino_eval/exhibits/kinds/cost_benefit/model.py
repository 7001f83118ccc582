"""Kind `cost_benefit`: what programmes are worth, item by item or for each of those who gain and pay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import ProgrammesExhibit
from refino_eval.config.money.cost_benefit import ITEMS, PERSPECTIVES, Item, Perspective

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class CostBenefitExhibit(ProgrammesExhibit):
    """Present value per participant: items by programme, programmes by item, or programmes by perspective."""

    kind: Literal["cost_benefit"]
    programmes: tuple[Name, ...] = Field(min_length=1)
    arrangement: Literal["items_by_programme", "programmes_by_item", "programmes_by_perspective"] = Field(
        default="items_by_programme", description="What rows and columns are; perspectives show net value and MVPF."
    )
    items: tuple[Item, ...] = Field(default=ITEMS, min_length=1)
    perspective: Perspective = Field(default="society", description="Whose gains and costs the items are.")
    perspectives: tuple[Perspective, ...] = Field(default=PERSPECTIVES, min_length=1)
    total: bool = Field(default=True, description="Whether the sum of all items is shown.")
    judgements: tuple[Name, ...] = Field(
        default=(), description="Impacts without a price, below the items: judgements of the model."
    )

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme and judgement that the model does not have."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
        yield from self.unknown(where, "judgements", self.judgements, definitions)
        if self.judgements and self.arrangement != "items_by_programme":
            yield f"The {where} shows judgements, which only `arrangement: items_by_programme` has rows for."
