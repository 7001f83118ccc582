"""What the report says about exhibits of kind `costs`."""

from __future__ import annotations

import pandas as pd

from refino_eval.exhibits.kinds.costs.model import CostsExhibit
from refino_eval.exhibits.tidy import Key, statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

COMPUTED = ("monthly_price", "average", "cost")
"""Rows that are computed; the others are the inputs."""


def copied(exhibit: CostsExhibit, key: Key) -> bool:
    """Whether a number is an input, copied from a published document or the configuration."""
    return key[1] not in COMPUTED and key[2] != "difference"


def summary(exhibit: CostsExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what each arm cost per participant."""
    costs = [statistics_at(frame, "", "cost", arm).get("value") for arm in (labels.treated, labels.control)]
    if None in costs:
        return []
    style = NumberStyle.of(labels.language)
    # Hundreds are as exact as the amounts deserve.
    treated, control = (style.integer(round(cost, -2)) for cost in costs if cost is not None)
    names = {"treated": labels.arm(labels.treated), "control": labels.arm(labels.control)}
    return [labels.say("costs.sentence", cost_treated=treated, cost_control=control, **names)]
