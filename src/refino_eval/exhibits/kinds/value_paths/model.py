"""Kind `value_paths`: chances of finding work, shares in work and the value of work, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import Form, ProgrammesExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation

PathSeries = Literal["finding", "employed", "value"]


class ValuePathsExhibit(ProgrammesExhibit):
    """A panel for each programme and series; months since the start are rows."""

    kind: Literal["value_paths"]
    form: ClassVar[Form] = "figure"
    programmes: tuple[Name, ...] = Field(min_length=1)
    series: tuple[PathSeries, ...] = Field(
        default=("value",), min_length=1, description="finding and employed need a programme with `effect: hazards`."
    )
    months: int = Field(default=240, ge=12, le=600, description="Months since the start that are shown.")

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme that the model does not have, or that has no such series."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
        if self.model in definitions.cost_benefit and set(self.series) - {"value"}:
            programmes = definitions.cost_benefit[self.model].programmes
            for name in self.programmes:
                if name in programmes and programmes[name].effect == "income":
                    yield (
                        f"The {where} shows chances of work of '{name}', whose effect is on income. Show `series: [value]` alone, "
                        "or leave the programme out."
                    )
