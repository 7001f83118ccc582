"""Numbers of exhibits of kind `draws`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.draws.model import DrawsExhibit
from refino_eval.exhibits.numbers.study import Context, Row, cell, of_arm


def numbers(exhibit: DrawsExhibit, context: Context) -> Iterator[Row]:
    """Count the people assigned to each arm, month by month."""
    cohort, study = context.cohort, context.study
    months = pd.period_range(cohort["draw_month"].min(), cohort["draw_month"].max(), freq="M").strftime("%Y-%m")
    everyone = cohort.groupby("draw_month").size().reindex(months, fill_value=0)
    counts = {
        arm: cohort.loc[of_arm(cohort, arm, study)].groupby("draw_month").size().reindex(months, fill_value=0)
        for arm in (*study.treated_arms, study.control)
    }
    several = len(study.treated_arms) > 1
    for month in months:
        drawn = int(everyone[month])
        for arm, by_month in counts.items():
            yield cell(month, arm, "count", int(by_month[month]), int(by_month[month]))
        for arm in study.treated_arms if drawn else ():
            column = f"share_{arm}" if several else "share_treated"
            yield cell(month, column, "share", int(counts[arm][month]) / drawn, drawn)
