"""Kind `switching_values`: the value of an input at which a programme is worth nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from refino_eval.config.base import Label, Name, Strict
from refino_eval.config.exhibit_base import ProgrammesExhibit
from refino_eval.config.money.cost_benefit import INPUTS, Item
from refino_eval.errors import nearest

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class Switch(Strict):
    """What is changed until net value is zero."""

    label: Label
    inputs: tuple[Name, ...] = Field(min_length=1)
    show: Literal["value", "share", "reduction"] = Field(
        default="value",
        description="value: the input itself; share: as a share of its value; reduction: one less that share. Several inputs are "
        "changed by the same factor, and need share or reduction.",
    )
    between: tuple[float, float] = Field(
        default=(0.0, 1.0),
        description="With show: value, the values between which it is searched for, in the input's unit.",
    )
    without: Item | None = Field(default=None, description="With show: value, an item that net value leaves out.")

    @model_validator(mode="after")
    def _consistent(self) -> Switch:
        for name in self.inputs:
            if name not in INPUTS:
                raise ValueError(f"there is no input '{name}'.{nearest(name, INPUTS)}")
        if self.show == "value" and len(self.inputs) > 1:
            raise ValueError("several inputs have no common value: choose `show: share` or `show: reduction`")
        if self.show != "value" and ("between" in self.model_fields_set or self.without is not None):
            raise ValueError("`between` and `without` go with `show: value`")
        if not self.between[0] < self.between[1]:
            raise ValueError("`between` has its low end first")
        return self


class SwitchingValuesExhibit(ProgrammesExhibit):
    """For each programme the input, or the factor of some inputs, at which its net value to society is zero."""

    kind: Literal["switching_values"]
    programmes: tuple[Name, ...] = Field(default=())
    scenarios: tuple[Name, ...] = Field(default=(), description="Scenarios of the model, as further rows.")
    switches: dict[Name, Switch] = Field(min_length=1)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return a message for each programme and scenario that the model does not have."""
        yield from self.unknown(where, "programmes", self.programmes, definitions)
        yield from self.unknown(where, "scenarios", self.scenarios, definitions)
        if not self.programmes and not self.scenarios:
            yield f"The {where} has no rows: name `programmes` or `scenarios`."
