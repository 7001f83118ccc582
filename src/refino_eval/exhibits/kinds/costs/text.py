"""What the report says about exhibits of kind `costs`."""

from __future__ import annotations

from refino_eval.exhibits.kinds.costs.model import CostsExhibit
from refino_eval.exhibits.tidy import Key

COMPUTED = ("monthly_price", "average", "cost")
"""Rows that are computed; the others are the inputs."""


def copied(exhibit: CostsExhibit, key: Key) -> bool:
    """Whether a number is an input, copied from a published document or the configuration."""
    return key[1] not in COMPUTED and key[2] != "difference"
