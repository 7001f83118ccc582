"""Numbers of exhibits of kind `paths`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.keys import panel_of
from refino_eval.exhibits.kinds.paths.model import PathsExhibit
from refino_eval.exhibits.numbers.arm_means import arm_mean_rows
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.panels import states_of
from refino_eval.exhibits.numbers.study import Context, Row


def numbers(exhibit: PathsExhibit, context: Context) -> Iterator[Row]:
    """Return (weighted) arm means by event time, over the people observed then, with intervals that honour clusters."""
    cohort, files, study = context.cohort, context.files, context.study
    groups = None if exhibit.by is None else groups_of(exhibit.by, cohort, study)
    if groups is not None:
        yield from groups.counts(cohort, study)
    for state in exhibit.states:
        values, times = states_of(exhibit, state, cohort, files)
        keys = [str(time) for time in times]
        if groups is None:
            yield from arm_mean_rows(values, keys, cohort, study, panel=state)
            continue
        for place, key in enumerate(groups.keys):
            rows = groups.rows(place)
            yield from arm_mean_rows(values[rows], keys, cohort.loc[rows], study, panel=panel_of(state, key))
