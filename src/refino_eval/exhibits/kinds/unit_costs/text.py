"""What the report says about exhibits of kind `unit_costs`."""

from __future__ import annotations

from refino_eval.exhibits.kinds.unit_costs.model import UnitCostsExhibit
from refino_eval.exhibits.tidy import Key

COMPUTED = ("cost_per_month", "cost_in_period", "transaction_cost", "total_cost_in_period", "social_cost")
"""Rows that are computed; the others are the inputs."""


def copied(exhibit: UnitCostsExhibit, key: Key) -> bool:
    """Whether a number is an input, copied from a published document or the configuration."""
    if exhibit.show == "per_outcome":
        return key[2] == "effect"
    return key[1] not in COMPUTED and key[2] != "ratio"
