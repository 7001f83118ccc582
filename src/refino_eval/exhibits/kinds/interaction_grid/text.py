"""What the report says about exhibits of kind `interaction_grid`."""

from __future__ import annotations

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.interaction_grid.model import InteractionGridExhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook


def formula(
    exhibit: InteractionGridExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression behind a number: assignment interacted with the characteristic of its row."""
    if outcome is None or specification is None or key[1] not in exhibit.moderators:
        return ""
    return regression(outcome, specification, labels, f"{labels.treated} * {key[1]}")
