"""What the report says about exhibits of kind `interactions`."""

from __future__ import annotations

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.interactions.model import InteractionsExhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook


def formula(
    exhibit: InteractionsExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression behind a number: assignment interacted with the moderator."""
    if outcome is None or specification is None:
        return ""
    moderator = f" * {key[2]}" if key[2] in exhibit.moderators else ""
    return regression(outcome, specification, labels, f"{labels.treated}{moderator}")
