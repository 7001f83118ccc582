"""Numbers of exhibits of kind `take_up`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.take_up.model import TakeUpExhibit
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.participants import share_rows
from refino_eval.exhibits.numbers.study import Context, Row, of_arm


def numbers(exhibit: TakeUpExhibit, context: Context) -> Iterator[Row]:
    """Share of each arm in each programme at each event time."""
    cohort, files, study = context.cohort, context.files, context.study
    for state, values, times in panel_matrices(exhibit.states, exhibit.clock, cohort, files):
        low = exhibit.first if exhibit.first is not None else int(times[0])
        high = exhibit.last if exhibit.last is not None else int(times[-1])
        for arm in (*study.treated_arms, study.control):
            mine = of_arm(cohort, arm, study)
            for time in range(low, high + 1):
                yield from share_rows(str(time), arm, values[:, int(time - times[0])], mine, cohort, panel=state)
