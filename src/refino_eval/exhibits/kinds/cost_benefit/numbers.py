"""Numbers of exhibits of kind `cost_benefit`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval.cost_benefit.plus_minus import consequence
from refino_eval.exhibits.kinds.cost_benefit.model import CostBenefitExhibit
from refino_eval.exhibits.numbers.programme_values import model_of
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: CostBenefitExhibit, context: Context) -> Iterator[Row]:
    """Yield the value of each programme in kroner per participant; judgements are the middle of their consequence."""
    model = model_of(exhibit, context)
    by_programme = exhibit.arrangement == "items_by_programme"
    for programme in exhibit.programmes:
        worth = model.worth(programme)
        if exhibit.arrangement == "programmes_by_perspective":
            for perspective in exhibit.perspectives:
                yield cell(programme, perspective, "value", worth.total(perspective)[0])
            ratio = float(worth.mvpf[0])
            yield cell(programme, "mvpf", "value", ratio, status="pays_for_itself" if np.isposinf(ratio) else "")
            continue
        values = {item: worth.of(item, exhibit.perspective)[0] for item in exhibit.items}
        if exhibit.total:
            values |= {"total": worth.total(exhibit.perspective)[0]}  # type: ignore[dict-item]
        for item, value in values.items():
            row, column = (item, programme) if by_programme else (programme, item)
            yield cell(row, column, "value", value)
    for name in exhibit.judgements:
        judgement = model.definition.judgements[name]
        for programme in exhibit.programmes:
            if programme in judgement.extent:
                low, high = consequence(judgement.importance, judgement.extent[programme])
                yield cell(name, programme, "bound_low", low)
                yield cell(name, programme, "bound_high", high)
