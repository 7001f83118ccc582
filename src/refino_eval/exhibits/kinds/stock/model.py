"""Model of exhibits of kind `stock`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from refino_eval.config.base import CalendarMonth, Label, Name, Strict
from refino_eval.config.exhibit_base import Chapter, Form, PlainExhibit, Several

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation

MOST_SERIES = 6
"""As many lines as can be distinguished."""


class StockSeries(Strict):
    """A line of the figure."""

    label: Label
    codes: tuple[str, ...] = Field(min_length=1, description="Codes of the spells that count.")


class StockExhibit(PlainExhibit):
    """How many people have a spell of each kind at the end of each calendar month: the stock of participants in programmes."""

    kind: Literal["stock"]
    counts_people: ClassVar[bool] = True
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    usual_chapter: ClassVar[Chapter] = "take_up"
    from_regressions: ClassVar[bool] = False
    register_name: Name = Field(alias="register", description="A register of spells.")
    column: Name = Field(description="Its column of codes.")
    series: dict[Name, StockSeries] = Field(min_length=1, max_length=MOST_SERIES, description="Lines, in order.")
    first: CalendarMonth = Field(description="First month.")
    last: CalendarMonth = Field(description="Last month; its last day must be covered by the register.")
    people: Literal["register", "sample"] = Field(
        default="register", description="Whom to count: everybody in the register, or the people of the sample alone."
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the last month ({self.last}) is before the first ({self.first})")
        of: dict[str, str] = {}
        for name, series in self.series.items():
            for code in series.codes:
                if of.setdefault(code, name) != name:
                    raise ValueError(f"the code '{code}' is in the series '{of[code]}' and '{name}'; count it once")
        return self

    @property
    def registers_read(self) -> tuple[str, ...]:
        """The register of spells."""
        return (self.register_name,)

    @property
    def own_labels(self) -> Mapping[str, Label]:
        """The lines."""
        return {name: series.label for name, series in self.series.items()}

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for months that the register of the evaluation does not cover."""
        delivery = study.delivery.registers.get(self.register_name) if study.delivery is not None else None
        coverage = delivery.coverage if delivery is not None else None
        if coverage is None:
            return
        first, last = coverage.first.strftime("%Y-%m"), coverage.last.strftime("%Y-%m")
        if self.first < first or self.last > last:
            yield (
                f"The {where} counts people from {self.first} to {self.last}, and the register '{self.register_name}' covers {first} to "
                f"{last}. Choose months that it covers."
            )
