"""What the report says about exhibits of kind `value_intervals`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.value_intervals.model import ValueIntervalsExhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.cost_benefit_labels import programme_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def summary(exhibit: ValueIntervalsExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[str]:
    """Return which programmes' net value is above zero, below zero or undecided, given all uncertain inputs."""
    sides: dict[str, list[str]] = {"above": [], "below": [], "undecided": []}
    for name in exhibit.programmes:
        cell = statistics_at(frame, "", name, "interval")
        if {"bound_low", "bound_high"} <= set(cell):
            side = "above" if cell["bound_low"] > 0.0 else "below" if cell["bound_high"] < 0.0 else "undecided"
            sides[side].append(programme_label(exhibit, name, labels))
    if not any(sides.values()):
        return
    draws = NumberStyle.of(labels.language).integer(exhibit.draws)
    said = [
        labels.say(f"value_intervals.sentence_{side}", names=labels.listed(names))
        for side, names in sides.items()
        if names
    ]
    intro = labels.say("value_intervals.sentence", level=f"{100 * exhibit.level:g}", draws=draws)
    yield " ".join((intro, *said))
