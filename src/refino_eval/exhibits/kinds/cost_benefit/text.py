"""What the report says about exhibits of kind `cost_benefit`."""

from __future__ import annotations

import pandas as pd

from refino_eval.config.money.cost_benefit import ITEMS
from refino_eval.exhibits.kinds.cost_benefit.model import CostBenefitExhibit
from refino_eval.exhibits.tidy import statistics_at
from refino_eval.exhibits.wording.cost_benefit_labels import programme_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def summary(exhibit: CostBenefitExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return how many programmes are worth more to society than they cost, and which gain and lose most.

    Exhibits that leave out items or take somebody else's view have no such sentence.
    """
    whole = exhibit.arrangement == "items_by_programme" and exhibit.total and set(exhibit.items) == set(ITEMS)
    if not whole or exhibit.perspective != "society":
        return []
    values = {name: statistics_at(frame, "", "total", name).get("value") for name in exhibit.programmes}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return []
    style = NumberStyle.of(labels.language)

    def said(name: str) -> dict[str, str]:
        # Hundreds are as exact as the amounts deserve.
        return {"name": programme_label(exhibit, name, labels), "value": style.integer(round(known[name], -2))}

    if len(known) == 1:
        return [labels.say("cost_benefit.sentence_alone", **said(next(iter(known))))]
    best, worst = said(max(known, key=known.__getitem__)), said(min(known, key=known.__getitem__))
    return [
        labels.say(
            "cost_benefit.sentence",
            total=len(known),
            n=sum(value > 0 for value in known.values()),
            best=best["name"],
            most=best["value"],
            worst=worst["name"],
            least=worst["value"],
        )
    ]
