"""What the report says about exhibits of kind `unobserved_confounding`."""

from __future__ import annotations

import pandas as pd

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.kinds.unobserved_confounding.layout import conclusions
from refino_eval.exhibits.kinds.unobserved_confounding.model import UnobservedConfoundingExhibit
from refino_eval.exhibits.tidy import Key
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook


def formula(
    exhibit: UnobservedConfoundingExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression of a difference; nothing for what a trait that nobody observed would change."""
    panel, row, _, _ = key
    if panel == "negative_controls":
        outcome = exhibit.negative_controls.get(row)
    if outcome is None or specification is None or panel not in ("difference", "negative_controls"):
        return ""
    if row == "short":
        specification = specification.model_copy(
            update={"controls": (), "absorb": (), "strata": specification.strata and not specification.absorb}
        )
    return regression(outcome, specification, labels)


def summary(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what an unobserved trait would have to be like to explain each difference."""
    return conclusions(exhibit, frame, labels)
