"""What the report says about exhibits of kind `social_costs`."""

from __future__ import annotations

from refino_eval.exhibits.kinds.social_costs.model import SocialCostsExhibit
from refino_eval.exhibits.tidy import Key

COPIED = ("vat", "tax_cost", "gain")
"""Rows that are inputs; the others are computed."""


def copied(exhibit: SocialCostsExhibit, key: Key) -> bool:
    """Whether a number is an input, copied from a published document or the configuration."""
    return key[1] in COPIED
