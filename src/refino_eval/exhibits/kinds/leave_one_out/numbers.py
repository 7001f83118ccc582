"""Numbers of exhibits of kind `leave_one_out`."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval import estimation as est
from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.leave_one_out.model import LeaveOneOutExhibit
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.number_sources import Derived, Reason, contrast
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of


def numbers(exhibit: LeaveOneOutExhibit, context: Context) -> Iterator[Row]:
    """Return the effect with everybody (row `all`) and without each group; panel `change` has the difference."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    groups = groups_of(exhibit.without, people, study, most=exhibit.most_groups)
    left_out = est.leave_one_out(
        values,
        inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing),
        [groups.names[place] if place >= 0 else WITHOUT_GROUP for place in groups.member],
    )
    panel = exhibit.specification
    for j, key in enumerate(left_out.outcomes):
        yield from effect_rows("all", key, left_out.full, j, panel=panel)
        for g, group in enumerate(left_out.groups):
            n = int(left_out.n[g, j])
            statistics = (*EFFECT, "n", "n_left_out")
            yield from effect_rows(group, key, left_out, (g, j), statistics=statistics, panel=panel)
            parts = [left_out.full.sources[j], left_out.sources[g, j]]
            for statistic, value in (
                ("estimate", left_out.change[g, j]),
                ("std_error", left_out.change_std_error[g, j]),
            ):
                dependent = () if statistic == "estimate" else (0, 0)
                source = Derived(tuple(parts), contrast(statistic, (-1.0, 1.0)), dependent, Reason.SAMPLES)
                yield cell(group, key, statistic, value, n, panel="change", source=source)
