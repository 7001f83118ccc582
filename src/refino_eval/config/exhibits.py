"""Kinds of exhibits: the one list of them, and the union of their models.

A kind is a folder `exhibits/kinds/<kind>/` that holds its model (`model.py`), the function that computes its numbers
(`numbers.py`), the one that lays them out (`layout.py`) and its texts (`text.yaml`). A line in `KINDS` registers it; nothing
else knows the list. The models are imported by name, so that configuration does not import the room of exhibits, and when a
kind is first used: importing all takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field, GetJsonSchemaHandler, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from refino_eval.config.exhibit_base import PlainExhibit

FOLDER = "refino_eval.exhibits.kinds"
LOADS = ("exhibits/kinds/*/model.py",)
"""What this module imports by name: `digest` follows it like an import."""

KINDS = (
    "flow",
    "attrition",
    "draws",
    "design",
    "counts",
    "sites",
    "descriptives",
    "balance",
    "overlap",
    "propensity_scores",
    "itt",
    "tests",
    "null_card",
    "bars",
    "paths",
    "effects",
    "time_to_event",
    "programme_starts",
    "take_up",
    "stock",
    "ever_started",
    "starters",
    "selective_exits",
    "spell_survival",
    "late",
    "fall_back",
    "compliers",
    "estimands",
    "specification_curve",
    "binary_models",
    "count_models",
    "quantile_effects",
    "quantile_curve",
    "stepwise",
    "adjusted_differences",
    "unobserved_confounding",
    "confounding_contours",
    "leave_one_out",
    "interactions",
    "interaction_grid",
    "subgroups",
    "costs",
    "unit_costs",
    "measured_costs",
    "cost_per_outcome",
    "social_costs",
    "break_even",
    "net_benefit",
    "net_value",
    "model_inputs",
    "cost_benefit",
    "cost_steps",
    "value_paths",
    "switching_values",
    "scenarios",
    "value_intervals",
    "tornado",
    "provider_pricing",
    "funnel",
    "payments",
    "payment_comparison",
    "listing",
)
"""Every kind, a line each, in the order in which a report tends to show them."""


def model_of(kind: str) -> type[PlainExhibit]:
    """Return the model of a kind: of `late`, the class `LateExhibit` of its folder."""
    name = "".join(part.title() for part in kind.split("_")) + "Exhibit"
    model: type[PlainExhibit] = getattr(import_module(f"{FOLDER}.{kind}.model"), name)
    return model


class _Models(Mapping[str, type[PlainExhibit]]):
    """The model of every kind; one is imported when it is asked for."""

    def __getitem__(self, kind: str) -> type[PlainExhibit]:
        if kind not in KINDS:
            raise KeyError(kind)
        return model_of(kind)

    def __iter__(self) -> Iterator[str]:
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)


MODELS = _Models()


@cache
def _any_kind() -> TypeAdapter[PlainExhibit]:
    """Return the union of all models."""
    union: Any = Annotated[Union[tuple(MODELS.values())], Field(discriminator="kind")]  # noqa: UP007
    return TypeAdapter(union)


class _ByKind:
    """Validate an exhibit by the model of its kind, without importing those of others."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(_exhibit)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(_any_kind().core_schema)


def _exhibit(given: Any, info: ValidationInfo) -> PlainExhibit:
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind in KINDS:
        try:
            return model_of(kind).model_validate(given, context=info.context)
        except ValidationError:
            # The union reports the same problems, with the kind in their locations.
            pass
    return _any_kind().validate_python(given, context=info.context)


if TYPE_CHECKING:
    Exhibit = PlainExhibit
else:
    Exhibit = Annotated[PlainExhibit, _ByKind()]
