"""Numbers of exhibits of kind `leave_one_out`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.leave_one_out.model import LeaveOneOutExhibit
from refino_eval.exhibits.kinds.specification_curve.numbers import EFFECT
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, weighting

MOST_LEFT_OUT = 60
"""More groups than this are not left out in turn: a table of so many rows shows nothing."""


def numbers(exhibit: LeaveOneOutExhibit, context: Context) -> Iterator[Row]:
    """Tell the effect with everybody (row `all`) and without each group; panel `change` has the difference."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    groups = groups_of(exhibit.without, people, study, most=MOST_LEFT_OUT)
    told = est.leave_one_out(
        values,
        people["treated"].to_numpy(),
        [groups.names[place] if place >= 0 else WITHOUT_GROUP for place in groups.member],
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        missing=exhibit.missing,
        level=specification.level,
        **weighting(people, specification.vcov),
    )
    panel = exhibit.specification
    for j, key in enumerate(told.outcomes):
        for statistic in (*EFFECT, "n"):
            yield cell("all", key, statistic, getattr(told.full, statistic)[j], int(told.full.n[j]), panel=panel)
        for g, group in enumerate(told.groups):
            n = int(told.n[g, j])
            for statistic in (*EFFECT, "n", "n_left_out"):
                yield cell(group, key, statistic, getattr(told, statistic)[g, j], n, panel=panel)
            yield cell(group, key, "estimate", told.change[g, j], n, panel="change")
            yield cell(group, key, "std_error", told.change_std_error[g, j], n, panel="change")
