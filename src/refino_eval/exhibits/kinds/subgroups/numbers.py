"""Numbers of exhibits of kind `subgroups`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.covariances import is_clustered
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.subgroups.model import SubgroupsExhibit
from refino_eval.exhibits.numbers.drawn_units import drawn_units
from refino_eval.exhibits.numbers.groups import Groups, groups_of
from refino_eval.exhibits.numbers.number_sources import difference_of_groups, equality_of_groups
from refino_eval.exhibits.numbers.result_rows import EFFECT, effect_rows, joint_test_rows
from refino_eval.exhibits.numbers.samples_of_exhibits import sample_of
from refino_eval.exhibits.numbers.study import Context, Row, cell, inputs_of
from refino_eval.seeds import derive_seed


def numbers(exhibit: SubgroupsExhibit, context: Context) -> Iterator[Row]:
    """Panel the split, row the group; rows `difference` (of two groups) and `equal` (the test, corrected for all)."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    people, values, controls = sample_of(exhibit, cohort, files, specification)
    p_values: dict[tuple[str, str], tuple[float, list[Row]]] = {}
    inputs = inputs_of(people, specification, controls, columns=exhibit.columns, missing=exhibit.missing)
    redrawn: dict[tuple[str, str, str], est.StatisticDraws] = {}
    assigned = _assigned(exhibit, context, people, inputs)
    for split in exhibit.groups:
        groups = groups_of(split, people, study)
        comparable = [
            place for place in range(len(groups.names)) if _compares(inputs.among(groups.rows(place)), exhibit.columns)
        ]
        yield from _not_estimable_rows(exhibit, groups, comparable)
        if len(comparable) < 2:
            continue
        by_group = est.subgroups(values, inputs.among(np.isin(groups.member, comparable)), groups.member)
        independent = not is_clustered(inputs.vcov) and not inputs.covariance.has_satterthwaite
        yield from _group_rows(by_group, groups, independent=independent, arm_means=exhibit.arm_means)
        if assigned is not None:
            for place in comparable:
                test_of = est.randomisation_test(values, inputs.among(groups.rows(place)), assignments=assigned)
                for j, key in enumerate(exhibit.columns):
                    redrawn[groups.split, groups.names[place], key] = test_of.statistics.of(j)
        for j, key in enumerate(exhibit.columns):
            test = by_group.equality[j]
            source = equality_of_groups([effects.sources[j] for effects in by_group.effects], independent=independent)
            rows = list(joint_test_rows("equal", key, test, panel=groups.split, source=source))
            p_values[groups.split, key] = (test.p_value, rows)
    yield from _equality_rows(p_values)
    if redrawn and assigned is not None:
        yield from _family_rows(exhibit, redrawn)
        yield cell("redraws", "all", "count", assigned.shape[1], panel="family")


def _not_estimable_rows(exhibit: SubgroupsExhibit, groups: Groups, comparable: Sequence[int]) -> Iterator[Row]:
    """Give missing effects of the groups that cannot be compared, with their size."""
    for place, group in enumerate(groups.names):
        if place not in comparable:
            n = int(groups.rows(place).sum())
            for key in exhibit.columns:
                yield cell(group, key, "estimate", np.nan, n, panel=groups.split, status="not_estimable")


def _equality_rows(p_values: Mapping[tuple[str, str], tuple[float, list[Row]]]) -> Iterator[Row]:
    """Give the tests of equal effects by split and outcome, with p-values corrected for all of them."""
    family = est.multiplicity([p for p, _ in p_values.values()], names=[" ".join(key) for key in p_values])
    for place, ((split, key), (_, rows)) in enumerate(p_values.items()):
        yield from rows
        yield cell("equal", key, "p_value_holm", family.p_holm[place], panel=split)
        yield cell("equal", key, "q_value", family.q_sharpened[place], panel=split)


def _assigned(
    exhibit: SubgroupsExhibit, context: Context, people: pd.DataFrame, inputs: est.RegressionInputs
) -> npt.NDArray[np.bool_] | None:
    """Re-randomise everybody, so that the tests of all groups share their draws; None when no draws are asked for."""
    if exhibit.draws is None:
        return None
    seed = derive_seed(context.study.seed, context.name, context.study.treated)
    return est.drawn_assignments(inputs, units=drawn_units(exhibit.draw_unit, people), draws=exhibit.draws, seed=seed)


def _family_rows(
    exhibit: SubgroupsExhibit, redrawn: Mapping[tuple[str, str, str], est.StatisticDraws]
) -> Iterator[Row]:
    """Randomisation p of each group's effect, and the step-down p over all groups and outcomes."""
    draws = est.StatisticDraws(
        tuple(" ".join(key) for key in redrawn),
        np.concatenate([one.observed for one in redrawn.values()]),
        np.hstack([one.draws for one in redrawn.values()]),
    )
    adjusted = est.step_down(draws, exhibit.step_down)
    for k, (split, group, key) in enumerate(redrawn):
        yield cell(group, key, "p_value_ri", draws.p_value[k], panel=split)
        yield cell(group, key, "p_value_fwer", adjusted[k], panel=split)


def _compares(inputs: est.RegressionInputs, outcomes: Iterable[str]) -> bool:
    """Return whether treatment varies in a group given cells and each outcome's controls, and leaves degrees of freedom."""
    try:
        for columns in {inputs.of_outcome(outcome) for outcome in outcomes}:
            est.prepare(inputs.with_columns(columns))
    except UserError:
        return False
    return True


OF_ARMS = ("mean_treated", "sd_treated", "sd_control", "n_treated", "n_control")
"""Statistics of the arms in a group, in addition to the mean of the control arm."""


def _group_rows(by_group: est.SubgroupTable, groups: Groups, *, independent: bool, arm_means: bool) -> Iterator[Row]:
    for place, effects in zip(by_group.groups, by_group.effects, strict=True):
        for j, key in enumerate(effects.outcomes):
            name, statistics = (
                groups.names[int(str(place))],
                (*EFFECT, "n", "mean_control", *(OF_ARMS if arm_means else ())),
            )
            yield from effect_rows(name, key, effects, j, statistics=statistics, panel=groups.split)
    if len(by_group.groups) == 2:
        for j, key in enumerate(by_group.effects[0].outcomes):
            n = int(sum(effects.n[j] for effects in by_group.effects))
            for statistic, value in (
                ("estimate", by_group.difference), ("std_error", by_group.std_error), ("p_value", by_group.p_value),
                ("conf_low", by_group.conf_low), ("conf_high", by_group.conf_high),
            ):  # fmt: skip
                sources = [effects.sources[j] for effects in by_group.effects]
                source = difference_of_groups(sources, statistic, independent=independent)
                yield cell("difference", key, statistic, value[0, j], n, panel=groups.split, source=source)
