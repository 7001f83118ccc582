"""Model of exhibits of kind `listing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from refino_eval.config.base import DESCRIPTIVE, Label, Name
from refino_eval.config.exhibit_base import PlainExhibit, Several

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation

Dimension = Literal["panel", "row", "column", "statistic"]
# Event times and years are rows too, and YAML reads them as numbers.
Key = Annotated[
    str, BeforeValidator(lambda key: str(key) if type(key) is int else key, json_schema_input_type=str | int)
]


class ListingExhibit(PlainExhibit):
    """Numbers of another exhibit of the evaluation as a table: all of them, or the chosen ones in the order given."""

    kind: Literal["listing"]
    numbers_of: Name = Field(description="The exhibit of the evaluation whose numbers are listed.")
    only: dict[Dimension, Annotated[tuple[Key, ...], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="What to show, in this order: `panel`, `row`, `column` or `statistic` -> keys as in the exhibit's file of "
        "numbers. Default: everything.",
    )
    across: Annotated[Dimension, DESCRIPTIVE] = Field(
        default="statistic", description="What the columns of the table are; the rest identifies its rows."
    )
    decimals: Annotated[dict[Name, Annotated[int, Field(ge=0, le=12)]], DESCRIPTIVE] = Field(
        default_factory=dict, description="Statistic -> decimals; default: those that other tables show."
    )
    labels: dict[Key, Label] = Field(
        default_factory=dict,
        description="Panel, row, column or statistic -> label; default: the label that the definitions give.",
    )

    several_arms: ClassVar[Several] = "together"
    explanations: ClassVar[tuple[str, ...]] = ("interval", "p_value")

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit whose numbers are listed."""
        return (self.numbers_of,)

    @property
    def samples_read(self) -> tuple[str, ...]:
        """No sample: the people are those of the exhibit that is listed."""
        return ()

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Refuse a listing of a listing, which could lead back to itself."""
        if isinstance(definitions.exhibits.get(self.numbers_of), ListingExhibit):
            yield (
                f"The {where}: numbers_of names the listing '{self.numbers_of}'. A listing shows the numbers of an exhibit "
                "that computes them; name that exhibit."
            )
