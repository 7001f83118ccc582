"""What the report says about exhibits of kind `attrition`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.attrition.model import AttritionExhibit
from refino_eval.exhibits.report_parts import DesignCheck
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for


def design_checks(exhibit: AttritionExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the tests of whether assignment affects whose outcome is observed."""
    style = NumberStyle.of(labels.language)
    for key, outcome in exhibit.columns.items():
        cell = statistics_at(frame, "seen", key, "draw")
        # Everybody observed in both arms: there is nothing to test.
        if "p_value" in cell:
            text = labels.say(
                "summary.check_missing", outcome=labels.outcome(outcome),
                treated=labels.arm(labels.treated), control=labels.arm(labels.control),
                share_treated=style.percent(cell["mean_treated"]), share_control=style.percent(cell["mean_control"]),
                p=style.p_value(cell["p_value"]),
            )  # fmt: skip
            yield DesignCheck(text, cell["p_value"])


def other_effects(exhibit: AttritionExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[str]:
    """Return the Lee bounds of each outcome with their confidence interval."""
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    style = NumberStyle.of(labels.language)
    for key, outcome in exhibit.columns.items():
        cell = statistics_at(frame, "lee", key, "bounds")
        if not {"bound_low", "bound_high", "bound_low_std_error", "conf_low", "conf_high"} <= set(cell):
            continue
        decimals = decimals_for(cell["bound_low_std_error"], 2)
        low, high, least, most = (
            style.rounded(cell[name], decimals) for name in ("bound_low", "bound_high", "conf_low", "conf_high")
        )
        yield labels.say(
            "attrition.sentence", outcome=labels.outcome(outcome), low=low, high=high,
            interval=labels.say("summary.interval", low=least, high=most), level=level,
        )  # fmt: skip
