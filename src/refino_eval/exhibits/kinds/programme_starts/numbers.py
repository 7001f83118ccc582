"""Numbers of exhibits of kind `programme_starts`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.programme_starts.model import ProgrammeStartsExhibit
from refino_eval.exhibits.numbers.panels import panel_matrices
from refino_eval.exhibits.numbers.participants import share_rows
from refino_eval.exhibits.numbers.study import Context, Row, cell, of_arm

NONE = "none"
"""Those who have been in none of the programmes."""


def numbers(exhibit: ProgrammeStartsExhibit, context: Context) -> Iterator[Row]:
    """Yield the share of each arm by what its people have been in until a time; rows are ``<time>:<state>``.

    Shares of a time add up to 1. They are of the people observed in every state at every time, so that no share changes because
    people leave the sample.
    """
    cohort, study = context.cohort, context.study
    observed = np.ones(len(cohort), dtype=bool)
    started = {}
    for state, values, times in panel_matrices(exhibit.states, exhibit.clock, cohort, context.files):
        observed &= np.isfinite(values[:, (times >= exhibit.first) & (times <= exhibit.last)]).all(axis=1)
        by_time = est.ever_started(values, times, start=exhibit.first, within=exhibit.shown)
        started[state] = by_time.to_numpy() == 1
    if not observed.any():
        raise UserError(
            f"nobody is observed in all of its states from {exhibit.first} to {exhibit.last}. Choose an earlier `last`."
        )
    for arm in (*study.treated_arms, study.control):
        mine = of_arm(cohort, arm, study)
        # By state over the times, so that those who start between two times are between two rows of the table.
        left = np.ones((len(cohort), len(exhibit.shown)), dtype=bool)
        for state in (*exhibit.ranked(arm), NONE):
            counted = left if state == NONE else left & started[state]
            left = left & ~counted
            for k, time in enumerate(exhibit.shown):
                values = counted[:, k].astype(float)
                yield from share_rows(f"{time}:{state}", arm, values, mine & observed, cohort, panel="")
        lost = int(np.count_nonzero(mine & ~observed))
        yield cell("all", arm, "n_left_out", lost, int(np.count_nonzero(mine)))
