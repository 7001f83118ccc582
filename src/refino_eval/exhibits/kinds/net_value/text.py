"""What the report says about exhibits of kind `net_value`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.net_value.model import NetValueExhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def summary(exhibit: NetValueExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return one sentence that can be quoted: net value with its interval, and the condition that it rests on."""
    name, rule = next(iter(exhibit.extrapolations.items()))
    net, cost = statistics_at(frame, "", "total", name), statistics_at(frame, "", "cost_nav", name)
    if "conf_low" not in net or "estimate" not in cost:
        return []
    style = NumberStyle.of(labels.language)
    verdict = "better" if net["conf_low"] > 0 else "worse" if net["conf_high"] < 0 else "undecided"
    condition = labels.say(
        f"net_value.rule_{rule.kind}", last=exhibit.last, until=rule.until, months=f"{rule.months:g}"
    )
    numbers = {
        "value": net["estimate"],
        "low": net["conf_low"],
        "high": net["conf_high"],
        "saving": cost["estimate"],
    }
    return [
        labels.say(
            f"net_value.sentence_{verdict}",
            rule=condition,
            treated=labels.arm(labels.treated),
            control=labels.arm(labels.control),
            # Hundreds are as exact as the amounts deserve.
            **{key: style.integer(round(number, -2)) for key, number in numbers.items()},
        )
    ]
