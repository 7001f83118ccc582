"""What the report says about exhibits of kind `unit_costs`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.unit_costs.model import UnitCostsExhibit
from refino_eval.exhibits.tidy import Key, statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

COMPUTED = ("cost_per_month", "cost_in_period", "transaction_cost", "total_cost_in_period", "social_cost")
"""Rows that are computed; the others are the inputs."""


def copied(exhibit: UnitCostsExhibit, key: Key) -> bool:
    """Whether a number is an input, copied from a published document or the configuration."""
    if exhibit.show == "per_outcome":
        return key[2] == "effect"
    return key[1] not in COMPUTED and key[2] != "ratio"


def summary(exhibit: UnitCostsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what each arm cost per participant over the period."""
    period = labels.definitions.costs[exhibit.costs].period
    arms = (labels.treated, labels.control)
    costs = [statistics_at(frame, "", "total_cost_in_period", arm).get("value") for arm in arms]
    if exhibit.show != "period" or period is None or None in costs:
        return []
    style = NumberStyle.of(labels.language)
    # Hundreds are as exact as the amounts deserve.
    treated, control = (style.integer(round(cost, -2)) for cost in costs if cost is not None)
    names = {"treated": labels.arm(labels.treated), "control": labels.arm(labels.control)}
    return [
        labels.say(
            "unit_costs.sentence", cost_treated=treated, cost_control=control, period=period[labels.language], **names
        )
    ]
