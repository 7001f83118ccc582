"""What the report says about exhibits of kind `flow`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.report_parts import DesignCheck
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def design_checks(exhibit: FlowExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the shares of each treated arm and of the control arm that were removed on the way to the last sample."""
    style = NumberStyle.of(labels.language)
    counts = frame[frame["statistic"] == "count"]
    remaining = counts[~counts["row"].str.contains(":")]

    def share_removed(arm: str) -> float | None:
        values = remaining.loc[remaining["column"] == arm, "value"]
        return None if len(values) < 2 or not values.iloc[0] > 0 else 1.0 - values.iloc[-1] / values.iloc[0]

    control = share_removed(labels.control)
    for arm in labels.treated_arms:
        treated = share_removed(arm)
        if control is not None and treated is not None:
            yield DesignCheck(
                labels.say(
                    "summary.check_flow", treated=labels.arm(arm), control=labels.arm(labels.control),
                    share_treated=style.percent(treated), share_control=style.percent(control),
                )
            )  # fmt: skip
