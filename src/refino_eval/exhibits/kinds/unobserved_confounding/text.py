"""What the report says about exhibits of kind `unobserved_confounding`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.unobserved_confounding.layout import conclusions
from refino_eval.exhibits.kinds.unobserved_confounding.model import UnobservedConfoundingExhibit
from refino_eval.exhibits.wording.labels import LabelBook


def summary(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what an unobserved trait would have to be like to explain each difference."""
    return conclusions(exhibit, frame, labels)
