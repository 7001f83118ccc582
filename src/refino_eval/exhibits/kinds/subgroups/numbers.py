"""Numbers of exhibits of kind `subgroups`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refino_eval import estimation as est
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.subgroups.model import SubgroupsExhibit
from refino_eval.exhibits.numbers.groups import Groups, groups_of
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of

EFFECT = ("estimate", "std_error", "p_value", "conf_low", "conf_high")


def numbers(exhibit: SubgroupsExhibit, context: Context) -> Iterator[Row]:
    """Panel the split, row the group; rows `difference` (of two groups) and `equal` (the test, corrected for all)."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    p_values: dict[tuple[str, str], tuple[float, list[Row]]] = {}
    inputs = inputs_of(people, specification, controls, missing=exhibit.missing)
    for split in exhibit.groups:
        groups = groups_of(split, people, study)
        comparable = [place for place in range(len(groups.names)) if _compares(inputs.among(groups.rows(place)))]
        for place, group in enumerate(groups.names):
            if place not in comparable:
                for key in exhibit.columns:
                    n = int(groups.rows(place).sum())
                    yield cell(group, key, "estimate", np.nan, n, panel=groups.split, status="not_estimable")
        if len(comparable) < 2:
            continue
        by_group = est.subgroups(values, inputs.among(np.isin(groups.member, comparable)), groups.member)
        yield from _group_rows(by_group, groups)
        for j, key in enumerate(exhibit.columns):
            test = by_group.equality[j]
            tests = {"f_stat": test.f_stat, "df": test.df_num, "df_residual": test.df_den, "p_value": test.p_value}
            rows = [cell("equal", key, statistic, value, panel=groups.split) for statistic, value in tests.items()]
            p_values[groups.split, key] = (test.p_value, rows)
    family = est.multiplicity([p for p, _ in p_values.values()], names=[" ".join(key) for key in p_values])
    for place, ((split_name, key), (_, rows)) in enumerate(p_values.items()):
        yield from rows
        yield cell("equal", key, "p_value_holm", family.p_holm[place], panel=split_name)
        yield cell("equal", key, "q_value", family.q_sharpened[place], panel=split_name)


def _compares(inputs: est.RegressionInputs) -> bool:
    """Return whether treatment varies in a group given cells and controls, and leaves degrees of freedom."""
    try:
        est.prepare(inputs)
    except UserError:
        return False
    return True


def _group_rows(by_group: est.SubgroupTable, groups: Groups) -> Iterator[Row]:
    for place, effects in zip(by_group.groups, by_group.effects, strict=True):
        for j, key in enumerate(effects.outcomes):
            n = int(effects.n[j])
            for statistic in (*EFFECT, "n", "mean_control"):
                value, source = getattr(effects, statistic)[j], effects.sources[j]
                yield cell(groups.names[int(str(place))], key, statistic, value, n, panel=groups.split, source=source)
    if len(by_group.groups) == 2:
        for j, key in enumerate(by_group.effects[0].outcomes):
            n = int(sum(effects.n[j] for effects in by_group.effects))
            for statistic, value in (
                ("estimate", by_group.difference), ("std_error", by_group.std_error), ("p_value", by_group.p_value),
                ("conf_low", by_group.conf_low), ("conf_high", by_group.conf_high),
            ):  # fmt: skip
                yield cell("difference", key, statistic, value[0, j], n, panel=groups.split)
