"""What the report says about exhibits of kind `draws`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.draws.model import DrawsExhibit


def period(exhibit: DrawsExhibit, frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return the first and the last month in which somebody was assigned, as ``2018-05``; None where no count is known."""
    months = frame.loc[(frame["statistic"] == "count") & frame["value"].gt(0), "row"]
    return None if months.empty else (str(months.min()), str(months.max()))
