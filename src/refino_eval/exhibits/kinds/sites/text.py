"""What the report says about exhibits of kind `sites`."""

from __future__ import annotations

from refino_eval.exhibits.kinds.sites.model import SitesExhibit
from refino_eval.exhibits.tidy import Key


def copied(exhibit: SitesExhibit, key: Key) -> bool:
    """Whether a number is copied from a document; the others are counts of people."""
    return key[3] == "stated"
