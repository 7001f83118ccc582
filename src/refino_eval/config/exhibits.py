"""Kinds of exhibits: the one list of them, and the union of their models.

A kind is a folder `exhibits/kinds/<kind>/` that holds its model (`model.py`), the function that computes its numbers
(`numbers.py`), the one that lays them out (`layout.py`) and its texts (`text.yaml`). A line in `KINDS` registers it; nothing
else knows the list. The models are imported by name, so that configuration does not import the room of exhibits.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

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


MODELS = {kind: model_of(kind) for kind in KINDS}

if TYPE_CHECKING:
    Exhibit = PlainExhibit
else:
    Exhibit = Annotated[Union[tuple(MODELS.values())], Field(discriminator="kind")]  # noqa: UP007
