"""Numbers of exhibits of kind `spell_survival`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.exhibits.kinds.spell_survival.model import SpellSurvivalExhibit
from refino_eval.exhibits.numbers.number_sources import Reason
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.study import Context, Row, cell


def numbers(exhibit: SpellSurvivalExhibit, context: Context) -> Iterator[Row]:
    """Share still in each programme by time since the start, with the number who can still be seen."""
    cohort, files = context.cohort, context.files
    for state, values, times in panel_matrices(exhibit.states, exhibit.clock, cohort, files):
        first = int(exhibit.first - times[0])
        last = int((times[-1] if exhibit.last is None else exhibit.last) - times[0])
        spells = est.stays(values, first=first, last=last, gap=exhibit.gap)
        n = int(spells.started.sum())
        yield cell("starters", state, "count", n, n)
        if n == 0:
            yield cell("0", state, "share", np.nan, 0, status="no_data")
            continue
        longest = int(np.floor(np.nanmax(spells.duration)))
        shown = np.arange(0, min(longest, exhibit.horizon or longest) + 1)
        table = est.survival_shares(
            spells.duration, spells.ended, times=shown.astype(np.float64), rows=spells.started, level=exhibit.level
        )
        for k, time in enumerate(shown):
            at_risk = int(table.at_risk[0, k])
            if not np.isfinite(table.share[0, k]):
                continue
            for statistic in ("share", "std_error", "conf_low", "conf_high"):
                yield cell(
                    str(time), state, statistic, getattr(table, statistic)[0, k], at_risk, source=Reason.SURVIVAL
                )
            yield cell(str(time), state, "n", at_risk, at_risk)
        yield cell(
            "median", state, "value", table.median[0], n, status="" if np.isfinite(table.median[0]) else "not_reached"
        )
        for row, flags in (("ended", spells.ended == 1), ("bridged", spells.bridged), ("returned", spells.returned)):
            yield cell(row, state, "count", int(flags[spells.started].sum()), n)
        yield cell("already", state, "count", int(spells.already.sum()), len(cohort))
