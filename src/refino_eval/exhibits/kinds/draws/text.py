"""What the report says about exhibits of kind `draws`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.draws.model import DrawsExhibit


def period(exhibit: DrawsExhibit, frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return the first and the last month in which somebody was assigned, as ``2018-05``; None where nobody was."""
    # A count that is withheld is not of nobody.
    months = frame.loc[(frame["statistic"] == "count") & frame["value"].ne(0), "row"]
    return None if months.empty else (str(months.min()), str(months.max()))
