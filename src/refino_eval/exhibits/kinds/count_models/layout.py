"""Effects on counts by two models side by side: the linear model, and Poisson or negative binomial regression."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.binary_models.layout import response_table
from refino_eval.exhibits.kinds.count_models.model import CountModelsExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Table


def layout(exhibit: CountModelsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out outcomes as rows and models as columns; a note names the exposure."""
    notes = [
        page.labels.say(f"count_models.{exhibit.model}_explained"),
        page.labels.say("count_models.rate_ratio_explained"),
    ]
    if exhibit.exposure is not None:
        exposure = page.labels.covariate(exhibit.exposure, unit=False)
        notes.append(page.labels.say("count_models.in_proportion_to", exposure=exposure))
    return response_table(exhibit, frame, page, notes)
