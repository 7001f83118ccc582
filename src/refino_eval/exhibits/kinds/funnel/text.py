"""What the report says about exhibits of kind `funnel`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.funnel.model import FunnelExhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def summary(exhibit: FunnelExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[str]:
    """Return how many of an earlier stage reached each stage, in all areas together."""
    area = "all" if exhibit.sum else next(iter(exhibit.areas))
    if not exhibit.sum and len(exhibit.areas) > 1:
        # No single number holds for all areas.
        return
    style = NumberStyle.of(labels.language)
    said = []
    for name, stage in exhibit.stages.items():
        cell = statistics_at(frame, "", name, area)
        whole = statistics_at(frame, "", stage.of, area).get("count") if stage.of is not None else None
        if stage.of is None or whole is None or not {"count", "share"} <= set(cell):
            continue
        share = style.percent(cell["share"], 0)
        if {"conf_low", "conf_high"} <= set(cell):
            low, high = (style.fixed(100 * cell[limit], 0) for limit in ("conf_low", "conf_high"))
            share += " " + labels.say("summary.interval", low=low, high=high)
        said.append(
            labels.say(
                "funnel.sentence", stage=stage.label[labels.language], of=exhibit.stages[stage.of].label[labels.language],
                count=style.integer(cell["count"]), whole=style.integer(whole), share=share,
            )
        )  # fmt: skip
    if said:
        yield "; ".join(said) + "."
